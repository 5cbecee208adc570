package representation

import (
	"errors"
	"testing"

	"github.com/go-json-experiment/json"
)

func TestParseRange(t *testing.T) {
	for text, want := range map[string]Range{"0.5,10": {0.5, 10}, " 1e-6 , 1e6 ": {1e-6, 1e6}, "1,1.5": {1, 1.5}} {
		got, err := ParseRange(text)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		if again, err := ParseRange(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q", text, got)
		}
		var numbers [2]float64
		if text, err := json.Marshal(got); err != nil || json.Unmarshal(text, &numbers) != nil || numbers != [2]float64{got.Near, got.Far} {
			t.Errorf("JSON %s, %v", text, err)
		}
	}
	for _, text := range []string{"", "1", "1,", ",1", "1,2,3", "2,1", "1,1", "0,1", "-1,1", "nan,1", "1,inf", "1e-7,1", "1,1e7", "a,b"} {
		_, err := ParseRange(text)
		var refused *Error
		if !errors.As(err, &refused) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParse(t *testing.T) {
	for _, name := range Names() {
		if got, err := Parse(name); err != nil || string(got) != name {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	var refused *Error
	if _, err := Parse("Depth"); !errors.As(err, &refused) {
		t.Errorf("Depth: %v", err)
	}
}
