package manager

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// TestCrashIsRetriedOnce: whoever was running when the worker died is not told,
// for another request, or chance, may have been the cause.
func TestCrashIsRetriedOnce(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		for i, operation := range []string{"load", "infer"} {
			name := map[string]string{"load": "b10", "infer": "a10"}[operation]
			if operation == "infer" {
				r.load(t, "a10")
			}
			r.device.setFault(onNth(operation, 1, errCrash))
			r.device.events()
			if err := r.infer(t.Context(), name); err != nil {
				t.Errorf("%s: %v", operation, err)
			}
			r.expectEvents(t, operation+" "+name, "die", "start", "load "+name, "infer "+name)
			if n := r.metric(t, "hailo_device_retries_total", "model_type=depth", "cause=worker_died"); n != float64(i+1) {
				t.Errorf("%v retries counted, want %d", n, i+1)
			}
		}
	})
}

// TestCrashIsNotRetriedTwice: a request that kills two workers is told so, and
// those behind it are served.
func TestCrashIsNotRetriedTwice(t *testing.T) {
	for _, operation := range []string{"load", "infer"} {
		inBubble(t, 30, nil, func(t *testing.T, r *rig) {
			crashes := 0
			r.device.setFault(func(op string) error {
				if op != operation || crashes == 2 {
					return nil
				}
				crashes++
				return errCrash
			})
			r.device.took = time.Second // of what comes after
			r.device.events()
			first, second := make(chan error), make(chan error)
			go func() { first <- r.infer(t.Context(), "a10") }()
			synctest.Wait()
			go func() { second <- r.infer(t.Context(), "b10") }()
			err := <-first
			expectKind(t, err, device.KindUnavailable, "the worker process died")
			if e, ok := errors.AsType[*device.Error](err); !ok || e.RetryAfter <= 0 || device.ReasonOf(err) != device.ReasonBackend {
				t.Errorf("%s: %+v", operation, err)
			}
			if err := <-second; err != nil || crashes != 2 {
				t.Errorf("%s: the next got %v after %d crashes", operation, err, crashes)
			}
		})
	}
}

// TestHangIsNotRetried: it would keep the others waiting as long again.
func TestHangIsNotRetried(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.device.setFault(onNth("infer", 1, errHang))
		expectKind(t, r.infer(t.Context(), "a10"), device.KindTimeout, "did not answer within")
		if n := r.metric(t, "hailo_device_retries_total"); n != 0 {
			t.Errorf("%v retries", n)
		}
	})
}

// TestIdempotent: each type that there is, is or is not.
func TestIdempotent(t *testing.T) {
	for name, want := range map[string]bool{"depth": true, "pose": true, "clip": true, "ocr": true, "vlm": false, "vlm_chat": false, "whisper": false, "sound": false} {
		if idempotent(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// TestDeviceThatCannotBeOpenedIsNotRetried: that has had its three attempts.
func TestDeviceThatCannotBeOpenedIsNotRetried(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		starts := 0
		r.device.setFault(func(op string) error {
			if op == "start" {
				starts++
				return errors.New("no device")
			}
			return nil
		})
		r.device.living().die("die") // noticed by the request, which comes first
		expectKind(t, r.infer(t.Context(), "a10"), device.KindUnavailable, "no device")
		r.device.mu.Lock() // the repair goes on beside
		defer r.device.mu.Unlock()
		if starts > reopenAttempts+1 { // the repair's first may have begun
			t.Errorf("%d attempts to open the device, want %d", starts, reopenAttempts)
		}
	})
}
