// Where scans send their symbols: a counter first, for the Huffman codes, then a writer of bits.
//
// Source: ITU-T T.81, F.1.2.3 (a zero byte follows each 0xFF) and B.1.1.5 (ones fill up the last byte). Used by writer,
// filled by scans.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "huffman.h"

namespace msroi {

// What a scan codes is sent to a sink: symbol of table `table`, then `n` further bits.
// Counts symbols of two tables, and further bits.
struct Counter {
    std::array<Counts, 2> counts{};
    int64_t extra = 0;
    void put(int table, int symbol, uint32_t, int n) {
        ++counts[static_cast<size_t>(table)][static_cast<size_t>(symbol)];
        extra += n;
    }
};

// Writes codes and further bits, four bytes at a time. REQUIRES: finish() at the end of a scan.
struct Writer {
    std::vector<uint8_t>& out;
    const Code* codes[2];
    uint64_t pending = 0;  // its lowest n_pending bits are not written yet, at most 31 between calls
    int n_pending = 0;
    std::array<uint8_t, 4096> ready{};  // bytes on their way to out
    size_t n_ready = 0;

    void put(int table, int symbol, uint32_t bits, int n) {
        const Code& code = *codes[table];
        // At most 16 + 14 bits come to those that wait.
        const int length = code.lengths[static_cast<size_t>(symbol)];
        pending = (pending << (length + n)) | (uint64_t{code.codes[static_cast<size_t>(symbol)]} << n) | bits;
        n_pending += length + n;
        if (n_pending < 32) return;
        n_pending -= 32;
        write(static_cast<uint32_t>(pending >> n_pending), 4);
    }
    // The highest n bytes of a word; a zero follows each that is 0xFF.
    void write(uint32_t word, int n) {
        if (n_ready + 8 > ready.size()) hand_over();
        for (int i = 0; i < n; ++i, word <<= 8) {
            const uint8_t byte = static_cast<uint8_t>(word >> 24);
            ready[n_ready++] = byte;
            ready[n_ready] = 0;
            n_ready += byte == 0xFF;
        }
    }
    void hand_over() {
        out.insert(out.end(), ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(n_ready));
        n_ready = 0;
    }
    // Fills the last byte up with ones.
    void finish() {
        const int n = (n_pending + 7) / 8, fill = 8 * n - n_pending;
        const uint64_t filled = (pending << fill) | ((1u << fill) - 1);
        if (n) write(static_cast<uint32_t>(filled << (32 - 8 * n)), n);
        hand_over();
        n_pending = 0;
    }
};

}  // namespace msroi
