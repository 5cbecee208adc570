#include "model_file.hpp"

#include "script.hpp"

#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace hailort_double {

namespace {

const char magic[] = "hailort-double-hef 1";

bool order(const std::string &name, hailo_format_order_t &order) {
    static const struct {
        const char *name;
        hailo_format_order_t order;
    } all[] = {
        {"NHWC", HAILO_FORMAT_ORDER_NHWC}, {"NHW", HAILO_FORMAT_ORDER_NHW}, {"NC", HAILO_FORMAT_ORDER_NC},
        {"NCHW", HAILO_FORMAT_ORDER_NCHW}, {"NMS_BY_CLASS", HAILO_FORMAT_ORDER_HAILO_NMS_BY_CLASS},
        {"NMS_BY_SCORE", HAILO_FORMAT_ORDER_HAILO_NMS_BY_SCORE},
    };
    for (const auto &one : all) {
        if (name == one.name) {
            return order = one.order, true;
        }
    }
    return false;
}

bool type(const std::string &name, hailo_format_type_t &type) {
    type = "uint8" == name ? HAILO_FORMAT_TYPE_UINT8 : "uint16" == name ? HAILO_FORMAT_TYPE_UINT16 : HAILO_FORMAT_TYPE_FLOAT32;
    return HAILO_FORMAT_TYPE_FLOAT32 != type || "float32" == name;
}

// stream reads "NAME HEIGHT WIDTH FEATURES ORDER TYPE [ZERO_POINT SCALE]...".
bool stream(std::istringstream &words, Stream &s) {
    std::string order_name, type_name;
    if (!(words >> s.name >> s.shape.height >> s.shape.width >> s.shape.features >> order_name >> type_name)) {
        return false;
    }
    for (hailo_quant_info_t q{}; words >> q.qp_zp >> q.qp_scale;) {
        s.quant.push_back(q);
    }
    if (s.quant.empty()) {
        hailo_quant_info_t none{};
        none.qp_scale = 1;
        s.quant.push_back(none);
    }
    if (!order(order_name, s.format.order) || !type(type_name, s.format.type)) {
        return false;
    }
    if (s.is_nms()) { // the shape's place says: classes, boxes per class
        s.nms.number_of_classes = s.shape.height;
        s.nms.max_bboxes_per_class = s.shape.width;
        s.nms.max_bboxes_total = s.shape.width;
    }
    return true;
}

bool line(const std::string &kind, std::istringstream &words, ModelFile &file) {
    if ("input" == kind || "output" == kind) {
        Stream s;
        if (!stream(words, s)) {
            return false;
        }
        ("input" == kind ? file.inputs : file.outputs).push_back(s);
        return true;
    }
    if ("segment" == kind) { // the text as it is, leading blanks included
        Segment s{};
        words >> s.start >> s.end;
        words.ignore(1);
        std::getline(words, s.text);
        file.segments.push_back(s);
        return true;
    }
    if ("reply" == kind) {
        for (std::string word; words >> word;) {
            file.reply.push_back(word + " ");
        }
        return true;
    }
    if ("network" == kind) {
        std::string name;
        words >> name;
        file.networks.push_back(name);
        return true;
    }
    if ("bytes" == kind) {
        return static_cast<bool>(words >> file.bytes);
    }
    if ("latency_us" == kind) {
        return static_cast<bool>(words >> file.latency_us);
    }
    if ("queue" == kind) {
        return static_cast<bool>(words >> file.queue);
    }
    if ("frame" == kind) {
        return static_cast<bool>(words >> file.frame.height >> file.frame.width >> file.frame.features);
    }
    return false;
}

} // namespace

bool Stream::is_nms() const {
    return HAILO_FORMAT_ORDER_HAILO_NMS_BY_CLASS == format.order || HAILO_FORMAT_ORDER_HAILO_NMS_BY_SCORE == format.order;
}

size_t Stream::elements() const {
    if (HAILO_FORMAT_ORDER_HAILO_NMS_BY_CLASS == format.order) {
        return size_t(nms.number_of_classes) * (1 + 5 * size_t(nms.max_bboxes_per_class));
    }
    if (HAILO_FORMAT_ORDER_HAILO_NMS_BY_SCORE == format.order) {
        return 2 + size_t(nms.max_bboxes_total) * 24; // a count, and one record a box, in bytes
    }
    return size_t(shape.height) * shape.width * shape.features;
}

size_t Stream::bytes() const {
    return elements() * (HAILO_FORMAT_TYPE_UINT8 == format.type ? 1 : HAILO_FORMAT_TYPE_UINT16 == format.type ? 2 : 4);
}

hailo_status ModelFile::read(const std::string &path, ModelFile &file) {
    struct stat info;
    if (0 != stat(path.c_str(), &info)) {
        return HAILO_OPEN_FILE_FAILURE;
    }
    if (!S_ISREG(info.st_mode) || info.st_size < 25) { // shorter than a header
        return HAILO_FILE_OPERATION_FAILURE;
    }
    file.bytes = info.st_size;
    std::ifstream text(path);
    std::string first, kind;
    if (!std::getline(text, first) || first != magic) {
        return HAILO_HEF_NOT_SUPPORTED;
    }
    for (std::string words; std::getline(text, words);) {
        std::istringstream rest(words);
        if (!(rest >> kind)) {
            continue;
        }
        if ("end" == kind) {
            return text.peek() == EOF ? HAILO_SUCCESS : HAILO_HEF_FILE_CORRUPTED;
        }
        if ("architecture" == kind) {
            std::string name;
            if (!(rest >> name) || name != "hailo10h") {
                return HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE;
            }
        } else if ("runtime" == kind) { // "5.2": loads on that release alone
            std::string release;
            const std::string ours = Script::now().text("library", "5.2.0");
            if (!(rest >> release) || 0 != ours.rfind(release + ".", 0)) {
                return HAILO_INVALID_HEF;
            }
        } else if (!line(kind, rest, file)) {
            return HAILO_HEF_FILE_CORRUPTED;
        }
    }
    return HAILO_HEF_FILE_CORRUPTED; // no end: cut off
}

} // namespace hailort_double
