package sim

import (
	"strings"
	"testing"
	"time"
)

// environment is a getenv of "NAME=value" pairs without HAILO_SIM_.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if n, value, _ := strings.Cut(p, "="); "HAILO_SIM_"+n == name {
				return value
			}
		}
		return ""
	}
}

func TestConfigFromEnv(t *testing.T) {
	const ms = time.Millisecond
	for env, want := range map[string]Config{
		"":                              {MemoryBytes: 8 << 30, Seed: 1},
		"LATENCY_MS=10":                 {Latency: 10 * ms, MemoryBytes: 8 << 30, Seed: 1},
		"LATENCY_MS=10~3":               {Latency: 10 * ms, Jitter: 3 * ms, MemoryBytes: 8 << 30, Seed: 1},
		"LATENCY_MS=0.25~0":             {Latency: ms / 4, MemoryBytes: 8 << 30, Seed: 1},
		"LOAD_MS=40000 MEMORY_MB=1":     {Load: 40 * time.Second, MemoryBytes: 1 << 20, Seed: 1},
		"MEMORY_MB=2147483647":          {MemoryBytes: 2147483647 << 20, Seed: 1},
		"RELEASE_MS=250":                {MemoryBytes: 8 << 30, Release: 250 * ms, Seed: 1},
		"RELEASE_MS=never":              {MemoryBytes: 8 << 30, Release: -1, Seed: 1},
		"SEED=0":                        {MemoryBytes: 8 << 30},
		"SEED=18446744073709551615":     {MemoryBytes: 8 << 30, Seed: 1<<64 - 1},
		"LATENCY_MS=10000000 LOAD_MS=0": {Latency: 1e7 * ms, MemoryBytes: 8 << 30, Seed: 1},
	} {
		got, err := FromEnv(environment(strings.Fields(env)...))
		if err != nil {
			t.Errorf("%s: %v", env, err)
			continue
		}
		if got.faults.file != "" || got.faults.fixed != nil {
			t.Errorf("%s gives faults", env)
		}
		got.faults = source{}
		if got.Latency != want.Latency || got.Jitter != want.Jitter || got.Load != want.Load || got.MemoryBytes != want.MemoryBytes || got.Release != want.Release || got.Seed != want.Seed {
			t.Errorf("%s gives %+v, want %+v", env, got, want)
		}
	}
}

// An error names the variable, the value and what was expected.
func TestConfigRefuses(t *testing.T) {
	for env, want := range map[string]string{
		"LATENCY_MS=fast":       "milliseconds",
		"LATENCY_MS=-1":         "milliseconds",
		"LATENCY_MS=NaN":        "milliseconds",
		"LATENCY_MS=Inf":        "milliseconds",
		"LATENCY_MS=1e8":        "milliseconds",
		"LATENCY_MS=10~":        "milliseconds~jitter",
		"LATENCY_MS=10~x":       "milliseconds~jitter",
		"LATENCY_MS=10~1~2":     "milliseconds~jitter",
		"LOAD_MS=1s":            "milliseconds",
		"MEMORY_MB=0":           "MiB above 0",
		"MEMORY_MB=-8":          "MiB above 0",
		"MEMORY_MB=1.5":         "MiB above 0",
		"MEMORY_MB=99999999999": "MiB above 0",
		"RELEASE_MS=-1":         "milliseconds, or never",
		"RELEASE_MS=late":       "milliseconds, or never",
		"SEED=-1":               "a whole number",
		"SEED=one":              "a whole number",
		"FAULTS=infer=later":    "expected e.g. infer=81@3",
		"FAULTS=@":              "names no file",
		"FAULTS=@/no/such":      "the file of HAILO_SIM_FAULTS",
	} {
		_, err := FromEnv(environment(env))
		if err == nil {
			t.Errorf("%s was accepted", env)
			continue
		}
		name, value, _ := strings.Cut(env, "=")
		for _, part := range []string{"HAILO_SIM_" + name, strings.TrimPrefix(value, "@"), want} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s gives %q, without %q", env, err, part)
			}
		}
	}
}

// What the help text says of the environment is what is read.
func TestVariablesAreComplete(t *testing.T) {
	read := map[string]bool{}
	if _, err := FromEnv(func(name string) string { read[name] = true; return "" }); err != nil {
		t.Fatal(err)
	}
	for name := range read {
		if !strings.Contains(Variables, "  "+name+" ") {
			t.Errorf("%s is not documented", name)
		}
	}
	if documented := strings.Count(Variables, "  HAILO_SIM_"); documented != len(read) {
		t.Errorf("%d variables are documented, %d are read", documented, len(read))
	}
}
