#include "hailo/vdevice.hpp"

#include "chip.hpp"
#include "hailo/hailort_defaults.hpp"
#include "hailo/infer_model.hpp"
#include "limits.hpp"
#include "models.hpp"
#include "statistics.hpp"

#include <algorithm>
#include <cstring>

namespace hailort {

using namespace hailort_double;

namespace {

class SimulatedVDevice : public VDevice {
public:
    SimulatedVDevice(const hailo_vdevice_params_t &params, std::vector<std::string> ids, std::shared_ptr<Connection> connection)
        : VDevice(params), m_group(params.group_id), m_ids(std::move(ids)), m_connection(std::move(connection)), m_alive("VDevice") {}

    ~SimulatedVDevice() override {
        const Verdict verdict = enter("VDevice::~VDevice");
        Chip::the().leave(m_group);
        Chip::the().close(*m_connection);
        if (verdict.false_timeout) {
            timed_out();
        }
    }

    Expected<std::shared_ptr<InferModel>> create_infer_model(const std::string &hef_path, const std::string &name) override {
        return create_simulated_model(m_connection, hef_path, name);
    }

    Expected<std::vector<std::reference_wrapper<Device>>> get_physical_devices() const override {
        return make_unexpected(HAILO_NOT_IMPLEMENTED); // their connection is the VDevice's own: not for a status that shall be quick
    }

    Expected<std::vector<std::string>> get_physical_devices_ids() const override { return std::vector<std::string>(m_ids); }

private:
    std::string m_group;
    std::vector<std::string> m_ids;
    std::shared_ptr<Connection> m_connection;
    Alive m_alive;
};

} // namespace

Expected<std::unique_ptr<VDevice>> VDevice::create(const hailo_vdevice_params_t &params) {
    const Verdict verdict = enter("VDevice::create_shared");
    if (HAILO_SUCCESS != verdict.status) {
        return make_unexpected(verdict.status);
    }
    if (params.multi_process_service) {
        return make_unexpected(HAILO_INVALID_OPERATION);
    }
    auto present = Device::scan();
    if (!present) {
        return make_unexpected(present.status());
    }
    std::vector<std::string> ids;
    for (uint32_t i = 0; nullptr != params.device_ids && i < params.device_count; i++) {
        ids.push_back(std::string(params.device_ids[i].id, strnlen(params.device_ids[i].id, sizeof params.device_ids[i].id)));
        if (present->end() == std::find(present->begin(), present->end(), ids.back())) {
            return make_unexpected(HAILO_INVALID_ARGUMENT);
        }
    }
    if (present->size() < params.device_count) {
        return make_unexpected(HAILO_OUT_OF_PHYSICAL_DEVICES);
    }
    const hailo_status joined = Chip::the().join(params.group_id);
    if (HAILO_SUCCESS != joined) { // told apart by whether a device was named
        return make_unexpected(nullptr == params.device_ids ? HAILO_OUT_OF_PHYSICAL_DEVICES : joined);
    }
    std::unique_ptr<VDevice> device(new SimulatedVDevice(params, ids, std::make_shared<Connection>()));
    if (verdict.false_timeout) {
        return make_unexpected(timed_out());
    }
    return device;
}

Expected<std::shared_ptr<VDevice>> VDevice::create_shared(const hailo_vdevice_params_t &params) {
    auto device = create(params);
    if (!device) {
        return make_unexpected(device.status());
    }
    return std::shared_ptr<VDevice>(device.release());
}

Expected<std::unique_ptr<VDevice>> VDevice::create() { return create(HailoRTDefaults::get_vdevice_params()); }

Expected<std::shared_ptr<VDevice>> VDevice::create_shared() { return create_shared(HailoRTDefaults::get_vdevice_params()); }

} // namespace hailort
