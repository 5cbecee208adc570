// TEST DOUBLE of HailoRT: see ../../README.md.
//
// A value or the status that stands in its way. Unlike most such types it
// cannot be assigned, is released once, and asserts on misuse.
#pragma once

#include "hailo/hailort.h"

#include <cassert>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace hailort {

class Unexpected final {
public:
    explicit Unexpected(hailo_status status) : m_status(status) {}
    operator hailo_status() { return m_status; }
    hailo_status m_status;
};

inline Unexpected make_unexpected(hailo_status status) { return Unexpected(status); }

template <typename T>
class Expected final {
public:
    Expected(Unexpected unexpected) : m_status(unexpected.m_status) { assert(HAILO_SUCCESS != m_status); }
    Expected(T &&value) : m_value(std::move(value)), m_status(HAILO_SUCCESS) {}
    Expected(Expected &&other) : m_status(other.m_status) {
        if (other.has_value()) {
            new (static_cast<void *>(std::addressof(m_value))) T(std::move(other.m_value));
        }
    }
    Expected(hailo_status status) = delete; // a status is no value: make_unexpected
    Expected &operator=(const Expected &) = delete;
    Expected &operator=(Expected &&) = delete;
    ~Expected() { drop(HAILO_UNINITIALIZED); }

    hailo_status status() const { return m_status; }
    bool has_value() const { return HAILO_SUCCESS == m_status; }
    explicit operator bool() const { return has_value(); }

    T &value() & { return checked(); }
    const T &value() const & { return const_cast<Expected *>(this)->checked(); }
    T &operator*() & { return checked(); }
    const T &operator*() const & { return const_cast<Expected *>(this)->checked(); }
    T *operator->() { return std::addressof(checked()); }
    const T *operator->() const { return std::addressof(const_cast<Expected *>(this)->checked()); }

    T release() {
        T value(std::move(checked()));
        drop(HAILO_UNINITIALIZED);
        return value;
    }

private:
    T &checked() {
        assert(has_value());
        return m_value;
    }
    void drop(hailo_status status) {
        if (has_value()) {
            m_value.~T();
            m_status = status;
        }
    }

    union {
        T m_value;
    };
    hailo_status m_status;
};

} // namespace hailort
