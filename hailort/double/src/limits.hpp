// How long the simulated library takes to give up.
#pragma once

#include "script.hpp"

#include <chrono>
#include <thread>

namespace hailort_double {

// control_limit is that of a control call: 10 s in the original.
inline std::chrono::milliseconds control_limit() {
    return std::chrono::milliseconds(static_cast<long>(Script::now().number("control_timeout_ms", 10000)));
}

// timed_out is what a call does whose answer came while nobody looked: it was
// carried out, and the caller sleeps until the limit.
inline hailo_status timed_out() {
    std::this_thread::sleep_for(control_limit());
    return HAILO_TIMEOUT;
}

} // namespace hailort_double
