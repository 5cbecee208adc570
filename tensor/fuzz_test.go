package tensor

import (
	"runtime"
	"testing"

	"github.com/go-json-experiment/json"
)

// FuzzTensorJSON: reading never panics, a tensor that is read holds together,
// is written and read again, and no input makes more memory than a multiple of
// its own length.
func FuzzTensorJSON(f *testing.F) {
	for _, seed := range []string{
		`{"dtype":"uint8","shape":[1,2],"data_b64":"AQI="}`,
		`{"dtype":"<f4","shape":1,"data_b64":"AACAPw=="}`,
		`{"dtype":"float64","shape":[1099511627776],"data_b64":""}`,
		`{"dtype":"uint8","shape":[9223372036854775807,9223372036854775807],"data_b64":"AA=="}`,
		`{"dtype":"int8","shape":[0,-1],"data_b64":""}`, `null`, `[`, `{"shape":[1,1,1,1,1,1,1,1]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var got Tensor
		err := json.Unmarshal(text, &got)
		runtime.ReadMemStats(&after)
		const fixed, factor = 256 << 10, 64 // messages, the decoder's buffers and other goroutines
		if used := after.TotalAlloc - before.TotalAlloc; used > fixed+factor*uint64(len(text)) {
			t.Errorf("%d bytes of input took %d bytes of memory", len(text), used)
		}
		if err != nil || got.DType == Invalid && got.Shape == nil {
			return
		}
		if err := got.Check(); err != nil {
			t.Fatalf("read, but %v", err)
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatalf("read, but not written: %v", err)
		}
		if err := json.Unmarshal(again, &got); err != nil {
			t.Fatalf("written as %s, but not read again: %v", again, err)
		}
	})
}
