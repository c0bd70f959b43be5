// RGB to Y, Cb, Cr.
//
// Source: JFIF 1.02, its matrix that of ITU-R BT.601 at full range. Called by bindings (`component_plane`) for what is
// coded and for what is compared.

#pragma once

#include <cstdint>

#include "hot.h"
#include "parallel.h"

namespace msroi {

// One component of RGB pixels by JFIF 1.02 (ITU-R BT.601, full range), centred on 0, not rounded.
MSROI_HOT void colour_row(const uint8_t* rgb, int64_t width, const float* factors, float offset, float* out) {
    const float red = factors[0], green = factors[1], blue = factors[2];
    for (int64_t x = 0; x < width; ++x)
        out[x] = (red * rgb[3 * x] + green * rgb[3 * x + 1]) + (blue * rgb[3 * x + 2] - offset);
}

// Rows of Y, Cb and Cr. JFIF writes Cb as (B - Y) / 1.772 and Cr as (R - Y) / 1.402, Y as below.
constexpr float TO_YCC[3][3] = {{0.299f, 0.587f, 0.114f},
                                {-0.168735892f, -0.331264108f, 0.5f},
                                {0.5f, -0.418687589f, -0.081312411f}};

// component: 0, 1, 2 for Y - 128, Cb, Cr; chroma is centred on 0 as it is.
void component_plane(const uint8_t* rgb, int64_t height, int64_t width, int component, float* out, int threads) {
    const float offset = component == 0 ? 128.0f : 0.0f;
    share(height, threads, [&](int64_t first, int64_t last) {
        for (int64_t y = first; y < last; ++y)
            colour_row(rgb + 3 * y * width, width, TO_YCC[component], offset, out + y * width);
    });
}

}  // namespace msroi
