// Planes of samples to blocks of coefficients, and levels back to planes as a decoder shows them.
//
// Source: ITU-T T.81, A.3.1 to A.3.4; at borders the last samples are repeated (A.2.4). Called by bindings
// (`forward_dct`, `overshooting_dct`, `inverse_dct`, `inverse_dct_half`, `dequantise`).

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "block.h"
#include "coefficients.h"
#include "dct.h"
#include "deringing.h"
#include "hot.h"

namespace msroi {

// Rows of blocks first to last - 1; pixels beyond the right and lower border repeat the last ones.
MSROI_HOT void forward_rows(const float* plane, int64_t height, int64_t width, int64_t columns, int64_t first,
                            int64_t last, const Deringing* deringing, int16_t* coefficients) {
    float a[64], b[64];
    for (int64_t by = first; by < last; ++by) {
        for (int64_t bx = 0; bx < columns; ++bx) {
            const bool whole = 8 * bx + 8 <= width;
            for (int64_t y = 0; y < 8; ++y) {
                const float* row = plane + std::min(8 * by + y, height - 1) * width;
                if (whole)
                    std::memcpy(a + 8 * y, row + 8 * bx, 8 * sizeof(float));
                else
                    for (int64_t x = 0; x < 8; ++x) a[8 * y + x] = row[std::min(8 * bx + x, width - 1)];
            }
            if (deringing && Deringing::wanted(a)) deringing->block(a);
            dct_block(a, b);
            for (int k = 0; k < 64; ++k) a[k] = b[TURNED.place[k]];
            int16_t* out = coefficients + (by * columns + bx) * 64;
            for (int k = 0; k < 64; ++k) out[k] = in_parts(a[k]);
        }
    }
}

// What a decoder makes of a block's levels, in 8 rows of 8: centred on 0, not rounded, not clipped.
MSROI_INSIDE void decode_block(const int16_t* levels, const float* table, float* a) {
    uint64_t mask = mask_of(levels);
    if (!(mask & ~uint64_t{1})) {  // what the transform gives then
        std::fill(a, a + 64, C4 * (C4 * (levels[0] * table[0])));
        return;
    }
    float turned[64] = {};
    for (; mask; mask &= mask - 1) {
        const int k = lowest_bit(mask);
        turned[TURNED.place[k]] = levels[k] * table[k];
    }
    inverse_dct_block(turned, a);
}

// A plane of decoded blocks: rows of blocks first to last - 1, as much of them as the picture has.
MSROI_HOT void inverse_rows(const int16_t* levels, const float* table, int64_t height, int64_t width, int64_t columns,
                            int64_t first, int64_t last, float* plane) {
    float a[64];
    for (int64_t by = first; by < last; ++by) {
        for (int64_t bx = 0; bx < columns; ++bx) {
            decode_block(levels + (by * columns + bx) * 64, table, a);
            const int64_t rows = std::min<int64_t>(8, height - 8 * by), n = std::min<int64_t>(8, width - 8 * bx);
            for (int64_t y = 0; y < rows; ++y)
                std::memcpy(plane + (8 * by + y) * width + 8 * bx, a + 8 * y, static_cast<size_t>(n) * sizeof(float));
        }
    }
}

// Coefficients that levels stand for.
MSROI_HOT void dequantise_blocks(const int16_t* levels, const float* table, int64_t first, int64_t last, int16_t* out) {
    for (int64_t block = first; block < last; ++block)
        for (int k = 0; k < 64; ++k)
            out[64 * block + k] = in_parts(static_cast<float>(levels[64 * block + k]) * table[k]);
}

// A plane of decoded blocks, clipped to -128 to 127, at half size: means of 2 x 2 samples, of those inside the picture
// at its border.
MSROI_HOT void half_rows(const int16_t* levels, const float* table, int64_t height, int64_t width, int64_t columns,
                         int64_t first, int64_t last, float* plane) {
    const int64_t out_width = (width + 1) / 2;
    float a[64];
    for (int64_t by = first; by < last; ++by) {
        for (int64_t bx = 0; bx < columns; ++bx) {
            decode_block(levels + (by * columns + bx) * 64, table, a);
            for (int i = 0; i < 64; ++i) {  // by value, so that eight go at a time
                const float above = a[i] < -128.0f ? -128.0f : a[i];
                a[i] = above > 127.0f ? 127.0f : above;
            }
            const int64_t rows = std::min<int64_t>(8, height - 8 * by), n = std::min<int64_t>(8, width - 8 * bx);
            if (rows < 8 && rows % 2) std::copy(a + 8 * rows - 8, a + 8 * rows, a + 8 * rows);
            if (n < 8 && n % 2)
                for (int y = 0; y < 8; ++y) a[8 * y + n] = a[8 * y + n - 1];
            float* out = plane + 4 * by * out_width + 4 * bx;
            for (int64_t y = 0; y < (rows + 1) / 2; ++y, out += out_width) {
                float half[4];
                for (int x = 0; x < 4; ++x) {
                    const float* of = a + 16 * y + 2 * x;
                    half[x] = 0.25f * ((of[0] + of[8]) + (of[1] + of[9]));
                }
                std::memcpy(out, half, static_cast<size_t>((n + 1) / 2) * sizeof(float));
            }
        }
    }
}

}  // namespace msroi
