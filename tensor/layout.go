package tensor

import (
	"fmt"
	"slices"
)

// Fit brings t into the shape and type that a network's input declares.
//
// Leading dimensions of 1 do not count ([3,H,W] fits [1,3,H,W]). A picture in
// the other layout is transposed: [3,H,W] to [H,W,3] and back. Anything else is
// an error of KindShape that names both shapes.
func Fit(t Tensor, dtype DType, shape Shape) (Tensor, error) {
	t, err := Convert(t, dtype)
	if err != nil {
		return Tensor{}, err
	}
	have, want := t.Shape.Squeeze(0), shape.Squeeze(0)
	if slices.Equal(have, want) {
		return Tensor{DType: t.DType, Shape: shape, Data: t.Data}, nil
	}
	// A one-channel picture loses its channel axis to Squeeze in CHW only.
	have, want = t.Shape.Squeeze(3), shape.Squeeze(3)
	if len(have) == 3 && len(want) == 3 {
		switch {
		case slices.Equal(want, Shape{have[1], have[2], have[0]}):
			return Tensor{DType: t.DType, Shape: shape, Data: transpose(t.Data, t.DType.Size(), have[0], have[1]*have[2])}, nil
		case slices.Equal(want, Shape{have[2], have[0], have[1]}):
			return Tensor{DType: t.DType, Shape: shape, Data: transpose(t.Data, t.DType.Size(), have[0]*have[1], have[2])}, nil
		}
	}
	return Tensor{}, &Error{Kind: KindShape, Message: fmt.Sprintf(
		"a tensor of shape %v does not fit the network's input %v", t.Shape, shape)}
}

// transpose swaps the axes of a rows x columns matrix of elements of size bytes.
func transpose(src []byte, size, rows, columns int) []byte {
	dst := make([]byte, len(src))
	if size == 1 {
		for r := range rows {
			row := src[r*columns : (r+1)*columns]
			for c, v := range row {
				dst[c*rows+r] = v
			}
		}
		return dst
	}
	for r := range rows {
		for c := range columns {
			from, to := (r*columns+c)*size, (c*rows+r)*size
			copy(dst[to:to+size], src[from:from+size])
		}
	}
	return dst
}
