package packaging

import (
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hailo-depth/config"
	"hailo-depth/depthapi"
	"hailo-depth/depthmap"
	"hailo-depth/representation"
	"hailo-depth/strictyaml"
)

// keys lists the settings of a configuration, a.b.c.
func keys(c reflect.Type, prefix string) []string {
	var all []string
	for field := range c.Fields() {
		name := prefix + field.Tag.Get("yaml")
		if field.Type.Kind() == reflect.Struct {
			all = append(all, keys(field.Type, name+".")...)
		} else {
			all = append(all, name)
		}
	}
	return all
}

// entry is a setting of an example, with the comment above it.
type entry struct {
	comment   string
	value     string
	commented bool // "# key: value", for a default that the file cannot state
}

var keyLine = regexp.MustCompile(`^( *)(# )?([a-z0-9_]+):(?: (.+))?$`)

// entries reads an example line by line, which a YAML decoder cannot: comments
// count here.
func entries(t *testing.T, file string) map[string]entry {
	t.Helper()
	all := map[string]entry{}
	var sections []string
	above := ""
	for i, line := range strings.Split(read(t, file), "\n") {
		match := keyLine.FindStringSubmatch(line)
		if match != nil {
			depth, key := len(match[1])/2, match[3]
			if depth > len(sections) {
				t.Fatalf("%s:%d: indented too far", file, i+1)
			}
			sections = sections[:depth]
			name := strings.Join(append(slices.Clone(sections), key), ".")
			if match[4] == "" {
				sections = append(sections, key)
			} else {
				all[name] = entry{strings.TrimLeft(above, " #"), match[4], match[2] != ""}
				if !strings.HasPrefix(above, match[1]+"# ") || !strings.HasSuffix(above, ".") {
					t.Errorf("%s:%d: %s has no sentence in a comment on the line above", file, i+1, name)
				}
			}
		}
		above = line
	}
	return all
}

// checkExample compares an example with the defaults; example points to an empty
// configuration. It returns the entries.
func checkExample(t *testing.T, file string, example, defaults any, runtimeDependent map[string]func()) map[string]entry {
	t.Helper()
	found, err := strictyaml.DecodeFile(file, false, example)
	if err != nil || !found {
		t.Fatal(err)
	}
	all := entries(t, file)
	for _, key := range keys(reflect.TypeOf(defaults), "") {
		e, ok := all[key]
		take, dependent := runtimeDependent[key]
		switch {
		case !ok:
			t.Errorf("%s: %s is missing", file, key)
		case e.commented != dependent:
			t.Errorf("%s: %s: commented out: %v; want %v", file, key, e.commented, dependent)
		case dependent:
			take()
		}
	}
	if got := reflect.ValueOf(example).Elem().Interface(); !reflect.DeepEqual(got, defaults) {
		t.Errorf("%s does not state the defaults:\n got %+v\nwant %+v", file, got, defaults)
	}
	return all
}

func TestManagerExample(t *testing.T) {
	var c config.Manager
	all := checkExample(t, "hailo-device-manager.yaml", &c, config.DefaultManager(), nil)
	if err := c.Validate("example"); err != nil {
		t.Error(err)
	}
	names(t, all, "backend", "hailort", "onnx", "sim", "auto")
	names(t, all, "log.level", "debug", "info", "warn", "error")
}

func TestDepthExample(t *testing.T) {
	var d config.Depth
	all := checkExample(t, "hailo-depth.yaml", &d, config.DefaultDepth(), map[string]func(){
		// Two for each core and two: the file states that of a Raspberry Pi 5.
		"limits.pictures": func() { d.Limits.Pictures = 2*runtime.NumCPU() + 2 },
	})
	if got := all["limits.pictures"].value; got != strconv.Itoa(2*4+2) {
		t.Errorf("limits.pictures is %s on four cores", got)
	}
	if err := d.Validate("example"); err != nil {
		t.Error(err)
	}
	names(t, all, "output.format", depthapi.Formats()...)
	names(t, all, "output.colormap", depthmap.Colormaps()...)
	names(t, all, "output.representation", representation.Names()...)
}

// names demands that the comment of a setting lists what it can be.
func names(t *testing.T, all map[string]entry, key string, choices ...string) {
	t.Helper()
	for _, choice := range choices {
		if !regexp.MustCompile(`\b` + choice + `\b`).MatchString(all[key].comment) {
			t.Errorf("%s: the comment does not name %s: %q", key, choice, all[key].comment)
		}
	}
}
