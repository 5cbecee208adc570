package depthapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/tensor"
)

// form is a request's picture and options, from either kind of body.
type form struct {
	image     []byte
	imageURL  *string
	imagePath *string
	options   options
}

// maxField bounds a text field of a form; none needs more than a word.
const maxField = 1 << 10

// slack is what a body may have beyond its picture.
const slack = 64 << 10

// lenientUTF8 and repeated keys: clients of the earlier service got away with
// both, the last key winning.
func lenientUTF8() json.Options {
	return json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}

// readForm reads the body by its content type.
func (a *API) readForm(w http.ResponseWriter, r *http.Request) (*form, error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, unsupportedType(fmt.Sprintf("Content-Encoding %q is not supported; send the body as it is", encoding))
	}
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	limit := a.Settings.MaxBytes
	switch kind {
	case "multipart/form-data":
		if parameters["boundary"] == "" {
			return nil, invalid("multipart/form-data without a boundary")
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit+slack)
		return a.readMultipart(multipart.NewReader(r.Body, parameters["boundary"]))
	case "application/json":
		if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
			return nil, unsupportedType(fmt.Sprintf("charset %q is not supported; JSON is UTF-8", charset))
		}
		r.Body = http.MaxBytesReader(w, r.Body, int64(base64.StdEncoding.EncodedLen(int(limit)))+slack)
		return a.readJSON(r.Body)
	}
	return nil, unsupportedType(fmt.Sprintf("Unsupported content type %q; expected multipart/form-data or application/json", r.Header.Get("Content-Type")))
}

// readError words a body that could not be read.
func (a *API) readError(what string, err error) error {
	var tooMuch *http.MaxBytesError
	switch {
	case errors.As(err, &tooMuch):
		return a.overLimit()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &httpError{status: http.StatusRequestTimeout, kind: "timeout", message: fmt.Sprintf("the request's body did not arrive within %v", a.Settings.ReadTime)}
	}
	return invalid(what + ": " + err.Error())
}

func (a *API) overLimit() error {
	return tooLarge(fmt.Sprintf("Image exceeds %sMB limit", strconv.FormatFloat(float64(a.Settings.MaxBytes)/(1<<20), 'f', -1, 64)))
}

func (a *API) readMultipart(parts *multipart.Reader) (*form, error) {
	f := &form{options: a.defaults()}
	seen := false
	for {
		part, err := parts.NextPart()
		if err == io.EOF && seen {
			break
		}
		if err == io.EOF { // also what the reader says when there is no boundary at all
			return nil, invalid("Missing 'image' field")
		}
		if err != nil {
			return nil, a.readError("the multipart body is broken", err)
		}
		seen = true
		switch name := part.FormName(); name {
		case "image": // the last one counts, as it always did
			f.image, err = a.readImage(part)
		case "normalize", "colormap", "output_format", "orient", "representation", "depth_range", "range":
			var text []byte
			if text, err = io.ReadAll(io.LimitReader(part, maxField+1)); err != nil {
				err = a.readError("field "+name, err)
			} else if len(text) > maxField {
				err = tooLarge(fmt.Sprintf("field %s is over %d bytes", name, maxField))
			} else {
				err = f.options.setText(name, string(text))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if len(f.image) == 0 {
		return nil, invalid("Missing 'image' field")
	}
	return f, nil
}

func (a *API) readImage(part *multipart.Part) ([]byte, error) {
	if encoding := part.Header.Get("Content-Transfer-Encoding"); encoding != "" && !strings.EqualFold(encoding, "binary") && !strings.EqualFold(encoding, "8bit") && !strings.EqualFold(encoding, "quoted-printable") {
		return nil, invalid(fmt.Sprintf("Content-Transfer-Encoding %q of the image part is not supported; send it as binary", encoding))
	}
	data, err := io.ReadAll(io.LimitReader(part, a.Settings.MaxBytes+1))
	if err != nil {
		return nil, a.readError("the image part", err)
	}
	if int64(len(data)) > a.Settings.MaxBytes {
		return nil, a.overLimit()
	}
	return data, nil
}

func (a *API) readJSON(body io.Reader) (*form, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, a.readError("the JSON body", err)
	}
	if raw := jsontext.Value(text); raw.Kind() != '{' && raw.IsValid(lenientUTF8()) {
		return nil, invalid("Missing 'image' or 'image_url' field: the body must be a JSON object, got " + tensor.KindName(raw))
	}
	var b struct {
		Image          jsontext.Value `json:"image"`
		ImageURL       jsontext.Value `json:"image_url"`
		ImagePath      jsontext.Value `json:"image_path"`
		Normalize      jsontext.Value `json:"normalize"`
		Orient         jsontext.Value `json:"orient"`
		Colormap       jsontext.Value `json:"colormap"`
		OutputFormat   jsontext.Value `json:"output_format"`
		Representation jsontext.Value `json:"representation"`
		DepthRange     jsontext.Value `json:"depth_range"`
		Range          jsontext.Value `json:"range"`
	}
	if err := json.Unmarshal(text, &b, lenientUTF8()); err != nil {
		return nil, invalid("the body is not valid JSON: " + err.Error())
	}
	f := &form{options: a.defaults()}
	err = errors.Join(
		f.options.setBool("normalize", b.Normalize, &f.options.normalize),
		f.options.setBool("orient", b.Orient, &f.options.orient),
		f.options.setString("colormap", b.Colormap),
		f.options.setString("output_format", b.OutputFormat),
		f.options.setString("representation", b.Representation),
		f.options.setPair("depth_range", b.DepthRange),
		f.options.setPair("range", b.Range),
	)
	if err != nil {
		return nil, err
	}
	switch {
	case b.Image != nil:
		f.image, err = a.decodeImage(b.Image)
	case b.ImageURL != nil:
		f.imageURL, err = needString("image_url", b.ImageURL)
	case b.ImagePath != nil:
		f.imagePath, err = needString("image_path", b.ImagePath)
	default:
		err = invalid("Missing 'image' or 'image_url' field")
	}
	return f, err
}

func needString(name string, raw jsontext.Value) (*string, error) {
	var s string
	if raw.Kind() != '"' || json.Unmarshal(raw, &s, lenientUTF8()) != nil {
		return nil, invalid(fmt.Sprintf("%s must be a string, got %s", name, tensor.KindName(raw)))
	}
	return &s, nil
}

// decodeImage takes base64, bare or as a data URI.
func (a *API) decodeImage(raw jsontext.Value) ([]byte, error) {
	text, err := needString("image", raw)
	if err != nil {
		return nil, err
	}
	encoded := *text
	if rest, ok := strings.CutPrefix(encoded, "data:"); ok {
		head, data, found := strings.Cut(rest, ",")
		if !found || !strings.HasSuffix(head, ";base64") {
			return nil, invalid("the data URI of 'image' must be of the form data:TYPE;base64,DATA")
		}
		encoded = data
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, invalid("'image' is not standard base64: " + err.Error())
	}
	if int64(len(data)) > a.Settings.MaxBytes {
		return nil, a.overLimit()
	}
	return data, nil
}

// picture gets the bytes of the request's picture, from wherever they are.
func (a *API) picture(ctx context.Context, f *form) ([]byte, error) {
	switch {
	case f.imageURL != nil && !a.Settings.AllowURL:
		return nil, invalid("image_url is switched off on this server (input.allow_image_url)")
	case f.imageURL != nil:
		return a.Fetcher.Get(ctx, *f.imageURL)
	case f.imagePath != nil && !a.Settings.AllowPaths:
		return nil, invalid("image_path is switched off on this server (input.allow_local_paths)")
	case f.imagePath != nil:
		return a.readFile(*f.imagePath)
	}
	return f.image, nil
}

func (a *API) readFile(path string) (data []byte, err error) {
	fail := func(err error) ([]byte, error) { return nil, invalid("image_path: " + err.Error()) }
	info, err := os.Stat(path)
	if err != nil {
		return fail(err)
	}
	if !info.Mode().IsRegular() { // a device or a pipe could block for ever
		return fail(fmt.Errorf("%s is not a regular file", path))
	}
	if info.Size() > a.Settings.MaxBytes {
		return nil, a.overLimit()
	}
	data, err = os.ReadFile(path)
	if err != nil {
		return fail(err)
	}
	return data, nil
}
