// Threads: parts of a picture on several of them.
//
// What threads write does not overlap, and what they add up are integers, so no result depends on their number. Rows of
// blocks are shared, or whole scans.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace msroi {

// Runs f(first, last) over parts of [0, count), each a whole number of items, on at most `threads` threads.
// An exception in a part is thrown again here once all parts have ended.
template <class Function>
void share(int64_t count, int threads, Function f) {
    const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(threads, count));
    if (parts == 1) {
        f(int64_t{0}, count);
        return;
    }
    std::vector<std::thread> workers;
    std::vector<std::exception_ptr> failures(static_cast<size_t>(parts));
    auto guarded = [&](int64_t part) {
        try {
            f(count * part / parts, count * (part + 1) / parts);
        } catch (...) {
            failures[static_cast<size_t>(part)] = std::current_exception();
        }
    };
    for (int64_t part = 1; part < parts; ++part) {
        try {
            workers.emplace_back(guarded, part);
        } catch (...) {  // no further thread to be had: the work is done here
            guarded(part);
        }
    }
    guarded(0);
    for (auto& worker : workers) worker.join();
    for (auto& failure : failures)
        if (failure) std::rethrow_exception(failure);
}

// Runs f(i) for i in [0, count), each on whichever of at most `threads` threads is free.
template <class Function>
void each(int64_t count, int threads, Function f) {
    std::atomic<int64_t> next{0};
    share(std::min<int64_t>(count, threads), threads, [&](int64_t, int64_t) {
        for (int64_t i = next++; i < count; i = next++) f(i);
    });
}

}  // namespace msroi
