package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/tensor"
)

// The storm: its clients ask for more models than the device holds, while the
// worker is killed every second, hangs and says that memory is full.
const (
	stormClients  = 50
	stormRequests = 200 // of each client
	stormModels   = 6   // of which the device holds three
	stormKills    = time.Second
)

// TestStorm: every request gets exactly one answer, and it is its own; hardly
// any is an error; and nothing is left over.
func TestStorm(t *testing.T) {
	d, inject := faulty(t, "", "", "HAILO_SIM_MEMORY_MB=30")
	d.await(t, "device opened")
	models := make([]device.Model, stormModels)
	for i := range models {
		models[i] = stormModel(t, i)
	}
	if err := (stormRequest{model: 0}).ask(within(t), d.client, models); err != nil {
		t.Fatal(err)
	}
	d.unloadAll(t, models)
	before := d.holds(t)

	inject("infer=81@p0.01,load=81@p0.05,infer=hang@p0.001,infer=4@p0.002,infer=crash@p0.001")
	stop := d.killEvery(t, stormKills)
	answers, failures := d.storm(t, models)
	kills := stop()
	inject("")
	if answers != stormClients*stormRequests {
		t.Errorf("%d answers to %d requests", answers, stormClients*stormRequests)
	}
	total := 0
	for kind, n := range failures {
		total += n
		switch kind {
		case device.KindUnavailable, device.KindTimeout, device.KindMemoryFull:
		default:
			t.Errorf("%d requests failed with %s", n, kind)
		}
	}
	if most := answers / 20; total > most {
		t.Errorf("%d requests failed, of %d; expected at most %d", total, answers, most)
	}
	t.Logf("%d requests, %d kills, failed: %v, evictions %v, retries %v", answers, kills, failures,
		d.sum(t, "hailo_device_model_evictions_total{"), d.sum(t, "hailo_device_retries_total{"))
	if kills == 0 || d.sum(t, "hailo_device_model_evictions_total{") == 0 {
		t.Error("it was no storm")
	}

	d.unloadAll(t, models)
	for deadline := time.Now().Add(patience); ; {
		after := d.holds(t)
		if after.within(before) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the manager holds %+v; before the storm it held %+v", after, before)
		}
	}
	d.terminate(t, patience)
}

// stormModel takes 10 MiB of the device; its output's height says which it is.
func stormModel(t *testing.T, i int) device.Model {
	t.Helper()
	path := write(t, t.TempDir(), fmt.Sprintf("m%d.hef", i), fmt.Sprintf(
		`{"fake_hef": 1, "inputs": [{"name": "in", "shape": [%d, 4, 3]}], "outputs": [{"name": "out", "shape": [%d, 4, 1]}]}`+"\n", 4+i, 4+i))
	if err := os.Truncate(path, 10<<20); err != nil {
		t.Fatal(err)
	}
	return device.Model{Type: "depth", Path: path}
}

// stormRequest has a picture that no other request has.
type stormRequest struct{ client, number, model int }

func (q stormRequest) ask(ctx context.Context, service device.Service, models []device.Model) error {
	height := 4 + q.model
	greys := []byte{byte(q.client), byte(q.number), byte(q.number >> 8)}
	picture := tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{height, 4, 3}, Data: make([]byte, height*4*3)}
	for i, grey := range greys {
		for channel := range 3 {
			picture.Data[3*i+channel] = grey
		}
	}
	r, err := service.Infer(ctx, models[q.model], device.Input{Input: &picture})
	if err != nil {
		return err
	}
	defer r.Recycle() // and so the next answer is written over it
	values, err := r.Tensor.Float32s()
	if err != nil || len(values) != height*4 {
		return fmt.Errorf("the answer of another model: %d values, want %d (%w)", len(values), height*4, err)
	}
	for i, v := range values {
		want := 0.0
		if i < len(greys) {
			want = float64(greys[i]) / 255 * 10
		}
		if math.Abs(float64(v)-want) > 1e-4 {
			return fmt.Errorf("the answer to another request: value %d is %v, want %v", i, v, want)
		}
	}
	return nil
}

// storm sends the requests, half of the clients over each protocol. failures
// are those that a device.Error explains; anything else is an error of the test.
func (d *running) storm(t *testing.T, models []device.Model) (answers int, failures map[device.Kind]int) {
	t.Helper()
	var mu sync.Mutex
	failures = map[device.Kind]int{}
	var group sync.WaitGroup
	for client := range stormClients {
		group.Go(func() {
			var service interface {
				device.Service
				Close() error
			} = &device.Client{Path: d.socket}
			if client%2 == 1 {
				service = &device.HTTPClient{Path: d.api}
			}
			defer func() { _ = service.Close() }()
			random := rand.New(rand.NewPCG(uint64(client), 11))
			for number := range stormRequests {
				terms := device.Terms{Priority: random.IntN(10), Client: fmt.Sprint("storm", client)}
				q := stormRequest{client, number, random.IntN(len(models))}
				err := q.ask(device.WithTerms(within(t), terms), service, models)
				mu.Lock()
				answers++
				switch {
				case err == nil:
				case device.KindOf(err) == device.KindInternal:
					t.Errorf("request %+v: %v", q, err)
				default:
					if failures[device.KindOf(err)]++; failures[device.KindOf(err)] == 1 {
						t.Logf("the first that failed with %s: %v", device.KindOf(err), err)
					}
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return answers, failures
}

// killEvery kills the manager's worker at every tick until stop is called, which
// tells how often it did.
func (d *running) killEvery(t *testing.T, period time.Duration) (stop func() int) {
	t.Helper()
	kills, end, ended := 0, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			for _, pid := range children(t, d.PID()) {
				if p, err := os.FindProcess(pid); err == nil && p.Kill() == nil {
					kills++
				}
			}
		}
	}()
	return func() int {
		close(end)
		<-ended
		return kills
	}
}

func (d *running) unloadAll(t *testing.T, models []device.Model) {
	t.Helper()
	for _, m := range models {
		if _, err := d.client.Unload(within(t), m); err != nil {
			t.Fatal(err)
		}
	}
}

// holdings are what a manager must not gather.
type holdings struct {
	descriptors, children, sharedMemory int
	goroutines                          float64
}

func (h holdings) within(before holdings) bool {
	return h.descriptors <= before.descriptors && h.children == before.children &&
		h.sharedMemory <= before.sharedMemory && h.goroutines <= before.goroutines
}

func (d *running) holds(t *testing.T) holdings {
	t.Helper()
	maps, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(d.PID()), "maps"))
	if err != nil {
		t.Fatal(err)
	}
	return holdings{
		descriptors: descriptors(t, d.PID()), children: len(children(t, d.PID())),
		sharedMemory: strings.Count(string(maps), "/memfd:"), goroutines: d.figure(t, "go_goroutines"),
	}
}

// sum adds up the samples of a metric, over all labels.
func (d *running) sum(t *testing.T, prefix string) (sum float64) {
	t.Helper()
	_, body := d.get(t, "/metrics")
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, prefix) {
			fields := strings.Fields(line)
			v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			sum += v
		}
	}
	return sum
}
