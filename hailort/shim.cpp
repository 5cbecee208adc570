//go:build hailort

// The device: discovery, connections, and what can be asked of it.
#include "guard.hpp"

#include <algorithm>
#include <cstring>

using namespace hailort;

int npu_library_version(uint32_t version[3]) {
    return guarded("hailo_get_library_version", [&]() -> int {
        hailo_version_t v{};
        const hailo_status status = hailo_get_library_version(&v);
        version[0] = v.major, version[1] = v.minor, version[2] = v.revision;
        return status;
    });
}

int npu_scan(char ids[][NPU_ID_SIZE], size_t most, size_t *found) {
    return guarded("Device::scan", [&]() -> int {
        auto list = Device::scan();
        if (!list) {
            return list.status();
        }
        *found = list->size();
        for (size_t i = 0; i < std::min(most, list->size()); i++) {
            snprintf(ids[i], NPU_ID_SIZE, "%s", list.value()[i].c_str());
        }
        return HAILO_SUCCESS;
    });
}

// once_more repeats a call that creates nothing on the device when it timed out:
// the library can miss an answer that came.
template <typename Call>
static auto once_more(Call call) {
    auto first = call();
    if (first || HAILO_TIMEOUT != first.status()) {
        return first;
    }
    return call();
}

int npu_open(const char *id, const char *group, npu_device **device) {
    return guarded("opening the device", [&]() -> int {
        auto d = std::make_unique<npu_device>();
        d->id = hailo_device_id_t{};
        snprintf(d->id.id, sizeof d->id.id, "%s", id);
        d->group = nullptr != group ? group : HAILO_UNIQUE_VDEVICE_GROUP_ID;

        auto monitor = once_more([&] { return Device::create(std::string(id)); });
        if (!monitor) {
            return monitor.status();
        }
        d->monitor = monitor.release();

        auto params = HailoRTDefaults::get_vdevice_params();
        params.device_count = 1;
        params.device_ids = &d->id;
        params.group_id = d->group.c_str();
        auto vdevice = once_more([&] { return VDevice::create_shared(params); });
        if (!vdevice) {
            return vdevice.status();
        }
        d->vdevice = vdevice.release();
        *device = d.release();
        return HAILO_SUCCESS;
    });
}

int npu_close(npu_device *device) {
    return guarded("closing the device", [&]() -> int {
        device->vdevice.reset();
        device->monitor.reset();
        delete device;
        return HAILO_SUCCESS;
    });
}

int npu_identify(npu_device *device, npu_identity *identity) {
    return guarded("Device::identify", [&]() -> int {
        auto i = once_more([&] { return device->monitor->identify(); });
        if (!i) {
            return i.status();
        }
        identity->major = i->fw_version.major;
        identity->minor = i->fw_version.minor;
        identity->revision = i->fw_version.revision;
        identity->release = i->is_release;
        identity->extended_context_switch_buffer = i->extended_context_switch_buffer;
        identity->architecture = i->device_architecture;
        return HAILO_SUCCESS;
    });
}

int npu_temperature(npu_device *device, float *celsius) {
    return guarded("Device::get_chip_temperature", [&]() -> int {
        auto t = once_more([&] { return device->monitor->get_chip_temperature(); });
        if (!t) {
            return t.status();
        }
        *celsius = std::max(t->ts0_temperature, t->ts1_temperature); // the hotter of two places
        return HAILO_SUCCESS;
    });
}

int npu_query_performance(npu_device *device, npu_performance *performance) {
    return guarded("Device::query_performance_stats", [&]() -> int {
        auto p = once_more([&] { return device->monitor->query_performance_stats(); });
        if (!p) {
            return p.status();
        }
        performance->total_kib = p->ram_size_total;
        performance->used_kib = p->ram_size_used;
        performance->cpu_percent = p->cpu_utilization;
        performance->nnc_percent = p->nnc_utilization;
        return HAILO_SUCCESS;
    });
}

int npu_query_health(npu_device *device, npu_health *health) {
    return guarded("Device::query_health_stats", [&]() -> int {
        auto h = once_more([&] { return device->monitor->query_health_stats(); });
        if (!h) {
            return h.status();
        }
        health->celsius = h->on_die_temperature;
        health->millivolt = h->on_die_voltage;
        health->bist_failures = h->bist_failure_mask;
        return HAILO_SUCCESS;
    });
}
