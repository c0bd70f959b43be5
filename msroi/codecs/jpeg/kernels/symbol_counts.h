// How often each AC symbol occurs in every band that a scan may take, from one pass over the blocks.
//
// Source: ITU-T T.81, G.1.2.2; that one pass serves all cuts is our own. Called by band_choice, and by bindings
// (`band_counts`) for the prices of symbols.

#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "bits.h"
#include "block.h"
#include "huffman.h"
#include "parallel.h"
#include "scans.h"

namespace msroi {

void add_to(Counts& sums, const Counts& counts) {
    for (size_t s = 0; s < 256; ++s) sums[s] += counts[s];
}

// The bands that a component's AC may be coded in: 1..63, then 1..cut and cut + 1..63 for each cut.
// REQUIRES: cuts rise, 1 to 62.
struct Bands {
    std::vector<int> cuts;
    std::vector<std::pair<int, int>> limits{{1, 63}};
    size_t piece[64] = {};  // of each position: how many cuts lie below it

    explicit Bands(const std::vector<int>& at) : cuts(at) {
        for (const int cut : cuts) {
            limits.insert(limits.end(), {{1, cut}, {cut + 1, 63}});
            for (int k = cut + 1; k < 64; ++k) ++piece[k];
        }
    }
};

// What the scans of all bands count in a part of a component's blocks, from one pass over its values: scans differ in
// the first symbol after a cut and in the ends of bands alone.
struct Tally {
    std::vector<Counts> pieces;  // symbols of values between cuts, as the scan of 1..63 has them
    std::vector<Counts> moved;   // by cut: what its upper band has more and less of, its runs starting at the cut
    std::vector<Counts> ends;    // by band
    std::vector<int64_t> first;  // by band: the first block with a value, -1 where there is none
    std::vector<int64_t> open;   // by band: from where on ends are not counted yet
    int64_t longest_run;

    Tally(const Bands& bands, int64_t longest)
        : pieces(bands.cuts.size() + 1),
          moved(bands.cuts.size()),
          ends(bands.limits.size()),
          first(bands.limits.size(), -1),
          open(bands.limits.size(), 0),
          longest_run(longest) {}

    // masks: of the blocks, or null: then they are made here.
    void add(const Bands& bands, const int16_t* levels, const uint64_t* masks, int64_t from, int64_t to) {
        for (int64_t block = from; block < to; ++block) {
            const uint64_t mask = (masks ? masks[block] : mask_of(levels + 64 * block)) & ~uint64_t{1};
            if (!mask) continue;
            add_values(bands, levels + 64 * block, mask);
            // Lower bands have a value where their cut lies at the first one or above it, upper ones where it lies
            // below the last one.
            end(0, block, mask >> 63);
            const size_t lowest = bands.piece[lowest_bit(mask)], highest = bands.piece[highest_bit(mask)];
            for (size_t cut = lowest; cut < bands.cuts.size(); ++cut)
                end(1 + 2 * cut, block, (mask >> bands.cuts[cut]) & 1);
            for (size_t cut = 0; cut < highest; ++cut) end(2 + 2 * cut, block, mask >> 63);
        }
    }

    // A block with values in the band. full: one lies at its last position, and so no end comes after it.
    void end(size_t band, int64_t block, bool full) {
        if (first[band] < 0)
            first[band] = block;
        else
            close(band, block - open[band]);
        open[band] = block + full;
    }

    void add_values(const Bands& bands, const int16_t* levels, uint64_t mask) {
        int before = 0;
        for (; mask; mask &= mask - 1) {
            const int k = lowest_bit(mask), run = k - before - 1, size = category(std::abs(levels[k]));
            count(pieces[bands.piece[k]], run, size, 1);
            for (size_t cut = bands.piece[before]; cut < bands.piece[k]; ++cut) {
                count(moved[cut], run, size, -1);
                count(moved[cut], k - bands.cuts[cut] - 1, size, 1);
            }
            before = k;
        }
    }

    static void count(Counts& counts, int run, int size, int64_t n) {
        counts[static_cast<size_t>((run & 15) << 4 | size)] += n;
        if (run > 15) counts[0xF0] += (run >> 4) * n;
    }

    // Counts a run of so many ends.
    void close(size_t band, int64_t n) {
        if (longest_run == 1) {
            ends[band][0x00] += n;
            return;
        }
        const auto symbol = [](int64_t run) { return static_cast<size_t>(16 * (category(static_cast<int>(run)) - 1)); };
        for (; n >= longest_run; n -= longest_run) ++ends[band][symbol(longest_run)];
        if (n) ++ends[band][symbol(n)];
    }

    // Takes over what the next part counted.
    void append(const Tally& next) {
        for (size_t i = 0; i < pieces.size(); ++i) add_to(pieces[i], next.pieces[i]);
        for (size_t i = 0; i < moved.size(); ++i) add_to(moved[i], next.moved[i]);
        for (size_t band = 0; band < ends.size(); ++band) {
            add_to(ends[band], next.ends[band]);
            if (next.first[band] < 0) continue;
            close(band, next.first[band] - open[band]);
            open[band] = next.open[band];
        }
    }

    // Symbols of each band, all ends counted.
    std::vector<Counts> counts(int64_t blocks) {
        for (size_t band = 0; band < ends.size(); ++band) close(band, blocks - open[band]);
        std::vector<Counts> result = ends;
        for (size_t i = 0; i < pieces.size(); ++i) {
            add_to(result[0], pieces[i]);
            for (size_t cut = 0; cut < moved.size(); ++cut) add_to(result[1 + 2 * cut + (i > cut)], pieces[i]);
        }
        for (size_t cut = 0; cut < moved.size(); ++cut) add_to(result[2 + 2 * cut], moved[cut]);
        return result;
    }
};

// How often each symbol occurs in each band. masks: as for Tally::add. longest_run: LONGEST_RUN or 1.
std::vector<Counts> band_counts(const Component& c, const uint64_t* masks, const Bands& bands, int longest_run,
                                int threads) {
    const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(threads, c.rows));
    std::vector<Tally> tallies(static_cast<size_t>(parts), Tally(bands, longest_run));
    share(parts, threads, [&](int64_t a, int64_t b) {
        for (int64_t part = a; part < b; ++part)
            tallies[static_cast<size_t>(part)].add(bands, c.levels, masks, c.rows * part / parts * c.columns,
                                                   c.rows * (part + 1) / parts * c.columns);
    });
    Tally whole(bands, longest_run);
    for (const Tally& tally : tallies) whole.append(tally);
    return whole.counts(c.rows * c.columns);
}

}  // namespace msroi
