// Package models carries the network that comes with the program and the
// manifests of well-known networks that come without one.
package models

import "embed"

// Files holds NAME.yaml for each network and NAME.onnx for our own.
//
//go:embed *.yaml *.onnx
var Files embed.FS

// BuiltIn is the name of the network in Files.
const BuiltIn = "pocketdepth"
