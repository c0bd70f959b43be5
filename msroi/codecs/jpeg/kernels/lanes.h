// Eight floats that are worked on together. Used by trellis for the ends of paths.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "hot.h"

namespace msroi {

// Eight numbers that are worked on together, in registers where the compiler knows vectors.
struct Lanes {
    static constexpr int COUNT = 8;
#if defined(__GNUC__)
    using Values = float __attribute__((vector_size(COUNT * sizeof(float))));
    using Places = int32_t __attribute__((vector_size(COUNT * sizeof(int32_t))));
    Values values;

    MSROI_INSIDE void fill(float value) {
        values = Values{value, value, value, value, value, value, value, value};
    }
    MSROI_INSIDE void put(int lane, float value) {
        Lanes all;
        all.fill(value);
        const Places places{0, 1, 2, 3, 4, 5, 6, 7}, wanted{lane, lane, lane, lane, lane, lane, lane, lane};
        values = places == wanted ? all.values : values;
    }
    MSROI_INSIDE void add(const Lanes& other) { values += other.values; }
    MSROI_INSIDE void lower(const Lanes& other) { values = other.values < values ? other.values : values; }
#else
    float values[COUNT];

    MSROI_INSIDE void fill(float value) { std::fill(values, values + COUNT, value); }
    MSROI_INSIDE void put(int lane, float value) { values[lane] = value; }
    MSROI_INSIDE void add(const Lanes& other) {
        for (int i = 0; i < COUNT; ++i) values[i] += other.values[i];
    }
    MSROI_INSIDE void lower(const Lanes& other) {
        for (int i = 0; i < COUNT; ++i) values[i] = std::min(values[i], other.values[i]);
    }
#endif
    MSROI_INSIDE void load(const float* from) { std::memcpy(&values, from, sizeof values); }
    MSROI_INSIDE void store(float* to) const { std::memcpy(to, &values, sizeof values); }
    MSROI_INSIDE float least() const {
        const float a = std::min(values[0], values[4]), b = std::min(values[1], values[5]);
        const float c = std::min(values[2], values[6]), d = std::min(values[3], values[7]);
        return std::min(std::min(a, c), std::min(b, d));
    }
};

}  // namespace msroi
