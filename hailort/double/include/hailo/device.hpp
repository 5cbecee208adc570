// TEST DOUBLE of HailoRT: see ../../README.md.
//
// A chip by its address.
#pragma once

#include "hailo/expected.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hailort {

class Device {
public:
    static Expected<std::vector<std::string>> scan();
    static Expected<std::unique_ptr<Device>> create();
    static Expected<std::unique_ptr<Device>> create(const std::string &device_id);

    virtual Expected<hailo_device_identity_t> identify() = 0;
    virtual Expected<hailo_chip_temperature_info_t> get_chip_temperature() = 0;
    virtual Expected<hailo_health_stats_t> query_health_stats() = 0;
    virtual Expected<hailo_performance_stats_t> query_performance_stats() = 0;
    virtual hailo_status reset(hailo_reset_device_mode_t mode) = 0;
    virtual Expected<hailo_device_architecture_t> get_architecture() const = 0;
    virtual const char *get_dev_id() const = 0;

    virtual ~Device() = default;
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;
    Device(Device &&) = delete;
    Device &operator=(Device &&) = delete;

protected:
    Device() = default;
};

} // namespace hailort
