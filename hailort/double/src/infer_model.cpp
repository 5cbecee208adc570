// Networks before they run: what a file says, and what of it is configured.
#include "chip.hpp"
#include "configured.hpp"
#include "limits.hpp"
#include "model_file.hpp"
#include "models.hpp"
#include "statistics.hpp"

#include <algorithm>

using namespace hailort_double;

namespace hailort {

class InferModel::InferStream::Impl {
public:
    explicit Impl(std::shared_ptr<Stream> stream) : stream(std::move(stream)) {}
    std::shared_ptr<Stream> stream;
};

const std::string InferModel::InferStream::name() const { return m_impl->stream->name; }
hailo_3d_image_shape_t InferModel::InferStream::shape() const { return m_impl->stream->shape; }
hailo_format_t InferModel::InferStream::format() const { return m_impl->stream->format; }
size_t InferModel::InferStream::get_frame_size() const { return m_impl->stream->bytes(); }
bool InferModel::InferStream::is_nms() const { return m_impl->stream->is_nms(); }
std::vector<hailo_quant_info_t> InferModel::InferStream::get_quant_infos() const { return m_impl->stream->quant; }
void InferModel::InferStream::set_format_order(hailo_format_order_t order) { m_impl->stream->format.order = order; }

void InferModel::InferStream::set_format_type(hailo_format_type_t type) {
    if (HAILO_FORMAT_TYPE_AUTO != type) {
        m_impl->stream->format.type = type;
    }
}

Expected<hailo_nms_shape_t> InferModel::InferStream::get_nms_shape() const {
    if (!is_nms()) {
        return make_unexpected(HAILO_INVALID_OPERATION);
    }
    return hailo_nms_shape_t(m_impl->stream->nms);
}

namespace {

class SimulatedModel : public InferModel {
public:
    SimulatedModel(std::shared_ptr<Connection> connection, ModelFile file, bool ambiguous)
        : m_connection(std::move(connection)), m_file(std::move(file)), m_ambiguous(ambiguous), m_alive("InferModel") {
        fill(m_file.inputs, m_native_inputs, m_inputs, m_input_names);
        fill(m_file.outputs, m_native_outputs, m_outputs, m_output_names);
        std::lock_guard<std::mutex> lock(Chip::the().mutex);
        m_connection->models++;
    }

    ~SimulatedModel() override {
        const Verdict verdict = enter("InferModel::~InferModel");
        Chip::the().free(*m_connection, m_file.bytes);
        {
            std::lock_guard<std::mutex> lock(Chip::the().mutex);
            m_connection->models--;
        }
        if (verdict.false_timeout) {
            timed_out();
        }
    }

    void set_batch_size(uint16_t) override {}

    Expected<ConfiguredInferModel> configure() override {
        const Verdict verdict = enter("InferModel::configure");
        if (HAILO_SUCCESS != m_connection->status()) {
            return make_unexpected(m_connection->status());
        }
        if (HAILO_SUCCESS != verdict.status) {
            return make_unexpected(verdict.status);
        }
        if (m_ambiguous) { // the file has several networks, and none was named
            return make_unexpected(HAILO_INVALID_ARGUMENT);
        }
        const auto bytes = static_cast<long long>(static_cast<double>(m_file.bytes) * Script::now().number("configure_factor", 0));
        const hailo_status status = Chip::the().allocate(*m_connection, bytes);
        if (HAILO_SUCCESS != status) {
            return make_unexpected(status);
        }
        if (verdict.false_timeout) { // the memory stays with the connection
            return make_unexpected(timed_out());
        }
        return ConfiguredInferModel(std::make_shared<ConfiguredInferModel::Impl>(m_connection, m_inputs_now(), m_outputs_now(),
            m_native_inputs, m_native_outputs, bytes, m_file.latency_us, m_file.queue));
    }

    Expected<InferStream> input() override { return only(m_inputs); }
    Expected<InferStream> output() override { return only(m_outputs); }
    Expected<InferStream> input(const std::string &name) override { return named(m_inputs, name); }
    Expected<InferStream> output(const std::string &name) override { return named(m_outputs, name); }
    const std::vector<InferStream> &inputs() const override { return m_inputs; }
    const std::vector<InferStream> &outputs() const override { return m_outputs; }
    const std::vector<std::string> &get_input_names() const override { return m_input_names; }
    const std::vector<std::string> &get_output_names() const override { return m_output_names; }

private:
    using Streams = std::vector<std::shared_ptr<Stream>>;

    void fill(const std::vector<Stream> &from, std::vector<Stream> &native, std::vector<InferStream> &handles, std::vector<std::string> &names) {
        Streams &own = &from == &m_file.inputs ? m_input_streams : m_output_streams;
        native = from;
        for (const Stream &stream : from) {
            own.push_back(std::make_shared<Stream>(stream));
            handles.push_back(InferStream(std::make_shared<InferStream::Impl>(own.back())));
            names.push_back(stream.name);
        }
    }

    static std::vector<Stream> now(const Streams &streams) {
        std::vector<Stream> copies;
        for (const auto &stream : streams) {
            copies.push_back(*stream);
        }
        return copies;
    }
    std::vector<Stream> m_inputs_now() const { return now(m_input_streams); }
    std::vector<Stream> m_outputs_now() const { return now(m_output_streams); }

    static Expected<InferStream> only(const std::vector<InferStream> &streams) {
        if (1 != streams.size()) {
            return make_unexpected(HAILO_INVALID_OPERATION);
        }
        return InferStream(streams[0]);
    }

    static Expected<InferStream> named(const std::vector<InferStream> &streams, const std::string &name) {
        for (const InferStream &stream : streams) {
            if (stream.name() == name) {
                return InferStream(stream);
            }
        }
        return make_unexpected(HAILO_NOT_FOUND);
    }

    std::shared_ptr<Connection> m_connection;
    ModelFile m_file;
    bool m_ambiguous;
    Streams m_input_streams, m_output_streams;
    std::vector<Stream> m_native_inputs, m_native_outputs;
    std::vector<InferStream> m_inputs, m_outputs;
    std::vector<std::string> m_input_names, m_output_names;
    Alive m_alive;
};

} // namespace
} // namespace hailort

namespace hailort_double {

hailort::Expected<std::shared_ptr<hailort::InferModel>> create_simulated_model(
    std::shared_ptr<Connection> connection, const std::string &path, const std::string &network) {
    const Verdict verdict = enter("VDevice::create_infer_model");
    if (HAILO_SUCCESS != connection->status()) {
        return hailort::make_unexpected(connection->status());
    }
    if (HAILO_SUCCESS != verdict.status) {
        return hailort::make_unexpected(verdict.status);
    }
    ModelFile file;
    hailo_status status = ModelFile::read(path, file);
    const bool found = file.networks.end() != std::find(file.networks.begin(), file.networks.end(), network);
    if (HAILO_SUCCESS == status && !network.empty() && !found) {
        status = HAILO_NOT_FOUND;
    }
    if (HAILO_SUCCESS == status) {
        status = Chip::the().allocate(*connection, file.bytes);
    }
    if (HAILO_SUCCESS == status && verdict.false_timeout) { // the memory stays with the connection
        status = timed_out();
    }
    if (HAILO_SUCCESS != status) {
        return hailort::make_unexpected(status);
    }
    const bool ambiguous = network.empty() && file.networks.size() > 1;
    return std::shared_ptr<hailort::InferModel>(std::make_shared<hailort::SimulatedModel>(connection, std::move(file), ambiguous));
}

} // namespace hailort_double
