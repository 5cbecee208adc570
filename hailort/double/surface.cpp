// A client that uses every signature that the shim relies on. It is compiled,
// never run, against these headers and, on a machine that has them, against
// HailoRT's own: make -C hailort/double surface INCLUDE=/usr/include
#include "hailo/hailort.hpp"

#include "hailo/genai/llm/llm.hpp"
#include "hailo/genai/speech2text/speech2text.hpp"
#include "hailo/genai/vlm/vlm.hpp"

#include <type_traits>

using namespace hailort;
using namespace hailort::genai;
using std::chrono::milliseconds;

template <typename Want, typename Got>
constexpr bool same = std::is_same<Want, Got>::value;

// Numbers that travel as integers.
static_assert(HAILO_SUCCESS == 0 && HAILO_INVALID_ARGUMENT == 2 && HAILO_OUT_OF_HOST_MEMORY == 3 && HAILO_TIMEOUT == 4, "");
static_assert(HAILO_INVALID_OPERATION == 6 && HAILO_NOT_IMPLEMENTED == 7 && HAILO_INTERNAL_FAILURE == 8 && HAILO_OPEN_FILE_FAILURE == 13, "");
static_assert(HAILO_FILE_OPERATION_FAILURE == 14 && HAILO_INVALID_HEF == 26 && HAILO_DRIVER_OPERATION_FAILED == 36, "");
static_assert(HAILO_SHUTDOWN_EVENT_SIGNALED == 57 && HAILO_NOT_FOUND == 61 && HAILO_COMMUNICATION_CLOSED == 62 && HAILO_STREAM_ABORT == 63, "");
static_assert(HAILO_DRIVER_NOT_INSTALLED == 64 && HAILO_OUT_OF_FW_MEMORY == 71 && HAILO_DEVICE_IN_USE == 73, "");
static_assert(HAILO_OUT_OF_PHYSICAL_DEVICES == 74 && HAILO_INVALID_DEVICE_ARCHITECTURE == 75 && HAILO_INVALID_DRIVER_VERSION == 76, "");
static_assert(HAILO_RPC_FAILED == 77 && HAILO_INVALID_SERVICE_VERSION == 78 && HAILO_NOT_SUPPORTED == 79, "");
static_assert(HAILO_QUEUE_IS_FULL == 82 && HAILO_DRIVER_INVALID_RESPONSE == 85 && HAILO_DRIVER_INVALID_IOCTL == 86, "");
static_assert(HAILO_DRIVER_TIMEOUT == 87 && HAILO_DRIVER_INTERRUPTED == 88 && HAILO_CONNECTION_REFUSED == 89, "");
static_assert(HAILO_HEF_FILE_CORRUPTED == 91 && HAILO_HEF_NOT_SUPPORTED == 92 && HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE == 93, "");
static_assert(HAILO_OPERATION_ABORTED == 95 && HAILO_DEVICE_NOT_CONNECTED == 96 && HAILO_DEVICE_TEMPORARILY_UNAVAILABLE == 97, "");
static_assert(HAILO_FORMAT_TYPE_AUTO == 0 && HAILO_FORMAT_TYPE_UINT8 == 1 && HAILO_FORMAT_TYPE_UINT16 == 2 && HAILO_FORMAT_TYPE_FLOAT32 == 3, "");
static_assert(HAILO_FORMAT_ORDER_NHWC == 1 && HAILO_FORMAT_ORDER_NHW == 5 && HAILO_FORMAT_ORDER_NC == 6 && HAILO_FORMAT_ORDER_NCHW == 11, "");
static_assert(HAILO_FORMAT_ORDER_HAILO_NMS_WITH_BYTE_MASK == 20 && HAILO_FORMAT_ORDER_HAILO_NMS_BY_CLASS == 22 &&
    HAILO_FORMAT_ORDER_HAILO_NMS_BY_SCORE == 23, "");
static_assert(HAILO_ARCH_HAILO8_A0 == 0 && HAILO_ARCH_HAILO15H == 3 && HAILO_ARCH_HAILO10H == 6, "");
static_assert(HAILO_RESET_DEVICE_MODE_CHIP == 0 && HAILO_RANDOM_SEED == 0xffffffffu, "");
static_assert(HAILO_SCHEDULER_PRIORITY_MIN == 0 && HAILO_SCHEDULER_PRIORITY_NORMAL == 16 && HAILO_SCHEDULER_PRIORITY_MAX == 31, "");
static_assert(int(LLMGeneratorCompletion::Status::GENERATING) == 0 && int(LLMGeneratorCompletion::Status::MAX_TOKENS_REACHED) == 1 &&
    int(LLMGeneratorCompletion::Status::LOGICAL_END_OF_GENERATION) == 2 && int(LLMGeneratorCompletion::Status::ABORTED) == 3, "");

// What can be copied, moved, assigned.
static_assert(!std::is_copy_assignable<Expected<int>>::value && !std::is_move_assignable<Expected<int>>::value, "");
static_assert(std::is_move_constructible<VLM>::value && !std::is_copy_constructible<VLM>::value && !std::is_move_assignable<VLM>::value, "");
static_assert(std::is_move_constructible<LLM>::value && !std::is_copy_constructible<LLM>::value && !std::is_move_assignable<LLM>::value, "");
static_assert(std::is_move_constructible<Speech2Text>::value && !std::is_copy_constructible<Speech2Text>::value &&
    !std::is_move_assignable<Speech2Text>::value, "");
static_assert(std::is_move_constructible<LLMGeneratorCompletion>::value && !std::is_copy_constructible<LLMGeneratorCompletion>::value &&
    !std::is_move_assignable<LLMGeneratorCompletion>::value, "");
static_assert(std::is_move_assignable<AsyncInferJob>::value && !std::is_copy_constructible<AsyncInferJob>::value, "");
static_assert(std::is_copy_assignable<ConfiguredInferModel>::value && std::is_default_constructible<ConfiguredInferModel>::value, "");
static_assert(std::is_copy_assignable<ConfiguredInferModel::Bindings>::value, "");
static_assert(!std::is_copy_constructible<Device>::value && !std::is_copy_constructible<VDevice>::value, "");

// Exact types, where no release differs.
static_assert(same<Expected<std::vector<std::string>>, decltype(Device::scan())>, "");
static_assert(same<Expected<std::unique_ptr<Device>>, decltype(Device::create())>, "");
static_assert(same<Expected<std::unique_ptr<Device>>, decltype(Device::create(std::string()))>, "");
static_assert(same<Expected<hailo_device_identity_t> (Device::*)(), decltype(&Device::identify)>, "");
static_assert(same<Expected<hailo_chip_temperature_info_t> (Device::*)(), decltype(&Device::get_chip_temperature)>, "");
static_assert(same<Expected<hailo_health_stats_t> (Device::*)(), decltype(&Device::query_health_stats)>, "");
static_assert(same<Expected<hailo_performance_stats_t> (Device::*)(), decltype(&Device::query_performance_stats)>, "");
static_assert(same<hailo_status (Device::*)(hailo_reset_device_mode_t), decltype(&Device::reset)>, "");
static_assert(same<const char *(Device::*)() const, decltype(&Device::get_dev_id)>, "");
static_assert(same<const hailo_vdevice_params_t &(VDevice::*)() const, decltype(&VDevice::get_params)>, "");
static_assert(same<Expected<std::vector<std::reference_wrapper<Device>>> (VDevice::*)() const, decltype(&VDevice::get_physical_devices)>, "");
static_assert(same<Expected<ConfiguredInferModel> (InferModel::*)(), decltype(&InferModel::configure)>, "");
static_assert(same<void (InferModel::*)(uint16_t), decltype(&InferModel::set_batch_size)>, "");
static_assert(same<const std::vector<InferModel::InferStream> &(InferModel::*)() const, decltype(&InferModel::inputs)>, "");
static_assert(same<const std::vector<std::string> &(InferModel::*)() const, decltype(&InferModel::get_output_names)>, "");
static_assert(same<const std::string (InferModel::InferStream::*)() const, decltype(&InferModel::InferStream::name)>, "");
static_assert(same<hailo_3d_image_shape_t (InferModel::InferStream::*)() const, decltype(&InferModel::InferStream::shape)>, "");
static_assert(same<hailo_format_t (InferModel::InferStream::*)() const, decltype(&InferModel::InferStream::format)>, "");
static_assert(same<size_t (InferModel::InferStream::*)() const, decltype(&InferModel::InferStream::get_frame_size)>, "");
static_assert(same<void (InferModel::InferStream::*)(hailo_format_type_t), decltype(&InferModel::InferStream::set_format_type)>, "");
static_assert(same<void (InferModel::InferStream::*)(hailo_format_order_t), decltype(&InferModel::InferStream::set_format_order)>, "");
static_assert(same<std::vector<hailo_quant_info_t> (InferModel::InferStream::*)() const, decltype(&InferModel::InferStream::get_quant_infos)>, "");
static_assert(same<bool (InferModel::InferStream::*)() const, decltype(&InferModel::InferStream::is_nms)>, "");
static_assert(same<Expected<hailo_nms_shape_t> (InferModel::InferStream::*)() const, decltype(&InferModel::InferStream::get_nms_shape)>, "");
static_assert(same<hailo_status (ConfiguredInferModel::*)(milliseconds, uint32_t), decltype(&ConfiguredInferModel::wait_for_async_ready)>, "");
static_assert(same<hailo_status (ConfiguredInferModel::*)(const ConfiguredInferModel::Bindings &, milliseconds), decltype(&ConfiguredInferModel::run)>, "");
static_assert(same<Expected<size_t> (ConfiguredInferModel::*)() const, decltype(&ConfiguredInferModel::get_async_queue_size)>, "");
static_assert(same<hailo_status (ConfiguredInferModel::*)(), decltype(&ConfiguredInferModel::shutdown)>, "");
static_assert(same<hailo_status (ConfiguredInferModel::*)(const milliseconds &), decltype(&ConfiguredInferModel::set_scheduler_timeout)>, "");
static_assert(same<hailo_status (ConfiguredInferModel::*)(uint32_t), decltype(&ConfiguredInferModel::set_scheduler_threshold)>, "");
static_assert(same<hailo_status (ConfiguredInferModel::*)(uint8_t), decltype(&ConfiguredInferModel::set_scheduler_priority)>, "");
static_assert(same<hailo_status (ConfiguredInferModel::Bindings::InferStream::*)(MemoryView), decltype(&ConfiguredInferModel::Bindings::InferStream::set_buffer)>, "");
static_assert(same<hailo_status (AsyncInferJob::*)(milliseconds), decltype(&AsyncInferJob::wait)>, "");
static_assert(same<void (AsyncInferJob::*)(), decltype(&AsyncInferJob::detach)>, "");
static_assert(same<hailo_status, decltype(AsyncInferCompletionInfo::status)>, "");
static_assert(same<hailo_status (LLMGeneratorCompletion::*)(), decltype(&LLMGeneratorCompletion::abort)>, "");
static_assert(same<LLMGeneratorCompletion::Status (LLMGeneratorCompletion::*)() const, decltype(&LLMGeneratorCompletion::generation_status)>, "");
static_assert(same<hailo_status (VLM::*)(), decltype(&VLM::clear_context)> && same<hailo_status (LLM::*)(), decltype(&LLM::clear_context)>, "");
static_assert(same<const hailo_3d_image_shape_t &(VLM::*)() const, decltype(&VLM::input_frame_shape)>, "");
static_assert(same<uint32_t (VLM::*)() const, decltype(&VLM::input_frame_size)>, "");
static_assert(same<const hailo_format_type_t &(VLM::*)() const, decltype(&VLM::input_frame_format_type)>, "");
static_assert(same<const hailo_format_order_t &(VLM::*)() const, decltype(&VLM::input_frame_format_order)>, "");
static_assert(same<hailo_status (Speech2TextGeneratorParams::*)(Speech2TextTask), decltype(&Speech2TextGeneratorParams::set_task)>, "");
static_assert(same<hailo_status (Speech2TextGeneratorParams::*)(std::string_view), decltype(&Speech2TextGeneratorParams::set_language)>, "");

// fields names those of the structures.
void fields(hailo_vdevice_params_t &v, hailo_device_identity_t &i, hailo_chip_temperature_info_t &t, hailo_performance_stats_t &p,
    hailo_health_stats_t &h, hailo_nms_shape_t &n, hailo_quant_info_t &q, hailo_version_t &version, hailo_device_id_t &id) {
    v.device_count = 1, v.device_ids = &id, v.group_id = "", v.multi_process_service = false;
    v.scheduling_algorithm = HAILO_SCHEDULING_ALGORITHM_ROUND_ROBIN;
    static_assert(sizeof id.id == 32, "");
    i.fw_version.major = i.fw_version.minor = i.fw_version.revision = 0;
    i.is_release = i.extended_context_switch_buffer = false, i.device_architecture = HAILO_ARCH_HAILO10H;
    i.board_name_length = i.serial_number_length = i.part_number_length = i.product_name_length = 0;
    i.board_name[0] = i.serial_number[0] = i.part_number[0] = i.product_name[0] = 'x';
    t.ts0_temperature = t.ts1_temperature = 0, t.sample_count = 0;
    p.cpu_utilization = p.nnc_utilization = 0, p.ram_size_total = p.ram_size_used = 0, p.dsp_utilization = 0;
    h.on_die_temperature = 0, h.on_die_voltage = h.bist_failure_mask = 0;
    n.number_of_classes = n.max_bboxes_per_class = n.max_bboxes_total = n.max_accumulated_mask_size = 0;
    q.qp_zp = q.qp_scale = q.limvals_min = q.limvals_max = 0;
    hailo_get_library_version(&version);
    const char *name = hailo_get_status_message(HAILO_TIMEOUT);
    (void)name;
}

// calls uses what has default arguments or overloads.
void calls(std::shared_ptr<VDevice> device, InferModel &model, ConfiguredInferModel &configured, VLM &vlm, LLM &llm, Speech2Text &speech) {
    hailo_vdevice_params_t params = HailoRTDefaults::get_vdevice_params();
    Expected<std::shared_ptr<VDevice>> shared = VDevice::create_shared(params);
    const bool has = shared.has_value() && static_cast<bool>(shared) && HAILO_SUCCESS == shared.status();
    std::shared_ptr<VDevice> released = has ? shared.release() : nullptr;
    Expected<std::shared_ptr<InferModel>> created = device->create_infer_model(std::string("x.hef"));
    Expected<InferModel::InferStream> input = model.input(), output = model.output("x");
    Expected<ConfiguredInferModel::Bindings> bindings = configured.create_bindings();
    MemoryView view(nullptr, 0);
    const MemoryView constant = MemoryView::create_const(nullptr, 0);
    bindings->input("x")->set_buffer(view), bindings->output("x")->set_buffer(view), bindings->input(), bindings->output();
    const auto callback = [](const AsyncInferCompletionInfo &info) { (void)info.status; };
    Expected<AsyncInferJob> one = configured.run_async(bindings.value(), callback);
    Expected<AsyncInferJob> many = configured.run_async(std::vector<ConfiguredInferModel::Bindings>{bindings.value()}, callback);
    configured.wait_for_async_ready(milliseconds(1));

    const VLMParams vlm_params(std::string("x.hef"), false);
    Expected<VLM> made = VLM::create(device, vlm_params);
    Expected<LLMGeneratorParams> sampling = vlm.create_generator_params();
    sampling->set_temperature(1.0f), sampling->set_top_p(1.0f), sampling->set_top_k(1), sampling->set_frequency_penalty(1.0f);
    sampling->set_max_generated_tokens(1), sampling->set_do_sample(true), sampling->set_seed(HAILO_RANDOM_SEED);
    const std::vector<std::string> messages;
    const std::vector<MemoryView> frames;
    Expected<LLMGeneratorCompletion> completion = vlm.generate(sampling.value(), messages, frames);
    Expected<std::string> piece = completion->read(), timed = completion->read(milliseconds(1)), all = completion->read_all();
    Expected<VLMGenerator> generator = vlm.create_generator(sampling.value());
    Expected<LLMGeneratorCompletion> raw = generator->generate(std::string("x"), frames), chat = generator->generate(messages, frames);

    const LLMParams llm_params(std::string("x.hef"));
    Expected<LLM> text = LLM::create(device, llm_params);
    Expected<LLMGeneratorParams> llm_sampling = llm.create_generator_params();
    Expected<LLMGeneratorCompletion> answer = llm.generate(llm_sampling.value(), messages);

    const Speech2TextParams speech_params{std::string_view("x.hef")};
    Expected<Speech2Text> listener = Speech2Text::create(device, speech_params);
    Expected<Speech2TextGeneratorParams> language = speech.create_generator_params();
    language->set_task(Speech2TextTask::TRANSLATE);
    Expected<std::vector<Speech2Text::SegmentInfo>> segments = speech.generate_all_segments(view, language.value(), milliseconds(1));
    const Speech2Text::SegmentInfo &first = segments.value().at(0);
    const float start = first.start_sec, end = first.end_sec;
    const std::string &said = first.text;
    (void)released, (void)constant, (void)start, (void)end, (void)said;
}
