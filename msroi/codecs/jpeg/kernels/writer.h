// From levels to a whole JFIF file, sequential or progressive.
//
// Source: ITU-T T.81, annexes F and G. Called by bindings (`write_jpeg`, and `ac_scans` and `join_scans` for a file
// that is made component by component).

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "band_choice.h"
#include "block.h"
#include "huffman.h"
#include "parallel.h"
#include "scans.h"
#include "segments.h"
#include "sinks.h"

namespace msroi {

// Errors: std::invalid_argument for a level that has no code.
Digest digested(const Component& c, int threads) {
    const auto blocks = static_cast<size_t>(c.rows * c.columns);
    Digest digest{std::vector<uint64_t>(blocks), std::vector<int16_t>(blocks)};
    share(c.rows, threads, [&](int64_t a, int64_t b) {
        if (!digest_blocks(c.levels, a * c.columns, b * c.columns, digest.masks.data(), digest.dc.data()))
            throw std::invalid_argument("levels: beyond -1023 to 1023");
    });
    return digest;
}

// Errors: as digested.
std::vector<Digest> all_digests(const Frame& frame, int threads) {
    std::vector<Digest> digests;
    for (const Component& c : frame.components) digests.push_back(digested(c, threads));
    return digests;
}

// Numbers and tables of a scan of all components: table 0 for luma, 1 for chroma.
std::vector<std::pair<int, int>> interleaved_ids(const Frame& frame, bool with_ac) {
    std::vector<std::pair<int, int>> ids;
    for (size_t i = 0; i < frame.components.size(); ++i)
        ids.emplace_back(static_cast<int>(i + 1), i > 0 ? (with_ac ? 0x11 : 0x10) : 0);
    return ids;
}

// Tables and the one scan of a sequential file.
std::vector<uint8_t> sequential_scan(const Frame& frame, const std::vector<Digest>& digests) {
    Counter dc, ac;
    code_interleaved(frame, digests, true, dc, &ac);
    std::vector<Code> codes;
    for (int i = 0; i < 2; ++i) codes.emplace_back(dc.counts[static_cast<size_t>(i)]);
    for (int i = 0; i < 2; ++i) codes.emplace_back(ac.counts[static_cast<size_t>(i)]);
    std::vector<uint8_t> out;
    const int n_tables = frame.components.size() > 1 ? 2 : 1;
    for (int i = 0; i < n_tables; ++i) {
        huffman_table(out, 0, i, codes[static_cast<size_t>(i)]);
        huffman_table(out, 1, i, codes[static_cast<size_t>(2 + i)]);
    }
    scan_head(out, interleaved_ids(frame, true), 0, 63);
    // One stream of bits, two kinds of tables: symbols of AC are sent to the same writer.
    struct Both {
        Writer& writer;
        const Code* const* tables;
        void put(int table, int symbol, uint32_t bits, int n) {
            writer.codes[table] = tables[table];
            writer.put(table, symbol, bits, n);
        }
    };
    Writer writer{out, {nullptr, nullptr}};
    const Code* of_dc[2] = {&codes[0], &codes[1]};
    const Code* of_ac[2] = {&codes[2], &codes[3]};
    Both dc_sink{writer, of_dc}, ac_sink{writer, of_ac};
    code_interleaved(frame, digests, true, dc_sink, &ac_sink);
    writer.finish();
    return out;
}

// Tables and the DC scan of all components together, in the order of MCUs; counts: of luma's and of chroma's
// differences.
std::vector<uint8_t> joint_dc_scan(const Frame& frame, const std::vector<Digest>& digests,
                                   const std::array<Counts, 2>& counts) {
    std::vector<uint8_t> out;
    const std::vector<Code> codes{Code(counts[0]), Code(counts[1])};
    huffman_table(out, 0, 0, codes[0]);
    if (frame.components.size() > 1) huffman_table(out, 0, 1, codes[1]);
    scan_head(out, interleaved_ids(frame, false), 0, 0);
    Writer writer{out, {&codes[0], &codes[1]}};
    code_interleaved<Writer>(frame, digests, false, writer, nullptr);
    writer.finish();
    return out;
}

// Table and scan of one component's DC.
std::vector<uint8_t> dc_scan(const Digest& digest, int id, const Counts& counts) {
    std::vector<uint8_t> out;
    const Code code(counts);
    huffman_table(out, 0, 0, code);
    scan_head(out, {{id, 0}}, 0, 0);
    Writer writer{out, {&code, &code}};
    code_dc(digest, writer);
    writer.finish();
    return out;
}

// Bytes of a table for so many DC differences, and their bits with it, those of values included.
std::pair<int64_t, int64_t> dc_cost(const Counts& counts) {
    const Code code(counts);
    int64_t bits = code.bits(counts);
    for (size_t size = 0; size < counts.size(); ++size) bits += counts[size] * static_cast<int64_t>(size);
    return {code.bytes(), bits};
}

// DC of all components, in one scan or, mostly smaller, in one each: there the blocks follow each other along rows,
// while those of an MCU of four go to and fro, so that differences are larger. Which it is is counted before.
std::vector<uint8_t> dc_scans(const Frame& frame, const std::vector<Digest>& digests) {
    const size_t n = frame.components.size();
    std::array<Counts, 2> joint{};
    for (size_t i = 0; i < n; ++i) add_to(joint[i > 0], dc_counts_by_mcus(frame, frame.components[i], digests[i]));
    if (n == 1) return joint_dc_scan(frame, digests, joint);
    const auto [luma_table, luma_bits] = dc_cost(joint[0]);
    const auto [chroma_table, chroma_bits] = dc_cost(joint[1]);
    const int64_t joint_head = 2 + 6 + 2 * static_cast<int64_t>(n), head = 2 + 6 + 2;  // SOS of n components, of one
    int64_t saved = joint_head + luma_table + chroma_table + (luma_bits + chroma_bits + 7) / 8;
    std::vector<Counts> counts;
    for (size_t i = 0; i < n; ++i) {
        counts.push_back(dc_counts_by_rows(digests[i]));
        const auto [table, bits] = dc_cost(counts[i]);
        saved -= head + table + (bits + 7) / 8;
    }
    if (saved <= 0) return joint_dc_scan(frame, digests, joint);
    std::vector<uint8_t> apart;
    for (size_t i = 0; i < n; ++i) {
        const std::vector<uint8_t> scan = dc_scan(digests[i], static_cast<int>(i + 1), counts[i]);
        apart.insert(apart.end(), scan.begin(), scan.end());
    }
    return apart;
}

// Table and scan of one component's band.
std::vector<uint8_t> band_scan(const Component& c, const Digest& digest, int id, const Band& band) {
    std::vector<uint8_t> out;
    const Code code(band.counts);
    huffman_table(out, 1, 0, code);
    scan_head(out, {{id, 0}}, band.first, band.last);
    Writer writer{out, {&code, &code}};
    code_band(c, digest.masks, band.first, band.last, writer);
    writer.finish();
    return out;
}

// The AC scans of one component of a progressive file.
std::vector<std::vector<uint8_t>> component_scans(const Component& c, int id, int threads) {
    const Digest digest = digested(c, threads);
    const std::vector<Band> bands = choose_bands(c, digest, threads);
    std::vector<std::vector<uint8_t>> scans(bands.size());
    each(static_cast<int64_t>(bands.size()), threads, [&](int64_t i) {
        scans[static_cast<size_t>(i)] = band_scan(c, digest, id, bands[static_cast<size_t>(i)]);
    });
    return scans;
}

// The scans of a progressive file: DC first, then the low bands of all components, then the others.
std::vector<uint8_t> progressive_scans(const Frame& frame, const std::vector<Digest>& digests, int threads) {
    const size_t n = frame.components.size();
    std::vector<std::vector<Band>> bands;
    for (size_t i = 0; i < n; ++i) bands.push_back(choose_bands(frame.components[i], digests[i], threads));
    std::vector<std::pair<size_t, const Band*>> order;  // component and band
    for (size_t part = 0; part < 2; ++part)
        for (size_t i = 0; i < n; ++i)
            if (part < bands[i].size()) order.emplace_back(i, &bands[i][part]);
    // DC is number 0. Of the others the longest are written first, so that threads end together.
    std::vector<size_t> tasks(order.size() + 1);
    for (size_t scan = 0; scan < tasks.size(); ++scan) tasks[scan] = scan;
    std::stable_sort(tasks.begin() + 1, tasks.end(), [&](size_t a, size_t b) {
        return order[a - 1].second->bytes > order[b - 1].second->bytes;
    });
    std::vector<std::vector<uint8_t>> scans(tasks.size());
    each(static_cast<int64_t>(tasks.size()), threads, [&](int64_t task) {
        const size_t scan = tasks[static_cast<size_t>(task)];
        if (scan == 0) {
            scans[0] = dc_scans(frame, digests);
            return;
        }
        const auto& [i, band] = order[scan - 1];
        scans[scan] = band_scan(frame.components[i], digests[i], static_cast<int>(i + 1), *band);
    });
    std::vector<uint8_t> out;
    for (const auto& scan : scans) out.insert(out.end(), scan.begin(), scan.end());
    return out;
}

// A file of its scans, tables of Huffman codes included in them.
std::vector<uint8_t> whole_file(const Frame& frame, const std::vector<const uint16_t*>& tables, bool progressive,
                                const std::vector<uint8_t>& scans) {
    std::vector<uint8_t> out;
    head(out, frame, tables, progressive);
    out.insert(out.end(), scans.begin(), scans.end());
    out.insert(out.end(), {0xFF, 0xD9});
    return out;
}

// Errors: as digested.
std::vector<uint8_t> write_jpeg(const Frame& frame, const std::vector<const uint16_t*>& tables, bool progressive,
                                int threads) {
    const std::vector<Digest> digests = all_digests(frame, threads);
    return whole_file(frame, tables, progressive,
                      progressive ? progressive_scans(frame, digests, threads) : sequential_scan(frame, digests));
}

// What write_jpeg writes, of the components' DC and their scans of AC, in its order.
std::vector<uint8_t> join_scans(const Frame& frame, const std::vector<const uint16_t*>& tables,
                                const std::vector<Digest>& dc, const std::vector<std::vector<std::string>>& ac) {
    std::vector<uint8_t> scans = dc_scans(frame, dc);
    for (size_t part = 0; part < 2; ++part)
        for (const auto& own : ac)
            if (part < own.size()) scans.insert(scans.end(), own[part].begin(), own[part].end());
    return whole_file(frame, tables, true, scans);
}

}  // namespace msroi
