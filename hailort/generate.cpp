//go:build hailort

// Generators of text: from pictures, from speech.
#include "guard.hpp"

#include "hailo/genai/llm/llm.hpp"
#include "hailo/genai/speech2text/speech2text.hpp"
#include "hailo/genai/vlm/vlm.hpp"

#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace hailort;
using namespace hailort::genai;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct npu_vlm {
    VLM vlm;
};

struct npu_completion {
    LLMGeneratorCompletion completion;
};

struct npu_speech {
    Speech2Text speech;
};

static char *copy_of(const std::string &text) {
    char *copy = static_cast<char *>(malloc(text.size() + 1));
    if (nullptr == copy) {
        throw std::bad_alloc();
    }
    memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}

int npu_vlm_create(npu_device *device, const char *path, npu_vlm **vlm) {
    return guarded("VLM::create", [&]() -> int {
        const VLMParams params(path, false); // the default constructor leaves the flag undefined
        auto created = VLM::create(device->vdevice, params);
        if (!created) {
            return created.status();
        }
        *vlm = new npu_vlm{created.release()};
        return HAILO_SUCCESS;
    });
}

int npu_vlm_frame(npu_vlm *vlm, npu_stream *frame) {
    return guarded("VLM::input_frame_shape", [&]() -> int {
        const hailo_3d_image_shape_t &shape = vlm->vlm.input_frame_shape();
        *frame = npu_stream{};
        frame->height = shape.height, frame->width = shape.width, frame->features = shape.features;
        frame->order = vlm->vlm.input_frame_format_order();
        frame->type = vlm->vlm.input_frame_format_type();
        frame->bytes = vlm->vlm.input_frame_size();
        return HAILO_SUCCESS;
    });
}

static hailo_status apply(const npu_sampling &sampling, LLMGeneratorParams &params) {
    hailo_status status = params.set_do_sample(!sampling.greedy);
    if (HAILO_SUCCESS == status && !sampling.greedy && 0 != sampling.temperature) {
        status = params.set_temperature(sampling.temperature);
    }
    if (HAILO_SUCCESS == status && sampling.seeded) {
        status = params.set_seed(sampling.seed);
    }
    if (HAILO_SUCCESS == status && 0 != sampling.most_tokens) {
        status = params.set_max_generated_tokens(sampling.most_tokens);
    }
    return status;
}

static int keep(Expected<LLMGeneratorCompletion> begun, npu_completion **completion) {
    if (!begun) {
        return begun.status();
    }
    *completion = new npu_completion{begun.release()};
    return HAILO_SUCCESS;
}

int npu_vlm_generate(npu_vlm *vlm, const npu_sampling *sampling, const char *const *messages, size_t message_count,
    const char *prompt, const npu_bytes *frames, size_t frame_count, npu_completion **completion) {
    return guarded("VLM::generate", [&]() -> int {
        auto params = vlm->vlm.create_generator_params(); // the file's own
        if (!params) {
            return params.status();
        }
        const hailo_status applied = apply(*sampling, params.value());
        if (HAILO_SUCCESS != applied) {
            return applied;
        }
        const std::vector<std::string> texts(messages, messages + message_count);
        std::vector<MemoryView> views;
        for (size_t i = 0; i < frame_count; i++) {
            views.push_back(MemoryView::create_const(frames[i].data, frames[i].size));
        }
        if (nullptr == prompt) {
            return keep(vlm->vlm.generate(params.value(), texts, views), completion);
        }
        auto generator = vlm->vlm.create_generator(params.value());
        if (!generator) {
            return generator.status();
        }
        return keep(generator->generate(std::string(prompt), views), completion); // which keeps the generator
    });
}

int npu_vlm_clear(npu_vlm *vlm) {
    return guarded("VLM::clear_context", [&]() -> int { return vlm->vlm.clear_context(); });
}

int npu_vlm_free(npu_vlm *vlm) {
    return guarded("VLM::~VLM", [&]() -> int {
        delete vlm;
        return HAILO_SUCCESS;
    });
}

int npu_completion_read(npu_completion *completion, uint32_t timeout_ms, char **text, size_t *size, int *state) {
    return guarded("LLMGeneratorCompletion::read", [&]() -> int {
        auto piece = completion->completion.read(milliseconds(timeout_ms));
        if (!piece) {
            return piece.status();
        }
        *text = copy_of(piece.value());
        *size = piece->size();
        *state = static_cast<int>(completion->completion.generation_status());
        return HAILO_SUCCESS;
    });
}

// leave keeps a completion whose destruction would end the process.
static int leave(npu_completion *completion, hailo_status status) {
    static auto *left = new std::vector<npu_completion *>; // so that it is no mystery to whoever looks for leaks
    left->push_back(completion);
    return status;
}

// The order matters: a completion that is destroyed in mid-generation after its
// connection died ends the process, and says so only through abort. The status
// after an abort changes when what is left has been read.
int npu_completion_end(npu_completion *completion, uint32_t patience_ms) {
    return guarded("LLMGeneratorCompletion::abort", [&]() -> int {
        const auto going = [&] { return LLMGeneratorCompletion::Status::GENERATING == completion->completion.generation_status(); };
        if (going()) {
            const hailo_status aborted = completion->completion.abort();
            if (HAILO_SUCCESS != aborted) {
                return leave(completion, aborted);
            }
        }
        const auto deadline = Clock::now() + milliseconds(patience_ms);
        while (going()) {
            const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
            auto piece = completion->completion.read(std::max(milliseconds(0), left));
            if (!piece) {
                return leave(completion, piece.status());
            }
        }
        delete completion;
        return HAILO_SUCCESS;
    });
}

int npu_speech_create(npu_device *device, const char *path, npu_speech **speech) {
    return guarded("Speech2Text::create", [&]() -> int {
        const Speech2TextParams params{std::string_view(path)};
        auto created = Speech2Text::create(device->vdevice, params);
        if (!created) {
            return created.status();
        }
        *speech = new npu_speech{created.release()};
        return HAILO_SUCCESS;
    });
}

int npu_speech_segments(npu_speech *speech, const float *samples, size_t count, bool translate, const char *language,
    uint32_t timeout_ms, npu_segment **segments, size_t *segment_count) {
    return guarded("Speech2Text::generate_all_segments", [&]() -> int {
        auto params = speech->speech.create_generator_params();
        if (!params) {
            return params.status();
        }
        hailo_status status = params->set_task(translate ? Speech2TextTask::TRANSLATE : Speech2TextTask::TRANSCRIBE);
        if (HAILO_SUCCESS == status) {
            status = params->set_language(language);
        }
        if (HAILO_SUCCESS != status) {
            return status;
        }
        const MemoryView audio = MemoryView::create_const(samples, count * sizeof *samples);
        auto found = speech->speech.generate_all_segments(audio, params.value(), milliseconds(timeout_ms));
        if (!found) {
            return found.status();
        }
        auto *list = static_cast<npu_segment *>(calloc(found->size() + 1, sizeof(npu_segment))); // never of no bytes
        if (nullptr == list) {
            throw std::bad_alloc();
        }
        for (size_t i = 0; i < found->size(); i++) {
            const Speech2Text::SegmentInfo &s = found.value()[i];
            list[i] = npu_segment{s.start_sec, s.end_sec, copy_of(s.text), s.text.size()};
        }
        *segments = list;
        *segment_count = found->size();
        return HAILO_SUCCESS;
    });
}

void npu_segments_free(npu_segment *segments, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(segments[i].text);
    }
    free(segments);
}

int npu_speech_free(npu_speech *speech) {
    return guarded("Speech2Text::~Speech2Text", [&]() -> int {
        delete speech;
        return HAILO_SUCCESS;
    });
}
