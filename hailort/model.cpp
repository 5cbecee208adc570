//go:build hailort

// Networks from tensors to tensors.
#include "buffers.hpp"
#include "guard.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

using namespace hailort;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Completion is all that a callback touches. It runs on the thread that delivers
// the library's answers: it must not call the library, nor be the last to let go
// of one of its objects. It may come for a job that was refused as well, when the
// connection dies in between, and then counts for nothing.
class Completion {
public:
    explicit Completion(size_t frames) : m_flying(frames, false) {}

    void submitted(size_t frame) { set(frame, true, HAILO_SUCCESS); }
    void refused(size_t frame) { set(frame, false, HAILO_SUCCESS); }
    void ended(size_t frame, hailo_status status) { set(frame, false, status); }

    // wait reports whether every job has ended.
    bool wait(Clock::time_point deadline) {
        std::unique_lock<std::mutex> lock(m_mutex);
        return m_changed.wait_until(lock, deadline, [&] { return 0 == count(); });
    }

    size_t flying() {
        std::lock_guard<std::mutex> lock(m_mutex);
        return count();
    }

    // status is that of the first job that failed.
    hailo_status status() {
        std::lock_guard<std::mutex> lock(m_mutex);
        return m_status;
    }

private:
    size_t count() const { return static_cast<size_t>(std::count(m_flying.begin(), m_flying.end(), true)); }

    void set(size_t frame, bool flies, hailo_status status) {
        std::lock_guard<std::mutex> lock(m_mutex);
        if (HAILO_SUCCESS == m_status && m_flying[frame]) {
            m_status = status;
        }
        m_flying[frame] = flies;
        m_changed.notify_all();
    }

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<bool> m_flying; // by frame
    hailo_status m_status = HAILO_SUCCESS;
};

// Flight is a run: what its jobs use must live until they end.
struct Flight {
    Frames frames;
    std::shared_ptr<Completion> completion;
    Clock::time_point since; // it was given up
};

struct npu_model {
    std::shared_ptr<InferModel> model;
    std::vector<InferModel::InferStream> inputs, outputs;
    std::vector<std::string> input_names, output_names;
    size_t page;

    // In this order, so that what was made last goes first.
    ConfiguredInferModel configured;
    Frames frames; // of the next run
    size_t frame_count = 1;

    std::mutex mutex; // of quarantine, which npu_model_unfinished reads from elsewhere
    std::list<Flight> quarantine;

    const InferModel::InferStream &stream(bool output, size_t index) const { return (output ? outputs : inputs).at(index); }

    // quarantined drops the runs that have ended meanwhile and counts the others.
    size_t quarantined() {
        std::list<Flight> over; // destroyed without the lock
        std::lock_guard<std::mutex> lock(mutex);
        for (auto flight = quarantine.begin(); flight != quarantine.end();) {
            const auto next = std::next(flight);
            if (0 == flight->completion->flying()) {
                over.splice(over.end(), quarantine, flight);
            }
            flight = next;
        }
        return quarantine.size();
    }
};

int npu_model_create(npu_device *device, const char *path, size_t page, npu_model **model) {
    return guarded("VDevice::create_infer_model", [&]() -> int {
        auto created = device->vdevice->create_infer_model(path);
        if (!created) {
            return created.status();
        }
        auto m = std::make_unique<npu_model>();
        m->model = created.release();
        m->page = page;
        m->inputs = m->model->inputs();
        m->outputs = m->model->outputs();
        m->input_names = m->model->get_input_names();
        m->output_names = m->model->get_output_names();
        *model = m.release();
        return HAILO_SUCCESS;
    });
}

int npu_model_streams(npu_model *model, size_t *inputs, size_t *outputs) {
    return guarded("InferModel::inputs", [&]() -> int {
        *inputs = model->inputs.size();
        *outputs = model->outputs.size();
        return HAILO_SUCCESS;
    });
}

int npu_model_stream(npu_model *model, bool output, size_t index, npu_stream *stream) {
    return guarded("InferModel::InferStream", [&]() -> int {
        const auto &s = model->stream(output, index);
        const hailo_3d_image_shape_t shape = s.shape();
        const hailo_format_t format = s.format();
        *stream = npu_stream{};
        stream->name = (output ? model->output_names : model->input_names).at(index).c_str();
        stream->height = shape.height, stream->width = shape.width, stream->features = shape.features;
        stream->order = format.order, stream->type = format.type;
        stream->bytes = s.get_frame_size();
        stream->quantisations = s.get_quant_infos().size();
        if (s.is_nms()) {
            auto nms = s.get_nms_shape();
            if (!nms) {
                return nms.status();
            }
            stream->nms_classes = nms->number_of_classes;
            stream->nms_boxes = nms->max_bboxes_per_class;
        }
        return HAILO_SUCCESS;
    });
}

int npu_model_quantisation(npu_model *model, bool output, size_t index, size_t channel, float *zero_point, float *scale) {
    return guarded("InferModel::InferStream::get_quant_infos", [&]() -> int {
        const hailo_quant_info_t q = model->stream(output, index).get_quant_infos().at(channel);
        *zero_point = q.qp_zp;
        *scale = q.qp_scale;
        return HAILO_SUCCESS;
    });
}

int npu_model_set_type(npu_model *model, bool output, size_t index, int type) {
    return guarded("InferModel::InferStream::set_format_type", [&]() -> int {
        (output ? model->outputs : model->inputs).at(index).set_format_type(static_cast<hailo_format_type_t>(type));
        return HAILO_SUCCESS;
    });
}

// place gives a stream of a frame memory of exactly the size that the library
// expects: a size that differs would not fail one job but spoil the model.
static hailo_status place(const InferModel::InferStream &stream, Expected<ConfiguredInferModel::Bindings::InferStream> bound, size_t page,
    std::vector<Pages> &pages) {
    if (!bound) {
        return bound.status();
    }
    pages.emplace_back(stream.get_frame_size(), page);
    return bound->set_buffer(MemoryView(pages.back().data(), pages.back().bytes()));
}

// provide sees to it that there are buffers for the next run.
static hailo_status provide(npu_model &model) {
    while (model.frames.size() < model.frame_count) {
        auto bindings = model.configured.create_bindings();
        if (!bindings) {
            return bindings.status();
        }
        auto frame = std::make_unique<Frame>(bindings.release());
        for (size_t i = 0; i < model.inputs.size(); i++) {
            const hailo_status status = place(model.inputs[i], frame->bindings.input(model.input_names[i]), model.page, frame->inputs);
            if (HAILO_SUCCESS != status) {
                return status;
            }
        }
        for (size_t i = 0; i < model.outputs.size(); i++) {
            const hailo_status status = place(model.outputs[i], frame->bindings.output(model.output_names[i]), model.page, frame->outputs);
            if (HAILO_SUCCESS != status) {
                return status;
            }
        }
        model.frames.push_back(std::move(frame));
    }
    return HAILO_SUCCESS;
}

int npu_model_configure(npu_model *model, size_t frames) {
    return guarded("InferModel::configure", [&]() -> int {
        if (model->quarantined() > 0) {
            return HAILO_TIMEOUT; // the present one must not be destroyed yet
        }
        model->frame_count = frames;
        model->frames.clear();
        model->configured = ConfiguredInferModel();
        auto configured = model->model->configure();
        if (!configured) {
            return configured.status();
        }
        model->configured = configured.release();
        return provide(*model);
    });
}

int npu_model_reserved(npu_model *model, size_t *bytes) {
    return guarded("reserved memory", [&]() -> int {
        *bytes = 0;
        for (const auto &frame : model->frames) {
            for (const auto *pages : {&frame->inputs, &frame->outputs}) {
                for (const Pages &p : *pages) {
                    *bytes += p.reserved();
                }
            }
        }
        return HAILO_SUCCESS;
    });
}

int npu_model_buffer(npu_model *model, bool output, size_t index, size_t frame, void **data, size_t *size) {
    return guarded("ConfiguredInferModel::create_bindings", [&]() -> int {
        const hailo_status status = provide(*model);
        if (HAILO_SUCCESS != status) {
            return status;
        }
        Frame &f = *model->frames.at(frame);
        const Pages &pages = (output ? f.outputs : f.inputs).at(index);
        *data = pages.data();
        *size = pages.bytes();
        return HAILO_SUCCESS;
    });
}

static milliseconds until(Clock::time_point deadline) {
    return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(deadline - Clock::now()));
}

// submit starts the frames' jobs one by one: a batch that is refused half-way
// does not say which of its jobs run, and a long one would wait for a queue that
// never is so long.
static hailo_status submit(npu_model &model, const Flight &flight, Clock::time_point deadline, bool &stale) {
    const auto completion = flight.completion;
    for (size_t i = 0; i < flight.frames.size(); i++) {
        const hailo_status ready = model.configured.wait_for_async_ready(until(deadline), 1);
        if (HAILO_SUCCESS != ready) {
            return ready;
        }
        completion->submitted(i); // before it is, in case the call throws half-way
        auto job = model.configured.run_async(flight.frames[i]->bindings,
            [completion, i](const AsyncInferCompletionInfo &info) { completion->ended(i, info.status); });
        if (!job) {
            completion->refused(i);
            stale = true; // a refusal shuts the model down
            return job.status();
        }
        job->detach(); // its destructor would wait
    }
    return HAILO_SUCCESS;
}

int npu_model_run(npu_model *model, uint32_t timeout_ms, bool *stale) {
    return guarded("ConfiguredInferModel::run_async", [&]() -> int {
        const auto deadline = Clock::now() + milliseconds(timeout_ms);
        *stale = false;
        model->quarantined();
        const hailo_status provided = provide(*model);
        if (HAILO_SUCCESS != provided) {
            return provided;
        }
        // The flight has the buffers until its jobs have ended, whatever happens.
        std::list<Flight> run;
        run.push_back(Flight{{}, std::make_shared<Completion>(model->frames.size()), {}});
        Flight &flight = run.front();
        flight.frames.swap(model->frames);
        const auto give_up = [&] {
            flight.since = Clock::now();
            std::lock_guard<std::mutex> lock(model->mutex);
            model->quarantine.splice(model->quarantine.end(), run);
        };
        hailo_status status;
        try {
            status = submit(*model, flight, deadline, *stale);
        } catch (...) {
            give_up();
            throw;
        }
        if (!flight.completion->wait(deadline)) {
            give_up();
            return HAILO_SUCCESS != status ? status : HAILO_TIMEOUT;
        }
        flight.frames.swap(model->frames);
        if (HAILO_SUCCESS == status) {
            status = flight.completion->status(); // what the job itself says can be success after a failure
        }
        *stale = *stale || HAILO_STREAM_ABORT == status || HAILO_SHUTDOWN_EVENT_SIGNALED == status || HAILO_OPERATION_ABORTED == status;
        return status;
    });
}

int npu_model_unfinished(npu_model *model, size_t *jobs, int64_t *oldest_ms) {
    return guarded("unfinished jobs", [&]() -> int {
        *jobs = 0;
        *oldest_ms = 0;
        std::lock_guard<std::mutex> lock(model->mutex);
        for (const Flight &flight : model->quarantine) {
            const size_t flying = flight.completion->flying();
            *jobs += flying;
            if (flying > 0) {
                *oldest_ms = std::max(*oldest_ms, std::chrono::duration_cast<milliseconds>(Clock::now() - flight.since).count());
            }
        }
        return HAILO_SUCCESS;
    });
}

int npu_model_end(npu_model *model, uint32_t patience_ms) {
    return guarded("ConfiguredInferModel::shutdown", [&]() -> int {
        const auto deadline = Clock::now() + milliseconds(patience_ms);
        if (0 == model->quarantined()) {
            return HAILO_SUCCESS;
        }
        model->configured.shutdown(); // whether it worked is seen by the callbacks
        for (const Flight &flight : model->quarantine) { // only read here and elsewhere, since nothing runs any more
            if (!flight.completion->wait(deadline)) {
                return HAILO_TIMEOUT;
            }
        }
        return HAILO_SUCCESS;
    });
}

int npu_model_free(npu_model *model) {
    return guarded("ConfiguredInferModel::~ConfiguredInferModel", [&]() -> int {
        model->quarantine.clear();
        model->frames.clear();
        model->configured = ConfiguredInferModel();
        model->inputs.clear();
        model->outputs.clear();
        model->model.reset();
        delete model;
        return HAILO_SUCCESS;
    });
}
