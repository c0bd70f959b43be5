// Python's view of trellis, symbol counts and Huffman codes: levels and what they cost. _kernels.pyi says what each
// means.

#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "arrays.h"
#include "dc_trellis.h"
#include "huffman.h"
#include "parallel.h"
#include "plain_bits.h"
#include "symbol_counts.h"
#include "trellis.h"

namespace msroi::bindings {

Array<int16_t> quantise(const Array<int16_t>& coefficients, const Array<uint16_t>& table,
                        const Array<float>& position_weights, const Array<float>& low, const Array<float>& high,
                        const Array<float>& blend, float lagrangian, int cut, const Array<float>& ac_bits,
                        const Array<float>& end_bits, py::ssize_t first_row, py::ssize_t row_step, int threads) {
    check_shape("coefficients", coefficients, {-1, -1, 64});
    check_table(table);
    check_shape("position_weights", position_weights, {64});
    check_shape("blend", blend, {64});
    check_shape("ac_bits", ac_bits, {2, 256});
    check_shape("end_bits", end_bits, {2, 2});
    const auto rows = coefficients.shape(0), columns = coefficients.shape(1);
    check_shape("low", low, {rows, columns});
    check_shape("high", high, {rows, columns});
    if (row_step < 1 || first_row < 0 || first_row >= rows) refuse("first_row, row_step: out of range");
    if (cut < 1 || cut > 63) refuse("cut: must be 1 to 63");
    if (!(lagrangian >= 0)) refuse("lagrangian: must not be negative");
    threads = checked_threads(threads);
    const auto taken = (rows - first_row + row_step - 1) / row_step;
    Array<int16_t> levels({taken, columns, py::ssize_t{64}});
    const auto steps = as_floats(table);
    const int16_t* c = coefficients.data();
    const float *lows = low.data(), *highs = high.data();
    const msroi::Trellis trellis(steps.data(), position_weights.data(), blend.data(), lagrangian, cut, ac_bits.data(),
                                 end_bits.data());
    auto* out = levels.mutable_data();
    py::gil_scoped_release release;
    msroi::share(taken, threads, [&](int64_t a, int64_t b) {
        for (int64_t i = a; i < b; ++i) {
            const int64_t row = first_row + i * row_step;
            msroi::quantise_row(trellis, c + row * columns * 64, lows + row * columns, highs + row * columns, columns,
                                out + i * columns * 64);
        }
    });
    return levels;
}

Array<int64_t> band_counts(const Array<int16_t>& levels, const std::vector<int>& cuts, bool end_runs, int threads) {
    check_levels(levels);
    for (size_t i = 0; i < cuts.size(); ++i)
        if (cuts[i] < 1 || cuts[i] > 62 || (i > 0 && cuts[i] <= cuts[i - 1])) refuse("cuts: must rise, 1 to 62");
    threads = checked_threads(threads);
    const msroi::Component component{levels.data(), levels.shape(0), levels.shape(1), 1, 1};
    const msroi::Bands bands(cuts);
    Array<int64_t> out({static_cast<py::ssize_t>(bands.limits.size()), py::ssize_t{256}});
    auto* result = out.mutable_data();
    py::gil_scoped_release release;
    const int longest_run = end_runs ? msroi::LONGEST_RUN : 1;
    for (const msroi::Counts& counts : msroi::band_counts(component, nullptr, bands, longest_run, threads))
        result = std::copy(counts.begin(), counts.end(), result);
    return out;
}

void settle_dc(Array<int16_t>& levels, const Array<int16_t>& coefficients, const std::optional<Array<int8_t>>& limits,
               const Array<float>& weights, float scale, float step, std::pair<float, float> ends, float reach,
               const Array<float>& bits) {
    check_levels(levels);
    const auto rows = levels.shape(0), columns = levels.shape(1);
    check_shape("coefficients", coefficients, {rows, columns, 64});
    if (limits) check_shape("limits", *limits, {rows, columns});
    check_shape("weights", weights, {rows, columns});
    check_shape("bits", bits, {12});
    if (!(step >= 1 && step <= 255)) refuse("step: must be 1 to 255");
    if (!(reach >= 0.5f && reach <= 1.0f)) refuse("reach: must be 0.5 to 1");
    const msroi::WantedDc wanted{coefficients.data(), limits ? limits->data() : nullptr, step, ends.first, ends.second};
    const float *w = weights.data(), *prices = bits.data();
    auto* result = levels.mutable_data();
    py::gil_scoped_release release;
    msroi::settle_dc(wanted, w, scale, rows * columns, reach, prices, result);
}

Array<int64_t> dc_counts(const Array<int16_t>& levels, bool chained) {
    check_levels(levels);
    constexpr size_t WIDEST = 18;  // categories of differences of any two numbers in two bytes
    Array<int64_t> out(py::ssize_t{WIDEST});
    auto* counts = out.mutable_data();
    std::fill(counts, counts + WIDEST, 0);
    const auto* in = levels.data();
    const auto rows = levels.shape(0), columns = levels.shape(1);
    py::gil_scoped_release release;
    msroi::dc_counts(in, rows, columns, chained, counts);
    return out;
}

Array<int64_t> plain_bits(const Array<int16_t>& coefficients, const Array<uint16_t>& table,
                          const Array<uint8_t>& dc_lengths, const Array<uint8_t>& ac_lengths, int threads) {
    check_shape("coefficients", coefficients, {-1, -1, 64});
    check_table(table);
    check_shape("dc_lengths", dc_lengths, {256});
    check_shape("ac_lengths", ac_lengths, {256});
    const auto rows = coefficients.shape(0), columns = coefficients.shape(1);
    Array<int64_t> out(rows);
    const auto *c = coefficients.data();
    const auto* steps = table.data();
    const auto *dc = dc_lengths.data(), *ac = ac_lengths.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows, threads, [&](int64_t a, int64_t b) {
        for (int64_t y = a; y < b; ++y)
            result[y] = msroi::plain_row_bits(c + 64 * columns * y, columns, steps, dc, ac);
    });
    return out;
}

Array<uint8_t> huffman_lengths(const Array<int64_t>& counts) {
    check_shape("counts", counts, {256});
    msroi::Counts values;
    for (size_t s = 0; s < 256; ++s) {
        values[s] = counts.data()[s];
        if (values[s] < 0 || values[s] > (int64_t{1} << 48)) refuse("counts: must be 0 to 2**48");
    }
    const auto lengths = msroi::huffman_lengths(values);
    Array<uint8_t> out(py::ssize_t{256});
    std::copy(lengths.begin(), lengths.end(), out.mutable_data());
    return out;
}

void define_levels(py::module_& module) {
    module.def("quantise", &quantise, py::arg("coefficients").noconvert(), py::arg("table").noconvert(),
               py::arg("position_weights").noconvert(), py::arg("low").noconvert(), py::arg("high").noconvert(),
               py::arg("blend").noconvert(), py::arg("lagrangian"), py::arg("cut"), py::arg("ac_bits").noconvert(),
               py::arg("end_bits").noconvert(), py::arg("first_row") = 0, py::arg("row_step") = 1,
               py::arg("threads") = 1);
    module.def("band_counts", &band_counts, py::arg("levels").noconvert(), py::arg("cuts"), py::arg("end_runs"),
               py::arg("threads") = 1);
    module.def("settle_dc", &settle_dc, py::arg("levels").noconvert(), py::arg("coefficients").noconvert(),
               py::arg("limits").noconvert(), py::arg("weights").noconvert(), py::arg("scale"), py::arg("step"),
               py::arg("ends"), py::arg("reach"), py::arg("bits").noconvert());
    module.def("dc_counts", &dc_counts, py::arg("levels").noconvert(), py::arg("chained"));
    module.def("plain_bits", &plain_bits, py::arg("coefficients").noconvert(), py::arg("table").noconvert(),
               py::arg("dc_lengths").noconvert(), py::arg("ac_lengths").noconvert(), py::arg("threads") = 1);
    module.def("huffman_lengths", &huffman_lengths, py::arg("counts").noconvert());
}

}  // namespace msroi::bindings
