#include "hailo/genai/vlm/vlm.hpp"

#include "generation.hpp"

using namespace hailort_double;

namespace hailort {
namespace genai {

class VLM::Impl {
public:
    std::shared_ptr<Session> session;
    hailo_format_type_t type = HAILO_FORMAT_TYPE_UINT8;
    hailo_format_order_t order = HAILO_FORMAT_ORDER_NHWC;
};

class VLMGenerator::Impl {
public:
    std::shared_ptr<Session> session;
    LLMGeneratorParams params;
};

namespace {

Expected<LLMGeneratorCompletion> result(hailo_status status, std::unique_ptr<LLMGeneratorCompletion::Impl> completion) {
    if (HAILO_SUCCESS != status) {
        return make_unexpected(status);
    }
    return LLMGeneratorCompletion(std::move(completion));
}

} // namespace

Expected<VLM> VLM::create(std::shared_ptr<VDevice> vdevice, const VLMParams &vlm_params) {
    if (vlm_params.optimize_memory_on_device()) {
        return make_unexpected(HAILO_NOT_IMPLEMENTED); // needs a tokenizer in the library
    }
    std::unique_ptr<Impl> impl(new Impl);
    const hailo_status status = Session::open("VLM::create", vdevice, vlm_params.hef(), true, impl->session);
    if (HAILO_SUCCESS != status) {
        return make_unexpected(status);
    }
    if (0 == impl->session->file.frame.height) { // a file of an older kind
        return make_unexpected(HAILO_HEF_NOT_SUPPORTED);
    }
    return VLM(std::move(impl));
}

VLM::VLM(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
VLM::VLM(VLM &&) = default;
VLM::~VLM() = default;

Expected<LLMGeneratorParams> VLM::create_generator_params() {
    const hailo_status status = m_impl->session->control("VLM::create_generator_params");
    if (HAILO_SUCCESS != status) {
        return make_unexpected(status);
    }
    return default_params();
}

Expected<VLMGenerator> VLM::create_generator(const LLMGeneratorParams &params) {
    return VLMGenerator(std::shared_ptr<VLMGenerator::Impl>(new VLMGenerator::Impl{m_impl->session, params}));
}

Expected<VLMGenerator> VLM::create_generator() { return create_generator(default_params()); }

Expected<LLMGeneratorCompletion> VLM::generate(const LLMGeneratorParams &params, const std::vector<std::string> &messages_json_strings,
    const std::vector<MemoryView> &input_frames, const std::vector<std::vector<MemoryView>> &) {
    std::unique_ptr<LLMGeneratorCompletion::Impl> completion;
    const hailo_status status = m_impl->session->generate("VLM::generate", params, messages_json_strings, input_frames, completion);
    return result(status, std::move(completion));
}

hailo_status VLM::clear_context() { return m_impl->session->clear_context("VLM::clear_context"); }

uint32_t VLM::input_frame_size() const {
    const hailo_3d_image_shape_t &frame = m_impl->session->file.frame;
    return frame.height * frame.width * frame.features;
}
const hailo_3d_image_shape_t &VLM::input_frame_shape() const { return m_impl->session->file.frame; }
const hailo_format_type_t &VLM::input_frame_format_type() const { return m_impl->type; }
const hailo_format_order_t &VLM::input_frame_format_order() const { return m_impl->order; }

VLMGenerator::VLMGenerator(std::shared_ptr<Impl> impl) : m_impl(std::move(impl)) {}
VLMGenerator::VLMGenerator(VLMGenerator &&) = default;
VLMGenerator::~VLMGenerator() = default;

Expected<LLMGeneratorCompletion> VLMGenerator::generate(
    const std::string &prompt, const std::vector<MemoryView> &input_frames, const std::vector<std::vector<MemoryView>> &) {
    std::unique_ptr<LLMGeneratorCompletion::Impl> completion;
    const hailo_status status = m_impl->session->prompt("VLMGenerator::generate", m_impl->params, prompt, input_frames, completion);
    return result(status, std::move(completion));
}

Expected<LLMGeneratorCompletion> VLMGenerator::generate(const std::vector<std::string> &messages_json_strings,
    const std::vector<MemoryView> &input_frames, const std::vector<std::vector<MemoryView>> &) {
    std::unique_ptr<LLMGeneratorCompletion::Impl> completion;
    const hailo_status status = m_impl->session->generate("VLMGenerator::generate", m_impl->params, messages_json_strings, input_frames, completion);
    return result(status, std::move(completion));
}

} // namespace genai
} // namespace hailort
