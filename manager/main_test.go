package manager

import (
	"testing"

	"hailo-depth/sim/simtest"
)

func TestMain(m *testing.M) { simtest.Main(m) }
