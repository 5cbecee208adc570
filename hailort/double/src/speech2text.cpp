#include "hailo/genai/speech2text/speech2text.hpp"

#include "generation.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <thread>

using namespace hailort_double;

namespace hailort {
namespace genai {

class Speech2Text::Impl {
public:
    std::shared_ptr<Session> session;
};

Expected<Speech2Text> Speech2Text::create(std::shared_ptr<VDevice> vdevice, const Speech2TextParams &speech2text_params) {
    std::unique_ptr<Impl> impl(new Impl);
    const hailo_status status = Session::open("Speech2Text::create", vdevice, std::string(speech2text_params.hef()), false, impl->session);
    if (HAILO_SUCCESS != status) {
        return make_unexpected(status);
    }
    return Speech2Text(std::move(impl));
}

Speech2Text::Speech2Text(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
Speech2Text::Speech2Text(Speech2Text &&) = default;
Speech2Text::~Speech2Text() = default;

Expected<Speech2TextGeneratorParams> Speech2Text::create_generator_params() {
    const hailo_status status = m_impl->session->control("Speech2Text::create_generator_params");
    if (HAILO_SUCCESS != status) {
        return make_unexpected(status);
    }
    return Speech2TextGeneratorParams();
}

// The timeout is ignored, as it is in the original. Without segments in the
// file there is one, which says what was asked.
Expected<std::vector<Speech2Text::SegmentInfo>> Speech2Text::generate_all_segments(
    MemoryView audio_buffer, const Speech2TextGeneratorParams &generator_params, std::chrono::milliseconds) {
    const hailo_status status = m_impl->session->control("Speech2Text::generate_all_segments");
    if (HAILO_SUCCESS != status) {
        return make_unexpected(status);
    }
    const GenAICall counted;
    if (audio_buffer.empty() || 0 != audio_buffer.size() % sizeof(float)) {
        return make_unexpected(HAILO_INVALID_ARGUMENT);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(static_cast<long>(Script::now().number("speech_ms", 0))));
    if (HAILO_SUCCESS != m_impl->session->connection.status()) {
        return make_unexpected(HAILO_COMMUNICATION_CLOSED);
    }
    std::vector<SegmentInfo> segments;
    for (const Segment &segment : m_impl->session->file.segments) {
        segments.push_back({segment.start, segment.end, segment.text});
    }
    if (segments.empty()) {
        const size_t n = audio_buffer.size() / sizeof(float);
        float loudest = 0;
        for (size_t i = 0; i < n; i++) {
            float sample;
            memcpy(&sample, audio_buffer.data() + i * sizeof sample, sizeof sample);
            loudest = std::max(loudest, std::fabs(sample));
        }
        char text[160];
        snprintf(text, sizeof text, " task=%s language=%s samples=%zu loudest=%.2f", Speech2TextTask::TRANSLATE == generator_params.task() ? "translate" : "transcribe",
            std::string(generator_params.language()).c_str(), n, static_cast<double>(loudest));
        segments.push_back({0, static_cast<float>(n) / 16000, text});
    }
    return segments;
}

} // namespace genai
} // namespace hailort
