// A network that runs.
#pragma once

#include "chip.hpp"
#include "hailo/infer_model.hpp"
#include "model_file.hpp"
#include "statistics.hpp"

namespace hailort {

// A job in flight, and after.
class AsyncInferJob::Impl {
public:
    bool done = false;
    hailo_status status = HAILO_SUCCESS;
    bool lies = false; // wait says success, whatever came of it
};

class ConfiguredInferModel::Impl : public std::enable_shared_from_this<ConfiguredInferModel::Impl> {
public:
    using Callback = std::function<void(const AsyncInferCompletionInfo &)>;
    using Streams = std::vector<hailort_double::Stream>;

    Impl(std::shared_ptr<hailort_double::Connection> connection, Streams inputs, Streams outputs, Streams native_inputs,
        Streams native_outputs, long long bytes, long latency_us, unsigned queue);
    ~Impl(); // ends the process when a job is in flight

    Bindings bindings() const;
    hailo_status ready(std::chrono::milliseconds timeout, uint32_t frames);
    // submit starts one frame, or refuses it and shuts the model down.
    hailo_status submit(const Bindings &bindings, Callback callback, std::shared_ptr<AsyncInferJob::Impl> job);
    hailo_status shutdown();
    hailo_status control(const char *call);
    size_t queue() const { return m_queue; }

private:
    struct Flight;

    hailo_status check(const Bindings &bindings) const;
    hailo_status refusal(const Bindings &bindings, hailo_status fate); // with the chip's lock held
    // land ends a flight, on the chip's thread, the first time that it is called.
    static void land(const std::weak_ptr<Impl> &model, const std::shared_ptr<Flight> &flight, hailo_status status);
    bool flies(const std::shared_ptr<Flight> &flight);
    bool take_down(const std::shared_ptr<Flight> &flight);
    void compute(const Bindings &bindings) const;

    std::shared_ptr<hailort_double::Connection> m_connection;
    Streams m_inputs, m_outputs, m_native_inputs, m_native_outputs;
    long long m_bytes;
    long m_latency_us;
    unsigned m_queue;
    bool m_shut_down = false;
    std::map<const void *, std::shared_ptr<Flight>> m_flights;
    hailort_double::Alive m_alive;
};

} // namespace hailort
