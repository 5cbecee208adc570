package depthapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"hailo-depth/depth"
	"hailo-depth/representation"
)

func (a *API) estimate(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	var answer *answer
	ctx, cancel, err := a.terms(r)
	if err == nil {
		defer cancel()
		answer, err = a.work(ctx, w, r)
	}
	if err != nil {
		failed := asHTTP(err)
		// The manager or its client may have noticed it first, and cannot know whose
		// deadline it was.
		if failed.kind == "timeout" && overdue(ctx) {
			failed = expired(failed.message)
		}
		a.Metrics.request(failed, time.Since(began))
		a.fail(w, failed)
		if failed.status >= http.StatusInternalServerError {
			a.Log.Warn("an estimate failed", "status", failed.status, "reason", failed.why(), "error", failed.message)
		}
		return
	}
	w.Header().Set("Server-Timing", serverTiming(answer.result.Timing))
	a.Metrics.observe(answer.result.Timing)
	answer.write(w)
	a.Metrics.request(nil, time.Since(began))
}

// answer is a finished estimate in the form that the client wants.
type answer struct {
	result *depth.Result
	kind   string // its content type
	body   []byte
}

func (a *API) work(ctx context.Context, w http.ResponseWriter, r *http.Request) (*answer, error) {
	ticket, err := a.Estimator.Admit(ctx)
	if err != nil {
		return nil, err
	}
	defer ticket.Leave()
	began := time.Now() // as the earlier service had it: from here, not from the queue outside
	// A body that trickles in must not hold the place for ever.
	until := time.Now().Add(a.Settings.ReadTime)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	if err := http.NewResponseController(w).SetReadDeadline(until); err != nil {
		a.Log.Debug("no read deadline", "error", err) // a test's recorder has none
	}
	f, err := a.readForm(w, r)
	if err != nil {
		return nil, err
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	colormap, err := f.options.check()
	if err != nil {
		return nil, err
	}
	data, err := a.picture(ctx, f)
	if err != nil && f.imageURL != nil && overdue(ctx) {
		return nil, expired("the request's deadline passed while the picture was fetched: " + err.Error())
	}
	if err != nil {
		return nil, err
	}
	kind := accepted(r.Header.Get("Accept"))
	request := depth.Request{
		Data: data, Orient: f.options.orient, Normalize: f.options.normalize,
		Representation: representation.Name(f.options.representation), Within: f.options.within, Scale: f.options.scale,
	}
	switch {
	case kind == typeNPZ:
		request.NPZ = true
	case kind == typePNG && f.options.format == formatGray16:
		request.Gray16 = true
	case kind == typePNG:
		request.Color = colormap
	default:
		request.Stats = a.Settings.IncludeStats
		request.NPZ = f.options.format == formatNumpy || f.options.format == formatBoth
		if f.options.format == formatImage || f.options.format == formatBoth {
			request.Color = colormap
		}
		request.Gray16 = f.options.format == formatGray16 || a.Settings.AlwaysPNG16
	}
	f.image = nil
	result, err := ticket.Estimate(ctx, request)
	if err != nil {
		return nil, err
	}
	return newAnswer(kind, result, f.options.explain, time.Since(began))
}

func newAnswer(kind string, result *depth.Result, explain bool, elapsed time.Duration) (*answer, error) {
	answer := &answer{result: result, kind: kind}
	switch {
	case kind == typeNPZ:
		answer.body = result.NPZ
	case kind == typePNG && result.Gray16 != nil:
		answer.body = result.Gray16
	case kind == typePNG:
		answer.body = result.Color
	default:
		answer.kind = typeJSON + "; charset=utf-8"
		var err error
		answer.body, err = answerJSON(result, explain, elapsed)
		return answer, err
	}
	return answer, nil
}

// answerJSON writes the JSON answer. The large members are appended, because an
// encoder would scan them all again.
func answerJSON(result *depth.Result, explain bool, elapsed time.Duration) ([]byte, error) {
	h, w := result.Map.Height, result.Map.Width
	head := struct {
		Model       string  `json:"model"`
		ModelType   string  `json:"model_type"`
		InputShape  [3]int  `json:"input_shape"`
		DepthShape  [2]int  `json:"depth_shape"`
		InferenceMS float64 `json:"inference_time_ms"`
		Normalized  bool    `json:"normalized"`
	}{result.Model.Name, result.Model.Type, [3]int{h, w, 3}, [2]int{h, w}, math.Round(elapsed.Seconds()*1e5) / 100, result.About.Normalized}
	body, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	const around = 2048 // for the members' names, the statistics and the explanation
	body = slices.Grow(body[:len(body)-1], base64.StdEncoding.EncodedLen(len(result.NPZ)+len(result.Color)+len(result.Gray16))+around)
	if result.Stats != nil {
		stats, err := json.Marshal(result.Stats)
		if err != nil {
			return nil, err
		}
		body = append(append(body, `,"stats":`...), stats...)
	}
	if explain {
		values, err := result.About.JSON()
		if err != nil {
			return nil, err
		}
		body = append(append(body, `,"values":`...), values...)
	}
	for _, member := range []struct {
		name string
		data []byte
	}{{"depth_map", result.NPZ}, {"depth_image", result.Color}, {"depth_png_16", result.Gray16}} {
		if member.data != nil {
			body = append(append(append(body, `,"`...), member.name...), `":"`...)
			body = base64.StdEncoding.AppendEncode(body, member.data)
			body = append(body, '"')
		}
	}
	return append(body, '}'), nil
}

func (a *answer) write(w http.ResponseWriter) {
	h := w.Header()
	about := a.result.About
	// What the numbers mean, for whoever gets them without the JSON around.
	h.Set("Depth-Model", depth.Latin1(about.Model))
	h.Set("Depth-Licence", depth.Latin1(about.Licence))
	h.Set("Depth-Values", about.Values.String())
	h.Set("Depth-Range", about.RangeText())
	h.Set("Vary", "Accept")
	writeBody(w, http.StatusOK, a.kind, a.body)
}

// serverTiming is the Server-Timing header (W3C Server Timing), durations in
// milliseconds. load appears only when the model had to be loaded first.
func serverTiming(t depth.Timing) string {
	ms := func(name string, d time.Duration) string {
		return fmt.Sprintf("%s;dur=%.2f", name, float64(d.Microseconds())/1000)
	}
	text := ms("decode", t.Decode) + ", " + ms("resize", t.Resize) + ", " + ms("queue", t.Queue)
	if t.Load >= time.Millisecond {
		text += ", " + ms("load", t.Load)
	}
	return text + ", " + ms("infer", t.Infer) + ", " + ms("post", t.Post) + ", " + ms("encode", t.Encode)
}
