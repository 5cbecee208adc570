// Between a VDevice and its models.
#pragma once

#include "hailo/infer_model.hpp"

namespace hailort_double {

struct Connection;

hailort::Expected<std::shared_ptr<hailort::InferModel>> create_simulated_model(
    std::shared_ptr<Connection> connection, const std::string &path, const std::string &network);

} // namespace hailort_double
