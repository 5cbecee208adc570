package tensor

// Kind says what is wrong with a tensor.
type Kind string

// The kinds of Error.
const (
	KindDType  Kind = "dtype"  // the element type is unknown or does not fit
	KindShape  Kind = "shape"  // a dimension is negative, too large, or does not fit
	KindLength Kind = "length" // the bytes do not fill the shape
	KindFormat Kind = "format" // the JSON form is not a tensor
	KindValue  Kind = "value"  // an element cannot be represented in the wanted type
)

// Error is a tensor that cannot be used, with the value found and what was expected.
type Error struct {
	Kind    Kind
	Message string
}

func (e *Error) Error() string { return e.Message }
