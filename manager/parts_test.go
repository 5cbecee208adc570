package manager

import (
	"encoding/json"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// ocr is a model of three networks of 10 bytes each.
func (r *rig) ocr(t *testing.T) device.Model {
	t.Helper()
	m := r.model("a10")
	params, err := json.Marshal(map[string]any{
		"detection_hef_path": m.Path,
		"recognition_hefs":   map[string]string{"de": r.model("b10").Path, "en": r.model("c10").Path},
	})
	if err != nil {
		t.Fatal(err)
	}
	return device.Model{Type: "ocr", Path: m.Path, Params: params}
}

func TestModelOfSeveralNetworksLoadsWholeOrNotAtAll(t *testing.T) {
	inBubble(t, 40, nil, func(t *testing.T, r *rig) {
		m := r.ocr(t)
		r.device.setFault(onNth("load", 3, lostDevice(92)))
		r.device.events()
		_, err := r.Load(t.Context(), m)
		expectKind(t, err, device.KindModel, "Failed to load model: ")
		r.expectModels(t)
		if left := r.device.living().names(); left != nil {
			t.Errorf("%v are still on the device", left)
		}
		loaded, err := r.Load(t.Context(), m)
		if err != nil || loaded.Already || loaded.DetectionInputShape.String() != "[2, 2, 3]" {
			t.Fatalf("%+v, %v", loaded, err)
		}
		if s := r.status(t); len(s.Models) != 1 || s.Models[0].MemoryBytes != 30 {
			t.Errorf("%+v", s.Models)
		}
		time.Sleep(time.Second)
		r.load(t, "d20") // all of its networks go
		if left := r.device.living().names(); len(left) != 1 {
			t.Errorf("%v are on the device", left)
		}
	})
}

func TestRecognitionRunsCropAfterCrop(t *testing.T) {
	inBubble(t, 40, nil, func(t *testing.T, r *rig) {
		in := device.Input{Mode: "recognition", Language: "en"}
		for v := range byte(5) {
			in.Crops = append(in.Crops, *picture(v).Input)
		}
		result, err := r.Infer(t.Context(), r.ocr(t), in)
		if err != nil || len(result.List) != 5 {
			t.Fatalf("%d results, %v", len(result.List), err)
		}
		for i, crop := range result.List {
			if values, err := crop.Float32s(); err != nil || values[0] != float32(i) {
				t.Errorf("crop %d: %v, %v", i, values, err)
			}
		}
		r.device.setFault(onNth("infer", 3, errCrash)) // in the middle of a request
		result, err = r.Infer(t.Context(), r.ocr(t), in)
		if err != nil || len(result.List) != 5 {
			t.Errorf("%d results after a crash, %v", len(result.List), err)
		}
		in.Language = "xx"
		_, err = r.Infer(t.Context(), r.ocr(t), in)
		expectKind(t, err, device.KindInvalid, "Unsupported language: xx. Available: ['de', 'en']")
	})
}

func TestDetectionShape(t *testing.T) {
	for _, c := range []struct{ in, want tensor.Shape }{
		{tensor.Shape{544, 960, 3}, tensor.Shape{544, 960, 3}},
		{tensor.Shape{1, 3, 544, 960}, tensor.Shape{544, 960, 3}},
		{tensor.Shape{1, 544, 960, 3}, tensor.Shape{544, 960, 3}},
		{tensor.Shape{7}, tensor.Shape{7}},
	} {
		got := detectionShape(worker.Signature{Inputs: []worker.TensorInfo{{Shape: c.in}}})
		if got.String() != c.want.String() {
			t.Errorf("%v gives %v, want %v", c.in, got, c.want)
		}
	}
}

// TestInputThatDoesNotFit: what does not fit is the caller's fault, and
// the device is not asked.
func TestInputThatDoesNotFit(t *testing.T) {
	inBubble(t, 40, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.events()
		for _, in := range []device.Input{
			{},
			{Input: &tensor.Tensor{}},
			{Input: &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{3, 3, 3}, Data: make([]byte, 27)}},
		} {
			_, err := r.Infer(t.Context(), r.model("a10"), in)
			expectKind(t, err, device.KindInvalid, "Inference failed: input_data.input")
		}
		r.expectEvents(t)
		r.expectModels(t, "a10")
	})
}
