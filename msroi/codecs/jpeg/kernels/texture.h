// What a block holds beside its mean: energies from which the weights of blocks (visual masking) are made.
//
// Called by bindings (`ac_energy`, `block_texture`) for the weights of blocks.

#pragma once

#include <algorithm>
#include <cstdint>

#include "coefficients.h"
#include "hot.h"

namespace msroi {

// Sum of the squared AC coefficients of a block: eight sums side by side, added in one order whatever the vectors.
MSROI_INSIDE float energy_of(const float* c) {
    float lanes[8];
    for (int i = 0; i < 8; ++i) lanes[i] = c[i] * c[i];
    lanes[0] = 0.0f;
    for (int k = 8; k < 64; k += 8)
        for (int i = 0; i < 8; ++i) lanes[i] += c[k + i] * c[k + i];
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

MSROI_HOT void energy_rows(const int16_t* coefficients, int64_t first, int64_t last, float* out) {
    float c[64];
    for (int64_t block = first; block < last; ++block) {
        from_parts(coefficients + block * 64, c);
        out[block] = energy_of(c);
    }
}

// Of each block its AC energy, that of the levels which stand for it, and its largest squared coefficient from zigzag
// position `start` on: three numbers.
MSROI_HOT void texture_rows(const int16_t* coefficients, const int16_t* levels, const float* table, int start,
                            int64_t first, int64_t last, float* out) {
    float mask[64], ac[64], c[64];
    for (int k = 0; k < 64; ++k) {
        mask[k] = k >= start ? 1.0f : 0.0f;
        ac[k] = k > 0 ? 1.0f : 0.0f;
    }
    for (int64_t block = first; block < last; ++block) {
        from_parts(coefficients + block * 64, c);
        const int16_t* q = levels + block * 64;
        float kept[8] = {}, most[8] = {};
        for (int k = 0; k < 64; k += 8) {
            for (int i = 0; i < 8; ++i) {
                const float value = static_cast<float>(q[k + i]) * table[k + i] * ac[k + i];
                const float square = mask[k + i] * (c[k + i] * c[k + i]);
                kept[i] += value * value;
                most[i] = square > most[i] ? square : most[i];
            }
        }
        out[3 * block] = energy_of(c);
        out[3 * block + 1] = ((kept[0] + kept[1]) + (kept[2] + kept[3])) + ((kept[4] + kept[5]) + (kept[6] + kept[7]));
        out[3 * block + 2] = *std::max_element(most, most + 8);
    }
}

}  // namespace msroi
