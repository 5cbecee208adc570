// TEST DOUBLE of HailoRT: see ../../../../README.md.
//
// Text from speech.
#pragma once

#include "hailo/vdevice.hpp"

#include <string_view>

namespace hailort {
namespace genai {

class Speech2TextParams {
public:
    Speech2TextParams() = default;
    Speech2TextParams(std::string_view hef_path) : m_hef_path(hef_path) {}
    std::string_view hef() const { return m_hef_path; }

private:
    std::string m_hef_path;
};

enum class Speech2TextTask { TRANSCRIBE = 0, TRANSLATE };

class Speech2TextGeneratorParams {
public:
    hailo_status set_task(Speech2TextTask task) { return m_task = task, HAILO_SUCCESS; }
    hailo_status set_language(std::string_view language) { return m_language = language, HAILO_SUCCESS; }
    Speech2TextTask task() const { return m_task; }
    std::string_view language() const { return m_language; }

private:
    Speech2TextGeneratorParams() = default; // Speech2Text makes them
    friend class Speech2Text;

    Speech2TextTask m_task = Speech2TextTask::TRANSCRIBE;
    std::string m_language;
};

class Speech2Text {
public:
    class Impl;

    struct SegmentInfo {
        float32_t start_sec, end_sec;
        std::string text;
    };

    static constexpr std::chrono::milliseconds DEFAULT_OPERATION_TIMEOUT = std::chrono::seconds(10);

    static Expected<Speech2Text> create(std::shared_ptr<VDevice> vdevice, const Speech2TextParams &speech2text_params);
    explicit Speech2Text(std::unique_ptr<Impl> impl);
    Speech2Text(Speech2Text &&);
    Speech2Text &operator=(Speech2Text &&) = delete;
    Speech2Text(const Speech2Text &) = delete;
    Speech2Text &operator=(const Speech2Text &) = delete;
    virtual ~Speech2Text();

    Expected<Speech2TextGeneratorParams> create_generator_params();
    Expected<std::vector<SegmentInfo>> generate_all_segments(MemoryView audio_buffer,
        const Speech2TextGeneratorParams &generator_params, std::chrono::milliseconds timeout = DEFAULT_OPERATION_TIMEOUT);

private:
    std::unique_ptr<Impl> m_impl;
};

} // namespace genai
} // namespace hailort
