// A block of levels, 64 numbers in zigzag order: the order, and what a baseline or progressive file of 8 bits can hold.
//
// Source: ITU-T T.81, figure A.6 and tables F.1, F.2. Used by every stage behind the transform.

#pragma once

#include <cstdint>

#include "bits.h"
#include "hot.h"

namespace msroi {

// Position in the block (8 * row + column) of each zigzag index: ITU-T T.81, figure A.6.
constexpr int ZIGZAG[64] = {0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
                            41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
                            30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

// What has a code (tables F.1 and F.2): AC up to category 10. DC is held to 11 bits, so that a difference has at most
// category 11.
constexpr int MAX_AC = 1023, MAX_CATEGORY = 10, MAX_DC = 1023, MIN_DC = -1024;

// Bit k of a block's mask is set where its level k is not 0.
MSROI_INSIDE uint64_t mask_of(const int16_t* levels) {
    uint8_t flags[64];
    for (int k = 0; k < 64; ++k) flags[k] = levels[k] != 0;
    uint64_t mask = 0;
    for (int part = 0; part < 8; ++part) mask |= gathered(flags + 8 * part) << (8 * part);
    return mask;
}

}  // namespace msroi
