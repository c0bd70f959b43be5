// Means over squares of samples, those cut by the right and lower border included.
//
// Called by bindings (`block_means`) and by similarity for its map.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hot.h"
#include "parallel.h"

namespace msroi {

// sums += row
MSROI_HOT void add_row(const float* row, int64_t n, float* sums) {
    for (int64_t x = 0; x < n; ++x) sums[x] += row[x];
}

// Means of squares side x side along a row of them: from the sums of their columns, over `tall` rows. The last may be
// narrower. SIDE: side where it is known, so that the loop is unrolled; else 0.
template <int SIDE, typename T>
MSROI_INSIDE void means_of_squares(const T* sums, int64_t width, int64_t any_side, int64_t tall, T* out) {
    const int64_t side = SIDE ? SIDE : any_side, whole = width / side;
    for (int64_t i = 0; i < whole; ++i) {
        T sum = 0;
        for (int64_t j = 0; j < side; ++j) sum += sums[i * side + j];
        out[i] = sum / static_cast<T>(tall * side);
    }
    if (whole * side == width) return;
    T sum = 0;
    for (int64_t x = whole * side; x < width; ++x) sum += sums[x];
    out[whole] = sum / static_cast<T>(tall * (width - whole * side));
}

MSROI_HOT void means_along_x(const float* sums, int64_t width, int64_t side, int64_t tall, float* out) {
    if (side == 2) return means_of_squares<2>(sums, width, side, tall, out);
    if (side == 4) return means_of_squares<4>(sums, width, side, tall, out);
    if (side == 8) return means_of_squares<8>(sums, width, side, tall, out);
    means_of_squares<0>(sums, width, side, tall, out);
}
MSROI_HOT void means_along_x(const double* sums, int64_t width, int64_t side, int64_t tall, double* out) {
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

}  // namespace msroi
