// Model files of the double: short texts that say what a network looks like.
#pragma once

#include "hailo/hailort.h"

#include <string>
#include <vector>

namespace hailort_double {

struct Stream {
    std::string name;
    hailo_3d_image_shape_t shape{};
    hailo_format_t format{};
    std::vector<hailo_quant_info_t> quant;
    hailo_nms_shape_t nms{};

    bool is_nms() const;
    size_t elements() const;
    size_t bytes() const; // in the present format
};

struct Segment {
    float start, end;
    std::string text;
};

struct ModelFile {
    std::vector<Stream> inputs, outputs;
    long long bytes = 0; // that it takes on the chip
    long latency_us = 0;
    unsigned queue = 4;
    std::vector<std::string> networks;     // several: one must be named
    hailo_3d_image_shape_t frame{};        // generative: of a picture
    std::vector<std::string> reply;        // generative: the tokens
    std::vector<Segment> segments;         // speech

    // read gives 13, 14, 91, 92, 93 or 26 for what is no model of this chip.
    static hailo_status read(const std::string &path, ModelFile &file);
};

} // namespace hailort_double
