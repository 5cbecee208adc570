// TEST DOUBLE of HailoRT: see ../../README.md.
#pragma once

#include "hailo/buffer.hpp"
#include "hailo/device.hpp"
#include "hailo/expected.hpp"
#include "hailo/hailort.h"
#include "hailo/hailort_defaults.hpp"
#include "hailo/infer_model.hpp"
#include "hailo/vdevice.hpp"
