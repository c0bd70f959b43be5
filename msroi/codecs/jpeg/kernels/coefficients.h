// Coefficients as they are kept between stages: whole sixteenths, in two bytes.
//
// Written by planes, read by texture and trellis; `forward_dct` hands them to Python and `quantise` takes them back.

#pragma once

#include <algorithm>
#include <cstdint>

#include "hot.h"

namespace msroi {

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

}  // namespace msroi
