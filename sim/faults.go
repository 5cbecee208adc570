package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"hailo-depth/worker"
)

// Faults is a list of faults to inject, read from text such as
//
//	infer=81@3, load=4@1, infer=crash@p0.01, infer=hang@10+
//
// Each entry is OPERATION=FAULT@WHEN. OPERATION is load, infer, generate, token
// (one of those that are generated), unload, any of them, or open (opening the
// device, once in the life of a worker). FAULT is a HailoRT status number, hang
// (never answers), crash (dies), or, for infer, stuck (answers status 4 when its
// time is up, but its job goes on for ever) or stuck~MS (its job goes on for so
// many milliseconds more).
// WHEN is N (the n-th operation of that kind in the life of this worker, from
// 1), N-M (the n-th to m-th), N+ (the n-th and every later one), or pX (each,
// with probability X). Without @WHEN every operation is hit.
type Faults []fault

type fault struct {
	operation   worker.Operation // "any" matches every one
	status      int
	hang, crash bool
	stuck       bool          // answers in time, but
	lasts       time.Duration // the job goes on for so long, or never ends
	from, to    uint64        // inclusive; to 0: no end
	probability float64
}

const anyOperation worker.Operation = "any"

// ParseFaults reads the notation above; empty text is no fault.
func ParseFaults(text string) (Faults, error) {
	var faults Faults
	for entry := range strings.SplitSeq(text, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		f, err := parseFault(entry)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w; expected e.g. infer=81@3, load=4@1-2, any=crash@10+, infer=hang@p0.01", entry, err)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func parseFault(entry string) (f fault, err error) {
	what, when, timed := strings.Cut(entry, "@")
	operation, effect, ok := strings.Cut(what, "=")
	if !ok {
		return f, fmt.Errorf("no %q", "=")
	}
	f = fault{operation: worker.Operation(operation), from: 1, probability: 1}
	switch f.operation {
	case worker.OpOpen, worker.OpLoad, worker.OpInfer, worker.OpGenerate, opToken, worker.OpUnload, anyOperation:
	default:
		return f, fmt.Errorf("unknown operation %q", operation)
	}
	word, ms, timedJob := strings.Cut(effect, "~")
	switch {
	case effect == "hang":
		f.hang = true
	case effect == "crash":
		f.crash = true
	case word == "stuck":
		if f.operation != worker.OpInfer {
			return f, fmt.Errorf("only infer can be stuck, not %s", operation)
		}
		f.stuck, f.lasts = true, never
		if timedJob {
			if f.lasts, err = milliseconds(ms); err != nil || ms == "" {
				return f, fmt.Errorf("%q is no number of milliseconds", ms)
			}
		}
	default:
		if f.status, err = strconv.Atoi(effect); err != nil || f.status <= 0 {
			return f, fmt.Errorf("%q is no status number, hang, crash or stuck", effect)
		}
	}
	if timed {
		err = f.parseWhen(when)
	}
	return f, err
}

func (f *fault) parseWhen(when string) error {
	if rest, ok := strings.CutPrefix(when, "p"); ok {
		p, err := strconv.ParseFloat(rest, 64)
		if err != nil || !(p >= 0 && p <= 1) {
			return fmt.Errorf("%q is no probability from 0 to 1", rest)
		}
		f.probability = p
		return nil
	}
	first, last, isRange := strings.Cut(when, "-")
	first, open := strings.CutSuffix(first, "+")
	if isRange && open {
		return fmt.Errorf("%q has two ends", when)
	}
	var err error
	if f.from, err = strconv.ParseUint(first, 10, 63); err != nil || f.from == 0 {
		return fmt.Errorf("%q is no operation number", first)
	}
	switch {
	case isRange:
		if f.to, err = strconv.ParseUint(last, 10, 63); err != nil || f.to < f.from {
			return fmt.Errorf("%q is no end after %d", last, f.from)
		}
	case !open:
		f.to = f.from
	}
	return nil
}

// at returns the fault for the number-th operation, if one strikes.
func (faults Faults) at(operation worker.Operation, number uint64, random *rand.Rand) *fault {
	for i := range faults {
		f := &faults[i]
		matches := (f.operation == operation || f.operation == anyOperation && operation != worker.OpOpen) &&
			number >= f.from && (f.to == 0 || number <= f.to)
		if matches && (f.probability == 1 || random.Float64() < f.probability) {
			return f
		}
	}
	return nil
}

// source gives the faults that hold at the moment: fixed ones, or those of a
// file that a test may change while the worker runs.
type source struct {
	fixed Faults
	file  string
}

// newSource reads the value of HAILO_SIM_FAULTS; "@FILE" names a file that is
// read again before each operation.
func newSource(value string) (source, error) {
	if file, ok := strings.CutPrefix(value, "@"); ok {
		if file == "" {
			return source{}, fmt.Errorf("%q names no file", value)
		}
		_, err := source{file: file}.now()
		return source{file: file}, err
	}
	fixed, err := ParseFaults(value)
	return source{fixed: fixed}, err
}

func (s source) now() (Faults, error) {
	if s.file == "" {
		return s.fixed, nil
	}
	text, err := os.ReadFile(s.file)
	if err != nil {
		return nil, fmt.Errorf("the file of HAILO_SIM_FAULTS: %w", err)
	}
	return ParseFaults(strings.TrimSpace(string(text)))
}
