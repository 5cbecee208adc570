package worker

import "fmt"

// Operation is what was under way when a library returned a status: the same
// number can mean different things.
type Operation string

// The operations of a device.
const (
	OpLoad     Operation = "load"
	OpInfer    Operation = "infer"
	OpGenerate Operation = "generate"
	OpUnload   Operation = "unload"
)

// hailoStatus names HailoRT's statuses (hailo_status in hailort.h, 5.x) that a
// manager meets and what follows from each. 81 was HAILO_OUT_OF_HOST_CMA_MEMORY
// up to 5.2; only the number counts.
var hailoStatus = map[int]struct {
	name string
	kind Kind
}{
	2:  {"HAILO_INVALID_ARGUMENT", KindInvalid},
	3:  {"HAILO_OUT_OF_HOST_MEMORY", KindInternal},
	4:  {"HAILO_TIMEOUT", KindTimeout},
	6:  {"HAILO_INVALID_OPERATION", KindInvalid},
	7:  {"HAILO_NOT_IMPLEMENTED", KindUnsupported},
	8:  {"HAILO_INTERNAL_FAILURE", KindLost},
	13: {"HAILO_OPEN_FILE_FAILURE", KindModel},
	14: {"HAILO_FILE_OPERATION_FAILURE", KindModel},
	26: {"HAILO_INVALID_HEF", KindModel},
	36: {"HAILO_DRIVER_OPERATION_FAILED", KindLost},
	61: {"HAILO_NOT_FOUND", KindInvalid},
	62: {"HAILO_COMMUNICATION_CLOSED", KindLost},
	71: {"HAILO_OUT_OF_FW_MEMORY", KindMemoryFull},
	77: {"HAILO_RPC_FAILED", KindLost},
	81: {"HAILO_RESOURCE_EXHAUSTED", KindMemoryFull},
	87: {"HAILO_DRIVER_TIMEOUT", KindLost},
	89: {"HAILO_CONNECTION_REFUSED", KindLost},
	91: {"HAILO_HEF_FILE_CORRUPTED", KindModel},
	92: {"HAILO_HEF_NOT_SUPPORTED", KindModel},
	93: {"HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE", KindModel},
	96: {"HAILO_DEVICE_NOT_CONNECTED", KindLost},
	97: {"HAILO_DEVICE_TEMPORARILY_UNAVAILABLE", KindLost},
}

// FromHailoStatus makes the error of a HailoRT status that op ended with.
func FromHailoStatus(op Operation, status int, what string) *Error {
	known, ok := hailoStatus[status]
	if !ok {
		known.name, known.kind = "HAILO_STATUS", KindInternal
	}
	if op == OpLoad {
		switch status {
		case 3: // raised on the chip as well, while placing a model
			known.kind = KindMemoryFull
		case 4: // the load may have happened, its handle is lost: only a fresh connection frees it
			known.kind = KindLost
		}
	}
	if op == OpGenerate {
		switch status {
		case 6: // sizes were checked before: it has not begun, because another generation is under way
			known.kind = KindBusy
		case 8: // generators outlive other handles: it is the messages that cannot be read
			known.kind = KindInvalid
		}
	}
	return &Error{Kind: known.kind, Status: status, Message: fmt.Sprintf("%s: %s(%d)", what, known.name, status)}
}
