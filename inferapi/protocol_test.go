package inferapi_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"net/http/httptest"

	"hailo-depth/device"
	"hailo-depth/inferapi"
	"hailo-depth/peer"
	"hailo-depth/sim/simtest"
	"hailo-depth/tensor"
)

// An ordinary client of the protocol: a configured model, JSON and binary, raw,
// chosen outputs, metadata, readiness, versions.
func TestOrdinaryClient(t *testing.T) {
	m := startManager(t, simtest.Command())
	path := writeModel(t, "file.hef", gray)
	c := web(t, serve(t, newAPI(m, inferapi.Named{Name: "gray", Model: device.Model{Type: "depth", Path: path}})))
	model := host + "/v2/models/gray"

	ask(t, c, "GET", model, nil).refused(t, 503, "device_unavailable", `model "gray" is not loaded`)
	ask(t, c, "GET", model+"/ready", nil).refused(t, 503, "device_unavailable", `model "gray" is not loaded`)
	r := ask(t, c, "POST", model+"/infer", flat(255, `"id":"7",`))
	f := r.fields(t)
	out := f["outputs"].([]any)[0].(map[string]any)
	if r.status != 200 || f["id"] != "7" || f["model_name"] != "gray" || f["model_version"] != "1" || out["name"] != "out" || out["datatype"] != "FP32" ||
		!reflect.DeepEqual(out["shape"], []any{4.0, 4.0, 1.0}) || out["data"].([]any)[15] != 10.0 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if p := f["parameters"].(map[string]any); p["infer_us"].(float64) <= 0 || p["load_us"].(float64) <= 0 || p["result"] != "tensor" {
		t.Errorf("%v", p)
	}
	if timing := r.header.Get("Server-Timing"); !strings.HasPrefix(timing, "queue;dur=0.") || !strings.Contains(timing, ", infer;dur=") {
		t.Error(timing)
	}
	want := `{"name":"gray","versions":["1"],"platform":"hailort_hef","inputs":[{"name":"in","datatype":"UINT8","shape":[4,4,3]}],"outputs":[{"name":"out","datatype":"FP32","shape":[4,4,1]}]}`
	for _, url := range []string{model, model + "/versions/1"} {
		if r := ask(t, c, "GET", url, nil); r.status != 200 || string(r.body) != want {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	if r := ask(t, c, "GET", model+"/versions/1/ready", nil); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	ask(t, c, "GET", model+"/versions/2/ready", nil).refused(t, 404, "model_not_found", "has no version 2; its only one is 1")

	// Binary in and out, and a raw request: the same bytes.
	head := `{"inputs":[{"name":"in","shape":[4,4,3],"datatype":"UINT8","parameters":{"binary_data_size":48}}],"outputs":[{"name":"out","parameters":{"binary_data":true}}]}`
	binary := ask(t, c, "POST", model+"/infer", append([]byte(head), picture(255).Data...), "Inference-Header-Content-Length", fmt.Sprint(len(head)))
	raw := ask(t, c, "POST", model+"/infer", picture(255).Data, "Inference-Header-Content-Length", "0")
	ten := bytes.Repeat([]byte{0, 0, 0x20, 0x41}, 16)
	for _, r := range []reply{binary, raw} {
		if r.status != 200 || !bytes.HasSuffix(r.body, ten) || r.header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%d %q", r.status, r.body)
		}
	}
	ask(t, c, "POST", model+"/infer", picture(255).Data[1:], "Inference-Header-Content-Length", "0").refused(t, 400, "invalid_request", "a raw request is the bytes of the input")
	ask(t, c, "POST", model+"/infer", flat(1, `"outputs":[{"name":"other"}],`)).refused(t, 400, "invalid_request", `there is no output "other"; there are ["out"]`)
	if r := ask(t, c, "POST", model+"/infer", flat(1, `"outputs":[{"name":"output"}],`)); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := ask(t, c, "POST", host+"/v2/repository/models/gray/unload", nil); r.status != 200 || string(r.body) != `{"model_name":"gray","was_loaded":true}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := ask(t, c, "POST", host+"/v2/repository/index", []byte(`{"ready":true}`)); string(r.body) != "[]" {
		t.Errorf("%s", r.body)
	}
}

// The names that a model's metadata gives are names that inferences take.
func TestNetworksOfAModel(t *testing.T) {
	m := startManager(t, simtest.Command())
	c := web(t, serve(t, newAPI(m)))
	path := writeModel(t, "net.hef", gray)
	parameters := fmt.Sprintf(`"model_path":"/key/pair","model_type":"clip","model_params":{"image_hef_path":%q,"text_hef_path":%q}`, path, path)
	if r := ask(t, c, "POST", host+"/v2/repository/models/pair/load", []byte(`{"parameters":{`+parameters+`}}`)); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	r := ask(t, c, "GET", host+"/v2/models/pair", nil)
	if !strings.Contains(string(r.body), `"inputs":[{"name":"image/in","datatype":"UINT8","shape":[4,4,3]},{"name":"text/in","datatype":"FP32","shape":[4,4,3]}]`) {
		t.Errorf("%s", r.body)
	}
	for _, name := range []string{"image/in", "text/in"} {
		body := bytes.Replace(flat(1, ""), []byte(`"in"`), []byte(`"`+name+`"`), 1)
		if r := ask(t, c, "POST", host+"/v2/models/pair/infer", body); r.status != 200 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	ask(t, c, "POST", host+"/v2/models/pair/infer", flat(1, "")).refused(t, 400, "invalid_request", "clip mode must be 'image' or 'text'")
}

// Depth models answer with float32 whatever their network gives, and say so.
func TestDepthIsFloat32(t *testing.T) {
	bytes := []device.TensorInfo{{Name: "map", DType: tensor.Uint8, Shape: tensor.Shape{4, 4, 1}}}
	m := &fake{status: device.Status{Models: []device.LoadedModel{{Type: "depth", Path: "/d.hef", Tensors: device.Signature{Outputs: bytes}}, {Type: "pose", Path: "/p.hef", Tensors: device.Signature{Outputs: bytes}}}}}
	c := web(t, serve(t, newAPI(m)))
	for name, want := range map[string]string{"d": "FP32", "p": "UINT8"} {
		if r := ask(t, c, "GET", host+"/v2/models/"+name, nil); !strings.Contains(string(r.body), `"outputs":[{"name":"map","datatype":"`+want+`","shape":[4,4,1]}]`) {
			t.Errorf("%s: %s", name, r.body)
		}
	}
}

func TestNames(t *testing.T) {
	both := &fake{status: device.Status{Models: []device.LoadedModel{{Type: "depth", Path: "/a/x.hef"}, {Type: "pose", Path: "/b/x.onnx"}}}}
	c := web(t, serve(t, newAPI(both)))
	infer := func(name, members string) reply {
		return ask(t, c, "POST", host+"/v2/models/"+name+"/infer", flat(1, members))
	}
	infer("x", "").refused(t, 400, "invalid_request", `the name "x" fits 2 loaded models`)
	infer("y", "").refused(t, 404, "model_not_found", `no model "y" is configured or loaded; name its file`)
	infer("a%2Fb", "").refused(t, 400, "invalid_request", "without slashes")
	infer("%2E%2E", "").refused(t, 400, "invalid_request", "is not one")
	infer("%FF", "").refused(t, 400, "invalid_request", "is not one")
	infer("x", `"parameters":{"model_path":"/a"},`).refused(t, 400, "invalid_request", "belong together")
	infer("x", `"parameters":{"model_params":{}},`).refused(t, 400, "invalid_request", "belong together")
	infer("x", `"parameters":{"model_path":7},`).refused(t, 400, "invalid_request", "model_path must be a string, got 7")
}

// Priority, client and deadline reach the manager; bad ones are refused.
func TestTerms(t *testing.T) {
	type call struct {
		terms    device.Terms
		deadline time.Duration
	}
	asked := make(chan call, 1)
	m := &fake{infer: func(ctx context.Context, _ device.Model, _ device.Input) (device.Result, error) {
		got := call{terms: device.TermsOf(ctx)}
		if end, ok := ctx.Deadline(); ok {
			got.deadline = time.Until(end)
		}
		asked <- got
		return device.Result{Text: new(string)}, nil
	}}
	api := newAPI(m, inferapi.Named{Name: "m", Model: device.Model{Type: "depth", Path: "/m"}})
	synctest.Test(t, func(t *testing.T) { // so that no time passes
		h := api.Handler(inferapi.Access{Trusted: true})
		infer := func(parameters string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/v2/models/m/infer", bytes.NewReader(flat(1, `"parameters":{`+parameters+`},`)))
			r.Host = ""
			h.ServeHTTP(w, r)
			return w
		}
		for parameters, want := range map[string]call{
			``:                                {device.Terms{Priority: 5}, 0},
			`"priority":9,"client":"a"`:       {device.Terms{Priority: 9, Client: "a"}, 0},
			`"timeout":1500`:                  {device.Terms{Priority: 5}, 1500 * time.Microsecond},
			`"timeout":0`:                     {device.Terms{Priority: 5}, 0},
			`"deadline_ms":20`:                {device.Terms{Priority: 5}, 20 * time.Millisecond},
			`"deadline_ms":20,"timeout":2000`: {device.Terms{Priority: 5}, 2 * time.Millisecond},
		} {
			if w := infer(parameters); w.Code != 200 {
				t.Errorf("%s: %d %s", parameters, w.Code, w.Body)
			} else if got := <-asked; got != want {
				t.Errorf("%s: %+v, want %+v", parameters, got, want)
			}
		}
		for parameters, part := range map[string]string{
			`"priority":10`: "priority is 10; expected 0 to 9", `"priority":"high"`: "must be a whole number", `"timeout":-1`: "timeout is -1",
			`"deadline_ms":9223372036854775807`: "deadline_ms is", `"client":"` + strings.Repeat("x", 65) + `"`: "client must have at most 64 bytes",
		} {
			if w := infer(parameters); w.Code != 400 || !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s: %d %s", parameters, w.Code, w.Body)
			}
		}
	})
}

// Speech comes in columns; a text that JSON cannot hold is mended, a number is not.
func TestOtherResults(t *testing.T) {
	results := make(chan device.Result, 1)
	c := web(t, serve(t, newAPI(&fake{infer: func(context.Context, device.Model, device.Input) (device.Result, error) { return <-results, nil }},
		inferapi.Named{Name: "m", Model: device.Model{Type: "pose", Path: "/m"}})))
	infer := func(r device.Result) reply {
		results <- r
		return ask(t, c, "POST", host+"/v2/models/m/infer", flat(1, ""))
	}
	r := infer(device.Result{Speech: &device.Transcript{Segments: []device.Segment{{ID: 1, Start: 0.5, End: 2, Text: " a\xff"}}}})
	if !strings.Contains(string(r.body), `[{"name":"text","shape":[1],"datatype":"BYTES","data":[" a`+"\uFFFD"+`"]},{"name":"id","shape":[1],"datatype":"INT64","data":[1]},{"name":"start","shape":[1],"datatype":"FP64","data":[0.5]},{"name":"end","shape":[1],"datatype":"FP64","data":[2]}]`) {
		t.Errorf("%s", r.body)
	}
	nan := tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{1}, Data: []byte{0, 0, 0xc0, 0x7f}}
	infer(device.Result{Tensor: &nan}).refused(t, 400, "invalid_request", "values that JSON cannot hold")
	infer(device.Result{List: []tensor.Tensor{{DType: tensor.Uint8, Shape: tensor.Shape{maxMessage + 1}, Data: make([]byte, maxMessage+1)}}}).refused(t, 500, "internal_error", "Response too large")
}

// Health says what is wrong.
func TestHealth(t *testing.T) {
	m := &fake{ready: "the device is being opened", stuck: true}
	c := web(t, serve(t, newAPI(m)))
	ask(t, c, "GET", host+"/v2/health/live", nil).refused(t, 503, "device_unavailable", "the scheduler does not answer")
	ask(t, c, "GET", host+"/v2/health/ready", nil).refused(t, 503, "device_unavailable", "the device is being opened")
	m.ready, m.stuck = "", false
	for _, path := range []string{"/v2/health/live", "/v2/health/ready", "/healthz", "/readyz", "/metrics", "/v1/device/status", "/v2"} {
		if r := ask(t, c, "GET", host+path, nil); r.status != 200 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}

// A request that names no client counts for whoever connected.
func TestClientOfAConnection(t *testing.T) {
	asked := make(chan device.Terms, 1)
	path := serveWith(t, &inferapi.Server{MaxConnections: 8, StopTimeout: patience, Access: inferapi.Access{Trusted: true}, Client: peer.Name,
		API: newAPI(&fake{infer: func(ctx context.Context, _ device.Model, _ device.Input) (device.Result, error) {
			asked <- device.TermsOf(ctx)
			return device.Result{Text: new(string)}, nil
		}})})
	c := client(t, path)
	for _, want := range []string{"", "camera"} {
		ctx := device.WithTerms(t.Context(), device.Terms{Priority: 5, Client: want})
		if _, err := c.Infer(ctx, device.Model{Type: "depth", Path: "/m"}, device.Input{Input: picture(1)}); err != nil {
			t.Fatal(err)
		}
		got := <-asked
		if want == "" && !strings.Contains(got.Client, "/") || want != "" && got.Client != want {
			t.Errorf("%q counts for %q", want, got.Client)
		}
	}
}
