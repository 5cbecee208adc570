#include "chip.hpp"

#include "statistics.hpp"

#include <thread>

namespace hailort_double {

namespace {
thread_local bool on_callback_thread = false;
}

Chip &Chip::the() {
    static Chip *chip = new Chip; // its thread outlives static destructors
    return *chip;
}

Chip::Chip() {
    std::thread([this] { run(); }).detach();
}

Connection::Connection() { Chip::the().connected(this, true); }

Connection::~Connection() { Chip::the().connected(this, false); }

void Chip::connected(Connection *connection, bool is) {
    std::lock_guard<std::mutex> lock(mutex);
    if (is) {
        m_connections.push_back(connection);
    } else {
        m_connections.remove(connection);
    }
}

void Chip::lose() {
    std::lock_guard<std::mutex> lock(mutex);
    for (Connection *connection : m_connections) {
        connection->lost = true;
        connection->bytes = 0;
        end_jobs(*connection);
    }
    m_group.clear();
    m_members = 0;
    m_cache_taken = false;
    changed.notify_all();
}

void Chip::close(Connection &connection) {
    std::lock_guard<std::mutex> lock(mutex);
    if (connection.models > 0) {
        Statistics::the().violation("a VDevice is released before its models");
    }
    connection.closed = true;
    connection.bytes = 0;
    end_jobs(connection);
    changed.notify_all();
}

void Chip::end_jobs(Connection &connection) {
    for (auto &job : connection.jobs) {
        schedule(Clock::now(), job.second);
    }
    connection.jobs.clear();
}

long long Chip::budget() { return static_cast<long long>(Script::now().number("memory_bytes", 8e9)); }

long long Chip::used() {
    std::lock_guard<std::mutex> lock(mutex);
    long long sum = static_cast<long long>(Script::now().number("memory_base_bytes", 0));
    for (Connection *connection : m_connections) {
        sum += connection->bytes;
    }
    return sum;
}

hailo_status Chip::allocate(Connection &connection, long long bytes) {
    if (Script::now().number("fragmented", 0) != 0 || used() + bytes > budget()) {
        return HAILO_OUT_OF_HOST_CMA_MEMORY;
    }
    std::lock_guard<std::mutex> lock(mutex);
    connection.bytes += bytes;
    return HAILO_SUCCESS;
}

void Chip::free(Connection &connection, long long bytes) {
    if (Script::now().number("leaky", 0) != 0) {
        return;
    }
    std::lock_guard<std::mutex> lock(mutex);
    if (connection.bytes >= bytes) { // else it went with the connection
        connection.bytes -= bytes;
    }
}

hailo_status Chip::join(const std::string &group) {
    const Script script = Script::now();
    const auto patience = std::chrono::milliseconds(static_cast<long>(script.number("group_wait_ms", 5000)));
    std::unique_lock<std::mutex> lock(mutex);
    const auto free = [&] {
        const std::string other = Script::now().text("held_by", ""); // another process's group
        if (!other.empty() && (other != group || HAILO_UNIQUE_VDEVICE_GROUP_ID == group)) {
            return false;
        }
        return 0 == m_members || (m_group == group && HAILO_UNIQUE_VDEVICE_GROUP_ID != group);
    };
    const auto deadline = Clock::now() + patience;
    while (!free()) {
        const auto now = Clock::now();
        if (now >= deadline || HAILO_UNIQUE_VDEVICE_GROUP_ID != group) { // only who wants it alone waits
            return HAILO_DEVICE_IN_USE;
        }
        changed.wait_until(lock, std::min(deadline, now + std::chrono::milliseconds(20)));
    }
    m_group = group;
    m_members++;
    return HAILO_SUCCESS;
}

void Chip::leave(const std::string &group) {
    std::lock_guard<std::mutex> lock(mutex);
    if (m_members > 0 && m_group == group) {
        m_members--;
        changed.notify_all();
    }
}

bool Chip::take_cache() {
    std::lock_guard<std::mutex> lock(mutex);
    const bool free = !m_cache_taken;
    m_cache_taken = true;
    return free;
}

void Chip::give_cache() {
    std::lock_guard<std::mutex> lock(mutex);
    m_cache_taken = false;
}

void Chip::at(Clock::time_point when, std::function<void()> what) {
    std::lock_guard<std::mutex> lock(mutex);
    schedule(when, std::move(what));
}

void Chip::schedule(Clock::time_point when, std::function<void()> what) {
    auto place = m_due.begin();
    while (place != m_due.end() && place->first <= when) {
        ++place;
    }
    m_due.emplace(place, when, std::move(what));
    changed.notify_all();
}

bool Chip::in_callback() { return on_callback_thread; }

void Chip::run() {
    on_callback_thread = true;
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
        if (m_due.empty()) {
            changed.wait(lock);
            continue;
        }
        if (Clock::now() < m_due.front().first) {
            changed.wait_until(lock, m_due.front().first);
            continue;
        }
        auto what = std::move(m_due.front().second);
        m_due.pop_front();
        lock.unlock();
        what();
        what = nullptr; // what it holds is released without the lock
        lock.lock();
    }
}

} // namespace hailort_double
