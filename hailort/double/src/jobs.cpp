// The handles by which a caller runs a network and waits for it.
#include "configured.hpp"
#include "limits.hpp"

#include <atomic>

using namespace hailort_double;

namespace hailort {

AsyncInferJob::AsyncInferJob() : m_should_wait_in_dtor(false) {}

AsyncInferJob::AsyncInferJob(std::shared_ptr<Impl> impl) : m_impl(std::move(impl)), m_should_wait_in_dtor(true) {}

AsyncInferJob::AsyncInferJob(AsyncInferJob &&other)
    : m_impl(std::move(other.m_impl)), m_should_wait_in_dtor(std::exchange(other.m_should_wait_in_dtor, false)) {}

AsyncInferJob &AsyncInferJob::operator=(AsyncInferJob &&other) {
    finish();
    m_impl = std::move(other.m_impl);
    m_should_wait_in_dtor = std::exchange(other.m_should_wait_in_dtor, false);
    return *this;
}

AsyncInferJob::~AsyncInferJob() { finish(); }

void AsyncInferJob::finish() {
    if (m_impl && m_should_wait_in_dtor) { // neither waited for nor let go
        Statistics::the().gauge("jobs_waited_for_by_destructor", 1);
        wait(control_limit());
    }
}

hailo_status AsyncInferJob::wait(std::chrono::milliseconds timeout) {
    m_should_wait_in_dtor = false;
    if (!m_impl) {
        return HAILO_SUCCESS;
    }
    std::unique_lock<std::mutex> lock(Chip::the().mutex);
    if (!Chip::the().changed.wait_for(lock, timeout, [&] { return m_impl->done; })) {
        return HAILO_TIMEOUT;
    }
    return m_impl->lies ? HAILO_SUCCESS : m_impl->status;
}

void AsyncInferJob::detach() { m_should_wait_in_dtor = false; }

ConfiguredInferModel::Bindings::Bindings(const Bindings &other) { *this = other; }

ConfiguredInferModel::Bindings &ConfiguredInferModel::Bindings::operator=(const Bindings &other) {
    const auto copy = [](const std::map<std::string, InferStream> &from) {
        std::map<std::string, InferStream> to;
        for (const auto &stream : from) {
            to.emplace(stream.first, InferStream(std::make_shared<InferStream::Slot>(*stream.second.m_slot)));
        }
        return to;
    };
    if (this != &other) {
        m_inputs = copy(other.m_inputs);
        m_outputs = copy(other.m_outputs);
    }
    return *this;
}

namespace {

using BoundStream = ConfiguredInferModel::Bindings::InferStream;

Expected<BoundStream> named(const std::map<std::string, BoundStream> &streams, const std::string &name) {
    auto found = streams.find(name);
    if (streams.end() == found) {
        return make_unexpected(HAILO_NOT_FOUND);
    }
    return BoundStream(found->second);
}

Expected<BoundStream> only(const std::map<std::string, BoundStream> &streams) {
    if (1 != streams.size()) {
        return make_unexpected(HAILO_INVALID_OPERATION);
    }
    return BoundStream(streams.begin()->second);
}

} // namespace

Expected<BoundStream> ConfiguredInferModel::Bindings::input() { return only(m_inputs); }
Expected<BoundStream> ConfiguredInferModel::Bindings::output() { return only(m_outputs); }
Expected<BoundStream> ConfiguredInferModel::Bindings::input(const std::string &name) { return named(m_inputs, name); }
Expected<BoundStream> ConfiguredInferModel::Bindings::output(const std::string &name) { return named(m_outputs, name); }

hailo_status ConfiguredInferModel::Bindings::InferStream::set_buffer(MemoryView view) {
    m_slot->view = view;
    return HAILO_SUCCESS;
}

Expected<MemoryView> ConfiguredInferModel::Bindings::InferStream::get_buffer() const { return MemoryView(m_slot->view); }

Expected<ConfiguredInferModel::Bindings> ConfiguredInferModel::create_bindings() { return m_impl->bindings(); }

hailo_status ConfiguredInferModel::wait_for_async_ready(std::chrono::milliseconds timeout, uint32_t frames_count) {
    return m_impl->ready(timeout, frames_count);
}

hailo_status ConfiguredInferModel::run(const Bindings &bindings, std::chrono::milliseconds timeout) {
    auto job = run_async(bindings);
    return job ? job->wait(timeout) : job.status();
}

Expected<AsyncInferJob> ConfiguredInferModel::run_async(const Bindings &bindings, std::function<void(const AsyncInferCompletionInfo &)> callback) {
    auto job = std::make_shared<AsyncInferJob::Impl>();
    const hailo_status status = m_impl->submit(bindings, std::move(callback), job);
    if (HAILO_SUCCESS != status) {
        return make_unexpected(status);
    }
    return AsyncInferJob(job);
}

// Each frame is submitted by itself; the callback comes with the last one. What
// the original's job says after a failure is success.
Expected<AsyncInferJob> ConfiguredInferModel::run_async(
    const std::vector<Bindings> &bindings, std::function<void(const AsyncInferCompletionInfo &)> callback) {
    struct Batch {
        std::atomic<size_t> left;
        std::atomic<int> status;
    };
    auto batch = std::make_shared<Batch>();
    batch->left = bindings.size();
    batch->status = HAILO_SUCCESS;
    auto job = std::make_shared<AsyncInferJob::Impl>();
    for (const Bindings &one : bindings) {
        auto each = std::make_shared<AsyncInferJob::Impl>();
        const bool last = &one == &bindings.back();
        const hailo_status status = m_impl->submit(one, [batch, callback](const AsyncInferCompletionInfo &info) {
            if (HAILO_SUCCESS != info.status) {
                batch->status = info.status;
            }
            if (0 == --batch->left) {
                callback(AsyncInferCompletionInfo(static_cast<hailo_status>(batch->status.load())));
            }
        }, last ? job : each);
        if (HAILO_SUCCESS != status) {
            return make_unexpected(status); // those before it fly on
        }
    }
    job->lies = true;
    return AsyncInferJob(job);
}

Expected<size_t> ConfiguredInferModel::get_async_queue_size() const { return size_t(m_impl->queue()); }

hailo_status ConfiguredInferModel::set_scheduler_timeout(const std::chrono::milliseconds &) {
    return m_impl->control("ConfiguredInferModel::set_scheduler_timeout");
}
hailo_status ConfiguredInferModel::set_scheduler_threshold(uint32_t) {
    return m_impl->control("ConfiguredInferModel::set_scheduler_threshold");
}
hailo_status ConfiguredInferModel::set_scheduler_priority(uint8_t) {
    return m_impl->control("ConfiguredInferModel::set_scheduler_priority");
}
hailo_status ConfiguredInferModel::shutdown() { return m_impl->shutdown(); }

} // namespace hailort
