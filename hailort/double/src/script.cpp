#include "script.hpp"

#include "chip.hpp"
#include "statistics.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace hailort_double {

namespace {

[[noreturn]] void wrong(const std::string &line, const char *why) {
    fprintf(stderr, "hailort double: script line \"%s\": %s\n", line.c_str(), why);
    abort();
}

// range reads "3", "3-5" or "3+".
bool range(const std::string &text, unsigned long &from, unsigned long &to) {
    char *end = nullptr;
    from = to = strtoul(text.c_str(), &end, 10);
    if (end == text.c_str()) {
        return false;
    }
    if ('+' == *end) {
        to = ULONG_MAX;
        return '\0' == end[1];
    }
    if ('-' == *end) {
        const char *second = end + 1;
        to = strtoul(second, &end, 10);
        return end != second && '\0' == *end;
    }
    return '\0' == *end;
}

const char *const actions[] = {"status", "delay", "false_timeout", "throw", "hang", "lose", "never", "answered"};

Rule rule(const std::string &line, std::istringstream &words) {
    Rule r{};
    std::string calls;
    words >> r.call >> calls >> r.action;
    if (!range(calls, r.from, r.to)) {
        wrong(line, "expected a range of calls: 3, 3-5 or 3+");
    }
    bool known = false;
    for (const char *action : actions) {
        known = known || r.action == action;
    }
    if (!known) {
        wrong(line, "expected status, delay, false_timeout, throw, hang, lose, never or answered");
    }
    if (("status" == r.action || "delay" == r.action) && !(words >> r.number)) {
        wrong(line, "expected a number at the end");
    }
    return r;
}

} // namespace

Script Script::now() {
    Script s;
    const char *path = getenv("HAILORT_DOUBLE_SCRIPT");
    if (nullptr == path || '\0' == *path) {
        return s;
    }
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string kind;
        if (!(words >> kind) || '#' == kind[0]) {
            continue;
        }
        if ("on" == kind) {
            s.rules.push_back(rule(line, words));
        } else if ("set" == kind) {
            std::string name, value;
            words >> name >> std::ws;
            std::getline(words, value);
            s.settings[name] = value;
        } else {
            wrong(line, "expected set or on");
        }
    }
    return s;
}

std::string Script::text(const std::string &name, const std::string &otherwise) const {
    auto found = settings.find(name);
    return settings.end() == found ? otherwise : found->second;
}

double Script::number(const std::string &name, double otherwise) const {
    auto found = settings.find(name);
    return settings.end() == found ? otherwise : atof(found->second.c_str());
}

Verdict enter(const char *call) {
    const Script script = Script::now();
    Statistics::the().begin(script.text("run", ""));
    const unsigned long count = Statistics::the().call(call);
    if (Chip::in_callback()) { // the thread that would have to deliver the answer
        Statistics::the().violation("call from a completion callback");
        fprintf(stderr, "hailort double: %s is called from a completion callback: the real library would hang for ever\n", call);
        abort();
    }
    Verdict v;
    for (const Rule &r : script.rules) {
        if (r.call != call || count < r.from || count > r.to) {
            continue;
        }
        fprintf(stderr, "hailort double: %s at %s %lu\n", r.action.c_str(), call, count);
        if ("status" == r.action) {
            v.status = static_cast<hailo_status>(r.number);
        } else if ("delay" == r.action) {
            v.delay_ms = r.number;
        } else if ("false_timeout" == r.action) {
            v.false_timeout = true;
        } else if ("answered" == r.action) {
            v.status = HAILO_COMMUNICATION_CLOSED;
            v.answered = true;
        } else if ("never" == r.action) {
            v.never = true;
        } else if ("lose" == r.action) {
            Chip::the().lose();
        } else if ("throw" == r.action) {
            throw std::runtime_error("thrown by the double");
        } else if ("hang" == r.action) {
            std::this_thread::sleep_for(std::chrono::hours(1000000));
        }
    }
    const bool takes_time = std::string("job") != call && std::string("token") != call; // these wait elsewhere
    if (v.delay_ms >= 0 && takes_time) {
        std::this_thread::sleep_for(std::chrono::milliseconds(v.delay_ms));
    }
    return v;
}

} // namespace hailort_double
