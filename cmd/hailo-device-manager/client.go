package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-json-experiment/json"
	"golang.org/x/sys/unix"

	"hailo-depth/device"
)

const startManager = "sudo systemctl start hailo-device-manager"

// ask calls do with a client of the running manager. Its errors say what to do.
func (o *options) ask(ctx context.Context, p program, do func(context.Context, *device.HTTPClient) error) error {
	c, _, err := o.load(p)
	if err != nil {
		return err
	}
	path := c.APISocketPath()
	if path == "" {
		return errors.New("the manager's HTTP interface, which this command uses, is switched off (api_socket: off)")
	}
	if err := reachable(path); err != nil {
		return err
	}
	client := &device.HTTPClient{Path: path}
	err = do(ctx, client)
	if device.KindOf(err) == device.KindUnavailable && err != nil {
		err = fmt.Errorf("%w (`sudo hailo-device-manager doctor` says more)", err)
	}
	return errors.Join(err, client.Close())
}

// reachable says why nobody can be asked on the socket, as far as its file tells.
func reachable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no device manager runs: %s is not there; start it: %s", path, startManager)
	case err != nil && !errors.Is(err, fs.ErrPermission):
		return err
	case err == nil && !errors.Is(unix.Access(path, unix.R_OK|unix.W_OK), unix.EACCES):
		return nil
	}
	group := "its group"
	if info != nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			group = strconv.FormatUint(uint64(s.Gid), 10)
			if g, err := user.LookupGroupId(group); err == nil {
				group = g.Name
			}
		}
	}
	return fmt.Errorf("no permission to use %s, which is for the group %s: use sudo, or join it (sudo usermod -aG %s %s) and log in again", path, group, group, whoAsks().Name)
}

// printJSON writes v and a line end.
func (p program) printJSON(v any, options ...json.Options) error {
	body, err := json.Marshal(v, options...)
	if err == nil {
		_, err = p.stdout.Write(append(body, '\n'))
	}
	return err
}

// target is the model that an argument names: a configured or loaded one by its
// name, or a file as TYPE:PATH.
type target struct {
	name string
	file *device.Model // nil: by name
}

func parseTarget(text string) (target, error) {
	modelType, path, ok := strings.Cut(text, ":")
	if !ok || !strings.Contains(path, "/") {
		return target{name: text}, nil
	}
	path, err := filepath.Abs(path) // the manager has another working folder
	return target{name: modelType + ":" + path, file: &device.Model{Type: modelType, Path: path}}, err
}

// known adds to an error about an unknown model which ones there are.
func (t target) known(ctx context.Context, client *device.HTTPClient, err error) error {
	if t.file != nil || device.KindOf(err) != device.KindNotFound {
		return err
	}
	list, listErr := client.Index(ctx)
	if listErr != nil {
		return err
	}
	there := []string{"none"}
	if len(list) > 0 {
		there = nil
	}
	for _, e := range list {
		if !slices.Contains(there, e.Name) {
			there = append(there, e.Name)
		}
	}
	return fmt.Errorf("no model %q is configured or loaded; there are: %s (a file is named as TYPE:PATH, such as depth:/usr/share/hailo/models/scdepthv3.hef)", t.name, strings.Join(there, ", "))
}
