// Marker segments: JFIF, tables, frame and scan headers.
//
// Source: ITU-T T.81, B.2.2 to B.2.4; JFIF 1.02. Called by writer.

#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "huffman.h"
#include "scans.h"

namespace msroi {

// A marker segment: its length counts itself (T.81, B.1.1.4).
void marker(std::vector<uint8_t>& out, int code, const std::vector<uint8_t>& payload) {
    const size_t n = payload.size() + 2;
    out.insert(out.end(), {0xFF, static_cast<uint8_t>(code), static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)});
    out.insert(out.end(), payload.begin(), payload.end());
}

// kind: 0 DC, 1 AC.
void huffman_table(std::vector<uint8_t>& out, int kind, int id, const Code& code) {
    std::vector<uint8_t> payload{static_cast<uint8_t>(kind * 16 + id)};
    payload.insert(payload.end(), code.per_length.begin(), code.per_length.end());
    payload.insert(payload.end(), code.values.begin(), code.values.end());
    marker(out, 0xC4, payload);
}

// SOI, JFIF 1.01 without units, tables (equal ones once), frame.
void head(std::vector<uint8_t>& out, const Frame& frame, const std::vector<const uint16_t*>& tables, bool progressive) {
    out.insert(out.end(), {0xFF, 0xD8});
    marker(out, 0xE0, {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0});
    std::vector<int> ids;
    int n_ids = 0;
    for (size_t i = 0; i < tables.size(); ++i) {
        int id = -1;
        for (size_t j = 0; j < i && id < 0; ++j)
            if (std::equal(tables[i], tables[i] + 64, tables[j])) id = ids[j];
        if (id < 0) {
            id = n_ids++;
            std::vector<uint8_t> payload{static_cast<uint8_t>(id)};
            for (int k = 0; k < 64; ++k) payload.push_back(static_cast<uint8_t>(tables[i][k]));
            marker(out, 0xDB, payload);
        }
        ids.push_back(id);
    }
    std::vector<uint8_t> sof{8,
                             static_cast<uint8_t>(frame.height >> 8),
                             static_cast<uint8_t>(frame.height),
                             static_cast<uint8_t>(frame.width >> 8),
                             static_cast<uint8_t>(frame.width),
                             static_cast<uint8_t>(frame.components.size())};
    for (size_t i = 0; i < frame.components.size(); ++i) {
        const Component& c = frame.components[i];
        sof.insert(sof.end(), {static_cast<uint8_t>(i + 1), static_cast<uint8_t>(c.horizontal * 16 + c.vertical),
                               static_cast<uint8_t>(ids[i])});
    }
    marker(out, progressive ? 0xC2 : 0xC0, sof);
}

// ids_and_tables: of each component its number and DC table * 16 + AC table. No successive approximation.
void scan_head(std::vector<uint8_t>& out, const std::vector<std::pair<int, int>>& ids_and_tables, int first, int last) {
    std::vector<uint8_t> payload{static_cast<uint8_t>(ids_and_tables.size())};
    for (const auto& [id, table] : ids_and_tables) {
        payload.push_back(static_cast<uint8_t>(id));
        payload.push_back(static_cast<uint8_t>(table));
    }
    payload.insert(payload.end(), {static_cast<uint8_t>(first), static_cast<uint8_t>(last), 0});
    marker(out, 0xDA, payload);
}

}  // namespace msroi
