package device

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"testing/quick"
	"time"
)

// A status survives the wire to the microsecond, whatever its values are.
func TestStatusComesBack(t *testing.T) {
	check := func(seconds uint32, micro uint32, uptime uint32, depth, evictions uint16, celsius *float64, id, broken string, models []struct{ Type, Path string }) bool {
		at := time.Unix(int64(seconds), 0).Add(time.Duration(micro%1e6) * time.Microsecond)
		want := Status{
			DeviceID: id, Architecture: "HAILO10H", Firmware: "5", Temperature: celsius, TemperatureErr: "t", IdentifyErr: "i",
			Uptime: time.Duration(uptime) * time.Millisecond, QueueDepth: int(depth), Evictions: int(evictions),
			RuntimeBroken: broken, CapacityEvent: CapacityEvent{Reason: "full", Model: "a", At: at},
		}
		for i, m := range models {
			want.Models = append(want.Models, LoadedModel{Type: m.Type, Path: m.Path, LoadedAt: at, LastUsed: at.Add(time.Duration(i) * time.Microsecond)})
		}
		text, err := MarshalDeviceStatus(want)
		if err != nil {
			t.Log(err)
			return false
		}
		a, err := decode(text)
		if err != nil {
			t.Log(err)
			return false
		}
		got := a.status()
		if d := got.Uptime - want.Uptime; d.Abs() > time.Microsecond {
			t.Logf("uptime %v, was %v", got.Uptime, want.Uptime)
			return false
		}
		got.Uptime = want.Uptime
		if !reflect.DeepEqual(got, want) {
			t.Logf("got %+v\nwas %+v", got, want)
			return false
		}
		return true
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

// What is not known is null on the wire and zero in Go.
func TestEmptyStatus(t *testing.T) {
	text, err := MarshalDeviceStatus(Status{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"status":"ok","device":{"device_id":null,"architecture":null,"fw_version":null,"temperature_celsius":null},` +
		`"networks":{"status":"ok","source":"device_manager","network_count":0,"networks":[]},"uptime_seconds":0,"queue_depth":0,` +
		`"total_lru_evictions":0,"runtime_broken_reason":null,"last_capacity_event_reason":null,"last_capacity_event_model":null,"last_capacity_event_at":null}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	a, err := decode(text)
	if err != nil || !reflect.DeepEqual(a.status(), Status{}) {
		t.Errorf("%+v, %v", a.status(), err)
	}
	text, err = MarshalStatus(Status{SocketPath: "/s"})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if fields["socket_path"] != "/s" || fields["device_id"] != nil || !reflect.DeepEqual(fields["loaded_models"], []any{}) || len(fields) != 11 {
		t.Errorf("%s", text)
	}
}

// Numbers that JSON does not have are an error, not an answer that no client can read.
func TestStatusWithoutANumber(t *testing.T) {
	celsius := math.NaN()
	if text, err := MarshalDeviceStatus(Status{Temperature: &celsius}); err == nil {
		t.Errorf("%s", text)
	}
}
