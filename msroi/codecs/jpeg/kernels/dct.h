// The transform of a block: orthonormal DCT-II of 8 x 8 samples and its inverse, in floating point.
//
// Source: ITU-T T.81, A.3.3, whose scale it has; even and odd halves apart, as in every fast one. Used by planes and
// deringing.

#pragma once

#include <cstring>

#include "block.h"
#include "hot.h"

namespace msroi {

// C[n] = cos(n pi / 16) / 2.
constexpr float C1 = 0.4903926402f, C2 = 0.4619397663f, C3 = 0.4157348062f, C4 = 0.3535533906f, C5 = 0.2777851165f,
                C6 = 0.1913417162f, C7 = 0.0975451610f;

// Orthonormal DCT-II of eight numbers, for eight columns at once: in and out are [8][8], transformed along the first.
MSROI_INSIDE void dct_columns(const float* in, float* out) {
    for (int i = 0; i < 8; ++i) {
        const float s0 = in[i] + in[56 + i], s1 = in[8 + i] + in[48 + i], s2 = in[16 + i] + in[40 + i],
                    s3 = in[24 + i] + in[32 + i];
        const float d0 = in[i] - in[56 + i], d1 = in[8 + i] - in[48 + i], d2 = in[16 + i] - in[40 + i],
                    d3 = in[24 + i] - in[32 + i];
        const float e0 = s0 + s3, e1 = s1 + s2, e2 = s0 - s3, e3 = s1 - s2;
        out[i] = C4 * (e0 + e1);
        out[32 + i] = C4 * (e0 - e1);
        out[16 + i] = C2 * e2 + C6 * e3;
        out[48 + i] = C6 * e2 - C2 * e3;
        out[8 + i] = (C1 * d0 + C3 * d1) + (C5 * d2 + C7 * d3);
        out[24 + i] = (C3 * d0 - C7 * d1) - (C1 * d2 + C5 * d3);
        out[40 + i] = (C5 * d0 - C1 * d1) + (C7 * d2 + C3 * d3);
        out[56 + i] = (C7 * d0 - C5 * d1) + (C3 * d2 - C1 * d3);
    }
}

// Its inverse, the transpose.
MSROI_INSIDE void inverse_dct_columns(const float* in, float* out) {
    for (int i = 0; i < 8; ++i) {
        const float e0 = C4 * (in[i] + in[32 + i]), e1 = C4 * (in[i] - in[32 + i]);
        const float e2 = C2 * in[16 + i] + C6 * in[48 + i], e3 = C6 * in[16 + i] - C2 * in[48 + i];
        const float o1 = in[8 + i], o3 = in[24 + i], o5 = in[40 + i], o7 = in[56 + i];
        const float d0 = (C1 * o1 + C3 * o3) + (C5 * o5 + C7 * o7), d1 = (C3 * o1 - C7 * o3) - (C1 * o5 + C5 * o7),
                    d2 = (C5 * o1 - C1 * o3) + (C7 * o5 + C3 * o7), d3 = (C7 * o1 - C5 * o3) + (C3 * o5 - C1 * o7);
        const float s0 = e0 + e2, s3 = e0 - e2, s1 = e1 + e3, s2 = e1 - e3;
        out[i] = s0 + d0;
        out[56 + i] = s0 - d0;
        out[8 + i] = s1 + d1;
        out[48 + i] = s1 - d1;
        out[16 + i] = s2 + d2;
        out[40 + i] = s2 - d2;
        out[24 + i] = s3 + d3;
        out[32 + i] = s3 - d3;
    }
}

MSROI_INSIDE void transpose(const float* in, float* out) {
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
    // Rows in pairs, fours and all: 24 moves of eight numbers in place of 64 of one.
    using Row = float __attribute__((vector_size(8 * sizeof(float))));
    Row rows[8], pairs[8], fours[8];
    std::memcpy(rows, in, sizeof rows);
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int j = 0; j < 2; ++j) {
            fours[i + 2 * j] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            fours[i + 2 * j + 1] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    for (int i = 0; i < 4; ++i) {
        rows[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        rows[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    std::memcpy(out, rows, sizeof rows);
#else
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) out[8 * x + y] = in[8 * y + x];
#endif
}

// Coefficients of a block of pixels, [column frequency][row frequency], and back.
MSROI_INSIDE void dct_block(const float* pixels, float* out) {
    float turned[64];
    dct_columns(pixels, out);
    transpose(out, turned);
    dct_columns(turned, out);
}

MSROI_INSIDE void inverse_dct_block(const float* in, float* pixels) {
    float turned[64];
    inverse_dct_columns(in, pixels);
    transpose(pixels, turned);
    inverse_dct_columns(turned, pixels);
}

// Place in such a block of each zigzag index.
constexpr struct Turned {
    int place[64] = {};

    constexpr Turned() {
        for (int k = 0; k < 64; ++k) place[k] = 8 * (ZIGZAG[k] % 8) + ZIGZAG[k] / 8;
    }
} TURNED;

}  // namespace msroi
