#include "hailo/genai/llm/llm.hpp"

#include "generation.hpp"

#include <cstdio>
#include <cstdlib>

using namespace hailort_double;

namespace hailort {
namespace genai {

LLMGeneratorCompletion::Impl::Impl(std::shared_ptr<Session> session, std::vector<std::string> tokens, Status ending)
    : m_session(std::move(session)), m_tokens(std::move(tokens)), m_ending(ending), m_alive("LLMGeneratorCompletion") {
    due(0);
}

LLMGeneratorCompletion::Impl::~Impl() {
    if (Status::GENERATING == m_status && 0 != m_session->connection.status()) {
        Statistics::the().violation("a completion is destroyed whose connection was lost in mid-generation");
        ::abort(); // the original ends in std::terminate
    }
    if (Status::GENERATING == m_status) {
        abort();
        m_session->busy = false;
    }
}

// due is when a token comes: after the one before it, by the rules for "token".
Clock::time_point LLMGeneratorCompletion::Impl::due(size_t token) {
    while (m_due.size() <= token) {
        const Verdict verdict = enter("token");
        const long ms = verdict.delay_ms >= 0 ? verdict.delay_ms : static_cast<long>(Script::now().number("token_ms", 0));
        const auto after = m_due.empty() ? Clock::now() : m_due.back();
        m_due.push_back(verdict.never ? Clock::time_point::max() : after + std::chrono::milliseconds(ms));
    }
    return m_due[token];
}

Expected<std::string> LLMGeneratorCompletion::Impl::read(std::chrono::milliseconds timeout) {
    enter("LLMGeneratorCompletion::read");
    const GenAICall counted;
    if (Status::GENERATING != m_status) {
        return make_unexpected(HAILO_INVALID_OPERATION);
    }
    const auto when = due(m_read), deadline = Clock::now() + timeout;
    std::unique_lock<std::mutex> lock(Chip::the().mutex);
    Chip::the().changed.wait_until(lock, std::min(when, deadline), [&] { return m_session->connection.lost.load(); });
    if (m_session->connection.lost) {
        return make_unexpected(HAILO_INVALID_OPERATION); // and not 62; the status stays as it is
    }
    if (Clock::now() < when) {
        return make_unexpected(HAILO_TIMEOUT);
    }
    std::string token = m_tokens[m_read++];
    if (m_read == m_tokens.size()) { // the last one carries the end
        m_status = m_ending;
        m_session->busy = false;
    }
    return token;
}

// abort returns after two tokens' time. The status stays GENERATING until what
// is in the queue has been read.
hailo_status LLMGeneratorCompletion::Impl::abort() {
    const Verdict verdict = enter("LLMGeneratorCompletion::abort");
    const GenAICall counted;
    if (HAILO_SUCCESS != m_session->connection.status()) {
        return HAILO_COMMUNICATION_CLOSED;
    }
    if (HAILO_SUCCESS != verdict.status) {
        return verdict.status;
    }
    if (Status::GENERATING != m_status) {
        return HAILO_SUCCESS;
    }
    const size_t last = std::min(m_read + 2, m_tokens.size() - 1);
    const auto when = due(last);
    std::unique_lock<std::mutex> lock(Chip::the().mutex);
    Chip::the().changed.wait_until(lock, when, [&] { return m_session->connection.lost.load(); });
    if (m_session->connection.lost) {
        return HAILO_COMMUNICATION_CLOSED;
    }
    m_tokens.resize(last);
    m_tokens.push_back(""); // the end, without a text
    m_ending = Status::ABORTED;
    return HAILO_SUCCESS;
}

LLMGeneratorCompletion::LLMGeneratorCompletion(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
LLMGeneratorCompletion::LLMGeneratorCompletion(LLMGeneratorCompletion &&) = default;
LLMGeneratorCompletion::~LLMGeneratorCompletion() = default;

Expected<std::string> LLMGeneratorCompletion::read(std::chrono::milliseconds timeout) { return m_impl->read(timeout); }

Expected<std::string> LLMGeneratorCompletion::read_all(std::chrono::milliseconds timeout) {
    std::string all;
    while (Status::GENERATING == m_impl->status()) {
        auto token = m_impl->read(timeout);
        if (!token) {
            return token;
        }
        all += token.value();
    }
    return all;
}

LLMGeneratorCompletion::Status LLMGeneratorCompletion::generation_status() const { return m_impl->status(); }

hailo_status LLMGeneratorCompletion::abort() { return m_impl->abort(); }

class LLM::Impl {
public:
    std::shared_ptr<Session> session;
};

Expected<LLM> LLM::create(std::shared_ptr<VDevice> vdevice, const LLMParams &llm_params) {
    std::unique_ptr<Impl> impl(new Impl);
    const hailo_status status = Session::open("LLM::create", vdevice, llm_params.hef(), true, impl->session);
    if (HAILO_SUCCESS != status) {
        return make_unexpected(status);
    }
    return LLM(std::move(impl));
}

LLM::LLM(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
LLM::LLM(LLM &&) = default;
LLM::~LLM() = default;

Expected<LLMGeneratorParams> LLM::create_generator_params() { return default_params(); }

Expected<LLMGeneratorCompletion> LLM::generate(
    const LLMGeneratorParams &params, const std::vector<std::string> &prompt_json_strings, const std::vector<std::string> &) {
    std::unique_ptr<LLMGeneratorCompletion::Impl> completion;
    const hailo_status status = m_impl->session->generate("LLM::generate", params, prompt_json_strings, {}, completion);
    if (HAILO_SUCCESS != status) {
        return make_unexpected(status);
    }
    return LLMGeneratorCompletion(std::move(completion));
}

hailo_status LLM::clear_context() { return m_impl->session->clear_context("LLM::clear_context"); }

} // namespace genai
} // namespace hailort
