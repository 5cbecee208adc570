package catalog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hailo-depth/models"
)

const hailo, cpu = "HAILO10H", "CPU"

// folder makes a folder of files, NAME to content; a name that ends in .yaml
// without content gets a manifest of that name.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if base, ok := strings.CutSuffix(name, ".yaml"); ok && content == "" {
			content = manifestOf(base)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func manifestOf(name string) string {
	return fmt.Sprintf("name: %s\ndescription: from the folder\ninput: {width: 32, height: 16}\noutput: {meaning: disparity, near: large}\n", name)
}

func names(list []Model) []string {
	var all []string
	for _, m := range list {
		all = append(all, m.Name)
	}
	return all
}

func TestListByArchitecture(t *testing.T) {
	dir := folder(t, map[string]string{
		"zebra.onnx": "z", "zebra.yaml": "", "alpha.onnx": "a", "alpha.yaml": "", "chip.hef": "c", "chip.yaml": "", "scdepthv3.hef": "s",
		"nomanifest.onnx": "x", "wrong.onnx": "x", "wrong.yaml": "name: wrong\n", "other.onnx": "x", "other.yaml": manifestOf("another"), "readme.txt": "x", "lonely.yaml": "",
	})
	if err := os.Mkdir(filepath.Join(dir, "folder.onnx"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "folder.yaml"), []byte(manifestOf("folder")), 0o600); err != nil {
		t.Fatal(err)
	}
	for architecture, want := range map[string][]string{
		cpu: {"alpha", "pocketdepth", "pocketdepth_int8", "zebra"}, "": {"alpha", "pocketdepth", "pocketdepth_int8", "zebra"}, hailo: {"chip", "scdepthv3"}, "HAILO15H": {"chip", "scdepthv3"},
	} {
		list, err := Catalog{Dir: dir}.List(architecture)
		if err != nil || !slices.Equal(names(list), want) {
			t.Errorf("%s: %q, %v; want %q", architecture, names(list), err, want)
		}
	}
}

func TestListFollowsTheFolder(t *testing.T) {
	c := Catalog{Dir: filepath.Join(t.TempDir(), "a [folder] * ?")}
	list, err := c.List(cpu)
	if err != nil || !slices.Equal(names(list), []string{"pocketdepth", "pocketdepth_int8"}) {
		t.Errorf("a missing folder: %q, %v", names(list), err)
	}
	if err := os.Rename(folder(t, map[string]string{"new.onnx": "x", "new.yaml": ""}), c.Dir); err != nil {
		t.Fatal(err)
	}
	list, err = c.List(cpu)
	if err != nil || !slices.Equal(names(list), []string{"new", "pocketdepth", "pocketdepth_int8"}) {
		t.Errorf("a folder that came later: %q, %v", names(list), err)
	}
}

// TestNoFolderIsNotTheCurrentOne: an empty Dir must not mean wherever the
// program was started.
func TestNoFolderIsNotTheCurrentOne(t *testing.T) {
	t.Chdir(folder(t, map[string]string{"stray.onnx": "x", "stray.yaml": "", "scdepthv3.hef": "x", "pocketdepth.onnx": "x"}))
	for _, architecture := range []string{cpu, hailo} {
		list, err := Catalog{}.List(architecture)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			if m.Path != "" {
				t.Errorf("%s comes from %s", m.Name, m.Path)
			}
		}
		var missing *NotFoundError
		if m, err := (Catalog{}).Find("scdepthv3", hailo); !errors.As(err, &missing) || !strings.Contains(err.Error(), "no model folder is set") {
			t.Errorf("found %+v, %v", m, err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := folder(t, map[string]string{"net.onnx": "x", "net.yaml": "", "net.hef": "x", "bare.onnx": "x", "broken.onnx": "x", "broken.yaml": "name: broken\n", "alias.onnx": "x", "alias.yaml": manifestOf("net")})
	t.Chdir(filepath.Dir(dir))
	c := Catalog{Dir: filepath.Base(dir), Cache: t.TempDir()}
	for architecture, want := range map[string]string{cpu: "net.onnx", hailo: "net.hef"} {
		m, err := c.Find("net", architecture)
		if err != nil || m.Path != filepath.Join(dir, want) || m.Input.Width != 32 {
			t.Errorf("%s: %+v, %v", architecture, m, err)
		}
	}
	for name, want := range map[string]string{
		"bare":   `model "bare" has no manifest: write bare.yaml beside it`,
		"broken": "broken.yaml: input.width",
		"alias":  `alias.yaml: name: "net" is not the file's name "alias"`,
		"gone":   `model "gone" is not there: looked for gone.onnx in ` + c.Dir + `; usable on this device: net, pocketdepth, pocketdepth_int8`,
	} {
		if m, err := c.Find(name, cpu); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	var missing *NotFoundError
	if _, err := c.Find("scdepthv3", hailo); !errors.As(err, &missing) || missing.Extension != ".hef" || !slices.Equal(missing.There, []string{"net"}) {
		t.Errorf("got %v", err)
	}
	if _, err := (Catalog{Dir: t.TempDir()}).Find("x", hailo); err == nil || !strings.HasSuffix(err.Error(), "usable on this device: none") {
		t.Errorf("got %v", err)
	}
}

func TestNamesStayInTheFolder(t *testing.T) {
	root := folder(t, map[string]string{"secret.onnx": "x", "secret.yaml": ""})
	dir := filepath.Join(root, "models")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := Catalog{Dir: dir, Cache: t.TempDir()}
	for _, name := range []string{"", "../secret", "/etc/passwd", `..\secret`, "a\x00b", "models/../secret", filepath.Join(root, "secret")} {
		if m, err := c.Find(name, cpu); err == nil || !strings.Contains(err.Error(), "without slashes") {
			t.Errorf("%q: %+v, %v", name, m, err)
		}
	}
	for _, name := range []string{".", "..", "...", "*", "[a-z]*", "-"} {
		if m, err := c.Find(name, cpu); err == nil {
			t.Errorf("%q: %+v", name, m)
		}
	}
}

func TestDefaultIsThere(t *testing.T) {
	if Default(hailo) != "scdepthv3" || Default(cpu) != models.Default {
		t.Errorf("%s, %s", Default(hailo), Default(cpu))
	}
	c := Catalog{Dir: folder(t, map[string]string{"scdepthv3.hef": "x"}), Cache: t.TempDir()}
	for _, architecture := range []string{hailo, cpu} {
		if _, err := c.Find(Default(architecture), architecture); err != nil {
			t.Errorf("%s: %v", architecture, err)
		}
	}
}
