// TEST DOUBLE of HailoRT: see ../../../../README.md.
//
// Text from text and pictures.
#pragma once

#include "hailo/genai/llm/llm.hpp"

namespace hailort {
namespace genai {

class VLMParams {
public:
    VLMParams() = default;
    VLMParams(const std::string &hef_path, bool optimize_memory_on_device = false)
        : m_hef_path(hef_path), m_optimize_memory_on_device(optimize_memory_on_device) {}
    const std::string &hef() const { return m_hef_path; }
    bool optimize_memory_on_device() const { return m_optimize_memory_on_device; }

private:
    std::string m_hef_path;
    bool m_optimize_memory_on_device = false;
};

class VLMGenerator {
public:
    class Impl;

    explicit VLMGenerator(std::shared_ptr<Impl> impl);
    VLMGenerator(VLMGenerator &&other);
    VLMGenerator &operator=(VLMGenerator &&) = delete;
    VLMGenerator(const VLMGenerator &) = delete;
    VLMGenerator &operator=(const VLMGenerator &) = delete;
    virtual ~VLMGenerator();

    // The prompt as it is, without the model's template.
    Expected<LLMGeneratorCompletion> generate(const std::string &prompt, const std::vector<MemoryView> &input_frames,
        const std::vector<std::vector<MemoryView>> &input_videos = {});
    Expected<LLMGeneratorCompletion> generate(const std::vector<std::string> &messages_json_strings,
        const std::vector<MemoryView> &input_frames, const std::vector<std::vector<MemoryView>> &input_videos = {});

private:
    std::shared_ptr<Impl> m_impl;
};

class VLM {
public:
    class Impl;

    static Expected<VLM> create(std::shared_ptr<VDevice> vdevice, const VLMParams &vlm_params);
    explicit VLM(std::unique_ptr<Impl> impl);
    VLM(VLM &&);
    VLM &operator=(VLM &&) = delete;
    VLM(const VLM &) = delete;
    VLM &operator=(const VLM &) = delete;
    virtual ~VLM();

    Expected<LLMGeneratorParams> create_generator_params();
    Expected<VLMGenerator> create_generator(const LLMGeneratorParams &params);
    Expected<VLMGenerator> create_generator();
    Expected<LLMGeneratorCompletion> generate(const LLMGeneratorParams &params, const std::vector<std::string> &messages_json_strings,
        const std::vector<MemoryView> &input_frames, const std::vector<std::vector<MemoryView>> &input_videos = {});
    hailo_status clear_context();

    uint32_t input_frame_size() const;
    const hailo_3d_image_shape_t &input_frame_shape() const;
    const hailo_format_type_t &input_frame_format_type() const;
    const hailo_format_order_t &input_frame_format_order() const;

private:
    std::unique_ptr<Impl> m_impl;
};

} // namespace genai
} // namespace hailort
