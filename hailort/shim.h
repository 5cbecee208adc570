// The face of HailoRT that Go sees: plain C, no exceptions, no callbacks.
//
// Every function returns a hailo_status, 0 for success, or NPU_EXCEPTION when
// the C++ below threw; results come through pointers and are set on success
// only. Strings are UTF-8 and end in a zero.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { NPU_EXCEPTION = -1, NPU_ID_SIZE = 32 };

// Device.

typedef struct npu_device npu_device;

typedef struct {
    uint32_t major, minor, revision;
    bool release, extended_context_switch_buffer;
    int architecture;
} npu_identity;

// A value below 0 is not available.
typedef struct {
    int64_t total_kib, used_kib;
    float cpu_percent, nnc_percent;
} npu_performance;

typedef struct {
    float celsius;
    int32_t millivolt, bist_failures;
} npu_health;

int npu_library_version(uint32_t version[3]);
// npu_scan lists at most `most` devices; *found may be more.
int npu_scan(char ids[][NPU_ID_SIZE], size_t most, size_t *found);
// npu_open connects twice: for work, as a member of group (NULL: of none), and
// for what is asked beside it, so that a load does not delay a temperature.
int npu_open(const char *id, const char *group, npu_device **device);
// npu_close ends both connections. Models and generators must be gone.
int npu_close(npu_device *device);
// These may be called beside anything else, one at a time.
int npu_identify(npu_device *device, npu_identity *identity);
int npu_temperature(npu_device *device, float *celsius);
int npu_query_performance(npu_device *device, npu_performance *performance);
int npu_query_health(npu_device *device, npu_health *health);

// Networks from tensors to tensors. One thread at a time per model, but for
// npu_model_unfinished.

typedef struct npu_model npu_model;

typedef struct {
    const char *name; // valid as long as the model
    uint32_t height, width, features;
    int order, type; // hailo_format_order_t, hailo_format_type_t
    size_t bytes;    // of a frame in the present type
    uint32_t nms_classes, nms_boxes;
    size_t quantisations; // 1, or one a channel
} npu_stream;

// npu_model_create reads the file and sends it to the device; the model may then
// be looked at and its types changed, until npu_model_configure makes it run.
// page is the machine's page size, on which buffers begin and end.
int npu_model_create(npu_device *device, const char *path, size_t page, npu_model **model);
int npu_model_streams(npu_model *model, size_t *inputs, size_t *outputs);
int npu_model_stream(npu_model *model, bool output, size_t index, npu_stream *stream);
int npu_model_quantisation(npu_model *model, bool output, size_t index, size_t channel, float *zero_point, float *scale);
int npu_model_set_type(npu_model *model, bool output, size_t index, int type);
// npu_model_configure is also the way back for a model whose jobs were aborted.
int npu_model_configure(npu_model *model, size_t frames);
// npu_model_reserved is what one set of buffers takes on the host, in bytes.
int npu_model_reserved(npu_model *model, size_t *bytes);
// npu_model_buffer is where the next run reads an input from or has written an
// output to: valid until the next run ends other than with success.
int npu_model_buffer(npu_model *model, bool output, size_t index, size_t frame, void **data, size_t *size);
// npu_model_run runs all frames. A job that does not end in time keeps its
// buffers until it does; the next run gets others. *stale: configure again.
int npu_model_run(npu_model *model, uint32_t timeout_ms, bool *stale);
// npu_model_unfinished counts the jobs that were given up and have not ended, and
// says for how long the oldest has gone on since. It may be called beside
// anything but npu_model_free.
int npu_model_unfinished(npu_model *model, size_t *jobs, int64_t *oldest_ms);
// npu_model_end aborts what is in flight and waits until it has ended:
// HAILO_TIMEOUT when it has not after patience_ms. Then the model must not be
// freed, as the library would go on using it.
int npu_model_end(npu_model *model, uint32_t patience_ms);
int npu_model_free(npu_model *model);

// Generators of text. One call at a time, over all of them.

typedef struct npu_vlm npu_vlm;
typedef struct npu_completion npu_completion;
typedef struct npu_speech npu_speech;

typedef struct {
    const void *data;
    size_t size;
} npu_bytes;

// What is not set stays as the model has it.
typedef struct {
    bool greedy;        // takes the likeliest token; temperature and seed do not count
    float temperature;  // 0: not set
    bool seeded;
    uint32_t seed;
    uint32_t most_tokens; // 0: not set
} npu_sampling;

enum { NPU_GENERATING = 0, NPU_MOST_TOKENS = 1, NPU_ENDED = 2, NPU_ABORTED = 3 };

int npu_vlm_create(npu_device *device, const char *path, npu_vlm **vlm);
// npu_vlm_frame describes a picture: quantisations and NMS do not apply.
int npu_vlm_frame(npu_vlm *vlm, npu_stream *frame);
// npu_vlm_generate begins an answer to messages, one JSON object each, or to
// prompt as it is, where that is not NULL. It reads the frames before it returns.
int npu_vlm_generate(npu_vlm *vlm, const npu_sampling *sampling, const char *const *messages, size_t message_count,
    const char *prompt, const npu_bytes *frames, size_t frame_count, npu_completion **completion);
int npu_vlm_clear(npu_vlm *vlm);
int npu_vlm_free(npu_vlm *vlm);

// npu_completion_read waits for the next piece of text, which the caller frees.
int npu_completion_read(npu_completion *completion, uint32_t timeout_ms, char **text, size_t *size, int *state);
// npu_completion_end aborts what has not ended, reads what is left, and destroys
// the completion; one that cannot be ended is left in memory, on purpose.
int npu_completion_end(npu_completion *completion, uint32_t patience_ms);

typedef struct {
    float start, end; // seconds
    char *text;
    size_t size;
} npu_segment;

int npu_speech_create(npu_device *device, const char *path, npu_speech **speech);
// npu_speech_segments takes 16 kHz mono float32; language is ISO 639-1 or "".
// The library ignores timeout_ms up to 5.2. npu_segments_free frees the result.
int npu_speech_segments(npu_speech *speech, const float *samples, size_t count, bool translate, const char *language,
    uint32_t timeout_ms, npu_segment **segments, size_t *segment_count);
void npu_segments_free(npu_segment *segments, size_t count);
int npu_speech_free(npu_speech *speech);

#ifdef __cplusplus
}
#endif
