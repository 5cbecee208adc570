// The simulated chip: its memory, its connections, its groups and the clock by
// which jobs end.
#pragma once

#include "script.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace hailort_double {

// Connection is one client's line to the chip. What was allocated through it is
// freed with it.
struct Connection {
    Connection();
    ~Connection();

    std::atomic<bool> lost{false};   // the server is gone: 62
    std::atomic<bool> closed{false}; // the VDevice is gone: 8
    long long bytes = 0;
    int models = 0; // of a VDevice that are alive
    std::map<const void *, std::function<void()>> jobs; // in flight, with what ends each as lost
    hailo_status status() const { return lost ? HAILO_COMMUNICATION_CLOSED : closed ? HAILO_INTERNAL_FAILURE : HAILO_SUCCESS; }
};

using Clock = std::chrono::steady_clock;

class Chip {
public:
    static Chip &the();

    std::mutex mutex; // of everything in here and of the objects' own state
    std::condition_variable changed;

    // allocate takes memory, or says 81. free gives it back, unless the chip
    // leaks: then it comes back with the connection's end.
    hailo_status allocate(Connection &connection, long long bytes);
    void free(Connection &connection, long long bytes);
    long long used();
    static long long budget();

    // join makes a connection a member of a group, waiting where the group asks
    // for that: 73 when another group has the chip.
    hailo_status join(const std::string &group);
    void leave(const std::string &group);

    // close ends one connection in good order, with the jobs on it.
    void close(Connection &connection);

    // lose cuts every connection, as when the chip's server dies.
    void lose();
    void connected(Connection *connection, bool is);

    // One VLM or LLM at a time has the cache of keys and values.
    bool take_cache();
    void give_cache();

    // at runs what is due at a time, on the chip's own thread, which is that of
    // the completion callbacks.
    void at(Clock::time_point when, std::function<void()> what);
    static bool in_callback(); // on that thread

private:
    Chip();
    void run();
    void end_jobs(Connection &connection); // with the lock held
    void schedule(Clock::time_point when, std::function<void()> what); // with the lock held

    std::list<Connection *> m_connections;
    std::string m_group;
    int m_members = 0;
    bool m_cache_taken = false;
    std::list<std::pair<Clock::time_point, std::function<void()>>> m_due;
};

} // namespace hailort_double
