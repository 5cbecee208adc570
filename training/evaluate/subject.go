package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"hailo-depth/accuracy"
)

// subject is a picture whose inverse depth is known, measured or guessed.
type subject struct {
	id    string
	file  []byte
	truth accuracy.Truth
}

func readManifest(folder string, into any) error {
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// trueDepth reads the pictures with measured depth.
func trueDepth(folder string) ([]subject, error) {
	var manifest struct {
		Items []struct {
			ID           string `json:"id"`
			Image        string `json:"image"`
			InverseDepth string `json:"inverse_depth"`
			AbsoluteZero bool   `json:"absolute_zero"`
		} `json:"items"`
	}
	if err := readManifest(folder, &manifest); err != nil {
		return nil, err
	}
	var all []subject
	for _, item := range manifest.Items {
		truth, err := accuracy.ReadTruth(filepath.Join(folder, item.InverseDepth), item.AbsoluteZero)
		if err != nil {
			return nil, err
		}
		file, err := os.ReadFile(filepath.Join(folder, item.Image))
		if err != nil {
			return nil, err
		}
		all = append(all, subject{item.ID, file, truth})
	}
	return all, nil
}

// heldBack reads the photographs that training leaves out (is_held_back in
// training/data.py): one in twenty, by the hash of its id, and no houses.
func heldBack(folder string) ([]subject, error) {
	var manifest struct {
		Items []struct {
			ID     string `json:"id"`
			Shard  string `json:"shard"`
			Source string `json:"source"`
		} `json:"items"`
	}
	if err := readManifest(folder, &manifest); err != nil {
		return nil, err
	}
	byShard := map[string][]string{}
	for _, item := range manifest.Items {
		hash := sha256.Sum256([]byte(item.ID))
		if item.Source != "houses" && binary.BigEndian.Uint32(hash[:])%20 == 0 {
			byShard[item.Shard] = append(byShard[item.Shard], item.ID)
		}
	}
	var all []subject
	for shard, ids := range byShard {
		members, err := readMembers(filepath.Join(folder, shard), ids)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shard, err)
		}
		for _, id := range ids {
			truth, err := label(members[id+".png"])
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", shard, id, err)
			}
			all = append(all, subject{id, members[id+".jpg"], truth})
		}
	}
	slices.SortFunc(all, func(a, b subject) int { return strings.Compare(a.id, b.id) })
	return all, nil
}

// readMembers reads the files of a tar archive whose names, without extension, are ids.
func readMembers(path string, ids []string) (map[string][]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	members := map[string][]byte{}
	for archive := tar.NewReader(f); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return members, nil
		}
		if err != nil {
			return nil, err
		}
		if slices.Contains(ids, strings.TrimSuffix(header.Name, filepath.Ext(header.Name))) {
			if members[header.Name], err = io.ReadAll(archive); err != nil {
				return nil, err
			}
		}
	}
}

// label is an 8-bit grey PNG, 0 farthest and 255 nearest, as a truth without zero or unit.
func label(file []byte) (accuracy.Truth, error) {
	decoded, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return accuracy.Truth{}, err
	}
	grey, ok := decoded.(*image.Gray)
	if !ok {
		return accuracy.Truth{}, fmt.Errorf("the label is no 8-bit grey PNG but %T", decoded)
	}
	size := grey.Bounds().Size()
	truth := accuracy.Truth{Width: size.X, Height: size.Y}
	for y := range size.Y {
		for _, v := range grey.Pix[y*grey.Stride:][:size.X] {
			truth.InverseDepth = append(truth.InverseDepth, float32(v)/255)
		}
	}
	return truth, nil
}
