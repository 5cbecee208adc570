// What the double does where the shim never goes: the traps that the shim avoids
// must be there, or its tests would prove nothing. Each check names the trap.
#include "hailo/hailort.hpp"

#include "hailo/genai/llm/llm.hpp"
#include "hailo/genai/speech2text/speech2text.hpp"
#include "hailo/genai/vlm/vlm.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace hailort;
using namespace hailort::genai;
using std::chrono::milliseconds;

static int failures = 0;

static void check(bool ok, const char *what) {
    if (!ok) {
        printf("selftest: %s\n", what);
        failures++;
    }
}

static std::string folder;

static std::string file(const char *name, const std::string &text) {
    const std::string path = folder + "/" + name;
    FILE *f = fopen(path.c_str(), "w");
    fwrite(text.data(), 1, text.size(), f);
    fclose(f);
    return path;
}

static void script(const std::string &text) {
    static int run = 0;
    file("script", "set control_timeout_ms 100\nset group_wait_ms 20\nset run " + std::to_string(++run) + "\n" + text + "\n");
}

static std::string model() {
    return file("model.hef", "hailort-double-hef 1\ninput net/in 1 1 8 NC uint8\noutput net/out 1 1 8 NC uint8 0 1\nqueue 2\nend\n");
}

static std::string talker() { return file("talker.hef", "hailort-double-hef 1\nframe 1 1 3\nreply a b c d e f g h\nend\n"); }

static std::shared_ptr<VDevice> device(const char *group = "UNIQUE") {
    auto params = HailoRTDefaults::get_vdevice_params();
    params.group_id = group;
    auto d = VDevice::create_shared(params);
    return d ? d.release() : nullptr;
}

static void *page() { return mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

static void bind(ConfiguredInferModel::Bindings &b, void *in, void *out, size_t size = 8) {
    b.input()->set_buffer(MemoryView(in, 8));
    b.output()->set_buffer(MemoryView(out, size));
}

// dies reports whether something ends its process by abort.
template <typename Do>
static bool dies(Do what) {
    fflush(stdout);
    const pid_t child = fork();
    if (0 == child) {
        freopen("/dev/null", "w", stderr);
        what();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && SIGABRT == WTERMSIG(status);
}

static void refusals() {
    script("");
    auto d = device();
    auto m = d->create_infer_model(model()).release();
    check(HAILO_NOT_FOUND == m->input("other").status(), "an unknown stream is 61");
    auto c = m->configure().release();
    auto b = c.create_bindings().release();
    void *in = page(), *out = page();
    bind(b, in, out);
    check(c.run_async(b).has_value(), "a good job is taken");
    check(HAILO_TIMEOUT == c.wait_for_async_ready(milliseconds(20), 3), "more frames than the queue holds are never ready");
    bind(b, in, out, 7);
    check(HAILO_INVALID_OPERATION == c.run_async(b).status(), "a wrong size is 6");
    bind(b, in, out);
    check(HAILO_STREAM_ABORT == c.run_async(b).status(), "one refusal shuts the model down: 63");
    check(HAILO_SUCCESS == c.wait_for_async_ready(milliseconds(20)), "which the queue knows nothing of");
    c = ConfiguredInferModel();
    c = m->configure().release();
    auto empty = c.create_bindings().release();
    check(HAILO_NOT_FOUND == c.run_async(empty).status(), "a buffer that was never set is 61");
    c = ConfiguredInferModel();
    c = m->configure().release();
    auto again = c.create_bindings().release();
    bind(again, in, out);
    check(HAILO_SUCCESS == c.run(again, milliseconds(5000)), "configured again it runs");
    d.reset();
    check(HAILO_INTERNAL_FAILURE == m->configure().status(), "after its VDevice a model says 8");
}

static void jobs() {
    script("on job 1 status 87\non job 2 status 87\non job 3 delay 150\non job 5 delay 150");
    auto d = device();
    auto m = d->create_infer_model(model()).release();
    auto c = m->configure().release();
    auto b = c.create_bindings().release();
    void *in = page(), *out = page();
    bind(b, in, out);
    std::atomic<int> status{-1};
    const auto note = [&](const AsyncInferCompletionInfo &info) { status = info.status; };
    auto one = c.run_async(b, note).release();
    check(HAILO_DRIVER_TIMEOUT == one.wait(milliseconds(5000)) && HAILO_DRIVER_TIMEOUT == status, "a job's wait gives its status");
    auto many = c.run_async(std::vector<ConfiguredInferModel::Bindings>{b}, note).release();
    check(HAILO_SUCCESS == many.wait(milliseconds(5000)) && HAILO_DRIVER_TIMEOUT == status, "that of several says success, the callback 87");
    memset(in, 1, 8);
    memset(out, 0xee, 8);
    {
        auto late = c.run_async(b, note).release();
        check(HAILO_TIMEOUT == late.wait(milliseconds(10)), "a late job is 4");
        const auto began = std::chrono::steady_clock::now();
        { AsyncInferJob gone(std::move(late)); }
        check(std::chrono::steady_clock::now() - began < milliseconds(50), "after a wait the destructor waits no more");
    }
    check(0xee == *static_cast<unsigned char *>(out), "nothing was written yet");
    while (HAILO_SUCCESS != c.wait_for_async_ready(milliseconds(1000), 2)) {
    }
    check(8 == *static_cast<unsigned char *>(out), "a late job writes when it ends");
    check(HAILO_SUCCESS == c.run(b, milliseconds(5000)), "job 4");
    const auto began = std::chrono::steady_clock::now();
    { auto waited = c.run_async(b, note).release(); }
    check(std::chrono::steady_clock::now() - began >= milliseconds(90), "the destructor of a job that nobody waited for waits");
    while (HAILO_SUCCESS != c.wait_for_async_ready(milliseconds(1000), 2)) {
    }
}

static void ends() {
    check(dies([] {
        script("on job 1 delay 5000");
        auto d = device();
        auto m = d->create_infer_model(model()).release();
        auto c = m->configure().release();
        auto b = c.create_bindings().release();
        bind(b, page(), page());
        c.run_async(b)->detach();
        c = ConfiguredInferModel();
    }), "destroying a model with a job in flight ends the process");
    check(dies([] {
        script("");
        auto d = device();
        auto m = d->create_infer_model(model()).release();
        auto c = m->configure().release();
        auto b = c.create_bindings().release();
        bind(b, page(), page());
        c.run_async(b, [](const AsyncInferCompletionInfo &) { Device::scan(); })->wait(milliseconds(5000));
        std::this_thread::sleep_for(milliseconds(500));
    }), "calling the library from a callback ends the process");
    check(dies([] {
        script("on LLMGeneratorCompletion::read 2 lose");
        auto d = device();
        auto v = VLM::create(d, VLMParams(talker(), false));
        auto params = v->create_generator_params();
        auto g = v->generate(params.value(), {"{\"role\": \"user\", \"content\": \"x\"}"}, {});
        g->read();
        g->read();
    }), "destroying a completion after the loss of its connection ends the process");
    check(dies([] { Expected<int>(make_unexpected(HAILO_TIMEOUT)).value(); }), "the value of an error asserts");
}

static void generation() {
    script("set token_ms 20");
    auto d = device();
    auto v = VLM::create(d, VLMParams(talker(), false));
    check(HAILO_COMMUNICATION_CLOSED == LLM::create(d, LLMParams(talker())).status(), "there is one cache: 62");
    check(HAILO_NOT_IMPLEMENTED == VLM::create(d, VLMParams(talker(), true)).status(), "optimised memory needs a tokenizer: 7");
    auto params = v->create_generator_params();
    const std::vector<std::string> hello = {"{\"role\": \"user\", \"content\": \"x\"}"}, system = {"{\"role\": \"system\", \"content\": \"x\"}"};
    auto cold = v->create_generator_params();
    cold->set_temperature(0);
    check(HAILO_INVALID_ARGUMENT == v->generate(cold.value(), hello, {}).status(), "temperature 0 is 2");
    check(HAILO_INVALID_ARGUMENT == v->generate(params.value(), {}, {}).status(), "no messages are 2");
    check(HAILO_INTERNAL_FAILURE == v->generate(params.value(), {"{"}, {}).status(), "no JSON is 8");
    char frame[4] = {};
    check(HAILO_INVALID_OPERATION == v->generate(params.value(), hello, {MemoryView(frame, 3)}).status(), "a frame without its entry is 6");
    const std::vector<std::string> picture = {"{\"role\": \"user\", \"content\": [{\"type\": \"image\"}]}"};
    check(HAILO_INVALID_OPERATION == v->generate(params.value(), picture, {MemoryView(frame, 4)}).status(), "a frame of another size is 6");
    {
        auto g = v->generate(params.value(), system, {});
        check(HAILO_TIMEOUT == g->read(milliseconds(1)).status(), "no token yet is 4, and it goes on");
        check(g->read().has_value() && LLMGeneratorCompletion::Status::GENERATING == g->generation_status(), "then it comes");
        check(HAILO_INVALID_OPERATION == v->generate(params.value(), hello, {}).status(), "a second generation is 6");
        check(HAILO_INVALID_OPERATION == v->clear_context(), "and so is clearing the context meanwhile");
        check(HAILO_SUCCESS == g->abort() && LLMGeneratorCompletion::Status::GENERATING == g->generation_status(), "abort changes no status");
        check(g->read_all().has_value() && LLMGeneratorCompletion::Status::ABORTED == g->generation_status(), "until the rest is read");
        check(HAILO_INVALID_OPERATION == g->read().status(), "a read after the end is 6");
    }
    check(HAILO_INVALID_OPERATION == v->generate(params.value(), system, {}).status(), "a system message on a context in use is 6");
    check(HAILO_SUCCESS == v->clear_context() && v->generate(params.value(), system, {}).has_value(), "and allowed on a cleared one");
    d.reset();
    check(HAILO_SUCCESS == v->clear_context(), "a generator outlives its VDevice");
}

static void groups() {
    script("");
    auto first = device("mine");
    check(nullptr != first && nullptr != device("mine"), "one group shares");
    auto params = HailoRTDefaults::get_vdevice_params();
    check(HAILO_OUT_OF_PHYSICAL_DEVICES == VDevice::create_shared(params).status(), "without a named device, in use is 74");
    hailo_device_id_t id{};
    snprintf(id.id, sizeof id.id, "0001:01:00.0");
    params.device_ids = &id;
    check(HAILO_DEVICE_IN_USE == VDevice::create_shared(params).status(), "with one it is 73");
    params.multi_process_service = true;
    check(HAILO_INVALID_OPERATION == VDevice::create_shared(params).status(), "the service is 6");
    check(HAILO_INVALID_ARGUMENT == Device::create("elsewhere").status(), "an unknown device is 2");
    script("set devices");
    check(HAILO_INVALID_OPERATION == Device::create().status(), "no device is 6");
    check(Device::scan().has_value() && Device::scan()->empty(), "and an empty scan");
}

int main() {
    char name[] = "/tmp/selftestXXXXXX";
    folder = mkdtemp(name);
    setenv("HAILORT_DOUBLE_SCRIPT", (folder + "/script").c_str(), 1);
    ends(); // forks, while there is one thread
    refusals();
    jobs();
    generation();
    groups();
    for (const char *f : {"script", "model.hef", "talker.hef"}) {
        unlink((folder + "/" + f).c_str());
    }
    rmdir(folder.c_str());
    if (0 == failures) {
        puts("selftest: the traps are there");
    }
    return 0 == failures ? 0 : 1;
}
