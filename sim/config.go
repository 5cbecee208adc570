package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Config is the behaviour of the simulated device.
type Config struct {
	Latency, Jitter time.Duration // of an inference: Latency ± a uniform part of Jitter
	Load            time.Duration // of loading a network
	MemoryBytes     int64         // of the device; a network occupies the size of its file
	Release         time.Duration // from an unload until its memory is free; negative: never
	Seed            uint64        // of jitter and random faults
	faults          source
}

// Variables documents the environment that FromEnv reads.
const Variables = `  HAILO_SIM_LATENCY_MS  time of one inference, e.g. 10, or 10~3 for 10 ± 3 (default 0)
  HAILO_SIM_LOAD_MS     time of loading a network (default 0)
  HAILO_SIM_MEMORY_MB   memory of the device in MiB (default 8192); a network takes the size of its file
  HAILO_SIM_RELEASE_MS  time from an unload until its memory is free (default 0), or never: it leaks
  HAILO_SIM_FAULTS      faults to inject: OPERATION=FAULT@WHEN[,...], or @FILE to read them from a file
                        before every operation. OPERATION: load, infer, generate, token, unload,
                        any (of these), open.
                        FAULT: a HailoRT status (81, 4, 62, ...), hang, crash; infer=stuck: answers 4 when
                        its time is up, but the job never ends, or with stuck~MS, MS milliseconds later.
                        WHEN: N, N-M, N+ (operation numbers from 1) or pX (probability X)
  HAILO_SIM_SEED        seed of jitter and random faults (default 1)
`

// FromEnv reads the configuration through getenv (os.Getenv). Its errors name
// the variable, the value and what was expected.
func FromEnv(getenv func(string) string) (Config, error) {
	c := Config{MemoryBytes: 8192 << 20, Seed: 1}
	var err error
	fail := func(name, want string) (Config, error) {
		return Config{}, fmt.Errorf("%s=%q: expected %s", name, getenv(name), want)
	}
	base, jitter, jittered := strings.Cut(getenv("HAILO_SIM_LATENCY_MS"), "~")
	if c.Latency, err = milliseconds(base); err != nil || (jittered && jitter == "") {
		return fail("HAILO_SIM_LATENCY_MS", "milliseconds, or milliseconds~jitter")
	}
	if c.Jitter, err = milliseconds(jitter); err != nil {
		return fail("HAILO_SIM_LATENCY_MS", "milliseconds, or milliseconds~jitter")
	}
	if c.Load, err = milliseconds(getenv("HAILO_SIM_LOAD_MS")); err != nil {
		return fail("HAILO_SIM_LOAD_MS", "milliseconds")
	}
	if text := getenv("HAILO_SIM_MEMORY_MB"); text != "" {
		mib, err := strconv.ParseInt(text, 10, 32)
		if err != nil || mib <= 0 {
			return fail("HAILO_SIM_MEMORY_MB", "a whole number of MiB above 0")
		}
		c.MemoryBytes = mib << 20
	}
	if text := getenv("HAILO_SIM_RELEASE_MS"); text == "never" {
		c.Release = never
	} else if c.Release, err = milliseconds(text); err != nil {
		return fail("HAILO_SIM_RELEASE_MS", "milliseconds, or never")
	}
	if text := getenv("HAILO_SIM_SEED"); text != "" {
		if c.Seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return fail("HAILO_SIM_SEED", "a whole number")
		}
	}
	if c.faults, err = newSource(getenv("HAILO_SIM_FAULTS")); err != nil {
		return Config{}, fmt.Errorf("HAILO_SIM_FAULTS: %w", err)
	}
	return c, nil
}

const mostMilliseconds = 1e7

func milliseconds(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	ms, err := strconv.ParseFloat(text, 64)
	if err != nil || !(ms >= 0 && ms <= mostMilliseconds) {
		return 0, fmt.Errorf("%q is no time", text)
	}
	return time.Duration(ms * float64(time.Millisecond)), nil
}
