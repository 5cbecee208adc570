package worker

import "fmt"

// Operation is what was under way when a library returned a status: the same
// number can mean different things.
type Operation string

// The operations of a device.
const (
	OpOpen     Operation = "open"
	OpLoad     Operation = "load"
	OpInfer    Operation = "infer"
	OpGenerate Operation = "generate"
	OpUnload   Operation = "unload"
)

// meaning is a HailoRT status: its name, what follows from it, and what to tell
// whoever can do something about it.
type meaning struct {
	name     string
	kind     Kind
	load     Kind   // while loading, where it differs
	open     Kind   // while opening the device, where it differs
	generate Kind   // by a generation, where it differs
	says     string // may be empty
}

// hailoStatus is the failure policy: HailoRT's statuses (hailo_status in
// hailort.h, 5.x) that a manager meets and the kind of each, on which all that
// the manager does depends (docs/design.md has the consequences). 81 was
// HAILO_OUT_OF_HOST_CMA_MEMORY up to 5.2; only the number counts.
var hailoStatus = map[int]meaning{
	2:  {name: "HAILO_INVALID_ARGUMENT", kind: KindInvalid, open: KindLost},
	3:  {name: "HAILO_OUT_OF_HOST_MEMORY", kind: KindInternal, load: KindMemoryFull}, // raised on the chip as well, while placing a model
	4:  {name: "HAILO_TIMEOUT", kind: KindTimeout, load: KindLost, open: KindLost},   // a load may have happened, its handle is lost: only a fresh connection frees it
	5:  {name: "HAILO_INSUFFICIENT_BUFFER", kind: KindInternal},
	6:  {name: "HAILO_INVALID_OPERATION", kind: KindInvalid, open: KindLost, generate: KindBusy}, // sizes were checked before: another generation is under way
	7:  {name: "HAILO_NOT_IMPLEMENTED", kind: KindUnsupported, says: "this release of HailoRT cannot do that; the model may need a newer one"},
	8:  {name: "HAILO_INTERNAL_FAILURE", kind: KindLost, generate: KindInvalid}, // generators outlive other handles: it is the messages that cannot be read
	13: {name: "HAILO_OPEN_FILE_FAILURE", kind: KindModel, open: KindLost, says: "the model file cannot be opened: look at its path and its permissions"},
	14: {name: "HAILO_FILE_OPERATION_FAILURE", kind: KindModel, open: KindLost, says: "the model file is empty, cut off, or no file"},
	26: {name: "HAILO_INVALID_HEF", kind: KindModel, says: "the HEF was built for another release of HailoRT: compile it again, or install that release"},
	36: {name: "HAILO_DRIVER_OPERATION_FAILED", kind: KindLost, says: "the driver refused: look at the permissions of the device node and at the kernel's log"},
	57: {name: "HAILO_SHUTDOWN_EVENT_SIGNALED", kind: KindAborted},
	61: {name: "HAILO_NOT_FOUND", kind: KindInvalid, open: KindLost},
	62: {name: "HAILO_COMMUNICATION_CLOSED", kind: KindLost},
	63: {name: "HAILO_STREAM_ABORT", kind: KindAborted},
	64: {name: "HAILO_DRIVER_NOT_INSTALLED", kind: KindLost, says: "the kernel's driver is not installed or not loaded"},
	71: {name: "HAILO_OUT_OF_FW_MEMORY", kind: KindMemoryFull},
	73: {name: "HAILO_DEVICE_IN_USE", kind: KindHeld},
	74: {name: "HAILO_OUT_OF_PHYSICAL_DEVICES", kind: KindHeld},
	75: {name: "HAILO_INVALID_DEVICE_ARCHITECTURE", kind: KindModel, says: "the model was compiled for another device"},
	76: {name: "HAILO_INVALID_DRIVER_VERSION", kind: KindVersion, says: "the library and the kernel's driver are of different releases; both must be the same"},
	77: {name: "HAILO_RPC_FAILED", kind: KindLost},
	78: {name: "HAILO_INVALID_SERVICE_VERSION", kind: KindVersion, says: "the library and the device's firmware are of different releases; both must be the same"},
	79: {name: "HAILO_NOT_SUPPORTED", kind: KindUnsupported},
	81: {name: "HAILO_RESOURCE_EXHAUSTED", kind: KindMemoryFull},
	82: {name: "HAILO_QUEUE_IS_FULL", kind: KindTransient},
	85: {name: "HAILO_DRIVER_INVALID_RESPONSE", kind: KindLost},
	86: {name: "HAILO_DRIVER_INVALID_IOCTL", kind: KindVersion, says: "the library and the kernel's driver do not understand each other; both must be of the same release"},
	87: {name: "HAILO_DRIVER_TIMEOUT", kind: KindLost},
	88: {name: "HAILO_DRIVER_INTERRUPTED", kind: KindTransient},
	89: {name: "HAILO_CONNECTION_REFUSED", kind: KindLost},
	91: {name: "HAILO_HEF_FILE_CORRUPTED", kind: KindModel, says: "the HEF is damaged or cut off: copy or download it again"},
	92: {name: "HAILO_HEF_NOT_SUPPORTED", kind: KindModel, says: "the file is not a HEF, or one of a format that this release of HailoRT does not read"},
	93: {name: "HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE", kind: KindModel, says: "the HEF was compiled for another device; it must be compiled for hailo10h"},
	95: {name: "HAILO_OPERATION_ABORTED", kind: KindAborted},
	96: {name: "HAILO_DEVICE_NOT_CONNECTED", kind: KindLost},
	97: {name: "HAILO_DEVICE_TEMPORARILY_UNAVAILABLE", kind: KindLost},
}

// FromHailoStatus makes the error of a HailoRT status that op ended with; what
// says what was attempted.
func FromHailoStatus(op Operation, status int, what string) *Error {
	m, ok := hailoStatus[status]
	if !ok {
		m = meaning{name: "HAILO_STATUS", kind: KindInternal}
	}
	kind := m.kind
	switch {
	case op == OpLoad && m.load != "":
		kind = m.load
	case op == OpOpen && m.open != "":
		kind = m.open
	case op == OpGenerate && m.generate != "":
		kind = m.generate
	}
	message := fmt.Sprintf("%s: %s(%d)", what, m.name, status)
	if m.says != "" && kind == m.kind {
		message += ": " + m.says
	}
	return &Error{Kind: kind, Status: status, Message: message}
}
