package inferapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"hailo-depth/device"
	"hailo-depth/inferapi"
	"hailo-depth/tensor"
)

// FuzzInfer: whatever a body says, it is answered with the outputs or with an
// error that says what was wrong, and costs no memory afterwards.
func FuzzInfer(f *testing.F) {
	text := "done"
	in := []device.TensorInfo{{Name: "in", DType: tensor.Uint8, Shape: tensor.Shape{4, 4, 3}}}
	m := &fake{status: device.Status{Models: []device.LoadedModel{{Type: "depth", Path: "/m", Tensors: device.Signature{Inputs: in}}}}, infer: func(context.Context, device.Model, device.Input) (device.Result, error) {
		return device.Result{Text: &text}, nil
	}}
	api := newAPI(m, inferapi.Named{Name: "depth", Model: device.Model{Type: "depth", Path: "/m"}}, inferapi.Named{Name: "ocr", Model: device.Model{Type: "ocr", Path: "/m"}},
		inferapi.Named{Name: "vlm", Model: device.Model{Type: "vlm", Path: "/m"}}, inferapi.Named{Name: "clip", Model: device.Model{Type: "clip", Path: "/m"}})
	api.Bodies = inferapi.NewBodies(maxMessage) // of one request: what is not given back is missed at once
	h := api.Handler(inferapi.Access{Trusted: true})
	f.Add("depth", string(flat(1, "")), "")
	f.Add("depth", string(picture(1).Data), "0")
	f.Add("ocr", string(flat(1, `"parameters":{"mode":"recognition","language":"en","batch_size":3},"outputs":[{"name":"text","parameters":{"binary_data":true}}],`)), "")
	f.Add("vlm", `{"parameters":{"prompt":[{"role":"user"}],"temperature":0.5,"seed":1,"binary_data_output":true,"timeout":5},"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["x"]}]}`, "")
	f.Add("any", `{"parameters":{"model_path":"/p","model_type":"whisper","model_params":"{}","task":"x"},"inputs":[{"name":"a","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}1234`, "178")
	f.Fuzz(func(t *testing.T, model, body, head string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v2/models/m/infer", bytes.NewReader([]byte(body)))
		r.URL.Path = "/v2/models/" + model + "/infer"
		r.Host = ""
		if head != "" {
			r.Header.Set("Inference-Header-Content-Length", head)
		}
		h.ServeHTTP(w, r)
		var fields map[string]any
		err := json.Unmarshal(w.Body.Bytes(), &fields)
		switch {
		case w.Code == 200 || w.Code >= 300 && w.Code < 400: // a redirect to a cleaner path
		case w.Code == 503 && strings.Contains(w.Body.String(), "is not loaded"): // raw, for a model whose input is not known
		case w.Code == 500 || w.Code == 503 || err != nil || fields["error"] == "" || fields["kind"] == nil:
			t.Errorf("%q %q %q: %d %s", model, body, head, w.Code, w.Body)
		}
	})
}
