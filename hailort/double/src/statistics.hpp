// What tests assert: objects alive, calls made, rules of the library broken.
#pragma once

#include <map>
#include <mutex>
#include <string>

namespace hailort_double {

class Statistics {
public:
    static Statistics &the();

    void begin(const std::string &run); // forgets what was counted, unless it is the same run as before
    unsigned long call(const std::string &name); // how many there were by that name, this one included
    void alive(const std::string &type, long change);
    void violation(const std::string &what); // a misuse that would go unseen with the real library
    void most(const std::string &name, long value); // the largest value seen
    void gauge(const std::string &name, long value);

private:
    void publish(); // into the file that HAILORT_DOUBLE_STATISTICS names, as "NAME VALUE" lines

    std::mutex m_mutex;
    std::string m_run;
    std::map<std::string, long> m_numbers;
};

// Alive counts the objects of a type.
class Alive {
public:
    explicit Alive(const char *type) : m_type(type) { Statistics::the().alive(m_type, 1); }
    ~Alive() { Statistics::the().alive(m_type, -1); }
    Alive(const Alive &) = delete;
    Alive &operator=(const Alive &) = delete;

private:
    const char *m_type;
};

// GenAICall counts calls into generative models, of which one at a time is safe.
class GenAICall {
public:
    GenAICall();
    ~GenAICall();
    GenAICall(const GenAICall &) = delete;
    GenAICall &operator=(const GenAICall &) = delete;
};

} // namespace hailort_double
