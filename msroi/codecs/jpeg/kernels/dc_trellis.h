// Trellis quantisation of DC: the chain of levels of least J along the blocks of a component, by the Viterbi algorithm.
//
// Source: as for trellis.h; DC is coded by differences (ITU-T T.81, F.1.2.1), so the states are a block's two
// candidates. Called by bindings (`settle_dc`) for rdo.py.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "bits.h"
#include "block.h"

namespace msroi {

// DC values of least J along the blocks, which are coded by their differences in the order of rows: each the rounded
// value or the next on the other side of the coefficient where that errs by at most `reach` steps. c: DC coefficients
// in steps; weights: of squared errors in steps; bits: of a difference by its category, its further bits included, and
// times lambda.
void settle_dc(const float* c, const float* weights, int64_t n, float reach, const float* bits, int16_t* out) {
    struct Choice {
        int16_t value[2];
        uint8_t from[2];
    };
    std::vector<Choice> choices(static_cast<size_t>(n));
    float best[2] = {0.0f, 0.0f};
    Choice before{{0, 0}, {0, 0}};
    for (int64_t i = 0; i < n; ++i) {
        Choice& choice = choices[static_cast<size_t>(i)];
        const float at = std::min<float>(MAX_DC, std::max<float>(MIN_DC, c[i])), rounded = std::floor(at + 0.5f);
        float other = at > rounded ? rounded + 1.0f : rounded - 1.0f;
        if (std::fabs(at - other) > reach || other > MAX_DC || other < MIN_DC) other = rounded;
        const float values[2] = {rounded, other};
        float cost[2];
        for (int now = 0; now < 2; ++now) {
            choice.value[now] = static_cast<int16_t>(values[now]);
            float sums[2];
            for (int then = 0; then < 2; ++then)
                sums[then] = best[then] + bits[category(std::abs(choice.value[now] - before.value[then]))];
            choice.from[now] = sums[1] < sums[0];
            cost[now] = sums[choice.from[now]] + weights[i] * (c[i] - values[now]) * (c[i] - values[now]);
        }
        // Costs are kept small, so that sums of many blocks lose no bits.
        const float least = std::min(cost[0], cost[1]);
        for (int now = 0; now < 2; ++now) best[now] = cost[now] - least;
        before = choice;
    }
    uint8_t way = best[1] < best[0];
    for (int64_t i = n - 1; i >= 0; --i) {
        out[i] = choices[static_cast<size_t>(i)].value[way];
        way = choices[static_cast<size_t>(i)].from[way];
    }
}

}  // namespace msroi
