// From a JPEG file to its quantised DCT coefficients: pure code on bytes, included by _kernels.cpp.
//
// Huffman-coded files of 8 bits: sequential (SOF0, SOF1) and progressive (SOF2), of one component or of Y, Cb, Cr with
// chroma at full size, at half width, or at half width and height. Everything else, and every file whose data are not
// whole and sound, is refused with std::invalid_argument: the caller then takes pixels from a decoder that guesses.
//
// Sections and figures are those of ITU-T T.81. Memory is bounded by the file's own length, time by its length times
// the scans that it may have; no byte is read outside of it, whatever it says.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace msroi {

[[noreturn]] inline void refuse_jpeg(const char* what) { throw std::invalid_argument(std::string("JPEG: ") + what); }

// Beyond any quantised coefficient of 8-bit samples (1024 at a step of 1), and far from overflow.
constexpr int MAX_LEVEL = 2047;

// Every scan is a pass over the picture that a few bytes can ask for; encoders write 10 to 20.
constexpr int MAX_SCANS = 100;

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

struct DecodedComponent {
    int id = 0, horizontal = 1, vertical = 1, table = 0;
    int64_t rows = 0, columns = 0;  // blocks that touch the picture
    std::vector<int16_t> levels;    // [rows][columns][64], zigzag
    std::array<uint16_t, 64> steps{};
    bool has_steps = false;
    std::array<int8_t, 64> known;  // lowest bit that scans brought of each coefficient, -1: none yet
};

// A file's frame and coefficients. Sampling factors of luma are those relative to chroma's.
struct DecodedJpeg {
    int64_t height = 0, width = 0;
    std::vector<DecodedComponent> components;
};

class JpegDecoder {
   public:
    JpegDecoder(const uint8_t* data, size_t size) : at_(data), end_(data + size), n_bytes_(size) {}

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
    // What one scan says (B.2.3).
    struct Scan {
        std::vector<DecodedComponent*> components;
        std::vector<const HuffmanDecoder*> dc, ac;
        int first, last, high, low;
    };

    const uint8_t* at_;
    const uint8_t* end_;
    size_t n_bytes_;
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
                if (marker != 0xFE && (marker < 0xE0 || marker > 0xEF)) refuse_jpeg("a process that is not decoded here");
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
        for (DecodedComponent& c : components) c.levels.resize(static_cast<size_t>(c.rows * c.columns * 64));
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
        Scan scan = header_of(p, n);
        for (DecodedComponent* c : scan.components) {
            check_order(scan, *c);
            // A component keeps the table that it met first, though the table may be defined anew (as libjpeg).
            if (c->has_steps) continue;
            if (!has_steps_[static_cast<size_t>(c->table)]) refuse_jpeg("no quantisation table");
            c->steps = steps_[static_cast<size_t>(c->table)];
            c->has_steps = true;
        }
        BitReader reader{at_, end_};
        if (scan.components.size() == 1)
            one_component(scan, reader);
        else
            interleaved(scan, reader);
        at_ = reader.at;
    }

    Scan header_of(const uint8_t* p, size_t n) {
        const size_t count = n ? p[0] : 0;
        if (count < 1 || count > 3 || n != 4 + 2 * count) refuse_jpeg("an unsound scan");
        const uint8_t* limits = p + 1 + 2 * count;
        Scan scan{{}, {}, {}, limits[0], limits[1], limits[2] >> 4, limits[2] & 15};
        if (progressive_) {
            const bool dc = scan.first == 0;
            if (dc ? scan.last != 0 : (scan.last < scan.first || scan.last > 63 || count != 1))
                refuse_jpeg("an unsound progressive scan");
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
        if (count > 1 && blocks > 10) refuse_jpeg("an MCU of more than 10 blocks");
        return scan;
    }

    // Every bit of a coefficient comes once, from high to low (G.1.1.1).
    static void check_order(const Scan& scan, DecodedComponent& c) {
        for (int k = scan.first; k <= scan.last; ++k) {
            int8_t& known = c.known[static_cast<size_t>(k)];
            if (known != (scan.high ? scan.high : -1)) refuse_jpeg("scans out of order");
            known = static_cast<int8_t>(scan.low);
        }
    }

    struct State {
        std::array<int, 3> predicted{};
        int ends = 0;  // blocks that the current end-of-band run still covers
        int64_t until_restart;
        int restarts = 0;
    };

    void maybe_restart(State& state, BitReader& reader) const {
        if (!restart_interval_) return;
        if (state.until_restart == 0) {
            reader.restart(state.restarts);
            state.restarts = (state.restarts + 1) % 8;
            state.predicted.fill(0);
            state.ends = 0;
            state.until_restart = restart_interval_;
        }
        --state.until_restart;
    }

    void one_component(const Scan& scan, BitReader& reader) {
        State state;
        state.until_restart = restart_interval_;
        DecodedComponent& c = *scan.components[0];
        for (int64_t block = 0; block < c.rows * c.columns; ++block) {
            maybe_restart(state, reader);
            decode_block(scan, 0, c.levels.data() + 64 * block, state, reader);
        }
    }

    void interleaved(const Scan& scan, BitReader& reader) {
        State state;
        state.until_restart = restart_interval_;
        const int64_t mcu_rows = (jpeg_.height + 8 * v_max_ - 1) / (8 * v_max_),
                      mcu_columns = (jpeg_.width + 8 * h_max_ - 1) / (8 * h_max_);
        for (int64_t my = 0; my < mcu_rows; ++my) {
            for (int64_t mx = 0; mx < mcu_columns; ++mx) {
                maybe_restart(state, reader);
                for (size_t i = 0; i < scan.components.size(); ++i) mcu_blocks(scan, i, my, mx, state, reader);
            }
        }
    }

    // A component's blocks in an MCU. Those beyond the picture are read and forgotten.
    void mcu_blocks(const Scan& scan, size_t i, int64_t my, int64_t mx, State& state, BitReader& reader) {
        DecodedComponent& c = *scan.components[i];
        for (int64_t y = my * c.vertical; y < (my + 1) * c.vertical; ++y) {
            for (int64_t x = mx * c.horizontal; x < (mx + 1) * c.horizontal; ++x) {
                int16_t beyond[64] = {};
                const bool inside = y < c.rows && x < c.columns;
                int16_t* levels = inside ? c.levels.data() + 64 * (y * c.columns + x) : beyond;
                decode_block(scan, i, levels, state, reader);
            }
        }
    }

    void decode_block(const Scan& scan, size_t i, int16_t* levels, State& state, BitReader& reader) const {
        if (!progressive_) {
            dc_first(*scan.dc[i], 0, levels, state.predicted[i], reader);
            ac_sequential(*scan.ac[i], levels, reader);
        } else if (scan.first == 0) {
            if (!scan.high)
                dc_first(*scan.dc[i], scan.low, levels, state.predicted[i], reader);
            else if (reader.take(1))
                levels[0] = static_cast<int16_t>(levels[0] | (1 << scan.low));
        } else if (!scan.high) {
            ac_first(scan, levels, state.ends, reader);
        } else {
            ac_refined(scan, levels, state.ends, reader);
        }
    }

    static int16_t checked(int value, int shift) {
        const int64_t level = static_cast<int64_t>(value) * (int64_t{1} << shift);
        if (level > MAX_LEVEL || level < -MAX_LEVEL - 1) refuse_jpeg("a coefficient out of range");
        return static_cast<int16_t>(level);
    }

    static void dc_first(const HuffmanDecoder& code, int low, int16_t* levels, int& predicted, BitReader& reader) {
        const int size = reader.symbol(code);
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

    static void ac_first(const Scan& scan, int16_t* levels, int& ends, BitReader& reader) {
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

    static void ac_refined(const Scan& scan, int16_t* levels, int& ends, BitReader& reader) {
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

inline DecodedJpeg read_jpeg(const uint8_t* data, size_t size) { return JpegDecoder(data, size).decode(); }

}  // namespace msroi
