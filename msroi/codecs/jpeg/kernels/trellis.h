// Trellis quantisation of AC: of all ways to round a block the one of least J = D + lambda R, by dynamic programming
// along the zigzag.
//
// Source: Ramchandran and Vetterli 1994, "Rate-distortion optimal fast thresholding"; Crouse and Ramchandran 1997,
// "Joint thresholding and quantizer selection". States: the position of the last value; candidates: rounded, one less
// where that takes a shorter code, zero. Called by bindings (`quantise`), row by row, for the rdo encoder.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "bits.h"
#include "block.h"
#include "coefficients.h"
#include "deringing.h"
#include "hot.h"
#include "lanes.h"

namespace msroi {

// What a band of coefficients costs beside its symbols: nothing in it but zeros, or zeros after its last value.
struct Ends {
    float blank, after;
};

// Weighs the ways to round a block. Prices are those of two bands, 1..cut and cut + 1..63, as scans of their own code
// them; cut = 63: one band. REQUIRES: ac_bits holds 2 x 256 lengths, ends 2 x (blank, after), all in bits.
struct Trellis {
    static constexpr int LANES = Lanes::COUNT;

    const float* table;             // step of each position
    const float* position_weights;  // w(k)
    const float* blend;             // share of the block's low-frequency weight at each position
    int cut;
    Ends ends[2];  // in J, as price
    // lagrangian * (bits of the symbol and of the value) after a run of zeros; [band][category][62 - run], so that the
    // prices of a value at k after values at 0, 1, 2 ... lie one after the other from 63 - k on. Zeros behind them are
    // read with the group of k, for positions where no path ends yet.
    float price[2][MAX_CATEGORY + 1][128 + LANES] = {};
    float inverse[64];
    uint16_t least[64];  // magnitude that rounds to 1, in parts

    Trellis(const float* steps, const float* weights, const float* blends, float lambda, int last_of_first,
            const float* ac_bits, const float* end_bits)
        : table(steps), position_weights(weights), blend(blends), cut(last_of_first) {
        for (int k = 0; k < 64; ++k) {
            inverse[k] = 1.0f / steps[k];
            least[k] = static_cast<uint16_t>(steps[k] * (0.5f * PARTS));
        }
        for (int band = 0; band < 2; ++band) {
            const float* bits = ac_bits + 256 * band;
            ends[band] = {lambda * end_bits[2 * band], lambda * end_bits[2 * band + 1]};
            for (int run = 0; run < 63; ++run)
                for (int size = 1; size <= MAX_CATEGORY; ++size)
                    price[band][size][62 - run] = lambda * (static_cast<float>(run / 16) * bits[0xF0] +
                                                            bits[(run % 16) * 16 + size] + static_cast<float>(size));
        }
        if (cut == 63) ends[1] = {0.0f, 0.0f};
    }

    // A block's path so far, by band and position: J of the best path that ends there (without the end's own cost),
    // less the distortion of all zeros; infinite where no path ends. In the second band, position `cut` stands for all
    // of the first. The LANES positions around the latest one are `open`: what was just written in parts cannot be read
    // as a whole without waiting, so they lie in best once a later group is begun, or the band is closed.
    struct Path {
        float best[2][64];
        Lanes open;
        int group;      // the first position of `open`
        float latest;   // J of the best path to the latest position
        float way[64];  // of best: what leads to the value, and its bits
        int value[64];
        int last_of_first = 0;  // position of the last value of the best way through the first band, 0: none
    };

    // The path of least J through one block. levels: 64 values in zigzag order.
    MSROI_INSIDE void block(const int16_t* c, float low, float high, int16_t* levels) const {
        std::memset(levels, 0, 64 * sizeof(int16_t));
        const float dc = std::floor(static_cast<float>(c[0]) * (1.0f / PARTS) * inverse[0] + 0.5f);
        levels[0] = static_cast<int16_t>(std::min<float>(MAX_DC, std::max<float>(MIN_DC, dc)));
        const uint64_t candidates = not_zero(c);
        if (!candidates) return;

        Path path;
        begin(path, 0, 0.0f);
        float least = ends[0].blank + ends[1].blank;
        int last = 0, band = 0;
        for (uint64_t left = candidates; left; left &= left - 1) {
            const int k = lowest_bit(left);
            if (k > cut && band == 0) {
                band = 1;
                enter_second(path, candidates);
            }
            extend(path, k, band, std::fabs(static_cast<float>(c[k])) * (1.0f / PARTS),
                   position_weights[k] * (high + (low - high) * blend[k]));
            const float cost = path.latest + end_after(k);
            if (cost < least) {
                least = cost;
                last = k;
            }
        }
        close(path, band);
        trace(path, candidates, last, c, levels);
    }

   private:
    static constexpr float NO_PATH = std::numeric_limits<float>::infinity();

    // Positions of AC that round to something; bits.
    MSROI_INSIDE uint64_t not_zero(const int16_t* c) const {
        uint8_t flags[64];
        for (int k = 0; k < 64; ++k) flags[k] = static_cast<uint16_t>(c[k] < 0 ? -c[k] : c[k]) >= least[k];
        uint64_t mask = 0;
        for (int part = 0; part < 8; ++part) mask |= gathered(flags + 8 * part) << (8 * part);
        return mask & ~uint64_t{1};
    }

    // No path but one, of cost `cost`, that ends at `from`.
    static MSROI_INSIDE void begin(Path& path, int from, float cost) {
        path.group = first_of_group(from);
        path.open.fill(NO_PATH);
        path.open.put(from - path.group, cost);
    }

    static inline int first_of_group(int k) { return k & ~(LANES - 1); }

    static MSROI_INSIDE void close(Path& path, int band) { path.open.store(path.best[band] + path.group); }

    // Makes the group of k the open one; no path ends in those between.
    static MSROI_INSIDE void open_group(Path& path, int band, int k) {
        const int group = first_of_group(k);
        if (group == path.group) return;
        close(path, band);
        path.open.fill(NO_PATH);
        for (path.group += LANES; path.group < group; path.group += LANES) close(path, band);
    }

    // Closes the first band: the best way through it, whatever follows.
    MSROI_INSIDE void enter_second(Path& path, uint64_t candidates) const {
        close(path, 0);
        float least = ends[0].blank;
        for (uint64_t left = candidates & below(cut + 1); left; left &= left - 1) {
            const int k = lowest_bit(left);
            const float cost = path.best[0][k] + after_first(k);
            if (cost >= least) continue;
            least = cost;
            path.last_of_first = k;
        }
        begin(path, cut, least);
    }

    static inline uint64_t below(int k) { return (uint64_t{1} << k) - 1; }  // REQUIRES: k < 64

    // What ends the first band after its last value at k.
    inline float after_first(int k) const { return k < cut ? ends[0].after : 0.0f; }

    inline float end_after(int k) const {
        if (k > cut) return k < 63 ? ends[1].after : 0.0f;
        return after_first(k) + ends[1].blank;
    }

    // Extends the best paths to position k with its rounded value, or with one less where that takes a shorter code.
    MSROI_INSIDE void extend(Path& path, int k, int band, float magnitude, float weight) const {
        // At least 1: the product of a half may fall short of it by its last bit.
        const int r = std::max(1, static_cast<int>(std::min<float>(MAX_AC, magnitude * inverse[k] + 0.5f)));
        const int size = category(r);
        const float error = magnitude - static_cast<float>(r) * table[k], zeroed = weight * magnitude * magnitude;
        open_group(path, band, k);
        float way = cheapest(path, band, price[band][size], k);
        float least = way + (weight * error * error - zeroed);
        path.value[k] = r;
        if (r > 1 && (r & (r - 1)) == 0) {
            const float more = error + table[k];
            const float other = cheapest(path, band, price[band][size - 1], k);
            const float cost = other + (weight * more * more - zeroed);
            if (cost < least) {
                least = cost;
                way = other;
                path.value[k] = r - 1;
            }
        }
        path.open.put(k - path.group, least);
        path.latest = least;
        path.way[k] = way;
    }

    // Least cost of a path so far and the price of the step from its end to k. REQUIRES: the group of k is open.
    MSROI_INSIDE float cheapest(const Path& path, int band, const float* prices, int k) const {
        const float* own = prices + 63 - k;
        Lanes least, cost, step;
        least.load(own + path.group);
        least.add(path.open);
        for (int at = band ? first_of_group(cut) : 0; at < path.group; at += LANES) {
            cost.load(path.best[band] + at);
            step.load(own + at);
            cost.add(step);
            least.lower(cost);
        }
        return least.least();
    }

    // Writes the values of the best path, from its last one back.
    MSROI_INSIDE void trace(const Path& path, uint64_t candidates, int last, const int16_t* c, int16_t* levels) const {
        int k = last;
        while (k > cut) {
            k = stepped_back(path, k, 1, candidates & ~below(cut + 1), c, levels);
            if (k == cut) k = path.last_of_first;
        }
        while (k > 0) k = stepped_back(path, k, 0, candidates, c, levels);
    }

    // Writes the value at k; returns the position before it. That is most often the nearest; what the step from it
    // costs is the same sum as it was on the way.
    MSROI_INSIDE int stepped_back(const Path& path, int k, int band, uint64_t candidates, const int16_t* c,
                                  int16_t* levels) const {
        levels[k] = static_cast<int16_t>(c[k] < 0 ? -path.value[k] : path.value[k]);
        const float *best = path.best[band], *own = price[band][category(path.value[k])] + 63 - k;
        for (uint64_t left = candidates & below(k); left;) {
            const int before = highest_bit(left);
            if (best[before] + own[before] == path.way[k]) return before;
            left &= below(before);
        }
        return band * cut;
    }
};

// Blocks of a row. c: coefficients in parts; low, high: of each block the weight of its low and high frequencies.
MSROI_HOT void quantise_row(const Trellis& trellis, const int16_t* c, const float* low, const float* high,
                            int64_t columns, int16_t* levels) {
    const float lowest = MIN_DC * trellis.table[0], highest = MAX_DC * trellis.table[0];
    float block[64], fitting[64];
    int16_t parts[64];
    for (int64_t x = 0; x < columns; ++x) {
        const int16_t* own = c + 64 * x;
        const float dc = static_cast<float>(own[0]) * (1.0f / PARTS);
        if (dc < lowest || dc > highest) {
            from_parts(own, block);
            within_range(block, lowest, highest, fitting);
            for (int k = 0; k < 64; ++k) parts[k] = in_parts(fitting[k]);
            own = parts;
        }
        trellis.block(own, low[x], high[x], levels + 64 * x);
    }
}

}  // namespace msroi
