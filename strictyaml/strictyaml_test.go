package strictyaml

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

type settings struct {
	Name    string  `yaml:"name"`
	Share   float64 `yaml:"share"`
	On      bool    `yaml:"on"`
	Bytes   int64   `yaml:"bytes"`
	Section struct {
		Port int           `yaml:"port"`
		Wait time.Duration `yaml:"wait"`
	} `yaml:"section"`
	List  []float64 `yaml:"list"`
	Parts []struct {
		Seconds *int64 `yaml:"seconds"`
	} `yaml:"parts"`
	Named map[string]struct {
		Wait time.Duration `yaml:"wait"`
	} `yaml:"named"`
	Any any `yaml:"any"`
}

func defaults() settings {
	s := settings{Name: "n", Share: 0.5, On: true, Bytes: 9, List: []float64{1}}
	s.Section.Port, s.Section.Wait = 80, time.Second
	return s
}

func TestDecodeKeepsWhatIsNotGiven(t *testing.T) {
	for _, text := range []string{
		"", "\n\n", "# nothing\n", "---\n", "---\n# nothing\n---\n"[:14], "null", "~", "{}",
		"section:\n", "section:\n  # port: 5\n", "name:\n", "section:\n  port: null\nlist:\n", "\ufeff", "%YAML 1.2\n---\n",
	} {
		got := defaults()
		if err := Decode(strings.NewReader(text), "f", &got); err != nil || !reflect.DeepEqual(got, defaults()) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestDecodeSets(t *testing.T) {
	want := defaults()
	want.Name, want.Section.Port, want.Section.Wait, want.On, want.List = "0.9", 81, 90*time.Second, false, []float64{1, 2.5}
	for _, text := range []string{
		"name: '0.9'\non: false\nlist: [1, 2.5]\nsection:\n  port: 81\n  wait: 1m30s\n",
		"{\"name\": \"0.9\", \"on\": false, \"list\": [1, 2.5],\n \"section\": {\"port\": 81, \"wait\": \"1m30s\"}}",
		"\ufeff---\r\nname: \"0.9\"\r\non: false\r\nlist:\r\n- 1\r\n- 2.5\r\nsection: &s\r\n  port: 81\r\n  wait: 90s\r\n",
		"%YAML 1.2\n---\nname: '0.9'\non: false\nlist: [1, 2.5]\nsection: {port: 81.0, wait: 90s}\n...\n",
	} {
		got := defaults()
		if err := Decode(strings.NewReader(text), "f", &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestDecodeRefusals(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for text, want := range map[string]string{
		"name: a\nnmae: b\n":                           `f:2: unknown field "nmae" (in "nmae: b")`,
		"section:\n  Port: 5\n":                        `f:2: unknown field "Port" (in "Port: 5")`,
		"name: a\nname: b\n":                           `f:2: mapping key "name" already defined at [1:1] (in "name: b")`,
		"section:\n  port: 1\n  wait: 1s\n  port: 2\n": `f:4: mapping key "port" already defined at [2:3] (in "port: 2")`,
		"{\"on\": true,\n\"on\": true}":                `f:2: mapping key "on" already defined`,
		"\non: yes\n":                                  `f:2: expected true or false (in "on: yes")`,
		"share: much\n":                                `f:1: expected a number (in "share: much")`,
		"section:\n  port: x\n":                        `f:2: expected a whole number (in "port: x")`,
		"section:\n  port: 1.5\n":                      `f:2: expected a whole number (in "port: 1.5")`,
		"section:\n  port: '1.5'\n":                    `f:2: expected a whole number (in "port: '1.5'")`,
		"bytes: 1e-3\n":                                `f:1: expected a whole number (in "bytes: 1e-3")`,
		"section: &a\n  port: 1.5\n":                   `f:2: expected a whole number`,
		"section:\n  port: 99999999999999999999\n":     `f:2: the number is out of range (in "port: 99999999999999999999")`,
		"section:\n  wait: 10\n":                       `f:2: expected a duration such as 30s (in "wait: 10")`,
		"section:\n  wait: soon\n":                     `f:2: expected a duration such as 30s (in "wait: soon")`,
		"{\"section\":\n {\"wait\": \"soon\"}}":        `f:2: expected a duration such as 30s`,
		"parts:\n- seconds: 1\n- seconds: 1.5\n":       `f:3: expected a whole number (in "- seconds: 1.5")`,
		"parts:\n- minutes: 1\n":                       `f:2: unknown field "minutes"`,
		"parts: 5\n":                                   `f:1: int was used where sequence is expected`,
		"named:\n  a: {wait: 1s}\n  b: {wait: soon}\n": `f:3: expected a duration such as 30s`,
		"named:\n  a: {weight: 1}\n":                   `f:2: unknown field "weight"`,
		"name: [1]\n":                                  `f:1: expected text (in "name: [1]")`,
		"list: [1, x]\n":                               `f:1: expected a number (in "list: [1, x]")`,
		"section: 5\n":                                 `f:1: int was used where mapping is expected (in "section: 5")`,
		"- name\n":                                     `f:1: sequence was used where mapping is expected`,
		"5":                                            `f:1: int was used where mapping is expected`,
		"name: a\n---\nname: b\n":                      `f:3: a second document begins here`,
		"---\n---\nname: b\n":                          `f:2: a second document begins here`,
		"name: a\n  on: true\n":                        `f:1: mapping value is not allowed in this context`,
		"name: 'a\n":                                   `f:1: could not find end character of single-quoted text`,
		"name: *gone\n":                                `f:1: could not find alias "gone"`,
		"{":                                            `f:1: could not find flow mapping end token`,
		"\tname: a\n":                                  `f:1: tab character`,
		"{\"" + long + "\": 1, \"name\": \"a\"}":       `f:1: unknown field "xxx`,
	} {
		got := defaults()
		err := Decode(strings.NewReader(text), "f", &got)
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60q: %v\n\twant %s", text, err, want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: a message of several lines: %q", text, err)
		}
	}
}

func TestTheQuotedLineIsShort(t *testing.T) {
	var got settings
	err := Decode(strings.NewReader(`{"name": "`+strings.Repeat("x", 5000)+`", "on": "no"}`), "f", &got)
	if err == nil || len(err.Error()) > 250 || !strings.Contains(err.Error(), "expected true or false") {
		t.Errorf("got %v", err)
	}
}

func TestDecodeBoundsTheFile(t *testing.T) {
	got := defaults()
	comment := strings.Repeat("#", maxFile)
	if err := Decode(strings.NewReader(comment), "f", &got); err != nil {
		t.Errorf("a file of the largest size: %v", err)
	}
	if err := Decode(strings.NewReader(comment+"#"), "f", &got); err == nil || err.Error() != "f: is over 1048576 bytes" {
		t.Errorf("a larger one: %v", err)
	}
	broken := errors.New("the disk is gone")
	if err := Decode(iotest.ErrReader(broken), "f", &got); err == nil || err.Error() != "f: the disk is gone" {
		t.Errorf("a reader that fails: %v", err)
	}
}

func TestDecodeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.yaml")
	got := defaults()
	if found, err := DecodeFile(path, true, &got); found || err != nil {
		t.Errorf("an optional file that is missing: %v, %v", found, err)
	}
	var e *Error
	if _, err := DecodeFile(path, false, &got); !errors.As(err, &e) || e.Source != path {
		t.Errorf("a file that is missing: %v", err)
	}
	if err := os.WriteFile(path, []byte("\n\nnope: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := DecodeFile(path, true, &got); !found || err == nil || !strings.HasPrefix(err.Error(), path+":3: ") {
		t.Errorf("a bad one: %v, %v", found, err)
	}
	if err := os.WriteFile(path, []byte("on: false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := DecodeFile(path, false, &got); !found || err != nil || got.On {
		t.Errorf("a good one: %v, %v, %+v", found, err, got)
	}
	if _, err := DecodeFile(dir, true, &got); !errors.As(err, &e) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a folder: %v", err)
	}
}
