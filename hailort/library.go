//go:build hailort

package hailort

// #cgo CXXFLAGS: -std=c++17 -Wall -Wextra
// #cgo LDFLAGS: -lhailort
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"slices"

	"hailo-depth/worker"
)

// failure makes an error of a status of the shim; nil for success.
func failure(op worker.Operation, status C.int, what string) error {
	switch status {
	case 0:
		return nil
	case C.NPU_EXCEPTION:
		return &worker.Error{Kind: worker.KindInternal, Message: what + ": HailoRT threw an exception; the worker's log says which"}
	}
	return worker.FromHailoStatus(op, int(status), what)
}

// isStatus reports whether err is the library's with one of these statuses.
func isStatus(err error, statuses ...int) bool {
	e, ok := errors.AsType[*worker.Error](err)
	return ok && slices.Contains(statuses, e.Status)
}

// Version is the release of the library, "5.2.0".
func Version() (string, error) {
	var v [3]C.uint32_t
	if err := failure(worker.OpOpen, C.npu_library_version(&v[0]), "asking HailoRT for its version"); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]), nil
}

// Scan lists the devices of this machine by their PCI addresses.
func Scan() ([]string, error) {
	const most = 16
	var ids [most][C.NPU_ID_SIZE]C.char
	var found C.size_t
	if err := failure(worker.OpOpen, C.npu_scan(&ids[0], most, &found), "looking for devices"); err != nil {
		return nil, err
	}
	list := make([]string, min(int(found), most))
	for i := range list {
		list[i] = C.GoString(&ids[i][0])
	}
	return list, nil
}
