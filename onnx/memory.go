package onnx

// #include <malloc.h>
import "C"

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// residentBytes is the physical memory of this process (statm's second field,
// proc(5)), 0 where the kernel does not tell.
func residentBytes() int64 {
	fields := strings.Fields(readFile("/proc/self/statm"))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// systemBytes is the machine's memory (MemTotal of /proc/meminfo).
func systemBytes() int64 {
	var kib int64
	if _, err := fmt.Sscanf(readFile("/proc/meminfo"), "MemTotal: %d kB", &kib); err != nil {
		return 0
	}
	return kib << 10
}

// returnMemory gives freed memory back to the kernel, so that the next
// measurement and other programs see it.
func returnMemory() {
	debug.FreeOSMemory()
	C.malloc_trim(0)
}

func readFile(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}
