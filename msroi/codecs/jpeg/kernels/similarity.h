// SSIM of two planes, in means over squares.
//
// Source: Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error visibility to structural
// similarity". Called by bindings (`similarity`) for the weights of blocks, the guard and the search for equal quality.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hot.h"
#include "means.h"

namespace msroi {

// SSIM's window, 11 samples of a Gaussian of sigma 1.5 with sum 1 (Wang et al. 2004): its middle and one half.
constexpr int REACH = 5;
constexpr float TAPS[REACH + 1] = {0.2660117249f, 0.2130055377f, 0.1093606895f,
                                   0.0360007721f, 0.0075987581f, 0.0010283801f};

// Index i of samples that go on beyond both ends mirrored: 2 1 0 | 0 1 2.
inline int64_t mirrored(int64_t i, int64_t n) {
    while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
}

// padded holds REACH samples more at each end.
MSROI_HOT void blur_along_x(const float* padded, int64_t width, float* out) {
    for (int64_t x = 0; x < width; ++x) {
        const float* at = padded + REACH + x;
        out[x] = ((TAPS[0] * at[0] + TAPS[1] * (at[-1] + at[1])) +
                  (TAPS[2] * (at[-2] + at[2]) + TAPS[3] * (at[-3] + at[3]))) +
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
    constexpr float c1 = 6.5025f, c2 = 58.5225f;  // (.01 * 255)^2, (.03 * 255)^2, as in the paper
    constexpr float centre = 128.0f;              // of samples, which the luminance term wants from 0 on
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

}  // namespace msroi
