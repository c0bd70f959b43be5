// From a JPEG file to its quantised DCT coefficients: pure code on bytes.
//
// Huffman-coded files of 8 bits: sequential (SOF0, SOF1) and progressive (SOF2), of one component or of Y, Cb, Cr with
// chroma at full size, at half width, or at half width and height. Everything else, and every file whose data are not
// whole and sound, is refused with std::invalid_argument: the caller then takes pixels from a decoder that guesses.
//
// Source: ITU-T T.81, annex B; sections in comments are its own. Called by bindings (`read_jpeg`) for sources that are
// JPEGs, for the guard and for plain files made smaller, and by tests/fuzzing/decoder.cpp. Memory is bounded by the
// file's own length, time by its length times the scans that it may have; no byte is read outside of it, whatever it
// says.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "decoder_bits.h"
#include "decoder_scans.h"

namespace msroi {

// Every scan is a pass over the picture that a few bytes can ask for; encoders write 10 to 20.
constexpr int MAX_SCANS = 100;

// A file's frame and coefficients. Sampling factors of luma are those relative to chroma's.
struct DecodedJpeg {
    int64_t height = 0, width = 0;
    std::vector<DecodedComponent> components;
};

class JpegDecoder {
   public:
    // only: the component to read, the others get no levels; -1: all.
    JpegDecoder(const uint8_t* data, size_t size, int only)
        : at_(data), end_(data + size), n_bytes_(size), only_(only) {}

    DecodedJpeg decode() {
        if (end_ - at_ < 2 || at_[0] != 0xFF || at_[1] != 0xD8) refuse_jpeg("no start of image");
        at_ += 2;
        for (int marker = next_marker(); marker != 0xD9; marker = next_marker()) segment(marker);
        if (jpeg_.components.empty()) refuse_jpeg("no frame");
        for (const DecodedComponent& c : jpeg_.components)
            for (const int8_t bit : c.known)
                if (bit != 0) refuse_jpeg("scans are missing");
        check_colour();
        reduce_sampling();
        return std::move(jpeg_);
    }

   private:
    const uint8_t* at_;
    const uint8_t* end_;
    size_t n_bytes_;
    int only_;
    bool progressive_ = false, has_jfif_ = false;
    int adobe_transform_ = -1, n_scans_ = 0;
    int64_t restart_interval_ = 0;
    std::array<HuffmanDecoder, 4> dc_, ac_;
    std::array<std::array<uint16_t, 64>, 4> steps_{};
    std::array<bool, 4> has_steps_{};
    DecodedJpeg jpeg_;
    int h_max_ = 1, v_max_ = 1;

    // --- segments -----------------------------------------------------------------------------------------

    // The next marker, whatever bytes stand before it; the end of the file counts as EOI.
    int next_marker() {
        while (end_ - at_ >= 2) {
            if (at_[0] != 0xFF || at_[1] == 0 || at_[1] == 0xFF || (at_[1] >= 0xD0 && at_[1] <= 0xD7)) {
                ++at_;
                continue;
            }
            at_ += 2;
            return at_[-1];
        }
        return 0xD9;
    }

    void segment(int marker) {
        if (marker == 0x01) return;
        if (end_ - at_ < 2) refuse_jpeg("a segment cut short");
        const std::ptrdiff_t length = at_[0] << 8 | at_[1];
        if (length < 2 || length > end_ - at_) refuse_jpeg("a segment cut short");
        const uint8_t* payload = at_ + 2;
        const auto n = static_cast<size_t>(length - 2);
        at_ += length;
        switch (marker) {
            case 0xC0:
            case 0xC1:
            case 0xC2: frame(payload, n, marker == 0xC2); break;
            case 0xC4: huffman_tables(payload, n); break;
            case 0xDA: scan(payload, n); break;
            case 0xDB: quantisation_tables(payload, n); break;
            case 0xDD:
                if (n < 2) refuse_jpeg("a restart interval cut short");
                restart_interval_ = payload[0] << 8 | payload[1];
                break;
            case 0xE0: has_jfif_ = has_jfif_ || (n >= 14 && !std::memcmp(payload, "JFIF", 5)); break;
            case 0xEE:
                if (n >= 12 && !std::memcmp(payload, "Adobe", 5)) adobe_transform_ = payload[11];
                break;
            default:
                if (marker != 0xFE && (marker < 0xE0 || marker > 0xEF))
                    refuse_jpeg("a process that is not decoded here");
        }
    }

    void quantisation_tables(const uint8_t* p, size_t n) {
        while (n) {
            const size_t wide = p[0] >> 4, id = p[0] & 15, size = 1 + 64 * (1 + wide);
            if (wide > 1 || id > 3 || n < size) refuse_jpeg("an unsound quantisation table");
            for (size_t k = 0; k < 64; ++k) {
                const int step = wide ? p[1 + 2 * k] << 8 | p[2 + 2 * k] : p[1 + k];
                if (step < 1 || step > 255) refuse_jpeg("quantisation steps beyond 1 to 255");
                steps_[id][k] = static_cast<uint16_t>(step);
            }
            has_steps_[id] = true;
            p += size;
            n -= size;
        }
    }

    void huffman_tables(const uint8_t* p, size_t n) {
        while (n) {
            if (n < 17 || p[0] >> 4 > 1 || (p[0] & 15) > 3) refuse_jpeg("an unsound Huffman table");
            size_t sum = 0;
            for (size_t i = 1; i <= 16; ++i) sum += p[i];
            if (sum > 256 || n < 17 + sum) refuse_jpeg("an unsound Huffman table");
            auto& tables = p[0] >> 4 ? ac_ : dc_;
            tables[p[0] & 15].define(p + 1, p + 17);
            p += 17 + sum;
            n -= 17 + sum;
        }
    }

    void frame(const uint8_t* p, size_t n, bool progressive) {
        if (!jpeg_.components.empty()) refuse_jpeg("two frames");
        if (n < 6 || n != 6 + size_t{3} * p[5]) refuse_jpeg("an unsound frame");
        const size_t count = p[5];
        progressive_ = progressive;
        jpeg_.height = p[1] << 8 | p[2];
        jpeg_.width = p[3] << 8 | p[4];
        if (p[0] != 8 || jpeg_.height < 1 || jpeg_.width < 1 || (count != 1 && count != 3))
            refuse_jpeg("a frame that is not decoded here");
        std::vector<DecodedComponent> components(count);
        for (size_t i = 0; i < count; ++i) {
            DecodedComponent& c = components[i];
            const uint8_t* entry = p + 6 + 3 * i;
            c.id = entry[0];
            c.horizontal = entry[1] >> 4;
            c.vertical = entry[1] & 15;
            c.table = entry[2];
            c.known.fill(-1);
            if (c.horizontal < 1 || c.horizontal > 4 || c.vertical < 1 || c.vertical > 4 || c.table > 3)
                refuse_jpeg("an unsound frame");
            for (size_t j = 0; j < i; ++j)
                if (components[j].id == c.id) refuse_jpeg("two components of one name");
            h_max_ = std::max(h_max_, c.horizontal);
            v_max_ = std::max(v_max_, c.vertical);
        }
        allocate(components);
        jpeg_.components = std::move(components);
    }

    // Room for the coefficients, once it is plain that the file can hold them: a block takes a bit of a scan at least.
    void allocate(std::vector<DecodedComponent>& components) {
        uint64_t blocks = 0;
        for (DecodedComponent& c : components) {
            c.rows = ((jpeg_.height * c.vertical + v_max_ - 1) / v_max_ + 7) / 8;
            c.columns = ((jpeg_.width * c.horizontal + h_max_ - 1) / h_max_ + 7) / 8;
            blocks += static_cast<uint64_t>(c.rows * c.columns);
        }
        if (blocks > 8 * static_cast<uint64_t>(n_bytes_)) refuse_jpeg("fewer data than its size asks for");
        for (size_t i = 0; i < components.size(); ++i)
            if (only_ < 0 || i == static_cast<size_t>(only_))
                components[i].levels.resize(static_cast<size_t>(components[i].rows * components[i].columns * 64));
    }

    // Colour by libjpeg's rules (default_decompress_parms).
    void check_colour() const {
        const auto& c = jpeg_.components;
        if (c.size() == 1 || has_jfif_) return;
        const bool named_rgb = c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B';
        if (adobe_transform_ >= 0 ? adobe_transform_ == 0 : named_rgb) refuse_jpeg("its components are R, G, B");
    }

    void reduce_sampling() {
        auto& c = jpeg_.components;
        if (c.size() == 1) {  // whatever its factors, one component is not reduced
            c[0].horizontal = c[0].vertical = 1;
            return;
        }
        const int across = c[1].horizontal, down = c[1].vertical;
        const bool alike = c[2].horizontal == across && c[2].vertical == down;
        if (!alike || c[0].horizontal % across || c[0].vertical % down) refuse_jpeg("its sampling is not known here");
        const int h = c[0].horizontal / across, v = c[0].vertical / down;
        if (h > 2 || v > h) refuse_jpeg("its sampling is not known here");
        c[0].horizontal = h;
        c[0].vertical = v;
        for (size_t i = 1; i < 3; ++i) c[i].horizontal = c[i].vertical = 1;
    }

    // --- scans --------------------------------------------------------------------------------------------

    void scan(const uint8_t* p, size_t n) {
        if (jpeg_.components.empty()) refuse_jpeg("a scan before the frame");
        if (++n_scans_ > MAX_SCANS) refuse_jpeg("too many scans");
        const ScanHeader scan = header_of(p, n);
        for (DecodedComponent* c : scan.components) {
            check_order(scan, *c);
            // A component keeps the table that it met first, though the table may be defined anew (as libjpeg).
            if (c->has_steps) continue;
            if (!has_steps_[static_cast<size_t>(c->table)]) refuse_jpeg("no quantisation table");
            c->steps = steps_[static_cast<size_t>(c->table)];
            c->has_steps = true;
        }
        if (std::all_of(scan.components.begin(), scan.components.end(), [](auto* c) { return c->levels.empty(); }))
            return skip_data();
        BitReader reader{at_, end_};
        ScanDecoder decoder(scan, restart_interval_, reader);
        if (scan.components.size() == 1)
            decoder.one_component();
        else
            decoder.interleaved((jpeg_.height + 8 * v_max_ - 1) / (8 * v_max_),
                                (jpeg_.width + 8 * h_max_ - 1) / (8 * h_max_));
        at_ = reader.at;
    }

    // Goes on to the marker after a scan's data; those of restarts, and stuffed bytes, are data.
    void skip_data() {
        while (end_ - at_ >= 2 && !(at_[0] == 0xFF && at_[1] != 0 && at_[1] != 0xFF && (at_[1] & 0xF8) != 0xD0)) ++at_;
    }

    ScanHeader header_of(const uint8_t* p, size_t n) {
        const size_t count = n ? p[0] : 0;
        if (count < 1 || count > 3 || n != 4 + 2 * count) refuse_jpeg("an unsound scan");
        const uint8_t* limits = p + 1 + 2 * count;
        ScanHeader scan{{}, {}, {}, limits[0], limits[1], limits[2] >> 4, limits[2] & 15, progressive_};
        if (progressive_) {
            const bool dc = scan.first == 0;
            if (dc ? scan.last != 0 : (scan.last < scan.first || scan.last > 63 || count != 1))
                refuse_jpeg("an unsound progressive scan");
            // The lowest bits that T.81, table B.3, allows, each scan of one bit more than the last.
            if (scan.low > 13 || (scan.high && scan.high != scan.low + 1)) refuse_jpeg("an unsound progressive scan");
        } else if (scan.first != 0 || scan.last != 63 || scan.high || scan.low) {
            refuse_jpeg("an unsound sequential scan");
        }
        int blocks = 0;
        for (size_t i = 0; i < count; ++i) {
            DecodedComponent* found = nullptr;
            for (DecodedComponent& c : jpeg_.components)
                if (c.id == p[1 + 2 * i]) found = &c;
            if (!found || std::count(scan.components.begin(), scan.components.end(), found))
                refuse_jpeg("a scan of a component that is not there");
            const int dc = p[2 + 2 * i] >> 4, ac = p[2 + 2 * i] & 15;
            if (dc > 3 || ac > 3) refuse_jpeg("an unsound scan");
            scan.components.push_back(found);
            scan.dc.push_back(&dc_[static_cast<size_t>(dc)]);
            scan.ac.push_back(&ac_[static_cast<size_t>(ac)]);
            if (scan.first == 0 && !scan.high && !scan.dc.back()->defined) refuse_jpeg("no Huffman table");
            if (scan.last > 0 && !scan.ac.back()->defined) refuse_jpeg("no Huffman table");
            blocks += found->horizontal * found->vertical;
        }
        // T.81, B.2.3.
        if (count > 1 && blocks > 10) refuse_jpeg("an MCU of more than 10 blocks");
        return scan;
    }

    // Every bit of a coefficient comes once, from high to low (G.1.1.1).
    static void check_order(const ScanHeader& scan, DecodedComponent& c) {
        for (int k = scan.first; k <= scan.last; ++k) {
            int8_t& known = c.known[static_cast<size_t>(k)];
            if (known != (scan.high ? scan.high : -1)) refuse_jpeg("scans out of order");
            known = static_cast<int8_t>(scan.low);
        }
    }
};

inline DecodedJpeg read_jpeg(const uint8_t* data, size_t size, int only = -1) {
    return JpegDecoder(data, size, only).decode();
}

}  // namespace msroi
