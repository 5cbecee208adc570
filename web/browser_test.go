package web_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hailo-depth/depthmap"
	"hailo-depth/internal/npz"
)

// The size of the network's input, so that nothing is resized and every value
// is known.
const width, height = 320, 256

// testPicture has as many colours as fit, in no symmetric order.
func testPicture() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(x * 255 / (width - 1)), G: uint8(y), B: uint8(x * y), A: 255})
		}
	}
	return img
}

// simulated is what the simulated network makes of a picture.
func simulated(img *image.NRGBA) *depthmap.Map {
	m := &depthmap.Map{Width: width, Height: height, Values: make([]float32, width*height)}
	for i := range m.Values {
		p := img.Pix[4*i:]
		r, g, b := float64(p[0]), float64(p[1]), float64(p[2])
		m.Values[i] = float32(float64(float64(float64(0.299*r)+float64(0.587*g))+float64(0.114*b)) / 255 * 10)
	}
	return m
}

// TestPage goes through the page as a person does. The steps follow each other.
func TestPage(t *testing.T) {
	files := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(files, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	img := testPicture()
	want := simulated(img)
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, img); err != nil {
		t.Fatal(err)
	}
	first, second := write("first.png", encoded.Bytes()), write("second.png", encoded.Bytes())
	broken := write("broken.png", encoded.Bytes()[:60])

	r := startRig(t, "scdepthv3", "simulated")
	b := startBrowser(t)
	b.do(chromedp.Navigate("http://" + r.address + "/"))

	t.Run("invites and shows the device", func(t *testing.T) {
		b.in(t).await(`shown('invite') && !shown('work')`)
		b.await(`text('device-state') === 'ready'`)
		b.wantText("device-model", "scdepthv3")
		b.wantText("device-name", "NPU HAILO10H 0001:01:00.0, 53.5 °C")
		b.wantText("curl", "http://"+r.address+"/v1/depth/estimate")
	})
	t.Run("estimates a chosen picture", func(t *testing.T) {
		b.in(t).choose(first)
		b.await(`shown('result') && shown('depth') && !shown('invite') && !shown('busy')`)
		b.wantColors(want, "viridis")
		b.await(`document.getElementById('picture').naturalWidth === 320`)
		b.wantText("picture-about", "first.png, 320 × 256")
		b.wantText("depth-about", "scdepthv3: logit, larger is nearer")
		b.wantText("meaning", "larger is nearer. Relative units: only the order within this picture counts.")
		low, high := want.Range()
		b.wantNumber("low", low)
		b.wantNumber("high", high)
		b.wantText("low", "far")
		b.wantText("high", "near")
	})
	t.Run("shows where the time went", func(t *testing.T) {
		rows := eval[[][2]string](b.in(t), `[...document.querySelectorAll('#times tr')].map(r => [r.cells[0].textContent, r.cells[1].textContent])`)
		names := map[string]bool{}
		for _, row := range rows {
			names[row[0]] = true
			if !strings.HasSuffix(row[1], " ms") {
				t.Errorf("%s takes %q", row[0], row[1])
			}
		}
		for _, name := range []string{"decode the picture", "inference", "encode", "transfer"} {
			if !names[name] {
				t.Errorf("no time for %q in %v", name, rows)
			}
		}
		b.wantText("total", " ms")
		if n := eval[int](b, `document.querySelectorAll('#bar span').length`); n != len(rows) {
			t.Errorf("%d parts in the bar, %d in the table", n, len(rows))
		}
	})
	t.Run("changes colours without the server", func(t *testing.T) {
		before := r.estimates.Load()
		for _, name := range []string{"turbo", "gray", "plasma"} {
			b.in(t).do(chromedp.Click(chromedp.CSS(`#colormaps input[value="` + name + `"]`)))
			b.wantColors(want, name)
		}
		if n := r.estimates.Load() - before; n != 0 {
			t.Errorf("%d requests were made", n)
		}
	})
	t.Run("reads the value under the pointer", func(t *testing.T) {
		at := func(x, y int) {
			t.Helper()
			b.wantNumber("value", want.Values[y*width+x])
			b.wantText("value-name", "logit")
			b.wantText("position", fmt.Sprintf("at x %d, y %d of 320 × 256", x, y))
			for _, frame := range []string{"picture-frame", "depth-frame"} {
				place := eval[[2]float64](b, fmt.Sprintf(`['--x', '--y'].map(p => parseFloat(document.getElementById('%s').style.getPropertyValue(p)))`, frame))
				if math.Abs(place[0]-100*(float64(x)+.5)/width) > 1e-3 || math.Abs(place[1]-100*(float64(y)+.5)/height) > 1e-3 {
					t.Errorf("the crosshair of %s is at %v %%", frame, place)
				}
			}
		}
		b.in(t).point("depth-frame", 200, 31)
		at(200, 31)
		b.point("picture-frame", 17, 200)
		at(17, 200)
		b.do(chromedp.Focus(chromedp.ID("depth-frame")))
		b.do(chromedp.KeyEvent(kb.ArrowRight, chromedp.KeyModifiers(chromedp.ModifierShift)))
		at(18, 200)
		b.do(chromedp.KeyEvent(kb.ArrowUp))
		at(18, 195)
	})
	t.Run("shows disparity and depth", func(t *testing.T) {
		inverse, distance := converted(want, func(d float64) float64 { return d }), converted(want, func(d float64) float64 { return 1 / d })
		b.in(t).do(chromedp.Click(chromedp.CSS(`#quantities input[value="depth"]`)))
		b.await(`shown('result') && text('depth-about') === 'scdepthv3: depth, larger is farther'`)
		b.wantText("meaning", "Depth: the distance; larger is farther. Relative units: ratios count")
		b.wantText("low", "near")
		low, high := distance.Range()
		b.wantNumber("low", low)
		b.wantNumber("high", high)
		b.point("depth-frame", 200, 31)
		b.wantNumber("value", distance.Values[31*width+200])
		name, data := b.download("save-gray")
		if !bytes.Contains(data, []byte("Depth meaning\x00depth; near=small; unit=relative; scale=unknown; shift=known")) {
			t.Errorf("%s does not say that it holds depth", name)
		}
		if eval[bool](b, `shown('range')`) {
			t.Error("distances are asked for that this network does not need")
		}
		b.do(chromedp.Click(chromedp.CSS(`#quantities input[value="disparity"]`)))
		b.await(`shown('result') && text('depth-about') === 'scdepthv3: disparity, larger is nearer'`)
		b.point("depth-frame", 200, 31)
		b.wantNumber("value", inverse.Values[31*width+200])
		b.do(chromedp.Click(chromedp.CSS(`#quantities input[value="raw"]`)))
		b.await(`shown('result') && text('depth-about') === 'scdepthv3: logit, larger is nearer'`)
		b.wantColors(want, "plasma")
	})
	t.Run("saves the three files", func(t *testing.T) {
		name, data := b.in(t).download("save-npz")
		arrays, err := npz.Read(data)
		if err != nil || name != "first.depth.npz" || len(arrays) != 2 {
			t.Fatalf("%s: %d arrays, %v", name, len(arrays), err)
		}
		got := arrays["depth"].Float32s()
		if len(got) != len(want.Values) {
			t.Fatalf("%d values", len(got))
		}
		for i, v := range want.Values {
			if got[i] != v {
				t.Fatalf("value %d is %v, want %v", i, got[i], v)
			}
		}
		name, data = b.download("save-color")
		if img, err := png.Decode(bytes.NewReader(data)); err != nil || name != "first.plasma.png" || !bytes.Equal(rgb(img), colored(t, want, "plasma")) {
			t.Errorf("%s (%v) has other colours", name, err)
		}
		name, data = b.download("save-gray")
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || name != "first.depth16.png" {
			t.Fatalf("%s: %v", name, err)
		}
		gray, ok := img.(*image.Gray16)
		low, high := want.Range()
		if v := want.Values[31*width+200]; !ok || math.Abs(float64(gray.Gray16At(200, 31).Y)-65535*float64((v-low)/(high-low))) > 1 {
			t.Errorf("%T has another value", img)
		}
	})
	t.Run("forgets a picture when another comes", func(t *testing.T) {
		waiting := r.device.holdNext()
		b.in(t).choose(first)
		b.receive(waiting.arrived)
		b.await(`shown('busy') && text('busy-text') === 'Estimating' && !shown('result')`)
		b.drop(second)
		b.receive(waiting.left)
		b.await(`shown('result') && text('picture-about').startsWith('second.png, 320 × 256')`)
		b.wantColors(want, "plasma") // the chosen colours stay
		if eval[bool](b, `shown('error')`) {
			t.Error("an error is shown: " + b.text("error-text"))
		}
	})
	t.Run("says what is wrong with a picture", func(t *testing.T) {
		b.in(t).drop(broken)
		b.await(`shown('error')`)
		b.wantText("error-text", "PNG")
		if eval[bool](b, `shown('retry') || shown('result') || shown('busy')`) {
			t.Error("something beside the error is shown")
		}
	})
	t.Run("says that the device is away, and comes back", func(t *testing.T) {
		r.device.stop()
		b.in(t).do(chromedp.Evaluate[chromedp.Void](`new MutationObserver(() => (window.offers ??= []).push(document.getElementById('retry').textContent))
			.observe(document.getElementById('retry'), {childList: true})`))
		b.choose(first)
		b.await(`shown('error') && shown('retry')`)
		b.await(`text('device-state').startsWith('the device is away: ')`)
		r.device.start()
		b.await(`text('device-state') === 'ready' && !document.getElementById('retry').disabled`)
		if offers := eval[[]string](b, `window.offers`); !strings.HasPrefix(offers[0], "Try again in ") || offers[len(offers)-1] != "Try again" {
			t.Errorf("Retry-After is not respected: the button says %q", offers)
		}
		b.do(chromedp.Click(chromedp.ID("retry")))
		b.await(`shown('result') && !shown('error')`)
		b.wantColors(want, "plasma")
	})
	t.Run("says that the service is away, and comes back", func(t *testing.T) {
		r.close()
		// As after a look at another tab; otherwise it takes its usual seconds.
		b.in(t).do(chromedp.Evaluate[chromedp.Void](`document.dispatchEvent(new Event('visibilitychange'))`))
		b.await(`text('device-state').startsWith('the service does not answer')`)
		r.serve()
		b.await(`text('device-state') === 'ready'`)
	})
	b.in(t).wantQuietConsole()
}

// converted makes disparity of logits, by SC-DepthV3's formula, and f of that.
func converted(m *depthmap.Map, f func(disparity float64) float64) *depthmap.Map {
	out := &depthmap.Map{Width: m.Width, Height: m.Height}
	for _, x := range m.Values {
		out.Values = append(out.Values, float32(f(10/(1+math.Exp(-float64(x)))+0.009)))
	}
	return out
}

// A network that leaves scale and shift open gives depth when somebody states the
// distances, and the page asks for them.
func TestPageAsksForDistances(t *testing.T) {
	path := filepath.Join(t.TempDir(), "room.png")
	img := image.NewNRGBA(image.Rect(0, 0, 224, 224))
	for y := range 224 {
		for x := range 224 {
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(y), G: uint8(y), B: uint8(x), A: 255})
		}
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, encoded.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	r := startRig(t, "depth_anything_v2_vits",
		`{"fake_hef": 1, "inputs": [{"name": "in", "shape": [224,224,3]}], "outputs": [{"name": "out", "shape": [224,224,1]}]}`+"\n")
	b := startBrowser(t)
	b.do(chromedp.Navigate("http://" + r.address + "/"))
	b.await(`text('device-state') === 'ready'`)
	b.choose(path)
	b.await(`shown('result') && text('depth-about') === 'depth_anything_v2_vits: disparity, larger is nearer'`)
	before := r.estimates.Load()
	b.do(chromedp.Click(chromedp.CSS(`#quantities input[value="depth"]`)))
	b.await(`shown('range')`)
	b.do(chromedp.SendKeys(chromedp.ID("nearest"), "0.5"), chromedp.SendKeys(chromedp.ID("farthest"), "8"))
	if n := r.estimates.Load() - before; n != 0 {
		t.Errorf("%d requests before both distances were stated", n)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.await(`shown('result') && text('depth-about') === 'depth_anything_v2_vits: depth, larger is farther'`)
	b.wantText("low", "0.50000 m near")
	b.wantText("high", "far 8.0000 m")
	b.wantText("meaning", "In metres, between the two distances that you stated.")
	b.wantQuietConsole()
}

func colored(t *testing.T, m *depthmap.Map, colormap string) []byte {
	t.Helper()
	c, err := depthmap.Lookup(colormap)
	if err != nil {
		t.Fatal(err)
	}
	return m.ColorRGB(c)
}

func rgb(img image.Image) []byte {
	var pix []byte
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			pix = append(pix, c.R, c.G, c.B)
		}
	}
	return pix
}
