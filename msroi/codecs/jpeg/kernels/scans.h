// What scans code: the symbols and further bits of DC differences, of AC in blocks and of AC in bands, sent to any
// sink.
//
// Source: ITU-T T.81, F.1.2 (sequential) and G.1.2 (progressive). Called by writer, once to count and once to write.

#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "bits.h"
#include "block.h"
#include "hot.h"
#include "huffman.h"

namespace msroi {

struct Component {
    const int16_t* levels;  // [rows][columns][64]
    int64_t rows, columns;
    int horizontal, vertical;  // sampling factors
};

struct Frame {
    std::vector<Component> components;
    int64_t height, width;
    int64_t mcu_rows, mcu_columns;
};

// What scans want of a component at every turn: where its blocks have values, and their DC levels.
struct Digest {
    std::vector<uint64_t> masks;
    std::vector<int16_t> dc;
};

// Of blocks first..last - 1. False where a level has no code: AC beyond -MAX_AC to MAX_AC, DC beyond MIN_DC to MAX_DC.
MSROI_HOT bool digest_blocks(const int16_t* levels, int64_t first, int64_t last, uint64_t* masks, int16_t* dc) {
    unsigned beyond = 0;
    for (int64_t b = first; b < last; ++b) {
        const int16_t* own = levels + 64 * b;
        masks[b] = mask_of(own);
        dc[b] = own[0];
        beyond |= own[0] < MIN_DC || own[0] > MAX_DC;
        uint16_t any = 0;
        for (int k = 1; k < 64; ++k) any |= static_cast<uint16_t>(own[k] + MAX_AC) > 2 * MAX_AC;
        beyond |= any;
    }
    return !beyond;
}

// A value's further bits: itself, or less one where negative, in as many bits as its category.
inline uint32_t value_bits(int value, int size) {
    return static_cast<uint32_t>(value < 0 ? value - 1 : value) & ((1u << size) - 1);
}

// A DC level by its difference from the one before, which it becomes.
template <class Sink>
void put_dc(Sink& sink, int table, int value, int& predicted) {
    const int difference = value - predicted, size = category(std::abs(difference));
    predicted = value;
    sink.put(table, size, value_bits(difference, size), size);
}

// How many differences of DC have each category, one block after the other along the rows.
Counts dc_counts_by_rows(const Digest& digest) {
    Counts counts{};
    int predicted = 0;
    for (const int16_t value : digest.dc) {
        ++counts[static_cast<size_t>(category(std::abs(value - predicted)))];
        predicted = value;
    }
    return counts;
}

// The same in the order of MCUs; blocks beyond the picture have none.
Counts dc_counts_by_mcus(const Frame& frame, const Component& c, const Digest& digest) {
    Counts counts{};
    int predicted = 0;
    for (int64_t my = 0; my < frame.mcu_rows; ++my) {
        for (int64_t mx = 0; mx < frame.mcu_columns; ++mx) {
            for (int64_t y = my * c.vertical; y < (my + 1) * c.vertical; ++y) {
                for (int64_t x = mx * c.horizontal; x < (mx + 1) * c.horizontal; ++x) {
                    const auto block = static_cast<size_t>(y * c.columns + x);
                    const int value = y < c.rows && x < c.columns ? digest.dc[block] : predicted;
                    ++counts[static_cast<size_t>(category(std::abs(value - predicted)))];
                    predicted = value;
                }
            }
        }
    }
    return counts;
}

// DC of one component in a scan of its own: row by row, without blocks that only complete an MCU.
template <class Sink>
void code_dc(const Digest& digest, Sink& sink) {
    int predicted = 0;
    for (const int16_t value : digest.dc) put_dc(sink, 0, value, predicted);
}

// The levels of a block where `mask` is set, as runs and values (F.1.2.2); first: where its band begins.
template <class Sink>
inline void put_ac(Sink& sink, int table, const int16_t* levels, uint64_t mask, int first) {
    int next = first;
    while (mask) {
        const int k = lowest_bit(mask);
        mask &= mask - 1;
        int run = k - next;
        next = k + 1;
        for (; run > 15; run -= 16) sink.put(table, 0xF0, 0, 0);
        const int value = levels[k], size = category(std::abs(value));
        sink.put(table, run * 16 + size, value_bits(value, size), size);
    }
}

// DC of all components, interleaved: in a sequential file with the AC, in a progressive one alone.
// with_ac: AC tables are those of the sink `ac`. Blocks beyond the picture cost a zero difference and an end of block.
template <class Sink>
void code_interleaved(const Frame& frame, const std::vector<Digest>& digests, bool with_ac, Sink& dc,
                      Sink* ac) {
    std::vector<int> predicted(frame.components.size(), 0);
    for (int64_t my = 0; my < frame.mcu_rows; ++my) {
        for (int64_t mx = 0; mx < frame.mcu_columns; ++mx) {
            for (size_t i = 0; i < frame.components.size(); ++i) {
                const Component& c = frame.components[i];
                const int table = i > 0;
                for (int64_t y = my * c.vertical; y < (my + 1) * c.vertical; ++y) {
                    for (int64_t x = mx * c.horizontal; x < (mx + 1) * c.horizontal; ++x) {
                        const bool inside = y < c.rows && x < c.columns;
                        const int64_t block = y * c.columns + x;
                        const int level = inside ? digests[i].dc[static_cast<size_t>(block)] : predicted[i];
                        put_dc(dc, table, level, predicted[i]);
                        if (!with_ac) continue;
                        const uint64_t mask = inside ? digests[i].masks[static_cast<size_t>(block)] & ~uint64_t{1} : 0;
                        if (inside) put_ac(*ac, table, c.levels + 64 * block, mask, 1);
                        if (!(mask >> 63)) ac->put(table, 0x00, 0, 0);
                    }
                }
            }
        }
    }
}

// So many ends of bands are counted together at most: EOB14 and 14 further bits (T.81, G.1.2.2). In a sequential scan
// each is coded alone: 1.
constexpr int LONGEST_RUN = 0x7FFF;

// One band of a component's AC coefficients in a scan of its own: T.81 G.1.2.2, ends of bands counted across blocks.
template <class Sink>
void code_band(const Component& c, const std::vector<uint64_t>& masks, int first, int last, Sink& sink) {
    int ended = 0;
    auto flush = [&] {
        if (!ended) return;
        const int n = category(ended) - 1;
        sink.put(0, n * 16, static_cast<uint32_t>(ended) & ((1u << n) - 1), n);
        ended = 0;
    };
    const uint64_t band = band_mask(first, last);
    for (int64_t block = 0; block < c.rows * c.columns; ++block) {
        const uint64_t mask = masks[static_cast<size_t>(block)] & band;
        if (mask) {
            flush();
            put_ac(sink, 0, c.levels + 64 * block, mask, first);
        }
        if (!((mask >> last) & 1) && ++ended == LONGEST_RUN) flush();
    }
    flush();
}

}  // namespace msroi
