// Trellis quantisation of DC: the chain of levels of least J along the blocks of a component, by the Viterbi algorithm.
//
// Source: as for trellis.h; DC is coded by differences (ITU-T T.81, F.1.2.1), so the states are a block's two
// candidates. Called by bindings (`settle_dc`) for the rdo encoder, which states `reach`.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "bits.h"
#include "block.h"
#include "coefficients.h"
#include "hot.h"

namespace msroi {

// What blocks want for DC: their coefficient, or a limit where they are black or white. limits: of each block -1, 0 or
// 1; null: all 0.
struct WantedDc {
    const int16_t* coefficients;  // [blocks][64]
    const int8_t* limits;
    float step, black, white;

    MSROI_INSIDE float in_steps(int64_t block) const {
        if (limits && limits[block]) return limits[block] < 0 ? std::floor(black / step) : std::ceil(white / step);
        return static_cast<float>(coefficients[64 * block]) / PARTS / step;
    }
};

// DC values of least J along the blocks, which are coded by their differences in the order of rows: each the rounded
// value or the next on the other side of what is wanted where that errs by at most `reach` steps. weights: times
// `scale` those of squared errors in steps; bits: of a difference by its category, its further bits included, and times
// lambda. They take the place of levels[64 * block].
MSROI_HOT void settle_dc(const WantedDc& wanted, const float* weights, float scale, int64_t n, float reach,
                         const float* bits, int16_t* levels) {
    struct Choice {
        int16_t value[2];
        uint8_t from[2];
    };
    std::vector<Choice> choices(static_cast<size_t>(n));
    float best[2] = {0.0f, 0.0f};
    int before[2] = {0, 0};
    for (int64_t i = 0; i < n; ++i) {
        const float c = wanted.in_steps(i), weight = weights[i] * scale;
        const float at = std::min<float>(MAX_DC, std::max<float>(MIN_DC, c)), rounded = std::floor(at + 0.5f);
        const float beyond = at > rounded ? rounded + 1.0f : rounded - 1.0f;
        const bool may = (std::fabs(at - beyond) <= reach) & (beyond <= MAX_DC) & (beyond >= MIN_DC);
        const float values[2] = {rounded, may ? beyond : rounded};
        Choice& choice = choices[static_cast<size_t>(i)];
        float cost[2];
        int own[2];
        for (int now = 0; now < 2; ++now) {
            own[now] = static_cast<int>(values[now]);
            const float first = best[0] + bits[category(std::abs(own[now] - before[0]))];
            const float second = best[1] + bits[category(std::abs(own[now] - before[1]))];
            choice.value[now] = static_cast<int16_t>(own[now]);
            choice.from[now] = second < first;
            cost[now] = std::min(first, second) + weight * (c - values[now]) * (c - values[now]);
        }
        // Costs are kept small, so that sums of many blocks lose no bits.
        const float least = std::min(cost[0], cost[1]);
        for (int now = 0; now < 2; ++now) {
            best[now] = cost[now] - least;
            before[now] = own[now];
        }
    }
    uint8_t way = best[1] < best[0];
    for (int64_t i = n - 1; i >= 0; --i) {
        levels[64 * i] = choices[static_cast<size_t>(i)].value[way];
        way = choices[static_cast<size_t>(i)].from[way];
    }
}

// How many differences of DC along rows have each category; chained: from the end of a row to the next one as well.
void dc_counts(const int16_t* levels, int64_t rows, int64_t columns, bool chained, int64_t* counts) {
    for (int64_t y = 0; y < rows; ++y) {
        const int16_t* own = levels + 64 * columns * y;
        if (y > 0 && chained) ++counts[category(std::abs(own[0] - own[-64]))];
        for (int64_t x = 1; x < columns; ++x) ++counts[category(std::abs(own[64 * x] - own[64 * x - 64]))];
    }
}

}  // namespace msroi
