#include "configured.hpp"

#include "limits.hpp"
#include "network.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

using namespace hailort_double;

namespace hailort {

// Flight is a frame on the chip: it holds the views, not the memory they show.
struct ConfiguredInferModel::Impl::Flight {
    Bindings bindings;
    Callback callback;
    std::shared_ptr<AsyncInferJob::Impl> job;
    hailo_status outcome;
    bool stuck; // not even a shutdown ends it
};

ConfiguredInferModel::Impl::Impl(std::shared_ptr<Connection> connection, Streams inputs, Streams outputs, Streams native_inputs,
    Streams native_outputs, long long bytes, long latency_us, unsigned queue)
    : m_connection(std::move(connection)), m_inputs(std::move(inputs)), m_outputs(std::move(outputs)),
      m_native_inputs(std::move(native_inputs)), m_native_outputs(std::move(native_outputs)), m_bytes(bytes),
      m_latency_us(latency_us), m_queue(queue), m_alive("ConfiguredInferModel") {
    std::lock_guard<std::mutex> lock(Chip::the().mutex);
    m_connection->models++;
}

ConfiguredInferModel::Impl::~Impl() {
    if (!m_flights.empty()) {
        Statistics::the().violation("a configured model is destroyed with a job in flight");
        abort(); // the original goes on with corrupt memory
    }
    const Verdict verdict = enter("ConfiguredInferModel::~ConfiguredInferModel");
    Chip::the().free(*m_connection, m_bytes);
    {
        std::lock_guard<std::mutex> lock(Chip::the().mutex);
        m_connection->models--;
    }
    if (verdict.false_timeout) {
        timed_out();
    }
}

ConfiguredInferModel::Bindings ConfiguredInferModel::Impl::bindings() const {
    using BoundStream = Bindings::InferStream;
    Bindings b;
    for (const Stream &s : m_inputs) {
        b.m_inputs.emplace(s.name, BoundStream(std::make_shared<BoundStream::Slot>()));
    }
    for (const Stream &s : m_outputs) {
        b.m_outputs.emplace(s.name, BoundStream(std::make_shared<BoundStream::Slot>()));
    }
    return b;
}

hailo_status ConfiguredInferModel::Impl::control(const char *call) {
    const Verdict verdict = enter(call);
    if (HAILO_SUCCESS != m_connection->status()) {
        return m_connection->status();
    }
    return verdict.false_timeout ? timed_out() : verdict.status;
}

// ready counts on this side only: it knows nothing of a lost connection.
hailo_status ConfiguredInferModel::Impl::ready(std::chrono::milliseconds timeout, uint32_t frames) {
    enter("ConfiguredInferModel::wait_for_async_ready");
    std::unique_lock<std::mutex> lock(Chip::the().mutex);
    const bool room = Chip::the().changed.wait_for(lock, timeout, [&] { return m_flights.size() + frames <= m_queue; });
    return room ? HAILO_SUCCESS : HAILO_TIMEOUT;
}

hailo_status ConfiguredInferModel::Impl::check(const Bindings &bindings) const {
    const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto all = [&](const Streams &streams, const std::map<std::string, Bindings::InferStream> &bound) {
        for (const Stream &stream : streams) {
            const MemoryView &view = bound.at(stream.name).m_slot->view;
            if (view.empty()) {
                return HAILO_NOT_FOUND;
            }
            if (view.size() != stream.bytes()) {
                return HAILO_INVALID_OPERATION;
            }
            if (0 != reinterpret_cast<uintptr_t>(view.data()) % page) { // slow, and for outputs a risk
                Statistics::the().violation("a buffer does not begin on a page");
            }
        }
        return HAILO_SUCCESS;
    };
    hailo_status status = all(m_inputs, bindings.m_inputs);
    if (HAILO_SUCCESS == status) {
        status = all(m_outputs, bindings.m_outputs);
    }
    for (const auto &flight : m_flights) {
        for (const auto &output : flight.second->bindings.m_outputs) {
            if (HAILO_SUCCESS == status && output.second.m_slot->view.data() == bindings.m_outputs.at(output.first).m_slot->view.data()) {
                Statistics::the().violation("two jobs in flight write to the same buffer");
            }
        }
    }
    return status;
}

// refusal is why a frame is not taken; from then on the model is shut down.
hailo_status ConfiguredInferModel::Impl::refusal(const Bindings &bindings, hailo_status fate) {
    if (HAILO_SUCCESS != m_connection->status()) {
        fate = m_connection->status();
    } else if (HAILO_SUCCESS == fate && m_shut_down) {
        return HAILO_STREAM_ABORT;
    }
    const hailo_status fault = m_flights.size() >= m_queue ? HAILO_QUEUE_IS_FULL : check(bindings);
    if (HAILO_SUCCESS != fault) {
        Statistics::the().gauge("refused_jobs", 1); // by the caller's own doing
    }
    const hailo_status status = HAILO_SUCCESS != fate ? fate : fault;
    m_shut_down = m_shut_down || HAILO_SUCCESS != status;
    return status;
}

hailo_status ConfiguredInferModel::Impl::submit(const Bindings &bindings, Callback callback, std::shared_ptr<AsyncInferJob::Impl> job) {
    const Verdict call = enter("ConfiguredInferModel::run_async");
    const Verdict verdict = enter("job");
    const int jitter = static_cast<int>(Script::now().number("jitter_us", 0));
    const long own = m_latency_us + (jitter > 0 ? rand() % jitter : 0);
    const auto latency = std::chrono::microseconds(verdict.delay_ms >= 0 ? 1000 * verdict.delay_ms : own);
    auto flight = std::make_shared<Flight>(Flight{bindings, std::move(callback), job, verdict.status, verdict.never});
    const std::weak_ptr<Impl> model = shared_from_this(); // a flight does not keep its model
    hailo_status refused;
    {
        std::lock_guard<std::mutex> lock(Chip::the().mutex);
        refused = refusal(bindings, call.status);
        if (HAILO_SUCCESS == refused) {
            m_flights[flight.get()] = flight;
            m_connection->jobs[flight.get()] = [model, flight] { land(model, flight, HAILO_COMMUNICATION_CLOSED); };
            Statistics::the().most("most_jobs_in_flight", static_cast<long>(m_flights.size()));
        }
    }
    if (HAILO_SUCCESS != refused) {
        if (call.answered) { // the connection dies in between
            flight->callback(AsyncInferCompletionInfo(HAILO_COMMUNICATION_CLOSED));
        }
        return refused;
    }
    if (!verdict.never) {
        Chip::the().at(Clock::now() + latency, [model, flight] { land(model, flight, flight->outcome); });
    }
    return HAILO_SUCCESS;
}

void ConfiguredInferModel::Impl::land(const std::weak_ptr<Impl> &model, const std::shared_ptr<Flight> &flight, hailo_status status) {
    auto impl = model.lock();
    if (!impl) {
        return;
    }
    if (HAILO_SUCCESS == status && impl->flies(flight)) {
        impl->compute(flight->bindings); // into the caller's memory, whether or not he still waits
    }
    const bool first = impl->take_down(flight);
    impl.reset(); // the callback may be what the model's destruction waits for
    if (!first) {
        return;
    }
    flight->callback(AsyncInferCompletionInfo(status));
    std::lock_guard<std::mutex> lock(Chip::the().mutex);
    flight->job->status = status;
    flight->job->done = true;
    Chip::the().changed.notify_all();
}

bool ConfiguredInferModel::Impl::flies(const std::shared_ptr<Flight> &flight) {
    std::lock_guard<std::mutex> lock(Chip::the().mutex);
    return m_flights.end() != m_flights.find(flight.get());
}

bool ConfiguredInferModel::Impl::take_down(const std::shared_ptr<Flight> &flight) {
    std::lock_guard<std::mutex> lock(Chip::the().mutex);
    m_connection->jobs.erase(flight.get());
    Chip::the().changed.notify_all();
    return m_flights.erase(flight.get()) > 0;
}

void ConfiguredInferModel::Impl::compute(const Bindings &bindings) const {
    std::vector<const uint8_t *> data;
    for (const Stream &stream : m_inputs) {
        data.push_back(bindings.m_inputs.at(stream.name).m_slot->view.data());
    }
    const uint32_t sum = checksum(m_inputs, m_native_inputs, data);
    for (size_t i = 0; i < m_outputs.size(); i++) {
        fill(m_outputs[i], m_native_outputs[i], sum, bindings.m_outputs.at(m_outputs[i].name).m_slot->view.data());
    }
}

hailo_status ConfiguredInferModel::Impl::shutdown() {
    const Verdict verdict = enter("ConfiguredInferModel::shutdown");
    std::vector<std::shared_ptr<Flight>> flights;
    {
        std::lock_guard<std::mutex> lock(Chip::the().mutex);
        m_shut_down = true;
        for (const auto &flight : m_flights) {
            flights.push_back(flight.second);
        }
    }
    if (HAILO_SUCCESS != verdict.status) {
        return verdict.status; // and the jobs stay where they are
    }
    const std::weak_ptr<Impl> model = shared_from_this();
    for (const auto &flight : flights) {
        if (!flight->stuck) {
            Chip::the().at(Clock::now(), [model, flight] { land(model, flight, HAILO_STREAM_ABORT); });
        }
    }
    std::unique_lock<std::mutex> lock(Chip::the().mutex);
    const bool ended = Chip::the().changed.wait_for(lock, control_limit(), [&] { return m_flights.empty(); });
    return ended ? HAILO_SUCCESS : HAILO_TIMEOUT;
}

} // namespace hailort
