// TEST DOUBLE of HailoRT: see ../../README.md.
//
// A view of memory that belongs to somebody else.
#pragma once

#include "hailo/expected.hpp"

#include <string>

namespace hailort {

class MemoryView final {
public:
    MemoryView() noexcept : m_data(nullptr), m_size(0) {}
    MemoryView(void *data, size_t size) noexcept : m_data(data), m_size(size) {}

    static const MemoryView create_const(const void *data, size_t size) noexcept {
        return MemoryView(const_cast<void *>(data), size);
    }

    uint8_t *data() noexcept { return static_cast<uint8_t *>(m_data); }
    const uint8_t *data() const noexcept { return static_cast<const uint8_t *>(m_data); }
    size_t size() const noexcept { return m_size; }
    bool empty() const noexcept { return 0 == m_size; }

private:
    void *m_data;
    size_t m_size;
};

} // namespace hailort
