package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The floor: a process that takes an inference's bytes over a Unix socket, waits
// as long as the device does, and sends as many bytes as an answer has. There is
// no protocol, no queue and no worker: what it adds, whatever moves those bytes
// over a socket adds as well.
const (
	floorIn  = 256 * 320 * 3
	floorOut = 256 * 320 * 4
)

// floor measures it with one client, on a simulated device only: of another the
// waiting time is not known beforehand.
func (b *bench) floor(ctx context.Context, d device) (err error) {
	latency, ok := d.simulatedLatency()
	if !ok {
		return nil
	}
	folder, err := os.MkdirTemp("", "bench-floor")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "floor.sock")
	own, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	server := exec.CommandContext(ctx, own, "-floor", path, "-floor-latency", latency.String())
	ready, err := server.StdoutPipe()
	if err != nil {
		stop()
		return err
	}
	if err := server.Start(); err != nil {
		stop()
		return err
	}
	defer func() {
		stop()
		_ = server.Wait() // it was killed
	}()
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		return fmt.Errorf("the floor's server: %w", err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var added []float64
	request, answer := make([]byte, floorIn), make([]byte, floorOut)
	for end := time.Now().Add(b.measure); time.Now().Before(end); {
		began := time.Now()
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			return err
		}
		added = append(added, ms(time.Since(began)-time.Duration(binary.LittleEndian.Uint64(answer))))
	}
	fmt.Fprintf(b.out, "\nA bare Unix socket to another process adds, with one client and the same %d bytes in and %d out, p50 %.2f ms, p99 %.2f ms.\n",
		floorIn, floorOut, percentile(added, 50), percentile(added, 99))
	return nil
}

// serveFloor is the other process; it serves one client after another. An answer
// begins with how long it waited, in nanoseconds.
func serveFloor(ctx context.Context, path string, latency time.Duration, stdout io.Writer) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = l.Close() })() // ends Accept
	fmt.Fprintln(stdout, "ready")
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		answerFloor(conn, latency)
	}
}

func answerFloor(conn net.Conn, latency time.Duration) {
	request, answer := make([]byte, floorIn), make([]byte, floorOut)
	for {
		if _, err := io.ReadFull(conn, request); err != nil {
			_ = conn.Close() // the client has gone
			return
		}
		began := time.Now()
		time.Sleep(latency)
		binary.LittleEndian.PutUint64(answer, uint64(time.Since(began)))
		if _, err := conn.Write(answer); err != nil {
			_ = conn.Close()
			return
		}
	}
}

// simulatedLatency is what the device's environment sets.
func (d device) simulatedLatency() (latency time.Duration, ok bool) {
	for _, variable := range d.env {
		if text, found := strings.CutPrefix(variable, "HAILO_SIM_LATENCY_MS="); found {
			latency, err := time.ParseDuration(text + "ms")
			return latency, err == nil
		}
	}
	return 0, false
}
