package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hailo-depth/backend"
	"hailo-depth/catalog"
	"hailo-depth/hef"
)

const groupModels = "models"

// maxModels bounds how many files of a folder are looked at.
const maxModels = 20

// hidden are the folders that the service's unit hides from it.
var hidden = [...]string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"}

// models looks at the model files: may they be read, and were they made for
// this device.
func (e *exam) models() {
	if e.Backend == backend.Sim {
		return // it takes files of its own kind
	}
	arch := ""
	if e.wanted && e.chip != nil {
		arch = e.chip.arch
	} else if e.wanted {
		arch = hef.Hailo10H
	}
	extension := catalog.Extension(arch)
	name := e.Model
	if name == "" {
		name = catalog.Default(arch)
	}
	configured := filepath.Join(e.ModelDir, name+extension)
	needed := append([]string{}, e.ModelFiles...)
	if e.exists(configured) || !slices.Contains(catalog.BuiltIn(extension), name) {
		needed = append(needed, configured)
	} else {
		e.ok(groupModels, name, "built in")
	}
	for _, path := range needed {
		e.model(path, arch, e.fix)
	}
	found := e.glob(escape(e.ModelDir) + "/*" + extension)
	if len(found) > maxModels {
		e.hint(groupModels, e.ModelDir, "", "%d files; the first %d are looked at", len(found), maxModels)
		found = found[:maxModels]
	}
	for _, path := range found {
		if !slices.Contains(needed, path) {
			e.model(path, arch, e.hint)
		}
	}
}

// model looks at a file; bad says how bad it is when it cannot be used.
func (e *exam) model(path, arch string, bad func(group, check, do, format string, args ...any)) {
	check := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	_, err := os.Stat(e.at(path))
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.hint(groupModels, check, "sudo hailo-device-manager doctor", "%s cannot be seen by %s", path, e.User.Name)
		return
	case err != nil:
		bad(groupModels, check, "put the file there (docs/models.md says where to get it), or choose another: model.name in /etc/hailo/hailo-depth.yaml", "%s is not there", path)
		return
	}
	if e.service != nil {
		for _, dir := range hidden {
			if strings.HasPrefix(path, dir) {
				bad(groupModels, check, "move the file to /usr/share/hailo/models", "%s: the service does not see %s", path, dir)
				return
			}
		}
		if at := e.blocked(*e.service, path, read); at != "" {
			do := "sudo chmod a+r " + path
			if at != path {
				do = "sudo chmod a+x " + at
			}
			bad(groupModels, check, do, "%s may not read %s (%s)", e.service.Name, path, at)
			return
		}
	}
	if filepath.Ext(path) != ".hef" {
		e.ok(groupModels, check, "%s", path)
		return
	}
	e.hefFile(path, check, arch, bad)
}

func (e *exam) hefFile(path, check, arch string, bad func(group, check, do, format string, args ...any)) {
	const again = "get the file again (docs/models.md)"
	f, err := hef.Open(e.at(path))
	if _, ok := errors.AsType[*hef.Error](err); ok {
		bad(groupModels, check, again, "%s: %v", path, err)
		return
	}
	if err != nil {
		e.hint(groupModels, check, "sudo hailo-device-manager doctor", "%s cannot be read by %s", path, e.User.Name)
		return
	}
	switch {
	case arch != "" && !f.Arch.RunsOn(arch):
		bad(groupModels, check, "get the file that was compiled for "+strings.ToLower(arch)+" (docs/models.md)", "%s was compiled for %v; this device is %s", path, f.Arch, strings.ToLower(arch))
	case f.Strict && e.library.known() && (f.Major != uint64(e.library.major) || f.Minor != uint64(e.library.minor)):
		bad(groupModels, check, "get the file for HailoRT "+e.library.String(), "%s was made by compiler %d.%d and loads only with that release; the library is %v", path, f.Major, f.Minor, e.library)
	default:
		e.ok(groupModels, check, "%s: %.1f MiB, for %v, compiler %s", path, float64(f.Size)/(1<<20), f.Arch, f.Compiler)
	}
}
