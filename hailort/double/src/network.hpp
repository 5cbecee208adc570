// The function that every network of the double computes.
#pragma once

#include "model_file.hpp"

#include <cstdint>
#include <vector>

namespace hailort_double {

// quantise reads a float32 input as the chip does.
uint32_t quantise(float value, const Stream &native);

// checksum sums the elements of the inputs, quantised, modulo 2^32.
uint32_t checksum(const std::vector<Stream> &inputs, const std::vector<Stream> &native, const std::vector<const uint8_t *> &data);

// fill writes an output: element i is (sum + i) modulo 256 or 65536, turned into
// a float where the format or the file says so.
void fill(const Stream &output, const Stream &native, uint32_t sum, uint8_t *data);

} // namespace hailort_double
