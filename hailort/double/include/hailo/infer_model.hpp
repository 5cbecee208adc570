// TEST DOUBLE of HailoRT: see ../../README.md.
//
// Networks from tensors to tensors: described, configured, run.
#pragma once

#include "hailo/vdevice.hpp"

#include <map>

namespace hailort {

struct AsyncInferCompletionInfo {
    AsyncInferCompletionInfo(hailo_status _status) : status(_status) {}
    hailo_status status;
};

static const auto ASYNC_INFER_EMPTY_CALLBACK = [](const AsyncInferCompletionInfo &) {};

class AsyncInferJob {
public:
    class Impl;

    AsyncInferJob();
    explicit AsyncInferJob(std::shared_ptr<Impl> impl);
    virtual ~AsyncInferJob(); // waits, unless wait or detach was called before
    AsyncInferJob(AsyncInferJob &&other);
    AsyncInferJob &operator=(AsyncInferJob &&other);
    AsyncInferJob(const AsyncInferJob &) = delete;
    AsyncInferJob &operator=(const AsyncInferJob &) = delete;

    hailo_status wait(std::chrono::milliseconds timeout);
    void detach();

private:
    void finish();

    std::shared_ptr<Impl> m_impl;
    bool m_should_wait_in_dtor;
};

class ConfiguredInferModel {
public:
    class Impl;

    class Bindings {
    public:
        class InferStream {
        public:
            hailo_status set_buffer(MemoryView view);
            Expected<MemoryView> get_buffer() const;

        private:
            friend class ConfiguredInferModel::Impl;
            friend class Bindings;
            struct Slot {
                MemoryView view;
            };
            explicit InferStream(std::shared_ptr<Slot> slot) : m_slot(std::move(slot)) {}

            std::shared_ptr<Slot> m_slot;
        };

        Bindings() = default;
        Bindings(const Bindings &other); // the views are copied, not what they show
        Bindings &operator=(const Bindings &other);

        Expected<InferStream> input();
        Expected<InferStream> output();
        Expected<InferStream> input(const std::string &name);
        Expected<InferStream> output(const std::string &name);

    private:
        friend class ConfiguredInferModel::Impl;

        std::map<std::string, InferStream> m_inputs, m_outputs;
    };

    ConfiguredInferModel() = default;
    explicit ConfiguredInferModel(std::shared_ptr<Impl> impl) : m_impl(std::move(impl)) {}

    Expected<Bindings> create_bindings();
    hailo_status wait_for_async_ready(std::chrono::milliseconds timeout, uint32_t frames_count = 1);
    hailo_status run(const Bindings &bindings, std::chrono::milliseconds timeout);
    Expected<AsyncInferJob> run_async(const Bindings &bindings,
        std::function<void(const AsyncInferCompletionInfo &)> callback = ASYNC_INFER_EMPTY_CALLBACK);
    Expected<AsyncInferJob> run_async(const std::vector<Bindings> &bindings,
        std::function<void(const AsyncInferCompletionInfo &)> callback = ASYNC_INFER_EMPTY_CALLBACK);
    Expected<size_t> get_async_queue_size() const;
    hailo_status set_scheduler_timeout(const std::chrono::milliseconds &timeout);
    hailo_status set_scheduler_threshold(uint32_t threshold);
    hailo_status set_scheduler_priority(uint8_t priority);
    hailo_status shutdown();

private:
    std::shared_ptr<Impl> m_impl;
};

class InferModel {
public:
    class InferStream {
    public:
        class Impl;
        explicit InferStream(std::shared_ptr<Impl> impl) : m_impl(std::move(impl)) {}

        const std::string name() const;
        hailo_3d_image_shape_t shape() const;
        hailo_format_t format() const;
        size_t get_frame_size() const;
        Expected<hailo_nms_shape_t> get_nms_shape() const;
        void set_format_type(hailo_format_type_t type);
        void set_format_order(hailo_format_order_t order);
        std::vector<hailo_quant_info_t> get_quant_infos() const;
        bool is_nms() const;

    private:
        std::shared_ptr<Impl> m_impl;
    };

    virtual ~InferModel() = default;
    virtual void set_batch_size(uint16_t batch_size) = 0;
    virtual Expected<ConfiguredInferModel> configure() = 0;
    virtual Expected<InferStream> input() = 0;
    virtual Expected<InferStream> output() = 0;
    virtual Expected<InferStream> input(const std::string &name) = 0;
    virtual Expected<InferStream> output(const std::string &name) = 0;
    virtual const std::vector<InferStream> &inputs() const = 0;
    virtual const std::vector<InferStream> &outputs() const = 0;
    virtual const std::vector<std::string> &get_input_names() const = 0;
    virtual const std::vector<std::string> &get_output_names() const = 0;
};

} // namespace hailort
