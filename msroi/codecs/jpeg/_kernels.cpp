// Compiled kernels of the rdo encoder: pure code on pointers and sizes on top, checked bindings below.
//
// Every function is stateless. Threads share rows of blocks; what they write does not overlap and what they add up
// are integers, so no result depends on their number. The order of floating-point operations is fixed
// (no fast-math, no contraction), so neither does it depend on the processor's vector width.
//
// Blocks are 8 x 8. Coefficients of a block lie in zigzag order, in the scale of the orthonormal DCT, which is
// that of JPEG: coefficient / table entry is the value that a file holds. They are kept as whole sixteenths, in two
// bytes. Grids of blocks hold the blocks that touch the picture; blocks that only complete an MCU exist in the writer
// alone.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "_decoder.h"

// Two versions of a hot loop, the better chosen at start; both compute the same, operation by operation. From GCC 12,
// which knows this name of a processor's features, and where the C library can choose (glibc).
#if defined(__x86_64__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && defined(__GLIBC__)
#define MSROI_HOT __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define MSROI_HOT
#endif

// Part of a hot loop wherever it is called, and so of both its versions.
#if defined(__GNUC__)
#define MSROI_INSIDE __attribute__((always_inline)) inline
#else
#define MSROI_INSIDE inline
#endif

// What such a pointer leads to is reached through no other.
#if defined(__GNUC__) || defined(_MSC_VER)
#define MSROI_ALONE __restrict
#else
#define MSROI_ALONE
#endif

namespace msroi {

// Position in the block (8 * row + column) of each zigzag index: ITU-T T.81, figure A.6.
constexpr int ZIGZAG[64] = {0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
                            41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
                            30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

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

// --- colour and sampling ----------------------------------------------------------------------------------

// One component of RGB pixels by JFIF 1.02 (ITU-R BT.601, full range), centred on 0, not rounded.
MSROI_HOT void colour_row(const uint8_t* rgb, int64_t width, const float* factors, float offset, float* out) {
    const float red = factors[0], green = factors[1], blue = factors[2];
    for (int64_t x = 0; x < width; ++x)
        out[x] = (red * rgb[3 * x] + green * rgb[3 * x + 1]) + (blue * rgb[3 * x + 2] - offset);
}

constexpr float TO_YCC[3][3] = {{0.299f, 0.587f, 0.114f},
                                {-0.168735892f, -0.331264108f, 0.5f},
                                {0.5f, -0.418687589f, -0.081312411f}};

void component_plane(const uint8_t* rgb, int64_t height, int64_t width, int component, float* out, int threads) {
    const float offset = component == 0 ? 128.0f : 0.0f;
    share(height, threads, [&](int64_t first, int64_t last) {
        for (int64_t y = first; y < last; ++y)
            colour_row(rgb + 3 * y * width, width, TO_YCC[component], offset, out + y * width);
    });
}

// Pairs of samples to one, along x. `box` is their mean; `adjoint` what the transposed triangle filter gives:
// (1 3 3 1) / 4 around the pair. Samples beyond the border repeat the last one.
MSROI_HOT void pairs_along_x(const float* in, int64_t width, float* box, float* adjoint) {
    const int64_t half = (width + 1) / 2;
    auto at = [&](int64_t x) { return in[std::min(std::max<int64_t>(x, 0), width - 1)]; };
    auto one = [&](int64_t i) {
        box[i] = 0.5f * (at(2 * i) + at(2 * i + 1));
        adjoint[i] = 0.75f * (at(2 * i) + at(2 * i + 1)) + 0.25f * (at(2 * i - 1) + at(2 * i + 2));
    };
    one(0);
    for (int64_t i = 1; i < width / 2 - 1; ++i) {
        const float inner = in[2 * i] + in[2 * i + 1], outer = in[2 * i - 1] + in[2 * i + 2];
        box[i] = 0.5f * inner;
        adjoint[i] = 0.75f * inner + 0.25f * outer;
    }
    for (int64_t i = std::max<int64_t>(1, width / 2 - 1); i < half; ++i) one(i);
}

// out = (3 8... ) the product of the triangle filter and its transpose along x: (3 10 3) / 8, borders repeated.
MSROI_HOT void gram_along_x(const float* in, int64_t width, float* out) {
    for (int64_t x = 1; x < width - 1; ++x) out[x] = 1.25f * in[x] + 0.375f * (in[x - 1] + in[x + 1]);
    if (width == 1) {
        out[0] = 2.0f * in[0];
        return;
    }
    out[0] = 1.625f * in[0] + 0.375f * in[1];
    out[width - 1] = 1.625f * in[width - 1] + 0.375f * in[width - 2];
}

MSROI_HOT void weigh_rows(const float* a, const float* b, const float* c, const float* d, float inner, float outer,
                          int64_t n, float* out) {
    for (int64_t x = 0; x < n; ++x) out[x] = inner * (b[x] + c[x]) + outer * (a[x] + d[x]);
}

// Halves a plane so that the decoder's triangle ("fancy") upsampling comes near the original: gradient steps on
// |plane - U x|^2, U the upsampling, from the box mean. U'U is a 3-tap filter a dimension, so all steps run at
// the small size.
// REQUIRES: out has ((height + 1) / 2 if vertical else height) rows of ((width + 1) / 2 if horizontal else width).
struct Halving {
    const float* plane;
    int64_t height, width;
    bool horizontal, vertical;
    int64_t out_height, out_width;

    // Rows of the start (box) and of the right-hand side (adjoint).
    void start(int64_t first, int64_t last, float* box, float* adjoint) const {
        std::vector<float> rows(static_cast<size_t>(8 * out_width));
        for (int64_t y = first; y < last; ++y) {
            const int64_t n_taps = vertical ? 4 : 1;
            for (int64_t tap = 0; tap < n_taps; ++tap) {
                const int64_t line = vertical ? 2 * y - 1 + tap : y;
                const float* in = plane + std::min(std::max<int64_t>(line, 0), height - 1) * width;
                float* of_box = rows.data() + tap * out_width;
                float* of_adjoint = rows.data() + (4 + tap) * out_width;
                if (horizontal) {
                    pairs_along_x(in, width, of_box, of_adjoint);
                } else {
                    std::copy(in, in + width, of_box);
                    std::copy(in, in + width, of_adjoint);
                }
            }
            const float* b = rows.data();
            const float* a = rows.data() + 4 * out_width;
            const int64_t n = out_width;
            if (vertical) {
                weigh_rows(b, b + n, b + 2 * n, b + 3 * n, 0.5f, 0.0f, n, box + y * n);
                weigh_rows(a, a + n, a + 2 * n, a + 3 * n, 0.75f, 0.25f, n, adjoint + y * n);
            } else {
                std::copy(b, b + n, box + y * n);
                std::copy(a, a + n, adjoint + y * n);
            }
        }
    }

    // out = x + step * (adjoint - U'U x)
    void descend(int64_t first, int64_t last, const float* x, const float* adjoint, float step, float* out) const {
        std::vector<float> rows(static_cast<size_t>(3 * out_width));
        const int64_t n = out_width;
        for (int64_t y = first; y < last; ++y) {
            for (int64_t tap = 0; tap < (vertical ? 3 : 1); ++tap) {
                const int64_t line = vertical ? std::min(std::max<int64_t>(y - 1 + tap, 0), out_height - 1) : y;
                if (horizontal)
                    gram_along_x(x + line * n, n, rows.data() + tap * n);
                else
                    std::copy(x + line * n, x + line * n + n, rows.data() + tap * n);
            }
            apply(rows.data(), x + y * n, adjoint + y * n, step, out + y * n);
        }
    }

    void apply(const float* rows, const float* x, const float* adjoint, float step, float* out) const {
        const int64_t n = out_width;
        for (int64_t i = 0; i < n; ++i) {
            const float gram = vertical ? 1.25f * rows[n + i] + 0.375f * (rows[i] + rows[2 * n + i]) : rows[i];
            out[i] = x[i] + step * (adjoint[i] - gram);
        }
    }
};

void halve(const float* plane, int64_t height, int64_t width, bool horizontal, bool vertical,
           const std::vector<float>& steps, float* out, int threads) {
    const int64_t out_height = vertical ? (height + 1) / 2 : height, out_width = horizontal ? (width + 1) / 2 : width;
    const Halving halving{plane, height, width, horizontal, vertical, out_height, out_width};
    std::vector<float> adjoint(static_cast<size_t>(out_height * out_width)), other(adjoint.size());
    // With an even number of swaps the last result lies in out.
    float* current = steps.size() % 2 ? other.data() : out;
    float* next = steps.size() % 2 ? out : other.data();
    share(out_height, threads, [&](int64_t a, int64_t b) { halving.start(a, b, current, adjoint.data()); });
    for (const float step : steps) {
        share(out_height, threads,
              [&](int64_t a, int64_t b) { halving.descend(a, b, current, adjoint.data(), step, next); });
        std::swap(current, next);
    }
}

// --- transform --------------------------------------------------------------------------------------------

// Orthonormal DCT-II of eight numbers, for eight columns at once: in and out are [8][8], transformed along the first.
// C[n] = cos(n pi / 16) / 2.
constexpr float C1 = 0.4903926402f, C2 = 0.4619397663f, C3 = 0.4157348062f, C4 = 0.3535533906f, C5 = 0.2777851165f,
                C6 = 0.1913417162f, C7 = 0.0975451610f;

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
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) out[8 * x + y] = in[8 * y + x];
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
inline int turned_place(int k) { return 8 * (ZIGZAG[k] % 8) + ZIGZAG[k] / 8; }

// Coefficients are kept in whole parts of 1: those of pixels from -192 to 191 have room, so does any multiple of a step
// that decodes to pixels, and the error of .03 at most is nothing against the steps of files.
constexpr float PARTS = 16.0f;

// The part nearest to a coefficient, those in the middle away from 0; beyond what two bytes hold the last one.
MSROI_INSIDE int16_t in_parts(float coefficient) {
    const float scaled = std::min(32767.0f, std::max(-32768.0f, coefficient * PARTS));
    return static_cast<int16_t>(static_cast<int>(scaled + (scaled < 0.0f ? -0.5f : 0.5f)));
}

MSROI_INSIDE void from_parts(const int16_t* parts, float* out) {
    for (int k = 0; k < 64; ++k) out[k] = static_cast<float>(parts[k]) * (1.0f / PARTS);
}

// --- overshoot --------------------------------------------------------------------------------------------

// Samples that a decoder clips: centred luma of pixels at 255 and at 0.
constexpr float WHITE = 127.0f, BLACK = -128.0f;

// Pixels at a limit may take any value beyond it, because decoders clip: a step from ink to paper need not be a square
// wave. Of all blocks that clip to the same one this looks for one of few and small coefficients: least sum of
// shrink(k) |c(k)| over what the bounds of each pixel allow, by proximal gradient steps with momentum (Beck and
// Teboulle 2009, "FISTA"): shrink the coefficients, then put the pixels back into their bounds.
struct Overshoot {
    float shrink[64];  // in the order of dct_block
    float margin;      // of the block's contrast, by which pixels at a limit lie beyond it at least, so that errors clip
    float most;        // the largest margin
    float reach;       // how far beyond a limit a pixel may lie
    int rounds;

    // Whether some but not all pixels of the block are at the upper limit, or at the lower.
    static bool wanted(const float* pixels) {
        int n_high = 0, n_low = 0;
        for (int i = 0; i < 64; ++i) {
            n_high += pixels[i] >= WHITE - 0.5f;
            n_low += pixels[i] <= BLACK + 0.5f;
        }
        return n_high + n_low > 0 && n_high < 64 && n_low < 64;
    }

    // Bounds of each pixel. A margin costs amplitude, so it is a share of the amplitude there is.
    void bounds(const float* pixels, float* low, float* high) const {
        float below_white = 0.0f, above_black = 0.0f;
        int n_below = 0, n_above = 0;
        for (int i = 0; i < 64; ++i) {
            const bool below = pixels[i] < WHITE - 0.5f, above = pixels[i] > BLACK + 0.5f;
            below_white += below ? WHITE - pixels[i] : 0.0f;
            above_black += above ? pixels[i] - BLACK : 0.0f;
            n_below += below;
            n_above += above;
        }
        const float over = std::min(most, margin * below_white / static_cast<float>(n_below));
        const float under = std::min(most, margin * above_black / static_cast<float>(n_above));
        for (int i = 0; i < 64; ++i) {
            const bool white = pixels[i] >= WHITE - 0.5f, black = pixels[i] <= BLACK + 0.5f;
            low[i] = white ? WHITE + over : black ? BLACK - reach : pixels[i];
            high[i] = white ? WHITE + reach : black ? BLACK - under : pixels[i];
        }
    }

    // REQUIRES: wanted(pixels).
    MSROI_INSIDE void block(float* pixels) const {
        float low[64], high[64], point[64], coefficients[64], next[64];
        bounds(pixels, low, high);
        for (int i = 0; i < 64; ++i) point[i] = pixels[i] = std::min(high[i], std::max(low[i], pixels[i]));
        float pace = 1.0f;
        for (int round = 0; round < rounds; ++round) {
            dct_block(point, coefficients);
            for (int k = 0; k < 64; ++k)
                coefficients[k] -= std::min(shrink[k], std::max(-shrink[k], coefficients[k]));
            inverse_dct_block(coefficients, next);
            const float faster = 0.5f * (1.0f + std::sqrt(1.0f + 4.0f * pace * pace));
            const float momentum = (pace - 1.0f) / faster;
            pace = faster;
            for (int i = 0; i < 64; ++i) {
                const float value = std::min(high[i], std::max(low[i], next[i]));
                point[i] = value + momentum * (value - pixels[i]);
                pixels[i] = value;
            }
        }
    }
};

// --- planes -----------------------------------------------------------------------------------------------

// Blocks first..last (rows of blocks); pixels beyond the right and lower border repeat the last ones.
MSROI_HOT void forward_rows(const float* plane, int64_t height, int64_t width, int64_t columns, int64_t first,
                            int64_t last, const Overshoot* overshoot, int16_t* coefficients) {
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
            if (overshoot && Overshoot::wanted(a)) overshoot->block(a);
            dct_block(a, b);
            for (int k = 0; k < 64; ++k) a[k] = b[turned_place(k)];
            int16_t* out = coefficients + (by * columns + bx) * 64;
            for (int k = 0; k < 64; ++k) out[k] = in_parts(a[k]);
        }
    }
}

// What a decoder makes of a block's levels, in 8 rows of 8: centred on 0, not rounded, not clipped.
MSROI_INSIDE void decode_block(const int16_t* levels, const float* table, float* a) {
    float b[64];
    int ac = 0;
    for (int k = 1; k < 64; ++k) ac |= levels[k];
    if (!ac) {  // what the transform gives then
        std::fill(a, a + 64, C4 * (C4 * (levels[0] * table[0])));
        return;
    }
    for (int k = 0; k < 64; ++k) b[k] = levels[k] * table[k];
    for (int k = 0; k < 64; ++k) a[ZIGZAG[k]] = b[k];
    inverse_dct_columns(a, b);
    transpose(b, a);
    inverse_dct_columns(a, b);
    transpose(b, a);
}

// A plane of decoded blocks.
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
        for (int k = 0; k < 64; ++k) out[64 * block + k] = in_parts(static_cast<float>(levels[64 * block + k]) * table[k]);
}

// Sum of the squared AC coefficients of a block.
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

// The same clipped to -128 to 127, at half size: means of 2 x 2 samples, of those inside the picture at its border.
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

// --- means and similarity ---------------------------------------------------------------------------------

MSROI_HOT void add_row(const float* row, int64_t n, float* sums) {
    for (int64_t x = 0; x < n; ++x) sums[x] += row[x];
}

// Means of squares side x side along a row of them: from the sums of their columns, over `tall` rows. The last may be
// narrower. SIDE: side where it is known, so that the loop is unrolled; else 0.
template <int SIDE>
MSROI_INSIDE void means_of_squares(const float* sums, int64_t width, int64_t any_side, int64_t tall, float* out) {
    const int64_t side = SIDE ? SIDE : any_side, whole = width / side;
    for (int64_t i = 0; i < whole; ++i) {
        float sum = 0.0f;
        for (int64_t j = 0; j < side; ++j) sum += sums[i * side + j];
        out[i] = sum / static_cast<float>(tall * side);
    }
    if (whole * side == width) return;
    float sum = 0.0f;
    for (int64_t x = whole * side; x < width; ++x) sum += sums[x];
    out[whole] = sum / static_cast<float>(tall * (width - whole * side));
}

MSROI_HOT void means_along_x(const float* sums, int64_t width, int64_t side, int64_t tall, float* out) {
    if (side == 2) return means_of_squares<2>(sums, width, side, tall, out);
    if (side == 4) return means_of_squares<4>(sums, width, side, tall, out);
    if (side == 8) return means_of_squares<8>(sums, width, side, tall, out);
    means_of_squares<0>(sums, width, side, tall, out);
}

// Means over squares; those that the right and lower border cut count with the samples they have.
void block_means(const float* plane, int64_t height, int64_t width, int64_t side, float* out, int threads) {
    const int64_t columns = (width + side - 1) / side;
    share((height + side - 1) / side, threads, [&](int64_t first, int64_t last) {
        std::vector<float> sums(static_cast<size_t>(width));
        for (int64_t by = first; by < last; ++by) {
            const int64_t end = std::min(height, (by + 1) * side);
            std::fill(sums.begin(), sums.end(), 0.0f);
            for (int64_t y = by * side; y < end; ++y) add_row(plane + y * width, width, sums.data());
            means_along_x(sums.data(), width, side, end - by * side, out + by * columns);
        }
    });
}

// SSIM's window, sigma 1.5 (Wang et al. 2004): its middle and one half.
constexpr int REACH = 5;
constexpr float TAPS[REACH + 1] = {0.2660117249f, 0.2130055377f, 0.1093606895f, 0.0360007721f, 0.0075987581f, 0.0010283801f};

// Index i of samples that go on beyond both ends mirrored: 2 1 0 | 0 1 2.
inline int64_t mirrored(int64_t i, int64_t n) {
    while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
}

// padded holds REACH samples more at each end.
MSROI_HOT void blur_along_x(const float* padded, int64_t width, float* out) {
    for (int64_t x = 0; x < width; ++x) {
        const float* at = padded + REACH + x;
        out[x] = ((TAPS[0] * at[0] + TAPS[1] * (at[-1] + at[1])) + (TAPS[2] * (at[-2] + at[2]) + TAPS[3] * (at[-3] + at[3]))) +
                 (TAPS[4] * (at[-4] + at[4]) + TAPS[5] * (at[-5] + at[5]));
    }
}

// rows: 2 REACH + 1 of them, none of them `out`: said to the compiler, which would not check so many for it.
MSROI_HOT void blur_along_y(const float* const* rows, int64_t width, float* MSROI_ALONE out) {
    const float* const* at = rows + REACH;
    for (int64_t x = 0; x < width; ++x)
        out[x] = ((TAPS[0] * at[0][x] + TAPS[1] * (at[-1][x] + at[1][x])) +
                  (TAPS[2] * (at[-2][x] + at[2][x]) + TAPS[3] * (at[-3][x] + at[3][x]))) +
                 (TAPS[4] * (at[-4][x] + at[4][x]) + TAPS[5] * (at[-5][x] + at[5][x]));
}

// Adds SSIM to sums, from blurred x, y, x^2 + y^2 and x y; without its luminance term unless asked for.
MSROI_HOT void add_similarity(const float* mean_x, const float* mean_y, const float* squares, const float* products,
                              int64_t width, bool luminance, float* sums) {
    constexpr float c1 = 6.5025f, c2 = 58.5225f, centre = 128.0f;  // (.01 * 255)^2, (.03 * 255)^2
    for (int64_t i = 0; i < width; ++i) {
        const float x = mean_x[i], y = mean_y[i];
        const float covariance = products[i] - x * y, variances = squares[i] - x * x - y * y;
        float value = (2.0f * covariance + c2) / (variances + c2);
        const float p = x + centre, q = y + centre;
        if (luminance) value *= (2.0f * p * q + c1) / (p * p + q * q + c1);
        sums[i] += value;
    }
}

// SSIM of two planes centred on 0, in means over squares. Each thread keeps the 11 rows of the window, blurred along x.
class Similarity {
   public:
    Similarity(const float* x, const float* y, int64_t height, int64_t width, int64_t side, bool luminance)
        : x_(x), y_(y), height_(height), width_(width), side_(side), luminance_(luminance) {}

    void rows(int64_t first, int64_t last, float* out) const {
        const auto n = static_cast<size_t>(width_);
        std::vector<float> window(KINDS * HIGH * n), padded(n + 2 * REACH), blurred(KINDS * n), sums(n);
        int64_t next = first * side_ - REACH;  // row to enter the window
        for (int64_t by = first; by < last; ++by) {
            const int64_t end = std::min(height_, (by + 1) * side_);
            std::fill(sums.begin(), sums.end(), 0.0f);
            for (int64_t y = by * side_; y < end; ++y) {
                for (; next <= y + REACH; ++next) enter(next, padded.data(), window.data());
                blur(y, window.data(), blurred.data());
                const float* b = blurred.data();
                add_similarity(b, b + n, b + 2 * n, b + 3 * n, width_, luminance_, sums.data());
            }
            const int64_t columns = (width_ + side_ - 1) / side_;
            means_along_x(sums.data(), width_, side_, end - by * side_, out + by * columns);
        }
    }

   private:
    static constexpr size_t KINDS = 4, HIGH = 2 * REACH + 1;  // x, y, x^2 + y^2, x y

    float* row_of(float* window, size_t kind, int64_t y) const {
        const auto slot = static_cast<size_t>((y + REACH) % static_cast<int64_t>(HIGH));
        return window + (kind * HIGH + slot) * static_cast<size_t>(width_);
    }

    void enter(int64_t y, float* padded, float* window) const {
        const float *x_row = x_ + mirrored(y, height_) * width_, *y_row = y_ + mirrored(y, height_) * width_;
        for (size_t kind = 0; kind < KINDS; ++kind) {
            fill(x_row, y_row, kind, padded + REACH);
            for (int64_t i = 1; i <= REACH; ++i) {
                padded[REACH - i] = padded[REACH + mirrored(-i, width_)];
                padded[REACH + width_ - 1 + i] = padded[REACH + mirrored(width_ - 1 + i, width_)];
            }
            blur_along_x(padded, width_, row_of(window, kind, y));
        }
    }

    void fill(const float* x, const float* y, size_t kind, float* out) const {
        for (int64_t i = 0; i < width_; ++i)
            out[i] = kind == 0 ? x[i] : kind == 1 ? y[i] : kind == 2 ? x[i] * x[i] + y[i] * y[i] : x[i] * y[i];
    }

    void blur(int64_t y, float* window, float* blurred) const {
        for (size_t kind = 0; kind < KINDS; ++kind) {
            const float* rows[HIGH];
            for (size_t i = 0; i < HIGH; ++i)
                rows[i] = row_of(window, kind, y - REACH + static_cast<int64_t>(i));
            blur_along_y(rows, width_, blurred + kind * static_cast<size_t>(width_));
        }
    }

    const float *x_, *y_;
    int64_t height_, width_, side_;
    bool luminance_;
};

// --- quantisation -----------------------------------------------------------------------------------------

// Number of bits of a magnitude: the category of T.81, tables F.1 and F.2.
inline int category(int magnitude) {
#if defined(__GNUC__)
    return magnitude ? 32 - __builtin_clz(static_cast<unsigned>(magnitude)) : 0;
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

constexpr int MAX_AC = 1023, MAX_CATEGORY = 10, MAX_DC = 1023, MIN_DC = -1024;

// A block whose DC is beyond what a file holds, because pixels lie beyond the limits: their overshoot scaled down to
// where it fits. Nothing else lies there; coefficients of pixels within the limits always fit.
// REQUIRES: c[0] outside [lowest, highest].
inline void within_range(const float* c, float lowest, float highest, float* out) {
    float turned[64], pixels[64];
    for (int k = 0; k < 64; ++k) turned[turned_place(k)] = c[k];
    inverse_dct_block(turned, pixels);
    const bool high = c[0] > highest;
    const float excess = 8.0f * (high ? c[0] - highest : lowest - c[0]);
    float beyond = 0.0f;
    for (int i = 0; i < 64; ++i) beyond += std::max(0.0f, high ? pixels[i] - WHITE : BLACK - pixels[i]);
    const float kept = beyond > excess ? 1.0f - excess / beyond : 0.0f;
    for (int i = 0; i < 64; ++i) {
        if (high && pixels[i] > WHITE) pixels[i] = WHITE + kept * (pixels[i] - WHITE);
        if (!high && pixels[i] < BLACK) pixels[i] = BLACK + kept * (pixels[i] - BLACK);
    }
    dct_block(pixels, turned);
    for (int k = 0; k < 64; ++k) out[k] = turned[turned_place(k)];
}

// What a band of coefficients costs beside its symbols: nothing in it but zeros, or zeros after its last value.
struct Ends {
    float blank, after;
};

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

// Prices of two bands, 1..cut and cut + 1..63, as scans of their own code them; cut = 63: one band.
// REQUIRES: ac_bits holds 2 x 256 lengths, ends 2 x (blank, after), all in bits.
struct Quantiser {
    static constexpr int LANES = Lanes::COUNT;

    const float* table;             // step of each position
    const float* position_weights;  // w(k)
    const float* blend;             // share of the block's low-frequency weight at each position
    int cut;
    Ends ends[2];  // in J, as price
    // lagrangian * (bits of the symbol and of the value) after a run of zeros; [band][category][62 - run], so that the
    // prices of a value at k after values at 0, 1, 2 ... lie one after the other from 63 - k on.
    float price[2][MAX_CATEGORY + 1][128 + LANES] = {};
    float inverse[64];

    Quantiser(const float* steps, const float* weights, const float* blends, float lambda, int last_of_first,
              const float* ac_bits, const float* end_bits)
        : table(steps), position_weights(weights), blend(blends), cut(last_of_first) {
        for (int k = 0; k < 64; ++k) inverse[k] = 1.0f / steps[k];
        for (int band = 0; band < 2; ++band) {
            const float* bits = ac_bits + 256 * band;
            ends[band] = {lambda * end_bits[2 * band], lambda * end_bits[2 * band + 1]};
            for (int run = 0; run < 63; ++run)
                for (int size = 1; size <= MAX_CATEGORY; ++size)
                    price[band][size][62 - run] = lambda * (static_cast<float>(run / 16) * bits[0xF0] +
                                                            bits[(run % 16) * 16 + size] + static_cast<float>(size));
        }
        if (cut == 63) ends[1] = {0.0f, 0.0f};
    }

    // A block's path so far, by band and position: J of the best path that ends there (without the end's own cost), less
    // the distortion of all zeros; infinite where no path ends. In the second band, position `cut` stands for all
    // of the first. The LANES positions around the latest one are `open`: what was just written in parts cannot be read
    // as a whole without waiting, so they lie in best once a later group is begun, or the band is closed.
    struct Path {
        float best[2][64];
        Lanes open;
        int group;      // the first position of `open`
        float latest;   // J of the best path to the latest position
        float way[64];  // of best: what leads to the value, and its bits
        int value[64];
        int last_of_first = 0;  // position of the last value of the best way through the first band, 0: none
    };

    // The path of least J through one block. levels: 64 values in zigzag order.
    MSROI_INSIDE void block(const float* c, float low, float high, int16_t* levels) const {
        std::memset(levels, 0, 64 * sizeof(int16_t));
        const float dc = std::floor(c[0] * inverse[0] + 0.5f);
        levels[0] = static_cast<int16_t>(std::min<float>(MAX_DC, std::max<float>(MIN_DC, dc)));
        const uint64_t candidates = not_zero(c);
        if (!candidates) return;

        Path path;
        begin(path, 0, 0.0f);
        float least = ends[0].blank + ends[1].blank;
        int last = 0, band = 0;
        for (uint64_t left = candidates; left; left &= left - 1) {
            const int k = lowest_bit(left);
            if (k > cut && band == 0) {
                band = 1;
                enter_second(path, candidates);
            }
            extend(path, k, band, std::fabs(c[k]), position_weights[k] * (high + (low - high) * blend[k]));
            const float cost = path.latest + end_after(k);
            if (cost < least) {
                least = cost;
                last = k;
            }
        }
        close(path, band);
        trace(path, candidates, last, c, levels);
    }

   private:
    static constexpr float NO_PATH = std::numeric_limits<float>::infinity();

    // Positions of AC that round to something; bits.
    MSROI_INSIDE uint64_t not_zero(const float* c) const {
        uint8_t flags[64];
        for (int k = 0; k < 64; ++k) flags[k] = std::fabs(c[k]) * inverse[k] + 0.5f >= 1.0f;
        uint64_t mask = 0;
        for (int part = 0; part < 8; ++part) mask |= gathered(flags + 8 * part) << (8 * part);
        return mask & ~uint64_t{1};
    }

    // No path but one, of cost `cost`, that ends at `from`.
    static MSROI_INSIDE void begin(Path& path, int from, float cost) {
        path.group = first_of_group(from);
        path.open.fill(NO_PATH);
        path.open.put(from - path.group, cost);
    }

    static inline int first_of_group(int k) { return k & ~(LANES - 1); }

    static MSROI_INSIDE void close(Path& path, int band) { path.open.store(path.best[band] + path.group); }

    // Makes the group of k the open one; no path ends in those between.
    static MSROI_INSIDE void open_group(Path& path, int band, int k) {
        const int group = first_of_group(k);
        if (group == path.group) return;
        close(path, band);
        path.open.fill(NO_PATH);
        for (path.group += LANES; path.group < group; path.group += LANES) close(path, band);
    }

    // Closes the first band: the best way through it, whatever follows.
    MSROI_INSIDE void enter_second(Path& path, uint64_t candidates) const {
        close(path, 0);
        float least = ends[0].blank;
        for (uint64_t left = candidates & below(cut + 1); left; left &= left - 1) {
            const int k = lowest_bit(left);
            const float cost = path.best[0][k] + after_first(k);
            if (cost >= least) continue;
            least = cost;
            path.last_of_first = k;
        }
        begin(path, cut, least);
    }

    static inline uint64_t below(int k) { return (uint64_t{1} << k) - 1; }  // REQUIRES: k < 64

    // What ends the first band after its last value at k.
    inline float after_first(int k) const { return k < cut ? ends[0].after : 0.0f; }

    inline float end_after(int k) const {
        if (k > cut) return k < 63 ? ends[1].after : 0.0f;
        return after_first(k) + ends[1].blank;
    }

    // Extends the best paths to position k with its rounded value, or with one less where that takes a shorter code.
    MSROI_INSIDE void extend(Path& path, int k, int band, float magnitude, float weight) const {
        const int r = static_cast<int>(std::min<float>(MAX_AC, magnitude * inverse[k] + 0.5f)), size = category(r);
        const float error = magnitude - static_cast<float>(r) * table[k], zeroed = weight * magnitude * magnitude;
        open_group(path, band, k);
        float way = cheapest(path, band, price[band][size], k);
        float least = way + (weight * error * error - zeroed);
        path.value[k] = r;
        if (r > 1 && (r & (r - 1)) == 0) {
            const float more = error + table[k];
            const float other = cheapest(path, band, price[band][size - 1], k);
            const float cost = other + (weight * more * more - zeroed);
            if (cost < least) {
                least = cost;
                way = other;
                path.value[k] = r - 1;
            }
        }
        path.open.put(k - path.group, least);
        path.latest = least;
        path.way[k] = way;
    }

    // Least cost of a path so far and the price of the step from its end to k. REQUIRES: the group of k is open.
    MSROI_INSIDE float cheapest(const Path& path, int band, const float* prices, int k) const {
        const float* own = prices + 63 - k;
        Lanes least, cost, step;
        least.load(own + path.group);
        least.add(path.open);
        for (int at = band ? first_of_group(cut) : 0; at < path.group; at += LANES) {
            cost.load(path.best[band] + at);
            step.load(own + at);
            cost.add(step);
            least.lower(cost);
        }
        return least.least();
    }

    // Writes the values of the best path, from its last one back.
    MSROI_INSIDE void trace(const Path& path, uint64_t candidates, int last, const float* c, int16_t* levels) const {
        int k = last;
        while (k > cut) {
            k = stepped_back(path, k, 1, candidates & ~below(cut + 1), c, levels);
            if (k == cut) k = path.last_of_first;
        }
        while (k > 0) k = stepped_back(path, k, 0, candidates, c, levels);
    }

    // Writes the value at k; returns the position before it. That is most often the nearest; what the step from it
    // costs is the same sum as it was on the way.
    MSROI_INSIDE int stepped_back(const Path& path, int k, int band, uint64_t candidates, const float* c,
                                  int16_t* levels) const {
        levels[k] = static_cast<int16_t>(c[k] < 0.0f ? -path.value[k] : path.value[k]);
        const float *best = path.best[band], *own = price[band][category(path.value[k])] + 63 - k;
        for (uint64_t left = candidates & below(k); left;) {
            const int before = highest_bit(left);
            if (best[before] + own[before] == path.way[k]) return before;
            left &= below(before);
        }
        return band * cut;
    }
};

MSROI_HOT void quantise_row(const Quantiser& quantiser, const int16_t* c, const float* low, const float* high,
                            int64_t columns, int16_t* levels) {
    const float lowest = MIN_DC * quantiser.table[0], highest = MAX_DC * quantiser.table[0];
    float block[64], fitting[64];
    for (int64_t x = 0; x < columns; ++x) {
        from_parts(c + 64 * x, block);
        const float* own = block;
        if (own[0] < lowest || own[0] > highest) {
            within_range(own, lowest, highest, fitting);
            own = fitting;
        }
        quantiser.block(own, low[x], high[x], levels + 64 * x);
    }
}

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

// --- entropy coding ---------------------------------------------------------------------------------------

using Counts = std::array<int64_t, 256>;

// Lengths of an optimal prefix code of at most 16 bits in which no code is all ones: package-merge (Larmore and
// Hirschberg 1990) over the used symbols and one that is never used, which takes the last code. 0: symbol not used.
std::array<uint8_t, 256> huffman_lengths(const Counts& counts) {
    struct Item {
        int64_t weight;
        std::array<uint8_t, 257> uses;  // how often each symbol lies in the package: its length so far
    };
    std::vector<std::pair<int64_t, int>> symbols{{0, 256}};
    for (int s = 0; s < 256; ++s)
        if (counts[static_cast<size_t>(s)] > 0) symbols.emplace_back(counts[static_cast<size_t>(s)], s);
    std::stable_sort(symbols.begin(), symbols.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::array<uint8_t, 256> lengths{};
    const size_t n = symbols.size();
    if (n == 1) return lengths;
    std::vector<Item> singles(n);
    for (size_t i = 0; i < n; ++i) {
        singles[i].weight = symbols[i].first;
        singles[i].uses.fill(0);
        singles[i].uses[i] = 1;
    }
    std::vector<Item> level = singles;
    for (int bit = 1; bit < 16; ++bit) {
        std::vector<Item> merged;
        merged.reserve(n + level.size() / 2);
        size_t single = 0;
        for (size_t pair = 0; pair + 1 < level.size(); pair += 2) {
            Item package = level[pair];
            package.weight += level[pair + 1].weight;
            for (size_t i = 0; i < n; ++i)
                package.uses[i] = static_cast<uint8_t>(package.uses[i] + level[pair + 1].uses[i]);
            while (single < n && singles[single].weight <= package.weight) merged.push_back(singles[single++]);
            merged.push_back(package);
        }
        while (single < n) merged.push_back(singles[single++]);
        level.swap(merged);
    }
    std::array<int, 257> total{};
    for (size_t item = 0; item < 2 * n - 2; ++item)
        for (size_t i = 0; i < n; ++i) total[i] += level[item].uses[i];
    for (size_t i = 0; i < n; ++i)
        if (symbols[i].second < 256) lengths[static_cast<size_t>(symbols[i].second)] = static_cast<uint8_t>(total[i]);
    return lengths;
}

struct Code {
    std::array<uint8_t, 256> lengths{};
    std::array<uint16_t, 256> codes{};
    std::array<uint8_t, 16> per_length{};
    std::vector<uint8_t> values;  // in the order of T.81's HUFFVAL

    explicit Code(const Counts& counts) : lengths(huffman_lengths(counts)) {
        uint32_t code = 0;
        for (int length = 1; length <= 16; ++length) {
            for (int s = 0; s < 256; ++s) {
                if (lengths[static_cast<size_t>(s)] != length) continue;
                codes[static_cast<size_t>(s)] = static_cast<uint16_t>(code++);
                ++per_length[static_cast<size_t>(length - 1)];
                values.push_back(static_cast<uint8_t>(s));
            }
            code <<= 1;
        }
    }

    int64_t bits(const Counts& counts) const {
        int64_t sum = 0;
        for (size_t s = 0; s < 256; ++s) sum += counts[s] * lengths[s];
        return sum;
    }
    // Bytes of a DHT segment of its own.
    int64_t bytes() const { return 2 + 2 + 1 + 16 + static_cast<int64_t>(values.size()); }
};

// What a scan codes is sent to a sink: symbol of table `table`, then `n` further bits.
struct Counter {
    std::array<Counts, 2> counts{};
    int64_t extra = 0;
    void put(int table, int symbol, uint32_t, int n) {
        ++counts[static_cast<size_t>(table)][static_cast<size_t>(symbol)];
        extra += n;
    }
};

struct Writer {
    std::vector<uint8_t>& out;
    const Code* codes[2];
    uint64_t pending = 0;  // its lowest n_pending bits are not written yet, at most 31 between calls
    int n_pending = 0;

    void put(int table, int symbol, uint32_t bits, int n) {
        const Code& code = *codes[table];
        // At most 16 + 14 bits come to those that wait.
        const int length = code.lengths[static_cast<size_t>(symbol)];
        pending = (pending << (length + n)) | (uint64_t{code.codes[static_cast<size_t>(symbol)]} << n) | bits;
        n_pending += length + n;
        if (n_pending < 32) return;
        n_pending -= 32;
        write(static_cast<uint32_t>(pending >> n_pending), 4);
    }
    // The highest n bytes of a word; a zero follows each that is 0xFF.
    void write(uint32_t word, int n) {
        for (int i = 0; i < n; ++i, word <<= 8) {
            const uint8_t byte = static_cast<uint8_t>(word >> 24);
            out.push_back(byte);
            if (byte == 0xFF) out.push_back(0);
        }
    }
    // Fills the last byte up with ones.
    void finish() {
        const int n = (n_pending + 7) / 8, fill = 8 * n - n_pending;
        const uint64_t filled = (pending << fill) | ((1u << fill) - 1);
        if (n) write(static_cast<uint32_t>(filled << (32 - 8 * n)), n);
        n_pending = 0;
    }
};

// A value's further bits: itself, or less one where negative, in as many bits as its category.
inline uint32_t value_bits(int value, int size) {
    return static_cast<uint32_t>(value < 0 ? value - 1 : value) & ((1u << size) - 1);
}

struct Component {
    const int16_t* levels;  // [rows][columns][64]
    int64_t rows, columns;
    int horizontal, vertical;  // sampling factors
};

struct Frame {
    std::vector<Component> components;
    int64_t height, width;
    int64_t mcu_rows, mcu_columns;
};

template <class Sink>
void put_dc(Sink& sink, int table, int value, int& predicted) {
    const int difference = value - predicted, size = category(std::abs(difference));
    predicted = value;
    sink.put(table, size, value_bits(difference, size), size);
}

// Bit k of a block's mask is set where its level k is not 0.
MSROI_INSIDE uint64_t mask_of(const int16_t* levels) {
    uint8_t flags[64];
    for (int k = 0; k < 64; ++k) flags[k] = levels[k] != 0;
    uint64_t mask = 0;
    for (int part = 0; part < 8; ++part) mask |= gathered(flags + 8 * part) << (8 * part);
    return mask;
}

// What scans want of a component at every turn: where its blocks have values, and their DC levels.
struct Digest {
    std::vector<uint64_t> masks;
    std::vector<int16_t> dc;
};

// Of blocks first..last - 1. False where a level has no code: AC beyond -MAX_AC to MAX_AC, DC beyond MIN_DC to MAX_DC.
MSROI_HOT bool digest_blocks(const int16_t* levels, int64_t first, int64_t last, uint64_t* masks, int16_t* dc) {
    unsigned beyond = 0;
    for (int64_t b = first; b < last; ++b) {
        const int16_t* own = levels + 64 * b;
        masks[b] = mask_of(own);
        dc[b] = own[0];
        beyond |= own[0] < MIN_DC || own[0] > MAX_DC;
        uint16_t any = 0;
        for (int k = 1; k < 64; ++k) any |= static_cast<uint16_t>(own[k] + MAX_AC) > 2 * MAX_AC;
        beyond |= any;
    }
    return !beyond;
}

template <class Sink>
inline void put_ac(Sink& sink, int table, const int16_t* levels, uint64_t mask, int first) {
    int next = first;
    while (mask) {
        const int k = lowest_bit(mask);
        mask &= mask - 1;
        int run = k - next;
        next = k + 1;
        for (; run > 15; run -= 16) sink.put(table, 0xF0, 0, 0);
        const int value = levels[k], size = category(std::abs(value));
        sink.put(table, run * 16 + size, value_bits(value, size), size);
    }
}

// All bits first..last.
inline uint64_t band_mask(int first, int last) {
    const uint64_t upto = last == 63 ? ~uint64_t{0} : (uint64_t{1} << (last + 1)) - 1;
    return upto & ~((uint64_t{1} << first) - 1);
}

// DC of all components, interleaved: in a sequential file with the AC, in a progressive one alone.
// with_ac: AC tables are those of the sink `ac`. Blocks beyond the picture cost a zero difference and an end of block.
template <class Sink>
void code_interleaved(const Frame& frame, const std::vector<Digest>& digests, bool with_ac, Sink& dc,
                      Sink* ac) {
    std::vector<int> predicted(frame.components.size(), 0);
    for (int64_t my = 0; my < frame.mcu_rows; ++my) {
        for (int64_t mx = 0; mx < frame.mcu_columns; ++mx) {
            for (size_t i = 0; i < frame.components.size(); ++i) {
                const Component& c = frame.components[i];
                const int table = i > 0;
                for (int64_t y = my * c.vertical; y < (my + 1) * c.vertical; ++y) {
                    for (int64_t x = mx * c.horizontal; x < (mx + 1) * c.horizontal; ++x) {
                        const bool inside = y < c.rows && x < c.columns;
                        const int64_t block = y * c.columns + x;
                        put_dc(dc, table, inside ? digests[i].dc[static_cast<size_t>(block)] : predicted[i], predicted[i]);
                        if (!with_ac) continue;
                        const uint64_t mask = inside ? digests[i].masks[static_cast<size_t>(block)] & ~uint64_t{1} : 0;
                        if (inside) put_ac(*ac, table, c.levels + 64 * block, mask, 1);
                        if (!(mask >> 63)) ac->put(table, 0x00, 0, 0);
                    }
                }
            }
        }
    }
}

// So many ends of bands are counted together at most; 1 is how a sequential scan codes them.
constexpr int LONGEST_RUN = 0x7FFF;

// One band of a component's AC coefficients in a scan of its own: T.81 G.1.2.2, ends of bands counted across blocks.
template <class Sink>
void code_band(const Component& c, const std::vector<uint64_t>& masks, int first, int last, Sink& sink) {
    int ended = 0;
    auto flush = [&] {
        if (!ended) return;
        const int n = category(ended) - 1;
        sink.put(0, n * 16, static_cast<uint32_t>(ended) & ((1u << n) - 1), n);
        ended = 0;
    };
    const uint64_t band = band_mask(first, last);
    for (int64_t block = 0; block < c.rows * c.columns; ++block) {
        const uint64_t mask = masks[static_cast<size_t>(block)] & band;
        if (mask) {
            flush();
            put_ac(sink, 0, c.levels + 64 * block, mask, first);
        }
        if (!((mask >> last) & 1) && ++ended == LONGEST_RUN) flush();
    }
    flush();
}

// --- statistics of all cuts at once -----------------------------------------------------------------------

void add_to(Counts& sums, const Counts& counts) {
    for (size_t s = 0; s < 256; ++s) sums[s] += counts[s];
}

// The bands that a component's AC may be coded in: 1..63, then 1..cut and cut + 1..63 for each cut.
// REQUIRES: cuts rise, 1 to 62.
struct Bands {
    std::vector<int> cuts;
    std::vector<std::pair<int, int>> limits{{1, 63}};
    std::vector<uint64_t> masks;
    size_t piece[64] = {};  // of each position: how many cuts lie below it

    explicit Bands(const std::vector<int>& at) : cuts(at) {
        for (const int cut : cuts) {
            limits.insert(limits.end(), {{1, cut}, {cut + 1, 63}});
            for (int k = cut + 1; k < 64; ++k) ++piece[k];
        }
        for (const auto& [first, last] : limits) masks.push_back(band_mask(first, last));
    }
};

// What the scans of all bands count in a part of a component's blocks, from one pass over its values: scans differ in
// the first symbol after a cut and in the ends of bands alone.
struct Tally {
    std::vector<Counts> pieces;  // symbols of values between cuts, as the scan of 1..63 has them
    std::vector<Counts> moved;   // by cut: what its upper band has more and less of, its runs starting at the cut
    std::vector<Counts> ends;    // by band
    std::vector<int64_t> first;  // by band: the first block with a value, -1 where there is none
    std::vector<int64_t> open;   // by band: from where on ends are not counted yet
    int64_t longest_run;

    Tally(const Bands& bands, int64_t longest)
        : pieces(bands.cuts.size() + 1),
          moved(bands.cuts.size()),
          ends(bands.masks.size()),
          first(bands.masks.size(), -1),
          open(bands.masks.size(), 0),
          longest_run(longest) {}

    // masks: of the blocks, or null: then they are made here.
    void add(const Bands& bands, const int16_t* levels, const uint64_t* masks, int64_t from, int64_t to) {
        for (int64_t block = from; block < to; ++block) {
            const uint64_t mask = (masks ? masks[block] : mask_of(levels + 64 * block)) & bands.masks[0];
            if (!mask) continue;
            add_values(bands, levels + 64 * block, mask);
            for (size_t band = 0; band < ends.size(); ++band) {
                if (!(mask & bands.masks[band])) continue;
                if (first[band] < 0)
                    first[band] = block;
                else
                    close(band, block - open[band]);
                open[band] = block + ((mask >> bands.limits[band].second) & 1);  // no end after a last value
            }
        }
    }

    void add_values(const Bands& bands, const int16_t* levels, uint64_t mask) {
        int before = 0;
        for (; mask; mask &= mask - 1) {
            const int k = lowest_bit(mask), run = k - before - 1, size = category(std::abs(levels[k]));
            count(pieces[bands.piece[k]], run, size, 1);
            for (size_t cut = bands.piece[before]; cut < bands.piece[k]; ++cut) {
                count(moved[cut], run, size, -1);
                count(moved[cut], k - bands.cuts[cut] - 1, size, 1);
            }
            before = k;
        }
    }

    static void count(Counts& counts, int run, int size, int64_t n) {
        counts[static_cast<size_t>((run & 15) << 4 | size)] += n;
        if (run > 15) counts[0xF0] += (run >> 4) * n;
    }

    // Counts a run of so many ends.
    void close(size_t band, int64_t n) {
        if (longest_run == 1) {
            ends[band][0x00] += n;
            return;
        }
        const auto symbol = [](int64_t run) { return static_cast<size_t>(16 * (category(static_cast<int>(run)) - 1)); };
        for (; n >= longest_run; n -= longest_run) ++ends[band][symbol(longest_run)];
        if (n) ++ends[band][symbol(n)];
    }

    // Takes over what the next part counted.
    void append(const Tally& next) {
        for (size_t i = 0; i < pieces.size(); ++i) add_to(pieces[i], next.pieces[i]);
        for (size_t i = 0; i < moved.size(); ++i) add_to(moved[i], next.moved[i]);
        for (size_t band = 0; band < ends.size(); ++band) {
            add_to(ends[band], next.ends[band]);
            if (next.first[band] < 0) continue;
            close(band, next.first[band] - open[band]);
            open[band] = next.open[band];
        }
    }

    // Symbols of each band, all ends counted.
    std::vector<Counts> counts(const Bands& bands, int64_t blocks) {
        for (size_t band = 0; band < ends.size(); ++band) close(band, blocks - open[band]);
        std::vector<Counts> result = ends;
        for (size_t i = 0; i < pieces.size(); ++i) {
            add_to(result[0], pieces[i]);
            for (size_t cut = 0; cut < moved.size(); ++cut) add_to(result[1 + 2 * cut + (i > cut)], pieces[i]);
        }
        for (size_t cut = 0; cut < moved.size(); ++cut) add_to(result[2 + 2 * cut], moved[cut]);
        return result;
    }
};

// How often each symbol occurs in each band. masks: as for Tally::add. longest_run: LONGEST_RUN or 1.
std::vector<Counts> band_counts(const Component& c, const uint64_t* masks, const Bands& bands, int longest_run,
                                int threads) {
    const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(threads, c.rows));
    std::vector<Tally> tallies(static_cast<size_t>(parts), Tally(bands, longest_run));
    share(parts, threads, [&](int64_t a, int64_t b) {
        for (int64_t part = a; part < b; ++part)
            tallies[static_cast<size_t>(part)].add(bands, c.levels, masks, c.rows * part / parts * c.columns,
                                                   c.rows * (part + 1) / parts * c.columns);
    });
    Tally whole(bands, longest_run);
    for (const Tally& tally : tallies) whole.append(tally);
    return whole.counts(bands, c.rows * c.columns);
}

// A scan as it will be written, with what it costs.
struct Band {
    int first, last;
    Counts counts;
    int64_t bytes;
};

// Bits that follow the codes of so many AC symbols: those of values, those of ends counted together.
int64_t further_bits(const Counts& counts) {
    int64_t bits = 0;
    for (size_t s = 0; s < 0xF0; ++s) bits += counts[s] * static_cast<int64_t>(s % 16 ? s % 16 : s / 16);
    for (size_t s = 0xF1; s < 256; ++s) bits += counts[s] * static_cast<int64_t>(s % 16);
    return bits;
}

Band priced(const std::pair<int, int>& limits, const Counts& counts) {
    const Code code(counts);
    constexpr int64_t header = 2 + 8;  // SOS of one component
    return Band{limits.first, limits.second, counts,
                header + code.bytes() + (code.bits(counts) + further_bits(counts) + 7) / 8};
}

// Where a component's AC may be cut in two scans.
constexpr int CUTS[] = {2, 5, 9, 14};  // as CUTS in symbol_prices.py

// The cheapest way to code a component's AC: one scan or two.
std::vector<Band> choose_bands(const Component& c, const Digest& digest, int threads) {
    const Bands bands(std::vector<int>(std::begin(CUTS), std::end(CUTS)));
    const std::vector<Counts> counts = band_counts(c, digest.masks.data(), bands, LONGEST_RUN, threads);
    std::vector<Band> chosen{priced(bands.limits[0], counts[0])};
    int64_t least = chosen[0].bytes;
    for (size_t low = 1; low < counts.size(); low += 2) {
        std::vector<Band> two{priced(bands.limits[low], counts[low]), priced(bands.limits[low + 1], counts[low + 1])};
        if (two[0].bytes + two[1].bytes >= least) continue;
        least = two[0].bytes + two[1].bytes;
        chosen = std::move(two);
    }
    return chosen;
}

void marker(std::vector<uint8_t>& out, int code, const std::vector<uint8_t>& payload) {
    const size_t n = payload.size() + 2;
    out.insert(out.end(), {0xFF, static_cast<uint8_t>(code), static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)});
    out.insert(out.end(), payload.begin(), payload.end());
}

void huffman_table(std::vector<uint8_t>& out, int kind, int id, const Code& code) {
    std::vector<uint8_t> payload{static_cast<uint8_t>(kind * 16 + id)};
    payload.insert(payload.end(), code.per_length.begin(), code.per_length.end());
    payload.insert(payload.end(), code.values.begin(), code.values.end());
    marker(out, 0xC4, payload);
}

// SOI, JFIF 1.01 without units, tables (equal ones once), frame.
void head(std::vector<uint8_t>& out, const Frame& frame, const std::vector<const uint16_t*>& tables, bool progressive) {
    out.insert(out.end(), {0xFF, 0xD8});
    marker(out, 0xE0, {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0});
    std::vector<int> ids;
    int n_ids = 0;
    for (size_t i = 0; i < tables.size(); ++i) {
        int id = -1;
        for (size_t j = 0; j < i && id < 0; ++j)
            if (std::equal(tables[i], tables[i] + 64, tables[j])) id = ids[j];
        if (id < 0) {
            id = n_ids++;
            std::vector<uint8_t> payload{static_cast<uint8_t>(id)};
            for (int k = 0; k < 64; ++k) payload.push_back(static_cast<uint8_t>(tables[i][k]));
            marker(out, 0xDB, payload);
        }
        ids.push_back(id);
    }
    std::vector<uint8_t> sof{8,
                             static_cast<uint8_t>(frame.height >> 8),
                             static_cast<uint8_t>(frame.height),
                             static_cast<uint8_t>(frame.width >> 8),
                             static_cast<uint8_t>(frame.width),
                             static_cast<uint8_t>(frame.components.size())};
    for (size_t i = 0; i < frame.components.size(); ++i) {
        const Component& c = frame.components[i];
        sof.insert(sof.end(), {static_cast<uint8_t>(i + 1), static_cast<uint8_t>(c.horizontal * 16 + c.vertical),
                               static_cast<uint8_t>(ids[i])});
    }
    marker(out, progressive ? 0xC2 : 0xC0, sof);
}

void scan_head(std::vector<uint8_t>& out, const std::vector<std::pair<int, int>>& ids_and_tables, int first, int last) {
    std::vector<uint8_t> payload{static_cast<uint8_t>(ids_and_tables.size())};
    for (const auto& [id, table] : ids_and_tables) {
        payload.push_back(static_cast<uint8_t>(id));
        payload.push_back(static_cast<uint8_t>(table));
    }
    payload.insert(payload.end(), {static_cast<uint8_t>(first), static_cast<uint8_t>(last), 0});
    marker(out, 0xDA, payload);
}

// Errors: std::invalid_argument for a level that has no code.
Digest digested(const Component& c, int threads) {
    const auto blocks = static_cast<size_t>(c.rows * c.columns);
    Digest digest{std::vector<uint64_t>(blocks), std::vector<int16_t>(blocks)};
    share(c.rows, threads, [&](int64_t a, int64_t b) {
        if (!digest_blocks(c.levels, a * c.columns, b * c.columns, digest.masks.data(), digest.dc.data()))
            throw std::invalid_argument("levels: beyond -1023 to 1023");
    });
    return digest;
}

std::vector<Digest> all_digests(const Frame& frame, int threads) {
    std::vector<Digest> digests;
    for (const Component& c : frame.components) digests.push_back(digested(c, threads));
    return digests;
}

std::vector<std::pair<int, int>> interleaved_ids(const Frame& frame, bool with_ac) {
    std::vector<std::pair<int, int>> ids;
    for (size_t i = 0; i < frame.components.size(); ++i)
        ids.emplace_back(static_cast<int>(i + 1), i > 0 ? (with_ac ? 0x11 : 0x10) : 0);
    return ids;
}

std::vector<uint8_t> sequential_scan(const Frame& frame, const std::vector<Digest>& digests) {
    Counter dc, ac;
    code_interleaved(frame, digests, true, dc, &ac);
    std::vector<Code> codes;
    for (int i = 0; i < 2; ++i) codes.emplace_back(dc.counts[static_cast<size_t>(i)]);
    for (int i = 0; i < 2; ++i) codes.emplace_back(ac.counts[static_cast<size_t>(i)]);
    std::vector<uint8_t> out;
    const int n_tables = frame.components.size() > 1 ? 2 : 1;
    for (int i = 0; i < n_tables; ++i) {
        huffman_table(out, 0, i, codes[static_cast<size_t>(i)]);
        huffman_table(out, 1, i, codes[static_cast<size_t>(2 + i)]);
    }
    scan_head(out, interleaved_ids(frame, true), 0, 63);
    // One stream of bits, two kinds of tables: symbols of AC are sent to the same writer.
    struct Both {
        Writer& writer;
        const Code* const* tables;
        void put(int table, int symbol, uint32_t bits, int n) {
            writer.codes[table] = tables[table];
            writer.put(table, symbol, bits, n);
        }
    };
    Writer writer{out, {nullptr, nullptr}};
    const Code* of_dc[2] = {&codes[0], &codes[1]};
    const Code* of_ac[2] = {&codes[2], &codes[3]};
    Both dc_sink{writer, of_dc}, ac_sink{writer, of_ac};
    code_interleaved(frame, digests, true, dc_sink, &ac_sink);
    writer.finish();
    return out;
}

std::vector<uint8_t> joint_dc_scan(const Frame& frame, const std::vector<Digest>& digests) {
    Counter counter;
    code_interleaved<Counter>(frame, digests, false, counter, nullptr);
    std::vector<uint8_t> out;
    const std::vector<Code> codes{Code(counter.counts[0]), Code(counter.counts[1])};
    huffman_table(out, 0, 0, codes[0]);
    if (frame.components.size() > 1) huffman_table(out, 0, 1, codes[1]);
    scan_head(out, interleaved_ids(frame, false), 0, 0);
    Writer writer{out, {&codes[0], &codes[1]}};
    code_interleaved<Writer>(frame, digests, false, writer, nullptr);
    writer.finish();
    return out;
}

template <class Sink>
void code_dc(const Digest& digest, Sink& sink) {
    int predicted = 0;
    for (const int16_t value : digest.dc) put_dc(sink, 0, value, predicted);
}

std::vector<uint8_t> dc_scan(const Digest& digest, int id) {
    Counter counter;
    code_dc(digest, counter);
    std::vector<uint8_t> out;
    const Code code(counter.counts[0]);
    huffman_table(out, 0, 0, code);
    scan_head(out, {{id, 0}}, 0, 0);
    Writer writer{out, {&code, &code}};
    code_dc(digest, writer);
    writer.finish();
    return out;
}

// DC of all components, in one scan or, mostly smaller, in one each: there the blocks follow each other along rows,
// while those of an MCU of four go to and fro, so that differences are larger.
std::vector<uint8_t> dc_scans(const Frame& frame, const std::vector<Digest>& digests) {
    std::vector<uint8_t> joint = joint_dc_scan(frame, digests);
    if (frame.components.size() == 1) return joint;
    std::vector<uint8_t> apart;
    for (size_t i = 0; i < frame.components.size(); ++i) {
        const std::vector<uint8_t> scan = dc_scan(digests[i], static_cast<int>(i + 1));
        apart.insert(apart.end(), scan.begin(), scan.end());
    }
    return apart.size() < joint.size() ? apart : joint;
}

std::vector<uint8_t> band_scan(const Component& c, const Digest& digest, int id, const Band& band) {
    std::vector<uint8_t> out;
    const Code code(band.counts);
    huffman_table(out, 1, 0, code);
    scan_head(out, {{id, 0}}, band.first, band.last);
    Writer writer{out, {&code, &code}};
    code_band(c, digest.masks, band.first, band.last, writer);
    writer.finish();
    return out;
}

// The AC scans of one component of a progressive file.
std::vector<std::vector<uint8_t>> component_scans(const Component& c, int id, int threads) {
    const Digest digest = digested(c, threads);
    const std::vector<Band> bands = choose_bands(c, digest, threads);
    std::vector<std::vector<uint8_t>> scans(bands.size());
    each(static_cast<int64_t>(bands.size()), threads, [&](int64_t i) {
        scans[static_cast<size_t>(i)] = band_scan(c, digest, id, bands[static_cast<size_t>(i)]);
    });
    return scans;
}

// The scans of a progressive file: DC first, then the low bands of all components, then the others.
std::vector<uint8_t> progressive_scans(const Frame& frame, const std::vector<Digest>& digests, int threads) {
    const size_t n = frame.components.size();
    std::vector<std::vector<Band>> bands;
    for (size_t i = 0; i < n; ++i) bands.push_back(choose_bands(frame.components[i], digests[i], threads));
    std::vector<std::pair<size_t, const Band*>> order;  // component and band
    for (size_t part = 0; part < 2; ++part)
        for (size_t i = 0; i < n; ++i)
            if (part < bands[i].size()) order.emplace_back(i, &bands[i][part]);
    // DC is number 0. Of the others the longest are written first, so that threads end together.
    std::vector<size_t> tasks(order.size() + 1);
    for (size_t scan = 0; scan < tasks.size(); ++scan) tasks[scan] = scan;
    std::stable_sort(tasks.begin() + 1, tasks.end(), [&](size_t a, size_t b) {
        return order[a - 1].second->bytes > order[b - 1].second->bytes;
    });
    std::vector<std::vector<uint8_t>> scans(tasks.size());
    each(static_cast<int64_t>(tasks.size()), threads, [&](int64_t task) {
        const size_t scan = tasks[static_cast<size_t>(task)];
        if (scan == 0) {
            scans[0] = dc_scans(frame, digests);
            return;
        }
        const auto& [i, band] = order[scan - 1];
        scans[scan] = band_scan(frame.components[i], digests[i], static_cast<int>(i + 1), *band);
    });
    std::vector<uint8_t> out;
    for (const auto& scan : scans) out.insert(out.end(), scan.begin(), scan.end());
    return out;
}

std::vector<uint8_t> whole_file(const Frame& frame, const std::vector<const uint16_t*>& tables, bool progressive,
                                const std::vector<uint8_t>& scans) {
    std::vector<uint8_t> out;
    head(out, frame, tables, progressive);
    out.insert(out.end(), scans.begin(), scans.end());
    out.insert(out.end(), {0xFF, 0xD9});
    return out;
}

std::vector<uint8_t> write_jpeg(const Frame& frame, const std::vector<const uint16_t*>& tables, bool progressive,
                                int threads) {
    const std::vector<Digest> digests = all_digests(frame, threads);
    return whole_file(frame, tables, progressive,
                      progressive ? progressive_scans(frame, digests, threads) : sequential_scan(frame, digests));
}

// What write_jpeg writes, of the components' DC and their scans of AC, in its order.
std::vector<uint8_t> join_scans(const Frame& frame, const std::vector<const uint16_t*>& tables,
                                const std::vector<Digest>& dc, const std::vector<std::vector<std::string>>& ac) {
    std::vector<uint8_t> scans = dc_scans(frame, dc);
    for (size_t part = 0; part < 2; ++part)
        for (const auto& own : ac)
            if (part < own.size()) scans.insert(scans.end(), own[part].begin(), own[part].end());
    return whole_file(frame, tables, true, scans);
}

}  // namespace msroi

// --- bindings ---------------------------------------------------------------------------------------------

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

namespace {

[[noreturn]] void refuse(const std::string& message) { throw py::value_error(message); }

int checked_threads(int threads) {
    if (threads < 1) refuse("threads: " + std::to_string(threads) + ", must be at least 1");
    return std::min(threads, 256);
}

template <class T>
void check_shape(const char* name, const Array<T>& array, std::vector<py::ssize_t> shape) {
    bool equal = array.ndim() == static_cast<py::ssize_t>(shape.size());
    for (size_t i = 0; equal && i < shape.size(); ++i)
        equal = shape[i] < 0 ? array.shape(static_cast<py::ssize_t>(i)) > 0 : array.shape(static_cast<py::ssize_t>(i)) == shape[i];
    if (!equal) refuse(std::string(name) + ": wrong shape or empty");
}

Array<float> component_plane(const Array<uint8_t>& pixels, int component, int threads) {
    check_shape(("pixels"), pixels, {-1, -1, 3});
    if (component < 0 || component > 2) refuse("component: must be 0, 1 or 2");
    Array<float> out({pixels.shape(0), pixels.shape(1)});
    const auto* in = pixels.data();
    auto* result = out.mutable_data();
    const auto height = pixels.shape(0), width = pixels.shape(1);
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::component_plane(in, height, width, component, result, threads);
    return out;
}

Array<float> halve(const Array<float>& plane, bool horizontal, bool vertical, const std::vector<float>& steps,
                   int threads) {
    check_shape("plane", plane, {-1, -1});
    const auto height = plane.shape(0), width = plane.shape(1);
    Array<float> out({vertical ? (height + 1) / 2 : height, horizontal ? (width + 1) / 2 : width});
    const auto* in = plane.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::halve(in, height, width, horizontal, vertical, steps, result, threads);
    return out;
}

Array<int16_t> transformed(const Array<float>& plane, const msroi::Overshoot* overshoot, int threads) {
    check_shape("plane", plane, {-1, -1});
    const auto height = plane.shape(0), width = plane.shape(1);
    const auto rows = (height + 7) / 8, columns = (width + 7) / 8;
    Array<int16_t> out({rows, columns, py::ssize_t{64}});
    const auto* in = plane.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows, threads,
                 [&](int64_t a, int64_t b) { msroi::forward_rows(in, height, width, columns, a, b, overshoot, result); });
    return out;
}

Array<int16_t> forward_dct(const Array<float>& plane, int threads) { return transformed(plane, nullptr, threads); }

Array<int16_t> overshooting_dct(const Array<float>& plane, const Array<float>& shrink, float margin, float most,
                                float reach, int rounds, int threads) {
    check_shape("shrink", shrink, {64});
    if (!(margin >= 0 && most >= 0 && reach >= most && reach <= 64)) refuse("margin, most, reach: must be 0 <= most <= reach <= 64");
    if (rounds < 0 || rounds > 1000) refuse("rounds: must be 0 to 1000");
    msroi::Overshoot overshoot{{}, margin, most, reach, rounds};
    for (int k = 0; k < 64; ++k) {
        if (!(shrink.data()[k] >= 0)) refuse("shrink: must not be negative");
        overshoot.shrink[msroi::turned_place(k)] = shrink.data()[k];
    }
    return transformed(plane, &overshoot, threads);
}

void check_levels(const Array<int16_t>& levels) { check_shape("levels", levels, {-1, -1, 64}); }

void check_table(const Array<uint16_t>& table) {
    check_shape("table", table, {64});
    for (int k = 0; k < 64; ++k)
        if (table.data()[k] < 1 || table.data()[k] > 255) refuse("table: steps must be 1 to 255");
}

void check_decodable(const Array<int16_t>& levels, const Array<uint16_t>& table, py::ssize_t height,
                     py::ssize_t width) {
    check_levels(levels);
    check_table(table);
    if (height < 1 || width < 1 || levels.shape(0) != (height + 7) / 8 || levels.shape(1) != (width + 7) / 8)
        refuse("height, width: do not go with the blocks of levels");
}

Array<int16_t> dequantise(const Array<int16_t>& levels, const Array<uint16_t>& table, int threads) {
    check_levels(levels);
    check_table(table);
    const auto rows = levels.shape(0), columns = levels.shape(1);
    Array<int16_t> out({rows, columns, py::ssize_t{64}});
    float steps[64];
    std::copy(table.data(), table.data() + 64, steps);
    const auto* in = levels.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows * columns, threads,
                 [&](int64_t a, int64_t b) { msroi::dequantise_blocks(in, steps, a, b, result); });
    return out;
}

Array<float> inverse_dct(const Array<int16_t>& levels, const Array<uint16_t>& table, py::ssize_t height,
                         py::ssize_t width, int threads) {
    check_decodable(levels, table, height, width);
    const auto rows = levels.shape(0), columns = levels.shape(1);
    Array<float> out({height, width});
    float steps[64];
    std::copy(table.data(), table.data() + 64, steps);
    const auto* in = levels.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows, threads,
                 [&](int64_t a, int64_t b) { msroi::inverse_rows(in, steps, height, width, columns, a, b, result); });
    return out;
}

Array<float> inverse_dct_half(const Array<int16_t>& levels, const Array<uint16_t>& table, py::ssize_t height,
                              py::ssize_t width, int threads) {
    check_decodable(levels, table, height, width);
    Array<float> out({(height + 1) / 2, (width + 1) / 2});
    float steps[64];
    std::copy(table.data(), table.data() + 64, steps);
    const auto rows = levels.shape(0), columns = levels.shape(1);
    const auto* in = levels.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows, threads,
                 [&](int64_t a, int64_t b) { msroi::half_rows(in, steps, height, width, columns, a, b, result); });
    return out;
}

void check_side(py::ssize_t side) {
    if (side < 1 || side > 4096) refuse("side: must be 1 to 4096");
}

Array<float> block_means(const Array<float>& plane, py::ssize_t side, int threads) {
    check_shape("plane", plane, {-1, -1});
    check_side(side);
    const auto height = plane.shape(0), width = plane.shape(1);
    Array<float> out({(height + side - 1) / side, (width + side - 1) / side});
    const auto* in = plane.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::block_means(in, height, width, side, result, threads);
    return out;
}

Array<float> similarity(const Array<float>& x, const Array<float>& y, py::ssize_t side, bool luminance, int threads) {
    check_shape("x", x, {-1, -1});
    const auto height = x.shape(0), width = x.shape(1);
    check_shape("y", y, {height, width});
    check_side(side);
    const auto rows = (height + side - 1) / side;
    Array<float> out({rows, (width + side - 1) / side});
    const msroi::Similarity of(x.data(), y.data(), height, width, side, luminance);
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows, threads, [&](int64_t a, int64_t b) { of.rows(a, b, result); });
    return out;
}

Array<float> ac_energy(const Array<int16_t>& coefficients, int threads) {
    check_shape("coefficients", coefficients, {-1, -1, 64});
    Array<float> out({coefficients.shape(0), coefficients.shape(1)});
    const auto* in = coefficients.data();
    auto* result = out.mutable_data();
    const auto blocks = coefficients.shape(0) * coefficients.shape(1);
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(blocks, threads, [&](int64_t a, int64_t b) { msroi::energy_rows(in, a, b, result); });
    return out;
}

Array<float> block_texture(const Array<int16_t>& coefficients, const Array<int16_t>& levels,
                           const Array<uint16_t>& table, int start, int threads) {
    check_shape("coefficients", coefficients, {-1, -1, 64});
    const auto rows = coefficients.shape(0), columns = coefficients.shape(1);
    check_shape("levels", levels, {rows, columns, 64});
    check_table(table);
    if (start < 1 || start > 63) refuse("start: must be 1 to 63");
    Array<float> out({rows, columns, py::ssize_t{3}});
    float steps[64];
    std::copy(table.data(), table.data() + 64, steps);
    const auto* in = coefficients.data();
    const auto* own = levels.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows * columns, threads,
                 [&](int64_t a, int64_t b) { msroi::texture_rows(in, own, steps, start, a, b, result); });
    return out;
}

Array<int16_t> quantise(const Array<int16_t>& coefficients, const Array<uint16_t>& table,
                        const Array<float>& position_weights, const Array<float>& low, const Array<float>& high,
                        const Array<float>& blend, float lagrangian, int cut, const Array<float>& ac_bits,
                        const Array<float>& end_bits, py::ssize_t first_row, py::ssize_t row_step, int threads) {
    check_shape("coefficients", coefficients, {-1, -1, 64});
    check_table(table);
    check_shape("position_weights", position_weights, {64});
    check_shape("blend", blend, {64});
    check_shape("ac_bits", ac_bits, {2, 256});
    check_shape("end_bits", end_bits, {2, 2});
    const auto rows = coefficients.shape(0), columns = coefficients.shape(1);
    check_shape("low", low, {rows, columns});
    check_shape("high", high, {rows, columns});
    if (row_step < 1 || first_row < 0 || first_row >= rows) refuse("first_row, row_step: out of range");
    if (cut < 1 || cut > 63) refuse("cut: must be 1 to 63");
    if (!(lagrangian >= 0)) refuse("lagrangian: must not be negative");
    threads = checked_threads(threads);
    const auto taken = (rows - first_row + row_step - 1) / row_step;
    Array<int16_t> levels({taken, columns, py::ssize_t{64}});
    float steps[64];
    std::copy(table.data(), table.data() + 64, steps);
    const int16_t* c = coefficients.data();
    const float *lows = low.data(), *highs = high.data();
    const msroi::Quantiser quantiser(steps, position_weights.data(), blend.data(), lagrangian, cut, ac_bits.data(),
                                     end_bits.data());
    auto* out = levels.mutable_data();
    py::gil_scoped_release release;
    msroi::share(taken, threads, [&](int64_t a, int64_t b) {
        for (int64_t i = a; i < b; ++i) {
            const int64_t row = first_row + i * row_step;
            msroi::quantise_row(quantiser, c + row * columns * 64, lows + row * columns, highs + row * columns, columns,
                                out + i * columns * 64);
        }
    });
    return levels;
}

Array<int64_t> band_counts(const Array<int16_t>& levels, const std::vector<int>& cuts, bool end_runs, int threads) {
    check_levels(levels);
    for (size_t i = 0; i < cuts.size(); ++i)
        if (cuts[i] < 1 || cuts[i] > 62 || (i > 0 && cuts[i] <= cuts[i - 1])) refuse("cuts: must rise, 1 to 62");
    threads = checked_threads(threads);
    const msroi::Component component{levels.data(), levels.shape(0), levels.shape(1), 1, 1};
    const msroi::Bands bands(cuts);
    Array<int64_t> out({static_cast<py::ssize_t>(bands.limits.size()), py::ssize_t{256}});
    auto* result = out.mutable_data();
    py::gil_scoped_release release;
    for (const msroi::Counts& counts : msroi::band_counts(component, nullptr, bands, end_runs ? msroi::LONGEST_RUN : 1, threads))
        result = std::copy(counts.begin(), counts.end(), result);
    return out;
}

Array<int16_t> settle_dc(const Array<float>& coefficients, const Array<float>& weights, float reach,
                         const Array<float>& bits) {
    check_shape("coefficients", coefficients, {-1, -1});
    check_shape("weights", weights, {coefficients.shape(0), coefficients.shape(1)});
    check_shape("bits", bits, {12});
    if (!(reach >= 0.5f && reach <= 1.0f)) refuse("reach: must be 0.5 to 1");
    Array<int16_t> out({coefficients.shape(0), coefficients.shape(1)});
    const float *c = coefficients.data(), *w = weights.data(), *prices = bits.data();
    auto* result = out.mutable_data();
    const auto n = coefficients.size();
    py::gil_scoped_release release;
    msroi::settle_dc(c, w, n, reach, prices, result);
    return out;
}

Array<uint8_t> huffman_lengths(const Array<int64_t>& counts) {
    check_shape("counts", counts, {256});
    msroi::Counts values;
    for (size_t s = 0; s < 256; ++s) {
        values[s] = counts.data()[s];
        if (values[s] < 0 || values[s] > (int64_t{1} << 48)) refuse("counts: must be 0 to 2**48");
    }
    const auto lengths = msroi::huffman_lengths(values);
    Array<uint8_t> out(py::ssize_t{256});
    std::copy(lengths.begin(), lengths.end(), out.mutable_data());
    return out;
}

using Sampling = std::vector<std::pair<int, int>>;
using Tables = std::vector<Array<uint16_t>>;

// The frame of a file, its components without levels; blocks: rows and columns of each.
msroi::Frame checked_frame(const std::vector<std::pair<int64_t, int64_t>>& blocks, const Tables& tables,
                           const Sampling& sampling, py::ssize_t height, py::ssize_t width) {
    const size_t n = blocks.size();
    if ((n != 1 && n != 3) || tables.size() != n || sampling.size() != n)
        refuse("levels, tables, sampling: one or three components, as many of each");
    if (height < 1 || width < 1 || height > 65535 || width > 65535) refuse("height, width: must be 1 to 65535");
    msroi::Frame frame{{}, height, width, 0, 0};
    int h_max = 1, v_max = 1;
    for (const auto& [h, v] : sampling) {
        if (h < 1 || h > 2 || v < 1 || v > 2) refuse("sampling: factors must be 1 or 2");
        h_max = std::max(h_max, h);
        v_max = std::max(v_max, v);
    }
    if (n == 1 && (h_max > 1 || v_max > 1)) refuse("sampling: one component has factors 1, 1");
    frame.mcu_rows = (height + 8 * v_max - 1) / (8 * v_max);
    frame.mcu_columns = (width + 8 * h_max - 1) / (8 * h_max);
    for (size_t i = 0; i < n; ++i) {
        check_table(tables[i]);
        const auto [h, v] = sampling[i];
        const int64_t rows = ((height * v + v_max - 1) / v_max + 7) / 8, columns = ((width * h + h_max - 1) / h_max + 7) / 8;
        if (blocks[i] != std::make_pair(rows, columns)) refuse("levels: blocks do not cover the picture");
        frame.components.push_back({nullptr, rows, columns, h, v});
    }
    return frame;
}

std::vector<const uint16_t*> steps_of(const Tables& tables) {
    std::vector<const uint16_t*> steps;
    for (const auto& table : tables) steps.push_back(table.data());
    return steps;
}

py::bytes as_bytes(const std::vector<uint8_t>& data) {
    return py::bytes(reinterpret_cast<const char*>(data.data()), data.size());
}

py::bytes write_jpeg(const std::vector<Array<int16_t>>& levels, const Tables& tables, const Sampling& sampling,
                     py::ssize_t height, py::ssize_t width, bool progressive, int threads) {
    std::vector<std::pair<int64_t, int64_t>> blocks;
    for (const auto& own : levels) {
        check_levels(own);
        blocks.emplace_back(own.shape(0), own.shape(1));
    }
    msroi::Frame frame = checked_frame(blocks, tables, sampling, height, width);
    for (size_t i = 0; i < levels.size(); ++i) frame.components[i].levels = levels[i].data();
    const auto steps = steps_of(tables);
    threads = checked_threads(threads);
    std::vector<uint8_t> out;
    {
        py::gil_scoped_release release;
        out = msroi::write_jpeg(frame, steps, progressive, threads);
    }
    return as_bytes(out);
}

py::list ac_scans(const Array<int16_t>& levels, int component, int threads) {
    check_levels(levels);
    if (component < 0 || component > 2) refuse("component: must be 0, 1 or 2");
    const msroi::Component own{levels.data(), levels.shape(0), levels.shape(1), 1, 1};
    threads = checked_threads(threads);
    std::vector<std::vector<uint8_t>> scans;
    {
        py::gil_scoped_release release;
        scans = msroi::component_scans(own, component + 1, threads);
    }
    py::list out;
    for (const auto& scan : scans) out.append(as_bytes(scan));
    return out;
}

py::bytes join_scans(const std::vector<Array<int16_t>>& dc, const std::vector<std::vector<std::string>>& ac,
                     const Tables& tables, const Sampling& sampling, py::ssize_t height, py::ssize_t width) {
    std::vector<std::pair<int64_t, int64_t>> blocks;
    std::vector<msroi::Digest> digests;
    for (const auto& own : dc) {
        check_shape("dc", own, {-1, -1});
        blocks.emplace_back(own.shape(0), own.shape(1));
        digests.push_back({{}, std::vector<int16_t>(own.data(), own.data() + own.size())});
        for (const int16_t level : digests.back().dc)
            if (level < msroi::MIN_DC || level > msroi::MAX_DC) refuse("dc: beyond -1024 to 1023");
    }
    const msroi::Frame frame = checked_frame(blocks, tables, sampling, height, width);
    if (ac.size() != dc.size()) refuse("ac: scans of each component");
    const auto steps = steps_of(tables);
    std::vector<uint8_t> out;
    {
        py::gil_scoped_release release;
        out = msroi::join_scans(frame, steps, digests, ac);
    }
    return as_bytes(out);
}

py::tuple read_jpeg(const py::bytes& data) {
    char* bytes = nullptr;
    py::ssize_t n_bytes = 0;
    if (PyBytes_AsStringAndSize(data.ptr(), &bytes, &n_bytes)) throw py::error_already_set();
    msroi::DecodedJpeg jpeg;
    {
        py::gil_scoped_release release;
        jpeg = msroi::read_jpeg(reinterpret_cast<const uint8_t*>(bytes), static_cast<size_t>(n_bytes));
    }
    py::list levels, tables, sampling;
    for (msroi::DecodedComponent& c : jpeg.components) {
        auto* kept = new std::vector<int16_t>(std::move(c.levels));  // the array's memory from here on
        const py::capsule owner(kept, [](void* p) { delete static_cast<std::vector<int16_t>*>(p); });
        levels.append(Array<int16_t>({c.rows, c.columns, int64_t{64}}, kept->data(), owner));
        tables.append(Array<uint16_t>(py::ssize_t{64}, c.steps.data()));
        sampling.append(py::make_tuple(c.horizontal, c.vertical));
    }
    return py::make_tuple(levels, tables, sampling, jpeg.height, jpeg.width);
}

}  // namespace

PYBIND11_MODULE(_kernels, module) {
    module.doc() = "Compiled kernels of the rdo encoder; each has a NumPy oracle in tests/test_kernels.py.";
    module.def("component_plane", &component_plane, py::arg("pixels").noconvert(), py::arg("component"),
               py::arg("threads") = 1);
    module.def("halve", &halve, py::arg("plane").noconvert(), py::arg("horizontal"), py::arg("vertical"),
               py::arg("steps"), py::arg("threads") = 1);
    module.def("forward_dct", &forward_dct, py::arg("plane").noconvert(), py::arg("threads") = 1);
    module.def("overshooting_dct", &overshooting_dct, py::arg("plane").noconvert(), py::arg("shrink").noconvert(),
               py::arg("margin"), py::arg("most"), py::arg("reach"), py::arg("rounds"), py::arg("threads") = 1);
    module.def("dequantise", &dequantise, py::arg("levels").noconvert(), py::arg("table").noconvert(),
               py::arg("threads") = 1);
    module.def("inverse_dct", &inverse_dct, py::arg("levels").noconvert(), py::arg("table").noconvert(),
               py::arg("height"), py::arg("width"), py::arg("threads") = 1);
    module.def("inverse_dct_half", &inverse_dct_half, py::arg("levels").noconvert(), py::arg("table").noconvert(),
               py::arg("height"), py::arg("width"), py::arg("threads") = 1);
    module.def("block_means", &block_means, py::arg("plane").noconvert(), py::arg("side"), py::arg("threads") = 1);
    module.def("similarity", &similarity, py::arg("x").noconvert(), py::arg("y").noconvert(), py::arg("side"),
               py::arg("luminance"), py::arg("threads") = 1);
    module.def("block_texture", &block_texture, py::arg("coefficients").noconvert(), py::arg("levels").noconvert(),
               py::arg("table").noconvert(), py::arg("start"), py::arg("threads") = 1);
    module.def("ac_energy", &ac_energy, py::arg("coefficients").noconvert(), py::arg("threads") = 1);
    module.def("quantise", &quantise, py::arg("coefficients").noconvert(), py::arg("table").noconvert(),
               py::arg("position_weights").noconvert(), py::arg("low").noconvert(), py::arg("high").noconvert(),
               py::arg("blend").noconvert(), py::arg("lagrangian"), py::arg("cut"), py::arg("ac_bits").noconvert(),
               py::arg("end_bits").noconvert(), py::arg("first_row") = 0, py::arg("row_step") = 1,
               py::arg("threads") = 1);
    module.def("band_counts", &band_counts, py::arg("levels").noconvert(), py::arg("cuts"), py::arg("end_runs"),
               py::arg("threads") = 1);
    module.def("settle_dc", &settle_dc, py::arg("coefficients").noconvert(), py::arg("weights").noconvert(),
               py::arg("reach"), py::arg("bits").noconvert());
    module.def("huffman_lengths", &huffman_lengths, py::arg("counts").noconvert());
    module.def("write_jpeg", &write_jpeg, py::arg("levels"), py::arg("tables"), py::arg("sampling"), py::arg("height"),
               py::arg("width"), py::arg("progressive"), py::arg("threads") = 1);
    module.def("ac_scans", &ac_scans, py::arg("levels").noconvert(), py::arg("component"), py::arg("threads") = 1);
    module.def("join_scans", &join_scans, py::arg("dc"), py::arg("ac"), py::arg("tables"), py::arg("sampling"),
               py::arg("height"), py::arg("width"));
    module.def("read_jpeg", &read_jpeg, py::arg("data"));
}
