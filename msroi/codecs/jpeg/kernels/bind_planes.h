// Python's view of colour, sampling, transform and deringing: planes to blocks and back. _kernels.pyi says what each
// means.

#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "arrays.h"
#include "colour.h"
#include "dct.h"
#include "deringing.h"
#include "parallel.h"
#include "planes.h"
#include "sampling.h"

namespace msroi::bindings {

Array<float> component_plane(const Array<uint8_t>& pixels, int component, int threads) {
    check_shape("pixels", pixels, {-1, -1, 3});
    if (component < 0 || component > 2) refuse("component: must be 0, 1 or 2");
    Array<float> out({pixels.shape(0), pixels.shape(1)});
    const auto* in = pixels.data();
    auto* result = out.mutable_data();
    const auto height = pixels.shape(0), width = pixels.shape(1);
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::component_plane(in, height, width, component, result, threads);
    return out;
}

Array<float> halve(const Array<float>& plane, bool horizontal, bool vertical, const std::vector<float>& steps,
                   int threads) {
    check_shape("plane", plane, {-1, -1});
    const auto height = plane.shape(0), width = plane.shape(1);
    Array<float> out({vertical ? (height + 1) / 2 : height, horizontal ? (width + 1) / 2 : width});
    const auto* in = plane.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::halve(in, height, width, horizontal, vertical, steps, result, threads);
    return out;
}

Array<int16_t> transformed(const Array<float>& plane, const msroi::Deringing* deringing, int threads) {
    check_shape("plane", plane, {-1, -1});
    const auto height = plane.shape(0), width = plane.shape(1);
    const auto rows = (height + 7) / 8, columns = (width + 7) / 8;
    Array<int16_t> out({rows, columns, py::ssize_t{64}});
    const auto* in = plane.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows, threads, [&](int64_t a, int64_t b) {
        msroi::forward_rows(in, height, width, columns, a, b, deringing, result);
    });
    return out;
}

Array<int16_t> forward_dct(const Array<float>& plane, int threads) { return transformed(plane, nullptr, threads); }

Array<int16_t> overshooting_dct(const Array<float>& plane, const Array<float>& shrink, float margin, float most,
                                float reach, int rounds, int threads) {
    check_shape("shrink", shrink, {64});
    if (!(margin >= 0 && most >= 0 && reach >= most && reach <= 64))
        refuse("margin, most, reach: must be 0 <= most <= reach <= 64");
    if (rounds < 0 || rounds > 1000) refuse("rounds: must be 0 to 1000");
    msroi::Deringing deringing{{}, margin, most, reach, rounds};
    for (int k = 0; k < 64; ++k) {
        if (!(shrink.data()[k] >= 0)) refuse("shrink: must not be negative");
        deringing.shrink[msroi::TURNED.place[k]] = shrink.data()[k];
    }
    return transformed(plane, &deringing, threads);
}

void check_decodable(const Array<int16_t>& levels, const Array<uint16_t>& table, py::ssize_t height,
                     py::ssize_t width) {
    check_levels(levels);
    check_table(table);
    if (height < 1 || width < 1 || levels.shape(0) != (height + 7) / 8 || levels.shape(1) != (width + 7) / 8)
        refuse("height, width: do not go with the blocks of levels");
}

Array<int16_t> dequantise(const Array<int16_t>& levels, const Array<uint16_t>& table, int threads) {
    check_levels(levels);
    check_table(table);
    const auto rows = levels.shape(0), columns = levels.shape(1);
    Array<int16_t> out({rows, columns, py::ssize_t{64}});
    const auto steps = as_floats(table);
    const auto* in = levels.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows * columns, threads,
                 [&](int64_t a, int64_t b) { msroi::dequantise_blocks(in, steps.data(), a, b, result); });
    return out;
}

Array<float> inverse_dct(const Array<int16_t>& levels, const Array<uint16_t>& table, py::ssize_t height,
                         py::ssize_t width, int threads) {
    check_decodable(levels, table, height, width);
    const auto rows = levels.shape(0), columns = levels.shape(1);
    Array<float> out({height, width});
    const auto steps = as_floats(table);
    const auto* in = levels.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows, threads, [&](int64_t a, int64_t b) {
        msroi::inverse_rows(in, steps.data(), height, width, columns, a, b, result);
    });
    return out;
}

Array<float> inverse_dct_half(const Array<int16_t>& levels, const Array<uint16_t>& table, py::ssize_t height,
                              py::ssize_t width, int threads) {
    check_decodable(levels, table, height, width);
    Array<float> out({(height + 1) / 2, (width + 1) / 2});
    const auto steps = as_floats(table);
    const auto rows = levels.shape(0), columns = levels.shape(1);
    const auto* in = levels.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows, threads, [&](int64_t a, int64_t b) {
        msroi::half_rows(in, steps.data(), height, width, columns, a, b, result);
    });
    return out;
}

void define_planes(py::module_& module) {
    module.def("component_plane", &component_plane, py::arg("pixels").noconvert(), py::arg("component"),
               py::arg("threads") = 1);
    module.def("halve", &halve, py::arg("plane").noconvert(), py::arg("horizontal"), py::arg("vertical"),
               py::arg("steps"), py::arg("threads") = 1);
    module.def("forward_dct", &forward_dct, py::arg("plane").noconvert(), py::arg("threads") = 1);
    module.def("overshooting_dct", &overshooting_dct, py::arg("plane").noconvert(), py::arg("shrink").noconvert(),
               py::arg("margin"), py::arg("most"), py::arg("reach"), py::arg("rounds"), py::arg("threads") = 1);
    module.def("dequantise", &dequantise, py::arg("levels").noconvert(), py::arg("table").noconvert(),
               py::arg("threads") = 1);
    module.def("inverse_dct", &inverse_dct, py::arg("levels").noconvert(), py::arg("table").noconvert(),
               py::arg("height"), py::arg("width"), py::arg("threads") = 1);
    module.def("inverse_dct_half", &inverse_dct_half, py::arg("levels").noconvert(), py::arg("table").noconvert(),
               py::arg("height"), py::arg("width"), py::arg("threads") = 1);
}

}  // namespace msroi::bindings
