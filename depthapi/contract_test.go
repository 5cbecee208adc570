package depthapi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hailo-depth/depthmap"
	"hailo-depth/fetch"
	"hailo-depth/internal/npz"
)

// recordedImage is one kind of request for one picture, with its answer.
type recordedImage struct {
	Fields map[string]string
	Status int
	Answer struct {
		Model      string
		ModelType  string `json:"model_type"`
		InputShape []int  `json:"input_shape"`
		DepthShape []int  `json:"depth_shape"`
		Normalized bool
		Stats      depthmap.Stats
		Keys       []string
	}
	Array struct{ SHA256 string }
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(contract, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// The numbers of lossy pictures are compared in package depthmap, where the
// whole arrays are; here it is the form of every answer and, for lossless
// pictures, every byte of the data.
func TestRecordedPictures(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	var recorded struct {
		Images map[string]map[string]recordedImage
	}
	readJSON(t, "images.json", &recorded)
	for name, kinds := range recorded.Images {
		for kind, c := range kinds {
			t.Run(name+"/"+kind, func(t *testing.T) { s.comparePicture(t, name, kind, c) })
		}
	}
}

func (s service) comparePicture(t *testing.T, name, kind string, c recordedImage) {
	picture, err := os.ReadFile(filepath.Join(contract, "images", name))
	if err != nil {
		t.Fatal(err)
	}
	status, header, body := s.post(t, form(t, picture, c.Fields))
	if status != c.Status {
		t.Fatalf("status %d: %.300s", status, body)
	}
	var got struct {
		Model       string
		ModelType   string  `json:"model_type"`
		InputShape  []int   `json:"input_shape"`
		DepthShape  []int   `json:"depth_shape"`
		InferenceMS float64 `json:"inference_time_ms"`
		Normalized  bool
		Stats       depthmap.Stats
		DepthMap    []byte `json:"depth_map"`
		DepthImage  []byte `json:"depth_image"`
		DepthPNG16  []byte `json:"depth_png_16"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if keys := topLevelKeys(t, body); !slices.Equal(keys, c.Answer.Keys) {
		t.Errorf("keys %v, want %v", keys, c.Answer.Keys)
	}
	if got.Model != c.Answer.Model || got.ModelType != c.Answer.ModelType || got.Normalized != c.Answer.Normalized ||
		!slices.Equal(got.InputShape, c.Answer.InputShape) || !slices.Equal(got.DepthShape, c.Answer.DepthShape) {
		t.Errorf("got %+v, want %+v", got, c.Answer)
	}
	if got.InferenceMS <= 0 || math.Abs(got.InferenceMS*100-math.Round(got.InferenceMS*100)) > 1e-6 {
		t.Errorf("inference_time_ms is %v; expected two decimals above 0", got.InferenceMS)
	}
	for _, stage := range []string{"decode", "resize", "queue", "infer", "post", "encode"} {
		if !strings.Contains(header.Get("Server-Timing"), stage+";dur=") {
			t.Errorf("Server-Timing %q lacks %s", header.Get("Server-Timing"), stage)
		}
	}
	// 16-bit grey was clipped to white, and constant maps were not normalised:
	// both are faults of the recording (http.md, steps 1 and 5).
	if name == "gray16_320x256.png" || name == "constant_64x48.png" && kind != "raw" {
		return
	}
	allowed := 1e-6 // of the mean, which was summed in float32
	if strings.HasSuffix(name, ".jpg") || strings.HasSuffix(name, ".webp") {
		allowed = 0.25
	}
	for what, pair := range map[string][2]float64{
		"min": {got.Stats.Min, c.Answer.Stats.Min}, "max": {got.Stats.Max, c.Answer.Stats.Max},
		"mean": {got.Stats.Mean, c.Answer.Stats.Mean}, "p95": {got.Stats.P95, c.Answer.Stats.P95},
	} {
		if math.Abs(pair[0]-pair[1]) > allowed*max(1, math.Abs(pair[1])) {
			t.Errorf("stats.%s is %v, want %v", what, pair[0], pair[1])
		}
	}
	if strings.HasSuffix(name, ".jpg") || strings.HasSuffix(name, ".webp") {
		return
	}
	var data []byte
	switch {
	case got.DepthMap != nil:
		members, err := npz.Read(got.DepthMap)
		if err != nil {
			t.Fatal(err)
		}
		data = members["depth"].Data
	case got.DepthImage != nil:
		data = pngBytes(t, got.DepthImage)
	default:
		data = pngBytes(t, got.DepthPNG16)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != c.Array.SHA256 {
		t.Error("the data differ from the recorded ones")
	}
}

// form makes a multipart body with the picture in the field image.
func form(t testing.TB, picture []byte, fields map[string]string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("image", "picture")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(picture); err != nil {
		t.Fatal(err)
	}
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/depth/estimate", &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

// post sends a request whose URL is only a path.
func (s service) post(t testing.TB, r *http.Request) (int, http.Header, []byte) {
	t.Helper()
	status, header, body, err := s.send(r)
	if err != nil {
		t.Fatal(err)
	}
	return status, header, body
}

func (s service) send(r *http.Request) (int, http.Header, []byte, error) {
	target, err := r.URL.Parse(s.url + r.URL.RequestURI())
	if err != nil {
		return 0, nil, nil, err
	}
	r.URL = target
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, body, err
}

func topLevelKeys(t *testing.T, body []byte) []string {
	t.Helper()
	var keys []string
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.(string))
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// pngBytes are a PNG's samples, row by row: 8-bit RGB, or 16-bit little endian.
func pngBytes(t *testing.T, raw []byte) []byte {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	switch p := img.(type) {
	case *image.Gray16:
		for i := 0; i < len(p.Pix); i += 2 {
			out = binary.LittleEndian.AppendUint16(out, binary.BigEndian.Uint16(p.Pix[i:]))
		}
	case *image.RGBA: // what the decoder makes of RGB without alpha
		for i := 0; i < len(p.Pix); i += 4 {
			out = append(out, p.Pix[i:i+3]...)
		}
	default:
		t.Fatalf("the PNG is a %T", img)
	}
	return out
}

// edgeCase is an odd or wrong request of edge.json.
type edgeCase struct {
	Name, Server, Method, Path string
	Headers                    [][2]string
	Body                       []struct {
		Text, B64, File string
		FileB64         string `json:"file_b64"`
		Repeat          string
		Count           int
		PadTo           int `json:"pad_to"`
	}
	Chunked bool
	Better  *struct {
		Status []int
		Why    string
	}
	Answer struct {
		Status int
		Allow  string
		JSON   map[string]any
	}
}

// overruled are the recordings that http.md contradicts, or that this issue changed.
var overruled = map[string]struct {
	status int
	why    string
}{
	"text_plain":       {415, "http.md: 415 for another content type"},
	"no_content_type":  {415, "likewise"},
	"raw_jpeg_body":    {415, "likewise"},
	"urlencoded":       {415, "likewise"},
	"json_suffix_type": {415, "likewise"},

	"image_bad_bomb_20000x20000_png": {413, "http.md: 413 over the pixel limit"},
}

func TestRecordedOddRequests(t *testing.T) {
	images := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(contract, "images"))))
	t.Cleanup(images.Close)
	small, noURL := settings(), settings()
	small.MaxBytes = 1 << 20
	noURL.AllowURL = false
	servers := map[string]service{
		"default": startReady(t, settings(), fetch.Rules{Loopback: true}),
		"small":   startReady(t, small, fetch.Rules{Loopback: true}),
		"nourl":   startReady(t, noURL, fetch.Rules{Loopback: true}),
	}
	var recorded struct{ Cases []edgeCase }
	readJSON(t, "edge.json", &recorded)
	if len(recorded.Cases) < 100 {
		t.Errorf("only %d cases were found", len(recorded.Cases))
	}
	for _, c := range recorded.Cases {
		t.Run(c.Name, func(t *testing.T) {
			s := servers[c.Server]
			expand := strings.NewReplacer("${IMG_SERVER}", images.URL, "${BASE_URL}", s.url, "${GOLDENS}", contract).Replace
			compareEdge(t, s, c, expand)
		})
	}
}

func compareEdge(t *testing.T, s service, c edgeCase, expand func(string) string) {
	var body io.Reader = bytes.NewReader(edgeBody(t, c, expand))
	if c.Chunked {
		body = struct{ io.Reader }{body} // without a length
	}
	r, err := http.NewRequestWithContext(t.Context(), c.Method, expand(c.Path), body)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range c.Headers {
		r.Header.Set(h[0], h[1])
	}
	status, header, answer := s.post(t, r)
	allowed := []int{c.Answer.Status}
	if c.Better != nil {
		allowed = c.Better.Status
	}
	if o, ok := overruled[c.Name]; ok {
		allowed = []int{o.status}
	}
	if !slices.Contains(allowed, status) {
		t.Fatalf("status %d, want one of %v: %.300s", status, allowed, answer)
	}
	if c.Method == http.MethodHead {
		if len(answer) > 0 {
			t.Errorf("an answer to HEAD has a body: %.100s", answer)
		}
		return
	}
	var got map[string]any
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatalf("the answer is not JSON: %v: %.200s", err, answer)
	}
	if kind := header.Get("Content-Type"); kind != "application/json; charset=utf-8" {
		t.Errorf("Content-Type %q", kind)
	}
	if status >= 400 {
		problem, _ := got["error"].(map[string]any)
		if message, _ := problem["message"].(string); message == "" || problem["type"] == "" || len(got) != 1 {
			t.Errorf("not the error envelope: %s", answer)
		}
		for _, method := range strings.Split(c.Answer.Allow, ",") {
			if !strings.Contains(header.Get("Allow"), method) {
				t.Errorf("Allow is %q, want %q", header.Get("Allow"), c.Answer.Allow)
			}
		}
		return
	}
	if status == c.Answer.Status {
		if diff := compareJSON(c.Name, "", got, c.Answer.JSON); diff != "" {
			t.Errorf("%s\n got %.400s", diff, answer)
		}
	}
}

func edgeBody(t *testing.T, c edgeCase, expand func(string) string) []byte {
	t.Helper()
	var body []byte
	for _, p := range c.Body {
		var piece []byte
		var err error
		switch {
		case p.File != "":
			piece, err = os.ReadFile(filepath.Join(contract, p.File))
		case p.FileB64 != "":
			piece, err = os.ReadFile(filepath.Join(contract, p.FileB64))
			piece = []byte(base64.StdEncoding.EncodeToString(piece))
		case p.B64 != "":
			piece, err = base64.StdEncoding.DecodeString(p.B64)
		case p.Repeat != "":
			piece = bytes.Repeat([]byte(p.Repeat), p.Count)
		default:
			piece = []byte(expand(p.Text))
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.PadTo > len(piece) {
			piece = append(piece, make([]byte, p.PadTo-len(piece))...)
		}
		body = append(body, piece...)
	}
	return body
}

// compareJSON compares an answer with its recording, in which numbers that vary
// are "<number>" and data "<n bytes>".
func compareJSON(name, path string, got, want any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s: %v", path, got)
		}
		for k, v := range w {
			if diff := compareJSON(name, path+"/"+k, g[k], v); diff != "" {
				return diff
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s: %v", path, got)
		}
		for i, v := range w {
			if diff := compareJSON(name, fmt.Sprintf("%s/%d", path, i), g[i], v); diff != "" {
				return diff
			}
		}
		return ""
	case string:
		_, isNumber := got.(float64)
		if w == "<number>" && isNumber {
			return ""
		}
		if g, ok := got.(string); ok && strings.HasSuffix(w, " bytes>") && g != "" {
			return ""
		}
	case float64:
		if g, ok := got.(float64); ok && math.Abs(g-w) <= 1e-6*max(1, math.Abs(w)) {
			return ""
		}
	}
	// The recording took 1, yes and the like for false; they mean true.
	if slices.Contains([]string{"normalize_multipart_1", "normalize_multipart_yes", "normalize_multipart_empty", "normalize_multipart_padded"}, name) &&
		(path == "/normalized" || strings.HasPrefix(path, "/stats")) {
		return ""
	}
	if got == want {
		return ""
	}
	return fmt.Sprintf("%s is %v, want %v", path, got, want)
}
