// Memory that the device reads and writes.
#pragma once

#include "hailo/hailort.hpp"

#include <memory>
#include <new>
#include <sys/mman.h>
#include <utility>
#include <vector>

// Pages are anonymous memory of whole pages: the device may touch the rest of
// the last one, and no other data may live there. It is not Go's memory, which
// the device would go on writing to after the call has returned.
class Pages {
public:
    Pages(size_t bytes, size_t page) : m_bytes(bytes), m_reserved((bytes + page - 1) / page * page) {
        m_data = mmap(nullptr, m_reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (MAP_FAILED == m_data) {
            throw std::bad_alloc();
        }
    }
    ~Pages() {
        if (nullptr != m_data) {
            munmap(m_data, m_reserved);
        }
    }
    Pages(Pages &&other) noexcept
        : m_data(std::exchange(other.m_data, nullptr)), m_bytes(other.m_bytes), m_reserved(other.m_reserved) {}
    Pages &operator=(Pages &&) = delete;

    void *data() const { return m_data; }
    size_t bytes() const { return m_bytes; }
    size_t reserved() const { return m_reserved; }

private:
    void *m_data;
    size_t m_bytes, m_reserved;
};

// Frame is what one inference reads and writes.
struct Frame {
    explicit Frame(hailort::ConfiguredInferModel::Bindings bindings) : bindings(std::move(bindings)) {}

    std::vector<Pages> inputs, outputs;
    hailort::ConfiguredInferModel::Bindings bindings; // refers to the pages
};

using Frames = std::vector<std::unique_ptr<Frame>>;
