package manager

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
	"hailo-depth/worker"
)

// TestAbortedModelIsLoadedAgainOnce, and nothing else is touched.
func TestAbortedModelIsLoadedAgainOnce(t *testing.T) {
	for _, status := range []int{57, 63, 95} {
		inBubble(t, 30, nil, func(t *testing.T, r *rig) {
			r.load(t, "a10", "b10")
			r.device.setFault(onNth("infer", 1, lostDevice(status)))
			r.device.events()
			if err := r.infer(t.Context(), "a10"); err != nil {
				t.Fatalf("status %d: %v", status, err)
			}
			r.expectEvents(t, "infer a10", "unload a10", "load a10", "infer a10")
			r.expectModels(t, "b10", "a10")
			r.device.setFault(func(op string) error {
				if op == "infer" {
					return lostDevice(status)
				}
				return nil
			})
			expectKind(t, r.infer(t.Context(), "a10"), device.KindUnavailable, "fake: HAILO_")
			r.expectEvents(t, "infer a10", "unload a10", "load a10", "infer a10", "unload a10") // the next request loads it
		})
	}
}

// TestTransientFailuresPass, or are told after a bounded time.
func TestTransientFailuresPass(t *testing.T) {
	for _, status := range []int{82, 88} {
		inBubble(t, 30, nil, func(t *testing.T, r *rig) {
			for _, operation := range []string{"load", "infer"} {
				failures := 3
				r.device.setFault(func(op string) error {
					if op == operation && failures > 0 {
						failures--
						return lostDevice(status)
					}
					return nil
				})
				began := time.Now()
				if err := r.infer(t.Context(), "a10"); err != nil {
					t.Fatalf("status %d at %s: %v", status, operation, err)
				}
				if took := time.Since(began); took != 140*time.Millisecond {
					t.Errorf("%s: took %v, want pauses of 20, 40 and 80 ms", operation, took)
				}
				failures = 1000
				expectKind(t, r.infer(t.Context(), "b10"), device.KindUnavailable, "HAILO_")
				if tried := 1000 - failures; tried != 1+mostTransient {
					t.Errorf("%s was tried %d times", operation, tried)
				}
				r.expectModels(t, map[string][]string{"load": {"a10"}, "infer": {"a10", "b10"}}[operation]...)
				r.device.setFault(nil)
				if _, err := r.Unload(t.Context(), r.model("b10")); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestClientsFaultTouchesNothing: it is said in words.
func TestClientsFaultTouchesNothing(t *testing.T) {
	for status, want := range map[int]struct {
		kind device.Kind
		part string
	}{
		2: {device.KindInvalid, "HAILO_INVALID_ARGUMENT(2)"}, 6: {device.KindInvalid, "HAILO_INVALID_OPERATION(6)"},
		13: {device.KindModel, "the model file cannot be opened"}, 14: {device.KindModel, "empty, cut off, or no file"},
		26: {device.KindModel, "built for another release of HailoRT"}, 91: {device.KindModel, "damaged or cut off"},
		92: {device.KindModel, "not a HEF"}, 93: {device.KindModel, "compiled for another device"},
		7: {device.KindUnsupported, "a newer one"},
	} {
		inBubble(t, 30, nil, func(t *testing.T, r *rig) {
			r.load(t, "a10")
			r.device.setFault(onNth("load", 1, worker.FromHailoStatus(worker.OpLoad, status, "fake")))
			r.device.events()
			_, err := r.Load(t.Context(), r.model("b10"))
			expectKind(t, err, want.kind, want.part)
			if e, ok := errors.AsType[*device.Error](err); !ok || e.Status != status {
				t.Errorf("%+v", err)
			}
			r.expectEvents(t, "load b10")
			r.expectModels(t, "a10")
		})
	}
}

// machineWith makes a root folder with a node and, where named, the program
// that has it open.
func machineWith(t *testing.T, program string) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{"dev/hailo0": "", "proc/1/cmdline": "init", "sys/module/hailo1x_pci/version": "5.1.1\n"}
	if program != "" {
		files["proc/71/cmdline"], files["proc/71/status"] = program+"\x00--camera\x00", "Uid:\t1000\t1000\n"
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if program != "" {
		if err := errors.Join(os.Mkdir(filepath.Join(root, "proc/71/fd"), 0o755), os.Symlink("/dev/hailo0", filepath.Join(root, "proc/71/fd/5"))); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestDeviceHeldByAnother: readiness names the program, requests are refused at
// once, and the device is tried again after 1, 2, 4 ... 30 s, and only then.
func TestDeviceHeldByAnother(t *testing.T) {
	root := machineWith(t, "/usr/bin/python3")
	inBubbleWith(t, 30, func(r *rig, o *Options) { o.Root = root }, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.setFault(func(op string) error {
			if op == "start" {
				return worker.FromHailoStatus(worker.OpOpen, 74, "fake")
			}
			return nil
		})
		r.device.living().die("die")
		time.Sleep(leastRespawnDelay)
		synctest.Wait()
		const want = "another program has the device: /usr/bin/python3 --camera (process 71 of user 1000, on /dev/hailo0)"
		if why := r.Ready(); !strings.HasPrefix(why, want) || !strings.Contains(why, "HAILO_OUT_OF_PHYSICAL_DEVICES(74)") {
			t.Errorf("ready: %q", why)
		}
		r.device.events()
		began := time.Now()
		for range 100 { // none of them reaches the device
			err := r.infer(t.Context(), "a10")
			expectKind(t, err, device.KindUnavailable, want)
			if e, ok := errors.AsType[*device.Error](err); !ok || e.RetryAfter != time.Second {
				t.Errorf("retry after %v", e.RetryAfter)
			}
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("refusals took %v", d)
		}
		if n := r.metric(t, "hailo_device_held", "program=python3"); n != 1 {
			t.Errorf("held: %v", n)
		}
		if n := r.metric(t, "hailo_device_closed", "cause=held"); n != 1 {
			t.Errorf("closed: %v", n)
		}
		for _, after := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			r.expectEvents(t)
			time.Sleep(after * time.Second)
			synctest.Wait()
			r.expectEvents(t, "start")
		}
		r.device.setFault(nil)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if why := r.Ready(); why != "" {
			t.Errorf("ready: %q", why)
		}
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Error(err)
		}
		if n := r.metric(t, "hailo_device_held") + r.metric(t, "hailo_device_closed"); n != 0 {
			t.Errorf("still counted as held: %v", n)
		}
	})
}

// TestRefusalsDoNotWaitForTheProbe, which may take a minute.
func TestRefusalsDoNotWaitForTheProbe(t *testing.T) {
	inBubbleWith(t, 30, func(r *rig, o *Options) { o.Root = machineWith(t, "") }, func(t *testing.T, r *rig) {
		held := func(op string) error {
			if op == "start" {
				return worker.FromHailoStatus(worker.OpOpen, 73, "fake")
			}
			return nil
		}
		r.device.setFault(held)
		r.device.living().die("die")
		time.Sleep(leastRespawnDelay)
		synctest.Wait()
		r.device.setFault(func(op string) error {
			if op == "start" {
				return errHang
			}
			return nil
		})
		time.Sleep(2 * time.Second) // the probe hangs in its start
		began := time.Now()
		expectKind(t, r.infer(t.Context(), "a10"), device.KindUnavailable, "HAILO_DEVICE_IN_USE(73)")
		if took := time.Since(began); took != 0 {
			t.Errorf("refused after %v", took)
		}
		r.device.setFault(nil)
		time.Sleep(2 * time.Minute)
	})
}

// TestVersionsThatDoNotFit are told with the driver's, until somebody upgrades.
func TestVersionsThatDoNotFit(t *testing.T) {
	root := machineWith(t, "")
	inBubbleWith(t, 30, func(r *rig, o *Options) {
		o.Root = root
		r.device.setFault(func(op string) error {
			if op == "start" {
				return worker.FromHailoStatus(worker.OpOpen, 76, "the library is 5.2.0")
			}
			return nil
		})
	}, func(t *testing.T, r *rig) {
		for _, part := range []string{"the library is 5.2.0", "of different releases", "the driver hailo1x_pci is 5.1.1"} {
			if why := r.Ready(); !strings.Contains(why, part) {
				t.Errorf("ready: %q lacks %q", why, part)
			}
		}
		r.device.events()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		r.expectEvents(t, "start", "start", "start", "start")
		if n := r.metric(t, "hailo_device_closed", "cause=version"); n != 1 {
			t.Errorf("closed: %v", n)
		}
	})
}

// TestExplained: what is known of the machine is added to the reason, once, and
// looked for only when the device could not be opened.
func TestExplained(t *testing.T) {
	const why = "driver 5.1.1 and library 5.2.0 differ; sudo reboot"
	for _, c := range []struct {
		status  int
		explain string
		want    string
	}{
		{76, why, "; " + why},
		{76, "", "; the driver hailo1x_pci is 5.1.1"},
		{64, why, "; " + why},
		{64, "", "HAILO_DRIVER_NOT_INSTALLED(64)"},
	} {
		asked := 0
		root := machineWith(t, "")
		inBubbleWith(t, 30, func(r *rig, o *Options) {
			o.Root, o.Explain = root, func() string { asked++; return c.explain }
		}, func(t *testing.T, r *rig) {
			r.load(t, "a10")
			if asked != 0 {
				t.Error("a device that works is explained")
			}
			r.device.setFault(func(op string) error {
				if op == "start" {
					return worker.FromHailoStatus(worker.OpOpen, c.status, "fake")
				}
				return nil
			})
			r.device.living().die("die")
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := r.Ready(); !strings.Contains(got, c.want) || strings.Count(got, c.want) != 1 {
				t.Errorf("%d, %q: ready: %q", c.status, c.explain, got)
			}
			expectKind(t, r.infer(t.Context(), "a10"), device.KindUnavailable, c.want)
			if asked == 0 {
				t.Error("nobody looked")
			}
		})
	}
}

// TestNobodyToName: without a node there is no device; with one whose holder
// cannot be seen, that is said.
func TestNobodyToName(t *testing.T) {
	if got, _ := whoHolds(t.TempDir()); got != "there is no device: neither /dev/hailo* nor /dev/h1x-* exists" {
		t.Errorf("%q", got)
	}
	if got, program := whoHolds(machineWith(t, "")); !strings.Contains(got, "none that the manager may see") || program != "unseen" {
		t.Errorf("%q, %q", got, program)
	}
	if got := driverVersion(t.TempDir()); got != "" {
		t.Errorf("%q", got)
	}
}
