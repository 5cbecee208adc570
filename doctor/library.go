package doctor

import (
	"path/filepath"
	"slices"
	"strings"
)

const libraryPrefix = "libhailort.so."

// shared is a HailoRT library on the disk.
type shared struct {
	path    string
	version version
	found   bool // the loader finds it
}

// libraries looks for HailoRT's library.
func (e *exam) libraries() {
	if e.absent() {
		return
	}
	all := e.findLibraries()
	if len(all) == 0 {
		e.need(groupDriver, "libhailort", installDriver, "libhailort.so.X.Y.Z is in none of %s", strings.Join(e.libraryDirs(), ", "))
		return
	}
	chosen := e.choose(all)
	e.library = chosen.version
	var others []string
	for _, s := range all {
		if s.version != chosen.version {
			others = append(others, s.path)
		}
	}
	switch {
	case chosen.version.before(leastVersion):
		e.need(groupDriver, "libhailort", installDriver, "%s; %v or newer is needed", chosen.path, leastVersion)
	case !chosen.found:
		e.need(groupDriver, "libhailort", "sudo ldconfig", "%s is not in the loader's cache", chosen.path)
	case len(others) > 0:
		e.hint(groupDriver, "libhailort", "keep the one of the driver's release", "%s; there are others: %s", chosen.path, strings.Join(others, ", "))
	default:
		e.ok(groupDriver, "libhailort", "%s", chosen.path)
	}
	e.match()
}

// choose takes the library of the driver's release, else the newest.
func (e *exam) choose(all []shared) shared {
	for _, s := range all {
		if s.version == e.driver {
			return s
		}
	}
	return all[len(all)-1]
}

// usual are the folders that the loader searches without being told, on a
// system of either architecture.
var usual = [...]string{"/usr/lib/aarch64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64"}

// libraryDirs are the folders of shared libraries: the usual ones and those
// that the loader's settings name.
func (e *exam) libraryDirs() []string {
	dirs := slices.Clone(usual[:])
	for _, file := range append([]string{"/etc/ld.so.conf"}, e.glob("/etc/ld.so.conf.d/*.conf")...) {
		for line := range strings.Lines(e.text(file)) {
			line, _, _ = strings.Cut(line, "#")
			if dir := strings.TrimSpace(line); filepath.IsAbs(dir) && !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	if !slices.Contains(dirs, "/usr/local/lib") {
		dirs = append(dirs, "/usr/local/lib")
	}
	return dirs
}

// findLibraries lists each release once, oldest first.
func (e *exam) findLibraries() []shared {
	cache := e.text("/etc/ld.so.cache")
	var all []shared
	add := func(path string, found bool) {
		v, ok := parseVersion(strings.TrimPrefix(filepath.Base(path), libraryPrefix))
		if ok && e.exists(path) && !slices.ContainsFunc(all, func(s shared) bool { return s.version == v }) {
			all = append(all, shared{path, v, found})
		}
	}
	for _, dir := range e.libraryDirs() {
		for _, path := range e.glob(escape(dir) + "/" + libraryPrefix + "*") {
			add(path, slices.Contains(usual[:], dir) || strings.Contains(cache, path+"\x00"))
		}
	}
	for _, path := range cached(cache) {
		add(path, true)
	}
	slices.SortStableFunc(all, func(a, b shared) int {
		switch {
		case a.version.before(b.version):
			return -1
		case b.version.before(a.version):
			return 1
		}
		return 0
	})
	return all
}

// cached lists HailoRT's libraries in the loader's cache, whose strings end with
// a zero byte.
func cached(cache string) []string {
	var paths []string
	for {
		at := strings.Index(cache, "/"+libraryPrefix)
		if at < 0 {
			return paths
		}
		start := strings.LastIndexByte(cache[:at], 0) + 1
		path, rest, _ := strings.Cut(cache[start:], "\x00")
		if filepath.IsAbs(path) && len(path) < 4096 {
			paths = append(paths, path)
		}
		cache = rest
	}
}
