#include "statistics.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace hailort_double {

Statistics &Statistics::the() {
    static Statistics *statistics = new Statistics; // for as long as the process lives
    return *statistics;
}

void Statistics::begin(const std::string &run) {
    std::lock_guard<std::mutex> lock(m_mutex);
    if (run == m_run) {
        return;
    }
    m_run = run;
    for (auto &number : m_numbers) {
        if (0 != number.first.rfind("alive.", 0)) { // objects live on
            number.second = 0;
        }
    }
}

unsigned long Statistics::call(const std::string &name) {
    std::lock_guard<std::mutex> lock(m_mutex);
    const long count = ++m_numbers["calls." + name];
    publish();
    return static_cast<unsigned long>(count);
}

void Statistics::alive(const std::string &type, long change) {
    std::lock_guard<std::mutex> lock(m_mutex);
    m_numbers["alive." + type] += change;
    publish();
}

void Statistics::violation(const std::string &what) {
    std::lock_guard<std::mutex> lock(m_mutex);
    m_numbers["violations"]++;
    fprintf(stderr, "hailort double: VIOLATION: %s\n", what.c_str());
    publish();
}

void Statistics::most(const std::string &name, long value) {
    std::lock_guard<std::mutex> lock(m_mutex);
    long &number = m_numbers[name];
    if (value > number) {
        number = value;
        publish();
    }
}

void Statistics::gauge(const std::string &name, long value) {
    std::lock_guard<std::mutex> lock(m_mutex);
    m_numbers[name] = value;
    publish();
}

void Statistics::publish() {
    const char *path = getenv("HAILORT_DOUBLE_STATISTICS");
    if (nullptr == path || '\0' == *path) {
        return;
    }
    const std::string next = std::string(path) + ".next"; // renamed, so that no reader meets half a file
    FILE *file = fopen(next.c_str(), "w");
    if (nullptr == file) {
        return;
    }
    for (const auto &number : m_numbers) {
        fprintf(file, "%s %ld\n", number.first.c_str(), number.second);
    }
    fclose(file);
    rename(next.c_str(), path);
}

namespace {
std::atomic<long> genai_calls{0};
}

GenAICall::GenAICall() { Statistics::the().most("most_genai_calls", ++genai_calls); }

GenAICall::~GenAICall() { --genai_calls; }

} // namespace hailort_double
