#include "hailo/device.hpp"

#include "chip.hpp"
#include "limits.hpp"
#include "statistics.hpp"

#include <cstring>
#include <sstream>

namespace hailort {

using namespace hailort_double;

namespace {

std::vector<std::string> device_ids() {
    std::istringstream words(Script::now().text("devices", "0001:01:00.0"));
    std::vector<std::string> ids;
    for (std::string id; words >> id;) {
        ids.push_back(id);
    }
    return ids;
}

// fill copies a text as the original gives it: with a length, without an end.
template <size_t N>
uint8_t fill(char (&field)[N], const std::string &text) {
    memset(field, '#', N); // what follows is not the caller's to read
    const size_t n = std::min(text.size(), N);
    memcpy(field, text.data(), n);
    return static_cast<uint8_t>(n);
}

class SimulatedDevice : public Device {
public:
    explicit SimulatedDevice(std::string id) : m_id(std::move(id)), m_alive("Device") {}

    Expected<hailo_device_identity_t> identify() override {
        const hailo_status status = control("Device::identify");
        if (HAILO_SUCCESS != status) {
            return make_unexpected(status);
        }
        const Script script = Script::now();
        hailo_device_identity_t identity{};
        const std::string version = script.text("firmware", "5.2.0");
        sscanf(version.c_str(), "%u.%u.%u", &identity.fw_version.major, &identity.fw_version.minor, &identity.fw_version.revision);
        identity.fw_version.revision |= static_cast<uint32_t>(script.number("revision_flags", 0));
        identity.is_release = script.number("release", 1) != 0;
        identity.extended_context_switch_buffer = script.number("extended_context_switch_buffer", 0) != 0;
        identity.device_architecture = static_cast<hailo_device_architecture_t>(static_cast<int>(script.number("architecture", HAILO_ARCH_HAILO10H)));
        identity.board_name_length = fill(identity.board_name, "TEST DOUBLE");
        identity.serial_number_length = fill(identity.serial_number, "");
        identity.part_number_length = fill(identity.part_number, "");
        identity.product_name_length = fill(identity.product_name, "no device");
        return identity;
    }

    Expected<hailo_chip_temperature_info_t> get_chip_temperature() override {
        const hailo_status status = control("Device::get_chip_temperature");
        if (HAILO_SUCCESS != status) {
            return make_unexpected(status);
        }
        const float celsius = static_cast<float>(Script::now().number("temperature", 53.5));
        return hailo_chip_temperature_info_t{celsius, celsius - 1, 1};
    }

    Expected<hailo_health_stats_t> query_health_stats() override {
        const hailo_status status = control("Device::query_health_stats");
        if (HAILO_SUCCESS != status) {
            return make_unexpected(status);
        }
        const Script script = Script::now();
        return hailo_health_stats_t{static_cast<float>(script.number("temperature", 53.5)), 850, static_cast<int32_t>(script.number("bist_failures", 0))};
    }

    Expected<hailo_performance_stats_t> query_performance_stats() override {
        const hailo_status status = control("Device::query_performance_stats");
        if (HAILO_SUCCESS != status) {
            return make_unexpected(status);
        }
        const Script script = Script::now();
        hailo_performance_stats_t stats{};
        stats.cpu_utilization = static_cast<float>(script.number("cpu_utilization", 12.5));
        stats.nnc_utilization = static_cast<float>(script.number("nnc_utilization", 40));
        stats.ram_size_total = Chip::budget() / 1024;
        stats.ram_size_used = Chip::the().used() / 1024;
        stats.ddr_noc_total_transactions = -1;
        stats.dsp_utilization = -1;
        return stats;
    }

    hailo_status reset(hailo_reset_device_mode_t) override { return control("Device::reset"); }

    Expected<hailo_device_architecture_t> get_architecture() const override {
        return static_cast<hailo_device_architecture_t>(static_cast<int>(Script::now().number("architecture", HAILO_ARCH_HAILO10H)));
    }

    const char *get_dev_id() const override { return m_id.c_str(); }

private:
    hailo_status control(const char *call) {
        const Verdict verdict = enter(call);
        if (HAILO_SUCCESS != m_connection.status()) {
            return m_connection.status();
        }
        return verdict.false_timeout ? timed_out() : verdict.status;
    }

    std::string m_id;
    Connection m_connection;
    Alive m_alive;
};

} // namespace

Expected<std::vector<std::string>> Device::scan() {
    const Verdict verdict = enter("Device::scan");
    if (HAILO_SUCCESS != verdict.status) {
        return make_unexpected(verdict.status);
    }
    return device_ids();
}

Expected<std::unique_ptr<Device>> Device::create() {
    const std::vector<std::string> ids = device_ids();
    if (1 != ids.size()) {
        return make_unexpected(HAILO_INVALID_OPERATION);
    }
    return create(ids[0]);
}

Expected<std::unique_ptr<Device>> Device::create(const std::string &device_id) {
    const Verdict verdict = enter("Device::create");
    if (HAILO_SUCCESS != verdict.status) {
        return make_unexpected(verdict.status);
    }
    for (const std::string &id : device_ids()) {
        if (id == device_id) {
            if (verdict.false_timeout) {
                return make_unexpected(timed_out());
            }
            return std::unique_ptr<Device>(new SimulatedDevice(id));
        }
    }
    return make_unexpected(HAILO_INVALID_ARGUMENT);
}

} // namespace hailort
