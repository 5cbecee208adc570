// What models that generate text have in common: a session on the chip with one
// generation at a time, a context that fills, and tokens that come by the clock.
#pragma once

#include "chip.hpp"
#include "hailo/genai/llm/llm.hpp"
#include "json.hpp"
#include "model_file.hpp"
#include "statistics.hpp"

namespace hailort_double {

class Session : public std::enable_shared_from_this<Session> {
public:
    // open connects as the original does: it reads the VDevice's parameters,
    // through the pointers in them, then takes the cache and the memory.
    static hailo_status open(const char *call, const std::shared_ptr<hailort::VDevice> &vdevice, const std::string &path, bool cache,
        std::shared_ptr<Session> &session);
    ~Session();

    hailo_status control(const char *call);
    hailo_status clear_context(const char *call);

    // generate begins a generation: it checks what the original checks and
    // encodes the pictures, which takes its time.
    hailo_status generate(const char *call, const hailort::genai::LLMGeneratorParams &params, const std::vector<std::string> &messages,
        const std::vector<hailort::MemoryView> &frames, std::unique_ptr<hailort::genai::LLMGeneratorCompletion::Impl> &completion);
    // prompt begins one from a plain text.
    hailo_status prompt(const char *call, const hailort::genai::LLMGeneratorParams &params, const std::string &text,
        const std::vector<hailort::MemoryView> &frames, std::unique_ptr<hailort::genai::LLMGeneratorCompletion::Impl> &completion);

    ModelFile file;
    Connection connection;
    std::atomic<bool> busy{false}; // a completion exists that has not ended
    std::atomic<long> context{0};  // tokens in it

private:
    Session() : m_alive("GenAI session") {}
    hailo_status begin(const hailort::genai::LLMGeneratorParams &params, const std::string &text,
        const std::vector<hailort::MemoryView> &frames, std::unique_ptr<hailort::genai::LLMGeneratorCompletion::Impl> &completion);

    bool m_cache = false;
    Alive m_alive;
};

// default_params are those of every model file.
hailort::genai::LLMGeneratorParams default_params();

} // namespace hailort_double

namespace hailort {
namespace genai {

class LLMGeneratorCompletion::Impl {
public:
    Impl(std::shared_ptr<hailort_double::Session> session, std::vector<std::string> tokens, Status ending);
    ~Impl();

    Expected<std::string> read(std::chrono::milliseconds timeout);
    hailo_status abort();
    Status status() const { return m_status; }

private:
    hailort_double::Clock::time_point due(size_t token);

    std::shared_ptr<hailort_double::Session> m_session;
    std::vector<std::string> m_tokens;
    std::vector<hailort_double::Clock::time_point> m_due; // of those whose turn has come
    Status m_ending;
    std::atomic<Status> m_status{Status::GENERATING};
    size_t m_read = 0;
    hailort_double::Alive m_alive;
};

} // namespace genai
} // namespace hailort
