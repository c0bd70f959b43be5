// Which scans code a component's AC: one, or two cut at one of a few places, whichever takes fewer bytes.
//
// Source: spectral selection, ITU-T T.81, G.1.1.1.1; bytes are counted with tables and headers. Called by writer.

#pragma once

#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "huffman.h"
#include "scans.h"
#include "symbol_counts.h"

namespace msroi {

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

// A band with the bytes of its scan: header, table, codes and further bits; what 0xFF stuffs is not foreseen.
Band priced(const std::pair<int, int>& limits, const Counts& counts) {
    const Code code(counts);
    constexpr int64_t header = 2 + 8;  // SOS of one component: its marker and 6 + 2 bytes (T.81, B.2.3)
    return Band{limits.first, limits.second, counts,
                header + code.bytes() + (code.bits(counts) + further_bits(counts) + 7) / 8};
}

// Where a component's AC may be cut in two scans: after these positions. The same as CUTS in symbol_prices.py, so that
// the trellis is told the prices of the cut that is chosen here. The ends of the zigzag's second, third, fourth and
// fifth diagonals.
constexpr int CUTS[] = {2, 5, 9, 14};

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

}  // namespace msroi
