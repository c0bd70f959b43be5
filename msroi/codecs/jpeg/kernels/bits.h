// Whole numbers as bits: magnitudes' categories, and masks of a block's 64 positions, bit k for position k.
//
// Compilers' own instructions where they are known (GCC, Clang), loops elsewhere. Used by trellis, scans and symbol
// counts.

#pragma once

#include <cstdint>

#include "hot.h"

namespace msroi {

// Number of bits of a magnitude: the category of T.81, tables F.1 and F.2.
inline int category(int magnitude) {
#if defined(__GNUC__)
    return 31 - __builtin_clz(2 * static_cast<unsigned>(magnitude) + 1);  // without a case for 0
#else
    int n = 0;
    while (magnitude) {
        ++n;
        magnitude >>= 1;
    }
    return n;
#endif
}

// Bit i of the result: whether flags[i] is 1; they are all 0 or 1.
MSROI_INSIDE uint64_t gathered(const uint8_t* flags) {
    uint64_t low = 0;
    for (int i = 0; i < 8; ++i) low |= static_cast<uint64_t>(flags[i]) << (8 * i);  // one load where that is its order
    return (low * 0x0102040810204080u) >> 56;
}

inline int lowest_bit(uint64_t mask) {
#if defined(__GNUC__)
    return __builtin_ctzll(mask);
#else
    int n = 0;
    while (!(mask & 1)) {
        mask >>= 1;
        ++n;
    }
    return n;
#endif
}

inline int highest_bit(uint64_t mask) {
#if defined(__GNUC__)
    return 63 - __builtin_clzll(mask);
#else
    int n = 0;
    while (mask >>= 1) ++n;
    return n;
#endif
}

// All bits first..last.
inline uint64_t band_mask(int first, int last) {
    const uint64_t upto = last == 63 ? ~uint64_t{0} : (uint64_t{1} << (last + 1)) - 1;
    return upto & ~((uint64_t{1} << first) - 1);
}

}  // namespace msroi
