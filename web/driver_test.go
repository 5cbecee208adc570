package web_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"hailo-depth/depthmap"
)

// driven is a browser tab under the test's control. Nothing in it sleeps: await
// waits for what the page shows.
type driven struct {
	t         *testing.T // the running step's
	ctx       context.Context
	downloads string

	mu      sync.Mutex
	console []string // errors that are not answers of the server
}

// chromium finds the browser.
func chromium(t *testing.T) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	if name := os.Getenv("CHROMIUM"); name != "" {
		names = append([]string{name}, names...)
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("no browser: none of %s is there. Install one (apt-get install chromium), or name its program in CHROMIUM.", strings.Join(names, ", "))
	return ""
}

// stepLimit is how long one wait may last; all together take a few seconds.
const stepLimit = 20 * time.Second

func startBrowser(t *testing.T) *driven {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), // with a new, empty profile each time
		chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.WindowSize(1280, 1100),
	}
	for _, name := range []string{
		"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-extensions",
		"disable-default-apps", "disable-dev-shm-usage", "disable-renderer-backgrounding", "disable-background-timer-throttling",
	} {
		options = append(options, chromedp.Flag(name, true))
	}
	options = append(options, chromedp.Flag("force-color-profile", "srgb"))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root may not use it
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &driven{t: t, ctx: ctx, downloads: t.TempDir()}
	t.Cleanup(func() {
		b.in(t)
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log("closing the browser:", err)
		}
		cancel()
		cancelAllocator()
	})
	if err := chromedp.Do(ctx); err != nil { // starts it
		t.Fatal("starting the browser: ", err)
	}
	messages := chromedp.Console(ctx)
	go func() { // ends with the browser
		for m, err := range messages {
			if err != nil {
				return
			}
			// Refused requests are logged by the browser itself; they are meant here.
			if m.Source != "network" {
				b.mu.Lock()
				b.console = append(b.console, m.String())
				b.mu.Unlock()
			}
		}
	}()
	events := true
	_, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: b.downloads, EventsEnabled: &events,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// in has failures reported to a step of the test, and ends the test at the first.
func (b *driven) in(t *testing.T) *driven {
	t.Helper()
	if b.t.Failed() {
		t.FailNow()
	}
	b.t = t
	return b
}

func (b *driven) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, stepLimit)
}

func (b *driven) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// helpers are what conditions and expressions may use.
const helpers = `const text = id => document.getElementById(id).textContent, shown = id => document.getElementById(id).checkVisibility();`

func eval[T any](b *driven, expression string) T {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](`(() => { `+helpers+` return `+expression+` })()`))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// await waits until the condition holds.
func (b *driven) await(condition string) {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.PollFunction[chromedp.Void](`() => { `+helpers+` return `+condition+` }`, chromedp.WithPollingTimeout(0)))
	if err != nil {
		b.t.Fatalf("waiting for %s: %v; the page shows:\n%s", condition, err, eval[string](b, `document.body.innerText`))
	}
}

func (b *driven) receive(from <-chan struct{}) {
	b.t.Helper()
	select {
	case <-from:
	case <-time.After(stepLimit):
		b.t.Fatal("nothing happened at the device")
	}
}

func (b *driven) text(id string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("text('%s')", id))
}

// wantText checks that an element's text contains the wanted one.
func (b *driven) wantText(id, want string) {
	b.t.Helper()
	if text := b.text(id); !strings.Contains(text, want) {
		b.t.Errorf("#%s is %q, want %q", id, text, want)
	}
}

// wantNumber checks the number in an element's text, to the digits it shows.
func (b *driven) wantNumber(id string, want float32) {
	b.t.Helper()
	for _, word := range strings.Fields(b.text(id)) {
		if v, err := strconv.ParseFloat(word, 64); err == nil {
			if math.Abs(v-float64(want)) > 1e-4*math.Abs(float64(want)) {
				b.t.Errorf("#%s is %v, want %v", id, v, want)
			}
			return
		}
	}
	b.t.Errorf("#%s has no number: %q", id, b.text(id))
}

// wantColors compares every pixel of the depth canvas.
func (b *driven) wantColors(m *depthmap.Map, colormap string) {
	b.t.Helper()
	canvas := eval[struct {
		Width, Height int
		Data          string
	}](b, `(c => {
		const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', {willReadFrequently: true});
		copy.drawImage(c, 0, 0);
		const pixels = copy.getImageData(0, 0, c.width, c.height).data;
		return {Width: c.width, Height: c.height, Data: btoa(Array.from(pixels, v => String.fromCharCode(v)).join(''))};
	})(document.getElementById('depth'))`)
	got, err := base64.StdEncoding.DecodeString(canvas.Data)
	if err != nil || canvas.Width != m.Width || canvas.Height != m.Height {
		b.t.Fatalf("the canvas is %dx%d, want %dx%d (%v)", canvas.Width, canvas.Height, m.Width, m.Height, err)
	}
	want := colored(b.t, m, colormap)
	for i := range m.Values {
		if g, w := [4]byte(got[4*i:]), [4]byte{want[3*i], want[3*i+1], want[3*i+2], 255}; g != w {
			b.t.Fatalf("%s: the pixel at %d,%d is %v, want %v", colormap, i%m.Width, i/m.Width, g, w)
		}
	}
}

// choose picks a file in the file dialogue.
func (b *driven) choose(path string) {
	b.t.Helper()
	b.do(chromedp.SetUploadFiles(chromedp.ID("file"), []string{path}))
}

// drop drags a file from outside onto the page.
func (b *driven) drop(path string) {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	const copying = 1
	for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		_, err := chromedp.Call(ctx, input.DispatchDragEvent, input.DispatchDragEventParams{
			Type: kind, X: 300, Y: 300, Data: &input.DragData{Items: []*input.DragDataItem{}, Files: []string{path}, DragOperationsMask: copying},
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// point moves the mouse to a pixel of the picture or the map.
func (b *driven) point(id string, x, y int) {
	b.t.Helper()
	b.do(chromedp.ScrollIntoView(chromedp.ID(id)))
	box := eval[[4]float64](b, fmt.Sprintf(`(r => [r.left, r.top, r.width, r.height])(document.getElementById('%s').getBoundingClientRect())`, id))
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, box[0]+(float64(x)+.5)/width*box[2], box[1]+(float64(y)+.5)/height*box[3]))
}

// download clicks a button and waits for the file that it saves.
func (b *driven) download(id string) (name string, data []byte) {
	b.t.Helper()
	ctx, cancel := b.limited()
	defer cancel()
	begun, progress := chromedp.BrowserEvents(ctx, browser.DownloadWillBegin), chromedp.BrowserEvents(ctx, browser.DownloadProgress)
	b.do(chromedp.Click(chromedp.ID(id)))
	for e, err := range begun {
		if err != nil {
			b.t.Fatalf("#%s saves nothing: %v; error %q", id, err, b.text("error-text"))
		}
		name = e.SuggestedFilename
		break
	}
	for e, err := range progress {
		if err != nil {
			b.t.Fatal(err)
		}
		if e.State == browser.DownloadProgressStateCompleted {
			break
		}
	}
	data, err := os.ReadFile(filepath.Join(b.downloads, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return name, data
}

// wantQuietConsole: no exception, and nothing that the security policy blocked.
func (b *driven) wantQuietConsole() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.console {
		b.t.Error("the browser's console: " + line)
	}
}
