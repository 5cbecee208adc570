package doctor

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// maxText bounds what is read of one file.
const maxText = 16 << 20

// text is the content of a file below the root, or "".
func (e *exam) text(path string) string {
	f, err := os.Open(e.at(path))
	if err != nil {
		return ""
	}
	content, err := io.ReadAll(io.LimitReader(f, maxText))
	if closeErr := f.Close(); err != nil || closeErr != nil {
		return ""
	}
	return string(content)
}

// line is text without the white space around it: a file of /sys holds a line.
func (e *exam) line(path string) string { return strings.TrimSpace(e.text(path)) }

func (e *exam) exists(path string) bool {
	_, err := os.Stat(e.at(path))
	return err == nil
}

// glob lists paths of the machine.
func (e *exam) glob(pattern string) []string {
	found, err := filepath.Glob(filepath.Join(escape(e.Root), pattern))
	if err != nil {
		return nil // only for a malformed pattern
	}
	for i, path := range found {
		found[i] = "/" + strings.TrimPrefix(strings.TrimPrefix(path, filepath.Clean(e.Root)), "/")
	}
	return found
}

// escape keeps a folder's name from being read as a pattern.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// version is a release of HailoRT: library, driver and firmware count together.
type version struct{ major, minor, revision int }

// leastVersion is the first release that the worker is made for.
var leastVersion = version{5, 1, 0}

var threeNumbers = regexp.MustCompile(`^(\d{1,6})\.(\d{1,6})\.(\d{1,6})`)

// parseVersion reads the three numbers that text begins with.
func parseVersion(text string) (version, bool) {
	m := threeNumbers.FindStringSubmatch(text)
	if m == nil {
		return version{}, false
	}
	var v version
	for i, n := range []*int{&v.major, &v.minor, &v.revision} {
		*n, _ = strconv.Atoi(m[i+1]) // six digits fit
	}
	return v, true
}

func (v version) known() bool { return v != version{} }

func (v version) before(o version) bool {
	if v.major != o.major {
		return v.major < o.major
	}
	if v.minor != o.minor {
		return v.minor < o.minor
	}
	return v.revision < o.revision
}

func (v version) String() string { return fmt.Sprintf("%d.%d.%d", v.major, v.minor, v.revision) }
