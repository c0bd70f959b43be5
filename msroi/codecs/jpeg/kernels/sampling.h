// Chroma at half size, made for the decoder's upsampling: the least squared error after libjpeg's triangle filter
// ("fancy upsampling", weights 3/4 and 1/4), by gradient steps from the box mean.
//
// Source: linear least squares; the filter is that of libjpeg's jdsample.c. Called by bindings (`halve`), for the
// coefficients of chroma and the choice of sampling, which state the lengths of the steps.

#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "hot.h"
#include "parallel.h"

namespace msroi {

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

// The triangle filter U enlarges one sample to two, 3/4 of the nearer and 1/4 of the further one. Along x, U'U is
// (3 10 3) / 8: 10/8 = 2 (9 + 1) / 16, 3/8 = 2 (3 * 1) / 16. At a border, whose sample is repeated, both fall together.
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

    // The last step of descend, along y: rows holds U'U x along x, three rows of it if vertical.
    void apply(const float* rows, const float* x, const float* adjoint, float step, float* out) const {
        const int64_t n = out_width;
        for (int64_t i = 0; i < n; ++i) {
            const float gram = vertical ? 1.25f * rows[n + i] + 0.375f * (rows[i] + rows[2 * n + i]) : rows[i];
            out[i] = x[i] + step * (adjoint[i] - gram);
        }
    }
};

// One descent for each of `steps`.
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

}  // namespace msroi
