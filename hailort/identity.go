//go:build hailort

package hailort

import "fmt"

// identity is what a device says of itself.
type identity struct {
	major, minor, revision       uint32
	release                      bool
	extendedContextSwitchBuffers bool
	architecture                 int
}

// architectures are hailo_device_architecture_t.
var architectures = []string{"HAILO8_A0", "HAILO8", "HAILO8L", "HAILO15H", "HAILO15L", "HAILO15M", "HAILO10H", "HAILO12L"}

// Architecture is HAILO10H or the like.
func (i identity) Architecture() string {
	if i.architecture < 0 || i.architecture >= len(architectures) {
		return fmt.Sprintf("HAILO_ARCH_%d", i.architecture)
	}
	return architectures[i.architecture]
}

// revisionFlags are bits of the revision that say how the firmware was built.
const revisionFlags = 0x08000000 | 0x40000000 | 0x80000000

// Firmware is the text that clients have always been given, "5.3.0 (release,app)".
func (i identity) Firmware() string {
	kind := "develop"
	if i.release {
		kind = "release"
	}
	text := fmt.Sprintf("%d.%d.%d (%s,app", i.major, i.minor, i.revision&^revisionFlags, kind)
	if i.extendedContextSwitchBuffers {
		text += ",extended context switch buffer"
	}
	return text + ")"
}
