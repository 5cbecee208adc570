// What the C part of the interface has: version, names of statuses, defaults.
#include "hailo/hailort_defaults.hpp"

#include "script.hpp"

#include <cstdio>

using hailort_double::Script;

namespace {
// Said once, when the program starts: nobody shall take this for a device.
struct Warning {
    Warning() { fputs("libhailort TEST DOUBLE: no device is driven\n", stderr); }
} const warning;
} // namespace

extern "C" hailo_status hailo_get_library_version(hailo_version_t *version) {
    (void)warning;
    const std::string text = Script::now().text("library", "5.2.0");
    if (nullptr == version || 3 != sscanf(text.c_str(), "%u.%u.%u", &version->major, &version->minor, &version->revision)) {
        return HAILO_INVALID_ARGUMENT;
    }
    return HAILO_SUCCESS;
}

extern "C" const char *hailo_get_status_message(hailo_status status) {
    switch (status) {
    case HAILO_SUCCESS: return "HAILO_SUCCESS";
    case HAILO_INVALID_ARGUMENT: return "HAILO_INVALID_ARGUMENT";
    case HAILO_OUT_OF_HOST_MEMORY: return "HAILO_OUT_OF_HOST_MEMORY";
    case HAILO_TIMEOUT: return "HAILO_TIMEOUT";
    case HAILO_INVALID_OPERATION: return "HAILO_INVALID_OPERATION";
    case HAILO_COMMUNICATION_CLOSED: return "HAILO_COMMUNICATION_CLOSED";
    case HAILO_OUT_OF_HOST_CMA_MEMORY: return "HAILO_OUT_OF_HOST_CMA_MEMORY";
    default: return "HAILO_STATUS"; // nothing here asks for the others' names
    }
}

namespace hailort {

hailo_vdevice_params_t HailoRTDefaults::get_vdevice_params() {
    hailo_vdevice_params_t params{};
    params.device_count = 1;
    params.scheduling_algorithm = HAILO_SCHEDULING_ALGORITHM_ROUND_ROBIN;
    params.group_id = HAILO_UNIQUE_VDEVICE_GROUP_ID;
    return params;
}

} // namespace hailort
