package worker

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestFailurePolicy states every row of the table a second time: as the classes
// that the manager treats alike, for each operation.
func TestFailurePolicy(t *testing.T) {
	everywhere := map[Kind][]int{
		KindMemoryFull:  {71, 81},
		KindLost:        {8, 36, 62, 64, 77, 85, 87, 89, 96, 97},
		KindModel:       {26, 75, 91, 92, 93},
		KindAborted:     {57, 63, 95},
		KindTransient:   {82, 88},
		KindHeld:        {73, 74},
		KindVersion:     {76, 78, 86},
		KindUnsupported: {7, 79},
		KindInternal:    {5},
	}
	// The others depend on the operation: open, load, infer, unload.
	depends := map[int][4]Kind{
		2:  {KindLost, KindInvalid, KindInvalid, KindInvalid},
		3:  {KindInternal, KindMemoryFull, KindInternal, KindInternal},
		4:  {KindLost, KindLost, KindTimeout, KindTimeout},
		6:  {KindLost, KindInvalid, KindInvalid, KindInvalid},
		13: {KindLost, KindModel, KindModel, KindModel},
		14: {KindLost, KindModel, KindModel, KindModel},
		61: {KindLost, KindInvalid, KindInvalid, KindInvalid},
	}
	for kind, statuses := range everywhere {
		for _, status := range statuses {
			depends[status] = [4]Kind{kind, kind, kind, kind}
		}
	}
	for status, want := range depends {
		if _, ok := hailoStatus[status]; !ok {
			t.Errorf("status %d is not in the table", status)
		}
		for i, op := range []Operation{OpOpen, OpLoad, OpInfer, OpUnload} {
			if got := FromHailoStatus(op, status, "x"); got.Kind != want[i] || got.Status != status {
				t.Errorf("%s, status %d: %+v, want kind %s", op, status, got, want[i])
			}
		}
	}
	for _, status := range slices.Sorted(maps.Keys(hailoStatus)) {
		if _, ok := depends[status]; !ok {
			t.Errorf("status %d has no row in this test", status)
		}
	}
	if got := FromHailoStatus(OpInfer, 4711, "x"); got.Kind != KindInternal || got.Message != "x: HAILO_STATUS(4711)" {
		t.Errorf("%+v", got)
	}
}

// TestWordsForPeople: what somebody can do something about says what.
func TestWordsForPeople(t *testing.T) {
	for status, want := range map[int]string{
		13: "load m: HAILO_OPEN_FILE_FAILURE(13): the model file cannot be opened",
		14: "HAILO_FILE_OPERATION_FAILURE(14): the model file is empty",
		26: "HAILO_INVALID_HEF(26): the HEF was built for another release of HailoRT",
		91: "HAILO_HEF_FILE_CORRUPTED(91): the HEF is damaged",
		92: "HAILO_HEF_NOT_SUPPORTED(92): the file is not a HEF",
		93: "HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE(93): the HEF was compiled for another device",
		76: "HAILO_INVALID_DRIVER_VERSION(76): the library and the kernel's driver are of different releases",
		36: "HAILO_DRIVER_OPERATION_FAILED(36): the driver refused: look at the permissions",
	} {
		if got := FromHailoStatus(OpLoad, status, "load m").Message; !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	// What is said of a model file is not said when the device is opened.
	if got := FromHailoStatus(OpOpen, 13, "open").Message; got != "open: HAILO_OPEN_FILE_FAILURE(13)" {
		t.Errorf("%q", got)
	}
}
