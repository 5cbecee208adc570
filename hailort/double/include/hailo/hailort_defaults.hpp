// TEST DOUBLE of HailoRT: see ../../README.md.
#pragma once

#include "hailo/hailort.h"

namespace hailort {

class HailoRTDefaults final {
public:
    HailoRTDefaults() = delete;
    static hailo_vdevice_params_t get_vdevice_params();
};

} // namespace hailort
