// What plain JPEG, which rounds and has fixed Huffman codes, would take for coefficients: counted, not written.
//
// Source: ITU-T T.81, F.1.2. Called by bindings (`plain_bits`) for guard.py.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "bits.h"
#include "coefficients.h"
#include "hot.h"

namespace msroi {

// Bits of one row of blocks, DC by its differences along the row, whose first is from 0.
// REQUIRES: steps of 1 to 255; lengths of codes: 12 or more of DC's categories, 256 of AC's symbols.
MSROI_HOT int64_t plain_row_bits(const int16_t* c, int64_t columns, const uint16_t* steps, const uint8_t* dc_lengths,
                                 const uint8_t* ac_lengths) {
    uint16_t least[64];  // magnitude that rounds to 1, in parts
    float inverse[64];   // of a step in parts
    for (int k = 0; k < 64; ++k) {
        least[k] = static_cast<uint16_t>(static_cast<int>(PARTS) * steps[k] / 2);
        inverse[k] = 1.0f / (PARTS * static_cast<float>(steps[k]));
    }
    int64_t bits = 0;
    int predicted = 0;
    for (int64_t x = 0; x < columns; ++x) {
        const int16_t* own = c + 64 * x;
        const int dc = static_cast<int>(std::floor(static_cast<float>(own[0]) * inverse[0] + 0.5f));
        const int difference = std::min(2047, std::abs(dc - predicted));
        predicted = dc;
        bits += dc_lengths[category(difference)] + category(difference);
        uint8_t flags[64];
        for (int k = 0; k < 64; ++k) {
            const uint16_t magnitude = static_cast<uint16_t>(own[k] < 0 ? -own[k] : own[k]);
            flags[k] = magnitude >= least[k];
        }
        uint64_t mask = 0;
        for (int part = 0; part < 8; ++part) mask |= gathered(flags + 8 * part) << (8 * part);
        mask &= ~uint64_t{1};
        if (!(mask >> 63)) bits += ac_lengths[0x00];
        for (int before = 0; mask; mask &= mask - 1) {
            const int k = lowest_bit(mask), run = k - before - 1;
            before = k;
            const float magnitude = static_cast<float>(std::abs(own[k]));
            const int size = category(std::min(1023, static_cast<int>(magnitude * inverse[k] + 0.5f)));
            bits += (run >> 4) * ac_lengths[0xF0] + ac_lengths[(run & 15) << 4 | size] + size;
        }
    }
    return bits;
}

}  // namespace msroi
