// Huffman codes of least length for counted symbols.
//
// Source: Larmore and Hirschberg 1990, "A fast algorithm for optimal length-limited Huffman codes" (package-merge);
// codes from lengths as ITU-T T.81, annex C. Called by writer and band_choice; `huffman_lengths` of the bindings gives
// the prices of symbols their lengths.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace msroi {

// Of each symbol, run * 16 + size (or a DC difference's size), how often it occurs.
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

// The code of a scan: by lengths, in the order of values within a length (T.81, annex C).
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
    // Bytes of a DHT segment of its own: marker, length, class and number, 16 counts, values (T.81, B.2.4.2).
    int64_t bytes() const { return 2 + 2 + 1 + 16 + static_cast<int64_t>(values.size()); }
};

}  // namespace msroi
