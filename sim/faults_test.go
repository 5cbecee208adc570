package sim

import (
	"reflect"
	"strings"
	"testing"

	"hailo-depth/worker"
)

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]Faults{
		"":                            nil,
		" , ,":                        nil,
		"infer=81@3":                  {{operation: worker.OpInfer, status: 81, from: 3, to: 3, probability: 1}},
		"load=4":                      {{operation: worker.OpLoad, status: 4, from: 1, probability: 1}},
		"load=4@1-2":                  {{operation: worker.OpLoad, status: 4, from: 1, to: 2, probability: 1}},
		"load=4@2-2":                  {{operation: worker.OpLoad, status: 4, from: 2, to: 2, probability: 1}},
		"unload=hang@10+":             {{operation: worker.OpUnload, hang: true, from: 10, probability: 1}},
		"generate=6@2":                {{operation: worker.OpGenerate, status: 6, from: 2, to: 2, probability: 1}},
		"token=hang@5":                {{operation: opToken, hang: true, from: 5, to: 5, probability: 1}},
		"any=crash@p0.25":             {{operation: anyOperation, crash: true, from: 1, probability: 0.25}},
		"any=crash@p0":                {{operation: anyOperation, crash: true, from: 1}},
		"any=62@p1":                   {{operation: anyOperation, status: 62, from: 1, probability: 1}},
		" infer=4@1 ,load=crash ":     {{operation: worker.OpInfer, status: 4, from: 1, to: 1, probability: 1}, {operation: worker.OpLoad, crash: true, from: 1, probability: 1}},
		"infer=4@9223372036854775807": {{operation: worker.OpInfer, status: 4, from: 1<<63 - 1, to: 1<<63 - 1, probability: 1}},
	} {
		got, err := ParseFaults(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q gives %+v (%v), want %+v", text, got, err, want)
		}
	}
}

// An error quotes the entry, says what is wrong with it and shows what is right.
func TestParseFaultsRefuses(t *testing.T) {
	for text, why := range map[string]string{
		"infer":              `no "="`,
		"@3":                 `no "="`,
		"close=81":           `unknown operation "close"`,
		"=81":                `unknown operation ""`,
		"Infer=81":           `unknown operation "Infer"`,
		"infer=":             `"" is no status number, hang, crash or stuck`,
		"infer=0":            `"0" is no status number`,
		"infer=-4":           `"-4" is no status number`,
		"infer=sleep":        `"sleep" is no status number`,
		"infer=hang=1":       `"hang=1" is no status number`,
		"load=stuck":         `only infer can be stuck, not load`,
		"any=stuck":          `only infer can be stuck, not any`,
		"infer=stuck~":       `"" is no number of milliseconds`,
		"infer=stuck~-1":     `"-1" is no number of milliseconds`,
		"infer=4@":           `"" is no operation number`,
		"infer=4@0":          `"0" is no operation number`,
		"infer=4@-1":         `"" is no operation number`,
		"infer=4@x":          `"x" is no operation number`,
		"infer=4@1.5":        `"1.5" is no operation number`,
		"infer=4@++":         `"+" is no operation number`,
		"infer=4@3-":         `"" is no end after 3`,
		"infer=4@3-2":        `"2" is no end after 3`,
		"infer=4@3-4-5":      `"4-5" is no end after 3`,
		"infer=4@3+-5":       `"3+-5" has two ends`,
		"infer=4@p":          `"" is no probability from 0 to 1`,
		"infer=4@p1.01":      `"1.01" is no probability`,
		"infer=4@p-0.1":      `"-0.1" is no probability`,
		"infer=4@pNaN":       `"NaN" is no probability`,
		"infer=4@1,load=4@z": `"z" is no operation number`,
	} {
		got, err := ParseFaults(text)
		if err == nil {
			t.Errorf("%q gives %+v", text, got)
			continue
		}
		entry := text[strings.LastIndex(text, ",")+1:]
		for _, part := range []string{`"` + entry + `"`, why, "expected e.g. infer=81@3"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q gives %q, without %q", text, err, part)
			}
		}
	}
}
