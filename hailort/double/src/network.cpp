#include "network.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace hailort_double {

namespace {

template <typename T>
T load(const uint8_t *data, size_t i) {
    T value;
    memcpy(&value, data + i * sizeof value, sizeof value);
    return value;
}

template <typename T>
void store(uint8_t *data, size_t i, T value) {
    memcpy(data + i * sizeof value, &value, sizeof value);
}

const hailo_quant_info_t &quant(const Stream &stream, size_t i) {
    return stream.quant[stream.quant.size() > 1 ? i % stream.quant.size() : 0]; // one a channel, which comes last
}

// boxes is the layout of detections by class: a count, and so many boxes.
void boxes(const Stream &output, uint32_t sum, uint8_t *data) {
    for (size_t i = 0; i < output.elements(); i++) {
        store(data, i, 0.0f);
    }
    const size_t room = 1 + 5 * size_t(output.nms.max_bboxes_per_class);
    for (size_t k = 0; k < output.nms.number_of_classes; k++) {
        const uint32_t count = (sum + k) % (output.nms.max_bboxes_per_class + 1);
        store(data, k * room, static_cast<float>(count));
        for (size_t b = 0; b < count; b++) {
            for (size_t f = 0; f < 5; f++) {
                store(data, k * room + 1 + 5 * b + f, static_cast<float>((sum + b + f) % 100) / 100);
            }
        }
    }
}

} // namespace

uint32_t quantise(float value, const Stream &native) {
    const hailo_quant_info_t &q = native.quant[0];
    const double most = HAILO_FORMAT_TYPE_UINT16 == native.format.type ? 65535 : 255;
    return static_cast<uint32_t>(std::min(most, std::max(0.0, std::round(double(value) / q.qp_scale + q.qp_zp))));
}

uint32_t checksum(const std::vector<Stream> &inputs, const std::vector<Stream> &native, const std::vector<const uint8_t *> &data) {
    uint32_t sum = 0;
    for (size_t s = 0; s < inputs.size(); s++) {
        for (size_t i = 0; i < inputs[s].elements(); i++) {
            switch (inputs[s].format.type) {
            case HAILO_FORMAT_TYPE_UINT8: sum += data[s][i]; break;
            case HAILO_FORMAT_TYPE_UINT16: sum += load<uint16_t>(data[s], i); break;
            default: sum += quantise(load<float>(data[s], i), native[s]); break;
            }
        }
    }
    return sum;
}

void fill(const Stream &output, const Stream &native, uint32_t sum, uint8_t *data) {
    if (HAILO_FORMAT_ORDER_HAILO_NMS_BY_CLASS == output.format.order) {
        return boxes(output, sum, data);
    }
    const uint32_t modulus = HAILO_FORMAT_TYPE_UINT16 == native.format.type ? 65536 : 256;
    for (size_t i = 0; i < output.elements(); i++) {
        const uint32_t q = (sum + static_cast<uint32_t>(i)) % modulus;
        switch (output.format.type) {
        case HAILO_FORMAT_TYPE_UINT8: data[i] = static_cast<uint8_t>(q); break;
        case HAILO_FORMAT_TYPE_UINT16: store(data, i, static_cast<uint16_t>(q)); break;
        default: store(data, i, (static_cast<float>(q) - quant(native, i).qp_zp) * quant(native, i).qp_scale); break;
        }
    }
}

} // namespace hailort_double
