// Bits of entropy-coded data, and Huffman codes to read them by.
//
// Source: ITU-T T.81, F.2.2. Every code is checked where it is defined and where it is read; no byte is read beyond the
// data. Used by decoder_scans.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace msroi {

[[noreturn]] inline void refuse_jpeg(const char* what) { throw std::invalid_argument(std::string("JPEG: ") + what); }

// A Huffman code for decoding: codes of up to FAST bits by one look-up, longer ones by length (F.2.2.3).
struct HuffmanDecoder {
    static constexpr int FAST = 9;
    bool defined = false;
    std::array<uint16_t, 1 << FAST> fast{};  // length << 8 | symbol; 0: longer, or no code
    std::array<int32_t, 17> last{};          // the last code of each length, -1: none
    std::array<int32_t, 17> offset{};        // index of a symbol = its code + offset of its length
    std::array<uint8_t, 256> symbols{};

    // counts: 16 numbers of codes per length; values: their symbols, as many as `counts` adds up to, at most 256.
    void define(const uint8_t* counts, const uint8_t* values) {
        fast.fill(0);
        int32_t code = 0;
        int n = 0;
        for (int length = 1; length <= 16; ++length) {
            const int32_t here = counts[length - 1];
            offset[static_cast<size_t>(length)] = n - code;
            for (int32_t i = 0; i < here; ++i, ++n, ++code) {
                if (code >= (1 << length)) refuse_jpeg("a Huffman table with more codes than there are");
                symbols[static_cast<size_t>(n)] = values[n];
                if (length > FAST) continue;
                const auto entry = static_cast<uint16_t>(length << 8 | values[n]);
                const size_t first = static_cast<size_t>(code) << (FAST - length);
                std::fill_n(fast.begin() + static_cast<std::ptrdiff_t>(first), size_t{1} << (FAST - length), entry);
            }
            last[static_cast<size_t>(length)] = here ? code - 1 : -1;
            if (code > (1 << length)) refuse_jpeg("a Huffman table with more codes than there are");
            code <<= 1;
        }
        defined = true;
    }
};

// The bits of entropy-coded data (F.2.2.5): a zero byte behind 0xFF is dropped, a marker ends them.
struct BitReader {
    const uint8_t* at;
    const uint8_t* end;
    uint64_t bits = 0;  // the lowest `n_bits` are yet to be read
    int n_bits = 0;

    void fill() {
        while (n_bits <= 48 && at < end) {
            const uint8_t byte = *at;
            if (byte == 0xFF) {
                if (end - at < 2 || at[1] != 0) return;
                ++at;
            }
            ++at;
            bits = bits << 8 | byte;
            n_bits += 8;
        }
    }
    // The next 16 bits, zeros behind the last one.
    uint32_t peek16() {
        if (n_bits < 16) fill();
        const uint64_t next = n_bits >= 16 ? bits >> (n_bits - 16) : bits << (16 - n_bits);
        return static_cast<uint32_t>(next & 0xFFFF);
    }
    void skip(int n) {
        if (n > n_bits) refuse_jpeg("its data end before the picture does");
        n_bits -= n;
    }
    // n: 0 to 16.
    int take(int n) {
        const uint32_t value = peek16() >> (16 - n);
        skip(n);
        return static_cast<int>(value);
    }
    int symbol(const HuffmanDecoder& code) {
        const uint32_t next = peek16();
        const uint16_t entry = code.fast[next >> (16 - HuffmanDecoder::FAST)];
        if (entry) {
            skip(entry >> 8);
            return entry & 0xFF;
        }
        for (int length = HuffmanDecoder::FAST + 1; length <= 16; ++length) {
            const auto value = static_cast<int32_t>(next >> (16 - length));
            const auto l = static_cast<size_t>(length);
            if (value > code.last[l]) continue;
            skip(length);
            return code.symbols[static_cast<size_t>(value + code.offset[l])];
        }
        refuse_jpeg("a code that its Huffman table does not have");
    }
    // A value of so many bits, negative ones less one (F.2.2.1, EXTEND). size: 0 to 15.
    int value(int size) {
        if (!size) return 0;
        const int read = take(size);
        return read < (1 << (size - 1)) ? read - (1 << size) + 1 : read;
    }
    // Bits of padding and the marker RST0 + number, which must come next.
    void restart(int number) {
        if (n_bits >= 8) refuse_jpeg("data where a restart marker is due");
        while (end - at >= 2 && at[0] == 0xFF && at[1] == 0xFF) ++at;
        if (end - at < 2 || at[0] != 0xFF || at[1] != 0xD0 + number) refuse_jpeg("no restart marker where one is due");
        at += 2;
        bits = 0;
        n_bits = 0;
    }
};

}  // namespace msroi
