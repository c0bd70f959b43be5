// Deringing: pixels at black or white may lie beyond it, where that spares coefficients, because decoders clip.
//
// Source: a convex problem, solved as by Beck and Teboulle 2009, "A Fast Iterative Shrinkage-Thresholding Algorithm"
// (FISTA); mozjpeg's deringing has the same aim. Called by planes for each block (`overshooting_dct` of the bindings)
// and, where it made a DC that no file holds, by trellis.

#pragma once

#include <algorithm>
#include <cmath>

#include "dct.h"
#include "hot.h"

namespace msroi {

// Samples that a decoder clips: centred luma of pixels at 255 and at 0.
constexpr float WHITE = 127.0f, BLACK = -128.0f;

// Pixels at a limit may take any value beyond it, because decoders clip: a step from ink to paper need not be a square
// wave. Of all blocks that clip to the same one this looks for one of few and small coefficients: least sum of
// shrink(k) |c(k)| over what the bounds of each pixel allow, by proximal gradient steps with momentum (FISTA): shrink
// the coefficients, then put the pixels back into their bounds. Its numbers come from coefficients.py, with their
// origin.
struct Deringing {
    float shrink[64];  // in the order of dct_block
    float margin;      // share of the block's contrast by which such pixels lie beyond at least, so that errors clip
    float most;        // the largest margin
    float reach;       // how far beyond a limit a pixel may lie
    int rounds;

    // Whether some but not all pixels of the block are at a limit, within half a grey level: what rounds to it.
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

// A block whose DC is beyond what a file holds, because pixels lie beyond the limits: their overshoot scaled down to
// where it fits. Nothing else lies there; coefficients of pixels within the limits always fit.
// REQUIRES: c[0] outside [lowest, highest].
inline void within_range(const float* c, float lowest, float highest, float* out) {
    float turned[64], pixels[64];
    for (int k = 0; k < 64; ++k) turned[TURNED.place[k]] = c[k];
    inverse_dct_block(turned, pixels);
    const bool high = c[0] > highest;
    // DC is the sum of the pixels / 8, so this is what the sum has too much.
    const float excess = 8.0f * (high ? c[0] - highest : lowest - c[0]);
    float beyond = 0.0f;
    for (int i = 0; i < 64; ++i) beyond += std::max(0.0f, high ? pixels[i] - WHITE : BLACK - pixels[i]);
    const float kept = beyond > excess ? 1.0f - excess / beyond : 0.0f;
    for (int i = 0; i < 64; ++i) {
        if (high && pixels[i] > WHITE) pixels[i] = WHITE + kept * (pixels[i] - WHITE);
        if (!high && pixels[i] < BLACK) pixels[i] = BLACK + kept * (pixels[i] - BLACK);
    }
    dct_block(pixels, turned);
    for (int k = 0; k < 64; ++k) out[k] = turned[TURNED.place[k]];
}

}  // namespace msroi
