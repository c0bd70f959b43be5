// The blocks of one scan: sequential, progressive, and the refinements of the latter.
//
// Source: ITU-T T.81, F.2 (sequential), G.1 and G.2 (progressive), E.2.4 (restarts). A value or run that leaves its
// band is refused. Called by decoder for every scan of a file.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "decoder_bits.h"

namespace msroi {

// Beyond any quantised coefficient of 8-bit samples (1024 at a step of 1), and far from overflow.
constexpr int MAX_LEVEL = 2047;

struct DecodedComponent {
    int id = 0, horizontal = 1, vertical = 1, table = 0;
    int64_t rows = 0, columns = 0;  // blocks that touch the picture
    std::vector<int16_t> levels;    // [rows][columns][64], zigzag
    std::array<uint16_t, 64> steps{};
    bool has_steps = false;
    std::array<int8_t, 64> known;  // lowest bit that scans brought of each coefficient, -1: none yet
};

// What a scan's header says (B.2.3), and the process of its frame.
struct ScanHeader {
    std::vector<DecodedComponent*> components;
    std::vector<const HuffmanDecoder*> dc, ac;
    int first, last, high, low;
    bool progressive;
};

// Reads one scan into the levels of its components.
// REQUIRES: the Huffman tables that the scan needs are defined.
class ScanDecoder {
   public:
    // restart_interval: MCUs between restart markers, 0: there are none.
    ScanDecoder(const ScanHeader& scan, int64_t restart_interval, BitReader& reader)
        : scan_(scan), reader_(reader), restart_interval_(restart_interval), until_restart_(restart_interval) {}

    // The blocks of its only component, row by row.
    void one_component() {
        DecodedComponent& c = *scan_.components[0];
        for (int64_t n = 0; n < c.rows * c.columns; ++n) {
            maybe_restart();
            block(0, c.levels.data() + 64 * n);
        }
    }

    void interleaved(int64_t mcu_rows, int64_t mcu_columns) {
        for (int64_t my = 0; my < mcu_rows; ++my) {
            for (int64_t mx = 0; mx < mcu_columns; ++mx) {
                maybe_restart();
                for (size_t i = 0; i < scan_.components.size(); ++i) mcu_blocks(i, my, mx);
            }
        }
    }

   private:
    const ScanHeader& scan_;
    BitReader& reader_;
    const int64_t restart_interval_;
    int64_t until_restart_;
    int restarts_ = 0;
    std::array<int, 3> predicted_{};
    int ends_ = 0;  // blocks that the current end-of-band run still covers

    void maybe_restart() {
        if (!restart_interval_) return;
        if (until_restart_ == 0) {
            reader_.restart(restarts_);
            restarts_ = (restarts_ + 1) % 8;
            predicted_.fill(0);
            ends_ = 0;
            until_restart_ = restart_interval_;
        }
        --until_restart_;
    }

    // A component's blocks in an MCU. Those beyond the picture, and of a component without room, are read and
    // forgotten.
    void mcu_blocks(size_t i, int64_t my, int64_t mx) {
        DecodedComponent& c = *scan_.components[i];
        for (int64_t y = my * c.vertical; y < (my + 1) * c.vertical; ++y) {
            for (int64_t x = mx * c.horizontal; x < (mx + 1) * c.horizontal; ++x) {
                int16_t beyond[64] = {};
                const bool kept = y < c.rows && x < c.columns && !c.levels.empty();
                int16_t* levels = kept ? c.levels.data() + 64 * (y * c.columns + x) : beyond;
                block(i, levels);
            }
        }
    }

    void block(size_t i, int16_t* levels) {
        if (!scan_.progressive) {
            dc_first(*scan_.dc[i], 0, levels, predicted_[i], reader_);
            ac_sequential(*scan_.ac[i], levels, reader_);
        } else if (scan_.first == 0) {
            if (!scan_.high)
                dc_first(*scan_.dc[i], scan_.low, levels, predicted_[i], reader_);
            else if (reader_.take(1))
                levels[0] = static_cast<int16_t>(levels[0] | (1 << scan_.low));
        } else if (!scan_.high) {
            ac_first(scan_, levels, ends_, reader_);
        } else {
            ac_refined(scan_, levels, ends_, reader_);
        }
    }

    static int16_t checked(int value, int shift) {
        const int64_t level = static_cast<int64_t>(value) * (int64_t{1} << shift);
        if (level > MAX_LEVEL || level < -MAX_LEVEL - 1) refuse_jpeg("a coefficient out of range");
        return static_cast<int16_t>(level);
    }

    static void dc_first(const HuffmanDecoder& code, int low, int16_t* levels, int& predicted, BitReader& reader) {
        const int size = reader.symbol(code);  // levels within MAX_LEVEL differ by 12 bits at most
        if (size > 12) refuse_jpeg("a coefficient out of range");
        predicted += reader.value(size);
        levels[0] = checked(predicted, low);
    }

    static void ac_sequential(const HuffmanDecoder& code, int16_t* levels, BitReader& reader) {
        for (int k = 1; k < 64; ++k) {
            const int symbol = reader.symbol(code), size = symbol & 15, run = symbol >> 4;
            if (!size && run < 15) {
                if (run) refuse_jpeg("a code that sequential files do not have");
                return;
            }
            k += run;
            if (k > 63) refuse_jpeg("a run beyond its block");
            if (size) levels[k] = checked(reader.value(size), 0);
        }
    }

    // The end-of-band run that `symbol` (run, size 0) begins, this block included (G.1.2.2).
    static int end_run(int run, BitReader& reader) { return (1 << run) + reader.take(run); }

    static void ac_first(const ScanHeader& scan, int16_t* levels, int& ends, BitReader& reader) {
        if (ends) {
            --ends;
            return;
        }
        for (int k = scan.first; k <= scan.last; ++k) {
            const int symbol = reader.symbol(*scan.ac[0]), size = symbol & 15, run = symbol >> 4;
            if (!size && run < 15) {
                ends = end_run(run, reader) - 1;
                return;
            }
            k += run;
            if (k > scan.last) refuse_jpeg("a run beyond its band");
            if (size) levels[k] = checked(reader.value(size), scan.low);
        }
    }

    // One bit more of a coefficient that is not zero (G.1.2.3).
    static void correct(int16_t& level, int bit, BitReader& reader) {
        if (reader.take(1)) level = checked(level + (level > 0 ? bit : -bit), 0);
    }

    static void ac_refined(const ScanHeader& scan, int16_t* levels, int& ends, BitReader& reader) {
        const int bit = 1 << scan.low;
        int k = scan.first;
        while (!ends && k <= scan.last) {
            const int symbol = reader.symbol(*scan.ac[0]), size = symbol & 15;
            int run = symbol >> 4, fresh = 0;
            if (size > 1) refuse_jpeg("a refinement of more than one bit");
            if (size) {
                fresh = reader.take(1) ? bit : -bit;
            } else if (run < 15) {
                ends = end_run(run, reader);
                break;
            }
            // Over `run` zeros, correcting what is not zero; the next zero takes the fresh value.
            for (; k <= scan.last; ++k) {
                if (levels[k])
                    correct(levels[k], bit, reader);
                else if (--run < 0)
                    break;
            }
            if (k > scan.last) refuse_jpeg("a run beyond its band");
            levels[k++] = checked(fresh, 0);
        }
        if (!ends) return;
        for (; k <= scan.last; ++k)
            if (levels[k]) correct(levels[k], bit, reader);
        --ends;
    }
};

}  // namespace msroi
