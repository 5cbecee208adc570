// Package models carries the networks that come with the program and the
// manifests of well-known networks that come without one.
package models

import (
	"embed"
	"io/fs"
	"strings"
)

// Files holds NAME.yaml for each network and NAME.onnx for our own.
//
//go:embed *.yaml *.onnx
var Files embed.FS

// Default is the name of the network in Files that is used on a CPU unless
// another is asked for.
const Default = "pocketdepth"

// BuiltIn lists the names of the networks in Files, the default and its quicker
// variants.
func BuiltIn() []string {
	names, _ := fs.Glob(Files, "*.onnx") // an error means that the pattern is none
	for i, file := range names {
		names[i] = strings.TrimSuffix(file, ".onnx")
	}
	return names
}
