// libFuzzer's target for the reader of coefficients: whatever the bytes, it gives sound levels or refuses.
//
// clang++ -std=c++17 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all tests/fuzzing/decoder.cpp

#include <cstdint>
#include <cstdlib>
#include <stdexcept>

#include "../../msroi/codecs/jpeg/kernels/decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    try {
        const msroi::DecodedJpeg jpeg = msroi::read_jpeg(data, size);
        uint64_t n_levels = 0;
        for (const msroi::DecodedComponent& c : jpeg.components) {
            if (c.levels.size() != static_cast<size_t>(64 * c.rows * c.columns)) std::abort();
            n_levels += c.levels.size();
            for (const int16_t level : c.levels)
                if (level < -2048 || level > 2047) std::abort();
            for (const uint16_t step : c.steps)
                if (step < 1 || step > 255) std::abort();
        }
        if (n_levels > 64 * 8 * static_cast<uint64_t>(size)) std::abort();
    } catch (const std::invalid_argument&) {  // refused
    }
    return 0;
}
