package packaging

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// manual is what a program says of itself.
type manual struct {
	commands []string            // "" for the program without one
	flags    map[string][]string // of each command, sorted, "--json"
	env      []string            // variables that it reads
}

var (
	helpFlag    = regexp.MustCompile(`(?m)^  -([a-z][a-z0-9-]*)`)
	helpEnv     = regexp.MustCompile(`(?m)^  (HAILO_[A-Z_]+) `)
	helpCommand = regexp.MustCompile(`(?m)^  (?:hailo-depth )?([a-z]+)(?: +[A-Za-z]|$| \[)`)
	pageFlag    = regexp.MustCompile(`--[a-z][a-z0-9-]*`)
	pageEnv     = regexp.MustCompile(`HAILO_[A-Z_]+`)
)

// manuals makes the programs and asks them.
func manuals(t *testing.T) map[string]manual {
	t.Helper()
	dir := t.TempDir()
	all := map[string]manual{}
	for _, program := range []string{"hailo-device-manager", "hailo-depth"} {
		if out, err := exec.Command("go", "build", "-o", dir, "../cmd/"+program).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		help := func(args ...string) string {
			out, err := exec.Command(filepath.Join(dir, program), append(args, "--help")...).Output()
			if err != nil {
				t.Fatalf("%s %v --help: %v", program, args, err)
			}
			return string(out)
		}
		m := manual{flags: map[string][]string{}}
		top := help()
		m.flags[""] = found(helpFlag, top)
		m.env = found(helpEnv, top)
		m.commands = found(helpCommand, top)
		for _, c := range m.commands {
			if c != "version" { // takes none
				m.flags[c] = found(helpFlag, help(c))
			}
		}
		all[program] = m
	}
	if n := len(all["hailo-device-manager"].commands); n < 8 || len(all["hailo-depth"].commands) != 3 {
		t.Fatalf("the help was not understood: %+v", all)
	}
	return all
}

// found lists what the pattern finds, each once and sorted; flags as they are
// written in documents.
func found(pattern *regexp.Regexp, text string) []string {
	list := []string{}
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		word := m[len(m)-1]
		if pattern == helpFlag {
			word = "--" + word
		}
		list = append(list, word)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// The manual pages are without fault, and name the options, commands and
// variables that there are, and no others.
func TestManualPages(t *testing.T) {
	for program, m := range manuals(t) {
		groff := exec.Command("groff", "-man", "-Tutf8", "-ww", "-b", "-P-cbou", "-rLL=200n", "man/"+program+".8")
		var complaints strings.Builder
		groff.Stderr = &complaints
		out, err := groff.Output()
		if err != nil || complaints.Len() > 0 {
			t.Fatalf("%s: %v: %s (apt install groff-base)", program, err, complaints.String())
		}
		page := string(out)
		var flags []string
		for _, list := range m.flags {
			flags = append(flags, list...)
		}
		slices.Sort(flags)
		same(t, found(pageFlag, page), slices.Compact(flags))
		for _, name := range m.commands {
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(page) {
				t.Errorf("%s: the command %s is missing", program, name)
			}
		}
		same(t, found(pageEnv, page), m.env)
	}
}

// Completion in bash knows every command and option, of each what is its own,
// and the models that the manager has.
func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hailo-device-manager"), "#!/bin/sh\nprintf 'head\\n\\nMODEL  TYPE\\nscdepthv3  depth\\nclip  clip\\n\\n0 waiting\\n'\n", 0o755)
	complete := func(words ...string) []string {
		script := `. "completion/$1" && shift && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) && ` +
			`$(complete -p "$1" | sed "s/.*-F \([^ ]*\).*/\1/") && printf '%s\n' "${COMPREPLY[@]}"`
		cmd := exec.Command("bash", append([]string{"-euc", script, "bash", words[0]}, words...)...)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		out, err := cmd.Output()
		if err != nil {
			failed, _ := errors.AsType[*exec.ExitError](err)
			t.Fatalf("%v: %v: %s", words, err, failed.Stderr)
		}
		list := strings.Fields(string(out))
		slices.Sort(list)
		return list
	}
	for program, m := range manuals(t) {
		for command, flags := range m.flags {
			words := []string{program, command, "--"}
			if command == "" {
				words = []string{program, "--"}
			}
			same(t, complete(words...), append(slices.Clone(flags), "--help"))
		}
		commands := slices.DeleteFunc(complete(program, ""), func(w string) bool { return strings.HasPrefix(w, "-") })
		same(t, commands, slices.Clone(m.commands))
	}
	same(t, complete("hailo-device-manager", "pin", ""), []string{"clip", "scdepthv3"})
	same(t, complete("hailo-device-manager", "--backend", "h"), []string{"hailort"})
}
