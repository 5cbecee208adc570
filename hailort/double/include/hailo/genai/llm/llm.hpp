// TEST DOUBLE of HailoRT: see ../../../../README.md.
//
// Text from text, and what text from pictures shares with it.
#pragma once

#include "hailo/vdevice.hpp"

namespace hailort {
namespace genai {

class LLMParams {
public:
    LLMParams() = default;
    LLMParams(const std::string &hef_path, const std::string &lora_name = "", bool optimize_memory_on_device = false)
        : m_hef_path(hef_path), m_lora(lora_name), m_optimize_memory_on_device(optimize_memory_on_device) {}
    const std::string &hef() const { return m_hef_path; }
    const std::string &lora() const { return m_lora; }
    bool optimize_memory_on_device() const { return m_optimize_memory_on_device; }

private:
    std::string m_hef_path, m_lora;
    bool m_optimize_memory_on_device = false;
};

class LLMGeneratorParams {
public:
    LLMGeneratorParams(float32_t temperature, float32_t top_p, uint32_t top_k, float32_t frequency_penalty,
        uint32_t max_generated_tokens, bool do_sample, uint32_t seed)
        : m_temperature(temperature), m_top_p(top_p), m_top_k(top_k), m_frequency_penalty(frequency_penalty),
          m_max_generated_tokens(max_generated_tokens), m_do_sample(do_sample), m_seed(seed) {}

    hailo_status set_temperature(float32_t temperature) { return m_temperature = temperature, HAILO_SUCCESS; }
    float32_t temperature() const { return m_temperature; }
    hailo_status set_top_p(float32_t top_p) { return m_top_p = top_p, HAILO_SUCCESS; }
    float32_t top_p() const { return m_top_p; }
    hailo_status set_top_k(uint32_t top_k) { return m_top_k = top_k, HAILO_SUCCESS; }
    uint32_t top_k() const { return m_top_k; }
    hailo_status set_frequency_penalty(float32_t penalty) { return m_frequency_penalty = penalty, HAILO_SUCCESS; }
    float32_t frequency_penalty() const { return m_frequency_penalty; }
    hailo_status set_max_generated_tokens(uint32_t most) { return m_max_generated_tokens = most, HAILO_SUCCESS; }
    uint32_t max_generated_tokens() const { return m_max_generated_tokens; }
    hailo_status set_do_sample(bool do_sample) { return m_do_sample = do_sample, HAILO_SUCCESS; }
    bool do_sample() const { return m_do_sample; }
    hailo_status set_seed(uint32_t seed) { return m_seed = seed, HAILO_SUCCESS; }
    uint32_t seed() const { return m_seed; }

private:
    float32_t m_temperature, m_top_p;
    uint32_t m_top_k;
    float32_t m_frequency_penalty;
    uint32_t m_max_generated_tokens;
    bool m_do_sample;
    uint32_t m_seed;
};

class LLMGeneratorCompletion final {
public:
    class Impl;

    enum class Status { GENERATING = 0, MAX_TOKENS_REACHED, LOGICAL_END_OF_GENERATION, ABORTED };

    static constexpr std::chrono::milliseconds DEFAULT_READ_TIMEOUT = std::chrono::seconds(10);

    explicit LLMGeneratorCompletion(std::unique_ptr<Impl> impl);
    LLMGeneratorCompletion(LLMGeneratorCompletion &&);
    LLMGeneratorCompletion(const LLMGeneratorCompletion &) = delete;
    LLMGeneratorCompletion &operator=(LLMGeneratorCompletion &&) = delete;
    LLMGeneratorCompletion &operator=(const LLMGeneratorCompletion &) = delete;
    ~LLMGeneratorCompletion(); // ends the process when the connection was lost in mid-generation

    Expected<std::string> read(std::chrono::milliseconds timeout = DEFAULT_READ_TIMEOUT);
    Expected<std::string> read_all(std::chrono::milliseconds timeout = std::chrono::milliseconds(HAILO_INFINITE));
    Status generation_status() const;
    hailo_status abort();

private:
    std::unique_ptr<Impl> m_impl;
};

class LLM {
public:
    class Impl;

    static Expected<LLM> create(std::shared_ptr<VDevice> vdevice, const LLMParams &llm_params);
    explicit LLM(std::unique_ptr<Impl> impl);
    LLM(LLM &&);
    LLM &operator=(LLM &&) = delete;
    LLM(const LLM &) = delete;
    LLM &operator=(const LLM &) = delete;
    virtual ~LLM();

    Expected<LLMGeneratorParams> create_generator_params();
    Expected<LLMGeneratorCompletion> generate(const LLMGeneratorParams &params, const std::vector<std::string> &prompt_json_strings,
        const std::vector<std::string> &tools_json_strings = {});
    hailo_status clear_context();

private:
    std::unique_ptr<Impl> m_impl;
};

} // namespace genai
} // namespace hailort
