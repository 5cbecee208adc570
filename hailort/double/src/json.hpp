// Reading of the messages that a chat is made of.
#pragma once

#include <string>
#include <vector>

namespace hailort_double {

// Message is what the simulated models look at in one JSON message.
struct Message {
    std::string role;
    std::string text;  // all "text" members, one after another
    unsigned images = 0; // {"type": "image"}

    // parse reports whether the text is one JSON object.
    static bool parse(const std::string &json, Message &message);
};

} // namespace hailort_double
