#include "generation.hpp"

#include "limits.hpp"

#include <cstdio>
#include <cstring>
#include <thread>

using hailort::genai::LLMGeneratorCompletion;
using hailort::genai::LLMGeneratorParams;

namespace hailort_double {

LLMGeneratorParams default_params() { return LLMGeneratorParams(0.7f, 0.9f, 20, 1.1f, 64, true, HAILO_RANDOM_SEED); }

hailo_status Session::open(const char *call, const std::shared_ptr<hailort::VDevice> &vdevice, const std::string &path, bool cache,
    std::shared_ptr<Session> &session) {
    const Verdict verdict = enter(call);
    const GenAICall counted;
    const hailo_vdevice_params_t &params = vdevice->get_params();
    if (HAILO_SCHEDULING_ALGORITHM_NONE == params.scheduling_algorithm) {
        return HAILO_NOT_SUPPORTED;
    }
    // The pointers of the VDevice's parameters are followed now.
    if (0 == strlen(params.group_id) || (nullptr != params.device_ids && 0 == strnlen(params.device_ids[0].id, sizeof params.device_ids[0].id))) {
        return HAILO_INVALID_ARGUMENT;
    }
    if (HAILO_SUCCESS != verdict.status) {
        return verdict.status;
    }
    std::shared_ptr<Session> fresh(new Session);
    const hailo_status status = ModelFile::read(path, fresh->file);
    if (HAILO_SUCCESS != status) {
        return status;
    }
    if (cache && !Chip::the().take_cache()) {
        return HAILO_COMMUNICATION_CLOSED; // not a word about the cache
    }
    fresh->m_cache = cache;
    const hailo_status room = Chip::the().allocate(fresh->connection, fresh->file.bytes);
    if (HAILO_SUCCESS != room) {
        return room;
    }
    if (verdict.false_timeout) {
        static auto *orphans = new std::vector<std::shared_ptr<Session>>; // for as long as the process lives
        orphans->push_back(fresh); // the chip keeps it: its connection is never closed
        return timed_out();
    }
    session = fresh;
    return HAILO_SUCCESS;
}

Session::~Session() {
    enter("GenAI::~GenAI");
    if (m_cache && !connection.lost) {
        Chip::the().give_cache();
    }
    Chip::the().close(connection);
}

hailo_status Session::control(const char *call) {
    const Verdict verdict = enter(call);
    const GenAICall counted;
    return HAILO_SUCCESS != connection.status() ? connection.status() : verdict.status;
}

hailo_status Session::clear_context(const char *call) {
    const hailo_status status = control(call);
    if (HAILO_SUCCESS != status) {
        return status;
    }
    if (busy) {
        return HAILO_INVALID_OPERATION;
    }
    context = 0;
    Statistics::the().gauge("context_tokens", 0);
    return HAILO_SUCCESS;
}

hailo_status Session::generate(const char *call, const LLMGeneratorParams &params, const std::vector<std::string> &messages,
    const std::vector<hailort::MemoryView> &frames, std::unique_ptr<LLMGeneratorCompletion::Impl> &completion) {
    const hailo_status status = control(call);
    if (HAILO_SUCCESS != status) {
        return status;
    }
    if (messages.empty()) {
        return HAILO_INVALID_ARGUMENT;
    }
    std::string text;
    unsigned images = 0;
    for (const std::string &json : messages) {
        Message message;
        if (!Message::parse(json, message)) {
            return HAILO_INTERNAL_FAILURE;
        }
        if ("system" == message.role && 0 != context) {
            return HAILO_INVALID_OPERATION;
        }
        text += message.text;
        images += message.images;
    }
    return images == frames.size() ? begin(params, text, frames, completion) : HAILO_INVALID_OPERATION;
}

hailo_status Session::prompt(const char *call, const LLMGeneratorParams &params, const std::string &text,
    const std::vector<hailort::MemoryView> &frames, std::unique_ptr<LLMGeneratorCompletion::Impl> &completion) {
    const hailo_status status = control(call);
    return HAILO_SUCCESS == status ? begin(params, text, frames, completion) : status;
}

hailo_status Session::begin(const LLMGeneratorParams &params, const std::string &text, const std::vector<hailort::MemoryView> &frames,
    std::unique_ptr<LLMGeneratorCompletion::Impl> &completion) {
    const GenAICall counted;
    const Script script = Script::now();
    if (params.temperature() <= 0 || params.top_p() < 0 || params.top_p() > 1 || params.top_k() < 1 || 0 == params.frequency_penalty() ||
        0 == params.max_generated_tokens()) {
        return HAILO_INVALID_ARGUMENT;
    }
    unsigned long sum = 0;
    for (const hailort::MemoryView &frame : frames) {
        if (frame.size() != size_t(file.frame.height) * file.frame.width * file.frame.features) {
            return HAILO_INVALID_OPERATION;
        }
        for (size_t i = 0; i < frame.size(); i++) {
            sum += frame.data()[i];
        }
    }
    if (busy.exchange(true)) {
        return HAILO_INVALID_OPERATION;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(static_cast<long>(script.number("encode_ms", 0))) * static_cast<long>(frames.size()));
    std::vector<std::string> tokens = file.reply;
    if (tokens.empty()) { // what was asked, so that a test sees that it came through
        char words[256];
        snprintf(words, sizeof words, "frames=%zu sum=%lu seed=%u temperature=%.3f sample=%d context=%ld: ", frames.size(), sum, params.seed(),
            static_cast<double>(params.temperature()), params.do_sample() ? 1 : 0, context.load());
        for (const char *at = words; '\0' != *at;) { // word by word
            const size_t n = strcspn(at, " ") + 1;
            tokens.emplace_back(at, n);
            at += n;
        }
        tokens.push_back(text);
    }
    auto ending = LLMGeneratorCompletion::Status::LOGICAL_END_OF_GENERATION;
    if (tokens.size() > params.max_generated_tokens()) {
        tokens.resize(params.max_generated_tokens());
        ending = LLMGeneratorCompletion::Status::MAX_TOKENS_REACHED;
    }
    context += static_cast<long>(tokens.size() + 1);
    Statistics::the().gauge("context_tokens", context);
    completion.reset(new LLMGeneratorCompletion::Impl(shared_from_this(), std::move(tokens), ending));
    return HAILO_SUCCESS;
}

} // namespace hailort_double
