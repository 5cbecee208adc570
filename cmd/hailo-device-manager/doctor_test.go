package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"hailo-depth/doctor"
)

// The doctor asks the real manager, and its exit code says whether all is well.
func TestDoctor(t *testing.T) {
	d := start(t, "")
	d.mustInfer(t)
	file := write(t, t.TempDir(), "config.yaml", "backend: sim\n")
	args := []string{"doctor", "--config", file, "--socket", d.socket}
	r := use(t, nil, args...)
	for _, want := range []string{"  ok    hailo-device-manager ", file, "a simulated device", "  ok    socket ", "HAILO10H, firmware ", "1 model(s) loaded, 0 waiting", "\neverything needed is ok"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q", want)
		}
	}
	if r.code != 0 || r.stderr != "" || strings.Contains(r.stdout, "\x1b") {
		t.Errorf("exit %d, %q:\n%s", r.code, r.stderr, r.stdout)
	}

	d.terminate(t, patience)
	r = use(t, nil, append(args, "--json")...)
	var report doctor.Report
	if err := json.Unmarshal([]byte(r.stdout), &report, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v: %s", err, r.stdout)
	}
	if r.code != 1 || report.OK || !strings.HasPrefix(r.stderr, "hailo-device-manager: to fix: 1") || !strings.Contains(report.Reason(), "no manager runs") {
		t.Errorf("exit %d, %q, %q", r.code, r.stderr, report.Reason())
	}
}

// A configuration that cannot be used is among what is found, not the end.
func TestDoctorOfWrongSettings(t *testing.T) {
	file := write(t, t.TempDir(), "config.yaml", "bakend: sim\n")
	r := use(t, nil, "doctor", "--config", file, "--socket", filepath.Join(shortDir(t), "none"))
	if r.code != 1 || !strings.Contains(r.stdout, `fix   hailo-device-manager   `+file+`:1: unknown field "bakend"`) || !strings.Contains(r.stdout, "--check-config --config "+file) || !strings.Contains(r.stdout, "no manager runs") {
		t.Errorf("exit %d, %q:\n%s", r.code, r.stderr, r.stdout)
	}
}

// The doctor looks at the files of the configured models, wherever the
// configuration names them.
func TestDoctorOfConfiguredModels(t *testing.T) {
	const there = "/etc/passwd" // a file that every user may read, the service's too
	file := write(t, t.TempDir(), "config.yaml", `backend: onnx
models:
  - {type: depth, path: `+there+`}
  - {type: clip, path: key, params: {image_hef_path: /absent/image.hef, text_hef_path: /absent/text.hef}}
  - {type: ocr, path: key, params: {detection_hef_path: /absent/detection.hef, recognition_hefs: {en: /absent/en.hef, de: /absent/de.hef}}}
`)
	r := use(t, nil, "doctor", "--json", "--config", file, "--socket", filepath.Join(shortDir(t), "none"))
	var report doctor.Report
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	got := map[string]string{}
	for _, f := range report.Findings {
		if f.Group == "models" {
			got[f.Check] = string(f.Status) + " " + f.Text
		}
	}
	for check, want := range map[string]string{
		"passwd": "ok " + there, "image": "fix /absent/image.hef is not there", "text": "fix /absent/text.hef is not there",
		"detection": "fix /absent/detection.hef is not there", "en": "fix /absent/en.hef is not there", "de": "fix /absent/de.hef is not there",
	} {
		if got[check] != want {
			t.Errorf("%s: %q, want %q", check, got[check], want)
		}
	}
}

// A manager that cannot open its accelerator says what the doctor finds: with its
// readiness, and to whoever asks for an inference.
func TestReadinessSaysWhatTheDoctorFinds(t *testing.T) {
	dir := withWorker(t, "")
	worker := filepath.Join(dir, "hailo-worker-hailort")
	if err := os.WriteFile(worker, []byte("#!/bin/sh\necho no driver >&2; exit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	d := launchBackend(t, "hailort", filepath.Join(dir, "device.sock"), dir, "timeouts: {drain: 1s}\n")
	want := doctor.Device(doctor.Options{Root: "/", User: whoAsks(), ServiceUser: serviceUser, Program: filepath.Join(dir, "hailo-device-manager"), Backend: "hailort", Getenv: os.Getenv}).Reason()
	if want == "" {
		t.Fatal("a shell script passes for the worker of an accelerator")
	}
	err := d.infer(within(t), 1)
	if err == nil || !strings.Contains(err.Error(), "no driver") || !strings.Contains(err.Error(), "; "+want) {
		t.Errorf("the request got %v; want %q in it", err, want)
	}
	if _, body := d.get(t, "/readyz"); !strings.Contains(body, want) {
		t.Errorf("readyz: %s; want %q in it", body, want)
	}
	d.terminate(t, deadline)
}

// Every command explains itself with an example, and refuses what it does not know.
func TestCommandsHelp(t *testing.T) {
	list := use(t, nil, "--help").stdout
	for _, c := range commands() {
		if !strings.Contains(list, "\n  "+c.name+" ") {
			t.Errorf("--help does not name %s", c.name)
		}
		r := use(t, nil, c.name, "--help")
		if r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, "Usage: hailo-device-manager "+c.name) ||
			!strings.Contains(r.stdout, "Example:\n  ") || !strings.Contains(r.stdout, "-json") {
			t.Errorf("%s --help: %+v", c.name, r)
		}
		r = use(t, nil, c.name, "--frobnicate")
		if r.code != 2 || r.stdout != "" || r.stderr != "hailo-device-manager: "+c.name+": flag provided but not defined: -frobnicate; see --help\n" {
			t.Errorf("%s --frobnicate: %+v", c.name, r)
		}
		r = use(t, nil, c.name, "one", "two", "three")
		if r.code != 2 || !strings.Contains(r.stderr, "unexpected argument") {
			t.Errorf("%s with too many arguments: %+v", c.name, r)
		}
	}
}
