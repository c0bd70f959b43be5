// SSIM of two planes, in means over squares.
//
// Source: Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error visibility to structural
// similarity". Called by bindings: `similarity` for the weights of blocks, the guard and the search for equal quality,
// `ssim_map`, the same in double precision, for that search's verdicts.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hot.h"
#include "means.h"

namespace msroi {

// SSIM's window, 11 samples of a Gaussian of sigma 1.5 with sum 1 (Wang et al. 2004): its middle and one half.
constexpr int REACH = 5;
template <typename T>
constexpr T TAPS[REACH + 1] = {T(0.26601172486179436), T(0.2130055377112537), T(0.10936068950970002),
                               T(0.03600077212843083), T(0.007598758135239185), T(0.0010283800844791092)};

// Index i of samples that go on beyond both ends mirrored: 2 1 0 | 0 1 2.
inline int64_t mirrored(int64_t i, int64_t n) {
    while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
}

template <typename T>
MSROI_INSIDE void blur_row(const T* padded, int64_t width, T* out) {
    constexpr const T* taps = TAPS<T>;
    for (int64_t x = 0; x < width; ++x) {
        const T* at = padded + REACH + x;
        out[x] = ((taps[0] * at[0] + taps[1] * (at[-1] + at[1])) +
                  (taps[2] * (at[-2] + at[2]) + taps[3] * (at[-3] + at[3]))) +
                 (taps[4] * (at[-4] + at[4]) + taps[5] * (at[-5] + at[5]));
    }
}

template <typename T>
MSROI_INSIDE void blur_columns(const T* const* rows, int64_t width, T* MSROI_ALONE out) {
    constexpr const T* taps = TAPS<T>;
    const T* const* at = rows + REACH;
    for (int64_t x = 0; x < width; ++x)
        out[x] = ((taps[0] * at[0][x] + taps[1] * (at[-1][x] + at[1][x])) +
                  (taps[2] * (at[-2][x] + at[2][x]) + taps[3] * (at[-3][x] + at[3][x]))) +
                 (taps[4] * (at[-4][x] + at[4][x]) + taps[5] * (at[-5][x] + at[5][x]));
}

template <typename T>
MSROI_INSIDE void add_row_of_similarity(const T* mean_x, const T* mean_y, const T* squares, const T* products,
                                        int64_t width, bool luminance, T* sums) {
    constexpr T c1 = T(6.5025), c2 = T(58.5225);  // (.01 * 255)^2, (.03 * 255)^2, as in the paper
    constexpr T centre = 128;                     // of samples, which the luminance term wants from 0 on
    for (int64_t i = 0; i < width; ++i) {
        const T x = mean_x[i], y = mean_y[i];
        const T covariance = products[i] - x * y;
        // In double precision as metrics.ssim has it, where equal planes have an SSIM of 1 exactly.
        const T variances = sizeof(T) == 8 ? squares[i] - (x * x + y * y) : squares[i] - x * x - y * y;
        T value = (2 * covariance + c2) / (variances + c2);
        const T p = x + centre, q = y + centre;
        if (luminance) value *= (2 * p * q + c1) / (p * p + q * q + c1);
        sums[i] += value;
    }
}

// padded holds REACH samples more at each end.
MSROI_HOT void blur_along_x(const float* padded, int64_t width, float* out) { blur_row(padded, width, out); }
MSROI_HOT void blur_along_x(const double* padded, int64_t width, double* out) { blur_row(padded, width, out); }

// rows: 2 REACH + 1 of them, none of them `out`: said to the compiler, which would not check so many for it.
MSROI_HOT void blur_along_y(const float* const* rows, int64_t width, float* out) { blur_columns(rows, width, out); }
MSROI_HOT void blur_along_y(const double* const* rows, int64_t width, double* out) { blur_columns(rows, width, out); }

// Adds SSIM to sums, from blurred x, y, x^2 + y^2 and x y; without its luminance term unless asked for.
MSROI_HOT void add_similarity(const float* mean_x, const float* mean_y, const float* squares, const float* products,
                              int64_t width, bool luminance, float* sums) {
    add_row_of_similarity(mean_x, mean_y, squares, products, width, luminance, sums);
}
MSROI_HOT void add_similarity(const double* mean_x, const double* mean_y, const double* squares,
                              const double* products, int64_t width, bool luminance, double* sums) {
    add_row_of_similarity(mean_x, mean_y, squares, products, width, luminance, sums);
}

// SSIM of two planes centred on 0, in means over squares. Each thread keeps the 11 rows of the window, blurred along x.
template <typename T>
class Similarity {
   public:
    Similarity(const T* x, const T* y, int64_t height, int64_t width, int64_t side, bool luminance)
        : x_(x), y_(y), height_(height), width_(width), side_(side), luminance_(luminance) {}

    void rows(int64_t first, int64_t last, T* out) const {
        const auto n = static_cast<size_t>(width_);
        std::vector<T> window(KINDS * HIGH * n), padded(n + 2 * REACH), blurred(KINDS * n), sums(n);
        int64_t next = first * side_ - REACH;  // row to enter the window
        for (int64_t by = first; by < last; ++by) {
            const int64_t end = std::min(height_, (by + 1) * side_);
            std::fill(sums.begin(), sums.end(), T(0));
            for (int64_t y = by * side_; y < end; ++y) {
                for (; next <= y + REACH; ++next) enter(next, padded.data(), window.data());
                blur(y, window.data(), blurred.data());
                const T* b = blurred.data();
                add_similarity(b, b + n, b + 2 * n, b + 3 * n, width_, luminance_, sums.data());
            }
            const int64_t columns = (width_ + side_ - 1) / side_;
            means_along_x(sums.data(), width_, side_, end - by * side_, out + by * columns);
        }
    }

   private:
    static constexpr size_t KINDS = 4, HIGH = 2 * REACH + 1;  // x, y, x^2 + y^2, x y

    T* row_of(T* window, size_t kind, int64_t y) const {
        const auto slot = static_cast<size_t>((y + REACH) % static_cast<int64_t>(HIGH));
        return window + (kind * HIGH + slot) * static_cast<size_t>(width_);
    }

    void enter(int64_t y, T* padded, T* window) const {
        const T *x_row = x_ + mirrored(y, height_) * width_, *y_row = y_ + mirrored(y, height_) * width_;
        for (size_t kind = 0; kind < KINDS; ++kind) {
            fill(x_row, y_row, kind, padded + REACH);
            for (int64_t i = 1; i <= REACH; ++i) {
                padded[REACH - i] = padded[REACH + mirrored(-i, width_)];
                padded[REACH + width_ - 1 + i] = padded[REACH + mirrored(width_ - 1 + i, width_)];
            }
            blur_along_x(padded, width_, row_of(window, kind, y));
        }
    }

    void fill(const T* x, const T* y, size_t kind, T* out) const {
        for (int64_t i = 0; i < width_; ++i)
            out[i] = kind == 0 ? x[i] : kind == 1 ? y[i] : kind == 2 ? x[i] * x[i] + y[i] * y[i] : x[i] * y[i];
    }

    void blur(int64_t y, T* window, T* blurred) const {
        for (size_t kind = 0; kind < KINDS; ++kind) {
            const T* rows[HIGH];
            for (size_t i = 0; i < HIGH; ++i)
                rows[i] = row_of(window, kind, y - REACH + static_cast<int64_t>(i));
            blur_along_y(rows, width_, blurred + kind * static_cast<size_t>(width_));
        }
    }

    const T *x_, *y_;
    int64_t height_, width_, side_;
    bool luminance_;
};

// Luma of RGB (BT.601) or grey pixels, centred on 0, in double precision.
MSROI_HOT void luma_row(const uint8_t* pixels, int64_t width, bool grey, double* out) {
    if (grey) {
        for (int64_t x = 0; x < width; ++x) out[x] = pixels[x] - 128.0;
        return;
    }
    for (int64_t x = 0; x < width; ++x)
        out[x] = ((pixels[3 * x] * 0.299 + pixels[3 * x + 1] * 0.587) + pixels[3 * x + 2] * 0.114) - 128.0;
}

}  // namespace msroi
