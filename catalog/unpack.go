package catalog

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"hailo-depth/models"
)

// unpack writes a built-in network to the cache, if it is not there, and
// returns its path. The content decides, not the name: a file that was cut off
// or changed is replaced.
func (c Catalog) unpack(name string) (string, error) {
	content, err := models.Files.ReadFile(name + ".onnx")
	if err != nil {
		return "", err
	}
	dir, err := filepath.Abs(c.Cache)
	if err != nil {
		return "", err
	}
	if c.Cache == "" {
		return "", errors.New("there is no cache folder to unpack the built-in model to; set $XDG_CACHE_HOME or $HOME")
	}
	sum := sha256.Sum256(content)
	path := filepath.Join(dir, fmt.Sprintf("%s-%x.onnx", name, sum[:6]))
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
		return path, nil
	}
	// 0755: a device manager under another user must be able to read the file.
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("unpacking the built-in model: %w", err)
	}
	if err := replace(path, content); err != nil {
		return "", fmt.Errorf("unpacking the built-in model: %w", err)
	}
	return path, nil
}

// replace puts a whole file in place at once.
func replace(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".unpack-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
