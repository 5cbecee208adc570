// TEST DOUBLE of HailoRT: see ../../README.md.
//
// A share of a chip, as a member of a group.
#pragma once

#include "hailo/buffer.hpp"
#include "hailo/device.hpp"

namespace hailort {

class InferModel;

class VDevice {
public:
    static Expected<std::unique_ptr<VDevice>> create(const hailo_vdevice_params_t &params);
    static Expected<std::shared_ptr<VDevice>> create_shared(const hailo_vdevice_params_t &params);
    static Expected<std::unique_ptr<VDevice>> create();
    static Expected<std::shared_ptr<VDevice>> create_shared();

    virtual Expected<std::shared_ptr<InferModel>> create_infer_model(const std::string &hef_path, const std::string &name = "") = 0;
    virtual Expected<std::vector<std::reference_wrapper<Device>>> get_physical_devices() const = 0;
    virtual Expected<std::vector<std::string>> get_physical_devices_ids() const = 0;
    const hailo_vdevice_params_t &get_params() const { return m_params; }

    virtual ~VDevice() = default;
    VDevice(const VDevice &) = delete;
    VDevice &operator=(const VDevice &) = delete;
    VDevice(VDevice &&) = delete;
    VDevice &operator=(VDevice &&) = delete;

protected:
    explicit VDevice(const hailo_vdevice_params_t &params) : m_params(params) {}

    hailo_vdevice_params_t m_params; // pointers and all
};

} // namespace hailort
