package device

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json"

	"hailo-depth/internal/buffers"
	"hailo-depth/oip"
)

// DefaultHTTPSocket is where the manager serves HTTP unless it is told otherwise.
const DefaultHTTPSocket = "/run/hailo/manager.sock"

// HTTPClient is a Service over the manager's HTTP socket: the Open Inference
// Protocol with binary tensors, which costs less than Client's protocol and
// knows priorities, clients and deadlines (Terms, and the context's). The zero
// value uses DefaultHTTPSocket. It connects, reconnects and may be used from
// several goroutines as Client is.
type HTTPClient struct {
	Path       string
	MaxMessage int64 // of an answer in bytes; 0: DefaultMaxMessage

	line    line
	answers buffers.Pool
}

var _ Service = (*HTTPClient)(nil)

// Close ends the idle connections; calls after it still work, unpooled.
func (c *HTTPClient) Close() error { return c.line.close() }

func (c *HTTPClient) path() string {
	if c.Path == "" {
		return DefaultHTTPSocket
	}
	return c.Path
}

// Load implements Service.
func (c *HTTPClient) Load(ctx context.Context, m Model) (Loaded, error) {
	return c.load(ctx, label(m), &m)
}

// LoadNamed loads a configured model.
func (c *HTTPClient) LoadNamed(ctx context.Context, name string) (Loaded, error) {
	return c.load(ctx, name, nil)
}

func (c *HTTPClient) load(ctx context.Context, name string, m *Model) (Loaded, error) {
	var a LoadAnswer
	err := c.post(ctx, "/v2/repository/models/"+url.PathEscape(name)+"/load", m, &a)
	return Loaded{Already: a.Already, DetectionInputShape: a.DetectionInputShape}, err
}

// Unload implements Service.
func (c *HTTPClient) Unload(ctx context.Context, m Model) (bool, error) {
	return c.unload(ctx, label(m), &m)
}

// UnloadNamed unloads a configured or loaded model.
func (c *HTTPClient) UnloadNamed(ctx context.Context, name string) (bool, error) {
	return c.unload(ctx, name, nil)
}

func (c *HTTPClient) unload(ctx context.Context, name string, m *Model) (bool, error) {
	var a UnloadAnswer
	err := c.post(ctx, "/v2/repository/models/"+url.PathEscape(name)+"/unload", m, &a)
	return a.WasLoaded, err
}

// Index lists the configured and the loaded models.
func (c *HTTPClient) Index(ctx context.Context) (list []IndexEntry, err error) {
	return list, c.post(ctx, "/v2/repository/index", nil, &list)
}

// Pin keeps a configured or loaded model on the device, or lets it go again.
func (c *HTTPClient) Pin(ctx context.Context, name string, pinned bool) error {
	return c.pin(ctx, name, nil, pinned)
}

// PinModel is Pin for any model; one that is not loaded is loaded first.
func (c *HTTPClient) PinModel(ctx context.Context, m Model, pinned bool) error {
	return c.pin(ctx, label(m), &m, pinned)
}

func (c *HTTPClient) pin(ctx context.Context, name string, m *Model, pinned bool) error {
	action := "/unpin"
	if pinned {
		action = "/pin"
	}
	return c.post(ctx, "/v1/models/"+url.PathEscape(name)+action, m, nil)
}

// Reload has the manager apply its configuration anew. An error means that
// nothing has changed.
func (c *HTTPClient) Reload(ctx context.Context) (r Reloaded, err error) {
	return r, c.post(ctx, "/v1/reload", nil, &r)
}

// Overview is the device, the models and the queue at this moment.
func (c *HTTPClient) Overview(ctx context.Context) (o Overview, err error) {
	body, _, err := c.do(ctx, http.MethodGet, "/v1/ps", oip.Message{})
	if err == nil {
		err = parseAnswer(body, &o)
	}
	return o, err
}

// Status implements Service.
func (c *HTTPClient) Status(ctx context.Context) (Status, error) {
	body, _, err := c.do(ctx, http.MethodGet, "/v1/device/status", oip.Message{})
	if err != nil {
		return Status{}, err
	}
	a, err := decode(body.Bytes)
	body.Recycle()
	if err != nil {
		return Status{}, err
	}
	s := a.status()
	s.SocketPath = c.path()
	return s, nil
}

// Infer implements Service.
func (c *HTTPClient) Infer(ctx context.Context, m Model, in Input) (Result, error) {
	q, err := inferRequest(ctx, m, in)
	var message oip.Message
	if err == nil {
		message, err = q.Encode(false)
	}
	if err != nil {
		return Result{}, &Error{Kind: KindInvalid, Message: err.Error()}
	}
	body, head, err := c.do(ctx, http.MethodPost, "/v2/models/"+url.PathEscape(label(m))+"/infer", message)
	if err != nil {
		return Result{}, err
	}
	r, err := inferResult(body.Bytes, head)
	if err != nil {
		return Result{}, &Error{Kind: KindInternal, Message: "the device manager's result: " + err.Error()}
	}
	r.Keep(body)
	return r, nil
}

// post asks for what is no inference; m, when there is one, names the model's
// file. answer may be nil.
func (c *HTTPClient) post(ctx context.Context, path string, m *Model, answer any) error {
	p := oip.Parameters{}
	err := termParameters(ctx, p)
	if m != nil {
		err = errors.Join(err, modelParameters(p, *m))
	}
	if err != nil {
		return &Error{Kind: KindInvalid, Message: err.Error()}
	}
	head, err := json.Marshal(map[string]any{"parameters": p})
	if err != nil {
		return &Error{Kind: KindInvalid, Message: err.Error()}
	}
	body, _, err := c.do(ctx, http.MethodPost, path, oip.Message{Head: head})
	if err != nil || answer == nil {
		return err
	}
	return parseAnswer(body, answer)
}

// parseAnswer uses the body up.
func parseAnswer(body *buffers.Buffer, into any) error {
	defer body.Recycle()
	if err := json.Unmarshal(body.Bytes, into); err != nil {
		return &Error{Kind: KindInternal, Message: "the device manager's answer: " + err.Error()}
	}
	return nil
}

// do sends a request and returns the body of a good answer with the length of
// its JSON head.
func (c *HTTPClient) do(ctx context.Context, method, path string, m oip.Message) (body *buffers.Buffer, head int64, err error) {
	request := make([]byte, 0, 256+len(m.Head))
	request = fmt.Appendf(request, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n", method, path, m.ContentType(), m.Size())
	if n := m.HeadLength(); n != oip.NoHead {
		request = fmt.Appendf(request, "%s: %d\r\n", oip.HeadLength, n)
	}
	request = append(append(request, "\r\n"...), m.Head...)
	var response *http.Response
	err = c.line.call(ctx, c.path(), func(conn net.Conn) (keep bool, err error) {
		pieces := append(net.Buffers{request}, m.Tensors...) // anew for each try: writing uses it up
		_, writeErr := pieces.WriteTo(conn)
		// Read even then: a manager that turns a client away says so and hangs up
		// before it has read the request.
		response, body, keep, err = c.readResponse(conn, method)
		if err != nil {
			err = errors.Join(writeErr, err)
		}
		return keep && writeErr == nil, err
	})
	if err != nil {
		return nil, 0, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, 0, refusal(response.Status, body.Bytes)
	}
	head = oip.NoHead
	if text := response.Header.Get(oip.HeadLength); text != "" {
		if head, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, 0, &Error{Kind: KindInternal, Message: fmt.Sprintf("the device manager's answer has the header %s: %q", oip.HeadLength, text)}
		}
	}
	return body, head, nil
}

// readResponse gives io.EOF when the connection ends before an answer begins
// and io.ErrUnexpectedEOF within one.
func (c *HTTPClient) readResponse(conn net.Conn, method string) (r *http.Response, body *buffers.Buffer, keep bool, err error) {
	limit := maxMessage(c.MaxMessage)
	reader := bufio.NewReader(conn)
	if _, err := reader.Peek(1); err != nil {
		return nil, nil, false, err
	}
	r, err = http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		return nil, nil, false, unlessLost(err)
	}
	defer func() { _ = r.Body.Close() }() // it was read to its end, or the connection is closed
	switch {
	case r.ContentLength > limit:
		return nil, nil, false, answerTooLarge(r.ContentLength, limit)
	case r.ContentLength >= 0:
		body = c.answers.Get(int(r.ContentLength))
		_, err = io.ReadFull(r.Body, body.Bytes)
	default:
		var all bytes.Buffer
		_, err = io.Copy(&all, io.LimitReader(r.Body, limit+1))
		if int64(all.Len()) > limit {
			return nil, nil, false, answerTooLarge(int64(all.Len()), limit)
		}
		body = &buffers.Buffer{Bytes: all.Bytes()}
	}
	if err != nil {
		return nil, nil, false, unlessLost(err)
	}
	return r, body, !r.Close && reader.Buffered() == 0, nil
}

// unlessLost tells what is no HTTP from a connection that ended within an answer.
func unlessLost(err error) error {
	var network net.Error
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.As(err, &network) {
		return io.ErrUnexpectedEOF
	}
	return &Error{Kind: KindInternal, Message: "the device manager's answer is no HTTP: " + err.Error()}
}

func refusal(status string, body []byte) error {
	var r Refusal
	if err := json.Unmarshal(body, &r); err != nil || r.Error == "" {
		return &Error{Kind: KindInternal, Message: "the device manager answered " + status}
	}
	return r.Err()
}
