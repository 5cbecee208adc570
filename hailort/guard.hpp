// What every entry point of the shim runs in.
#pragma once

#include "shim.h"

#include "hailo/hailort.hpp"

#include <cstdio>
#include <exception>
#include <new>
#include <string>

// guarded turns whatever is thrown into a status: the library never throws by
// itself, but the standard library under it does.
template <typename Call>
int guarded(const char *what, Call call) {
    try {
        return call();
    } catch (const std::bad_alloc &) {
        return HAILO_OUT_OF_HOST_MEMORY;
    } catch (const std::exception &e) {
        fprintf(stderr, "HailoRT threw in %s: %s\n", what, e.what());
    } catch (...) {
        fprintf(stderr, "HailoRT threw in %s\n", what);
    }
    return NPU_EXCEPTION;
}

struct npu_device {
    // The VDevice keeps pointers to these two for life, and generators follow
    // them: they are declared first, so that they go last.
    std::string group;
    hailo_device_id_t id;

    std::unique_ptr<hailort::Device> monitor; // with a connection of its own
    std::shared_ptr<hailort::VDevice> vdevice;
};
