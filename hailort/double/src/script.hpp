// What the double shall do, from a text that tests write: settings of the chip
// and rules for calls. README.md describes it.
#pragma once

#include "hailo/hailort.h"

#include <map>
#include <string>
#include <vector>

namespace hailort_double {

// Rule is "on CALL RANGE ACTION [NUMBER]".
struct Rule {
    std::string call;
    unsigned long from, to; // of the calls by that name, counted from 1
    std::string action;
    long number;
};

struct Script {
    std::map<std::string, std::string> settings;
    std::vector<Rule> rules;

    // now reads the file that HAILORT_DOUBLE_SCRIPT names, afresh each time, so
    // that a test can change it under a worker that runs. A text that is wrong
    // ends the process: a test must not pass because its fault was misspelt.
    static Script now();

    std::string text(const std::string &name, const std::string &otherwise) const;
    double number(const std::string &name, double otherwise) const;
};

// Verdict is what the rules make of one call.
struct Verdict {
    hailo_status status = HAILO_SUCCESS; // to fail with, instead of doing anything
    bool false_timeout = false;          // do it, then say that it timed out
    long delay_ms = -1;                  // job, token: take this long
    bool answered = false;               // run_async: refuse it, and call the callback all the same
    bool never = false;                  // job, token: never end
};

// enter counts a call, notes it in the statistics and applies the rules: it may
// wait, throw, hang or lose every connection. The double's lock is not held.
Verdict enter(const char *call);

} // namespace hailort_double
