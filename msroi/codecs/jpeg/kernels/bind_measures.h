// Python's view of means, similarity and texture: what planes and blocks are judged by. _kernels.pyi says what each
// means.

#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <vector>

#include "arrays.h"
#include "means.h"
#include "parallel.h"
#include "similarity.h"
#include "texture.h"

namespace msroi::bindings {

void check_side(py::ssize_t side) {
    if (side < 1 || side > 4096) refuse("side: must be 1 to 4096");
}

Array<float> block_means(const Array<float>& plane, py::ssize_t side, int threads) {
    check_shape("plane", plane, {-1, -1});
    check_side(side);
    const auto height = plane.shape(0), width = plane.shape(1);
    Array<float> out({(height + side - 1) / side, (width + side - 1) / side});
    const auto* in = plane.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::block_means(in, height, width, side, result, threads);
    return out;
}

Array<float> similarity(const Array<float>& x, const Array<float>& y, py::ssize_t side, bool luminance, int threads) {
    check_shape("x", x, {-1, -1});
    const auto height = x.shape(0), width = x.shape(1);
    check_shape("y", y, {height, width});
    check_side(side);
    const auto rows = (height + side - 1) / side;
    Array<float> out({rows, (width + side - 1) / side});
    const msroi::Similarity<float> of(x.data(), y.data(), height, width, side, luminance);
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows, threads, [&](int64_t a, int64_t b) { of.rows(a, b, result); });
    return out;
}

Array<double> ssim_map(const Array<uint8_t>& first, const Array<uint8_t>& second, int threads) {
    const bool grey = first.ndim() == 2;
    if (grey)
        check_shape("first", first, {-1, -1});
    else
        check_shape("first", first, {-1, -1, 3});
    const auto height = first.shape(0), width = first.shape(1);
    if (grey)
        check_shape("second", second, {height, width});
    else
        check_shape("second", second, {height, width, 3});
    Array<double> out({height, width});
    const uint8_t* pixels[2] = {first.data(), second.data()};
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    std::vector<double> luma[2];
    for (int i = 0; i < 2; ++i) {
        luma[i].resize(static_cast<size_t>(height * width));
        msroi::share(height, threads, [&](int64_t a, int64_t b) {
            for (int64_t y = a; y < b; ++y)
                msroi::luma_row(pixels[i] + (grey ? 1 : 3) * y * width, width, grey, luma[i].data() + y * width);
        });
    }
    const msroi::Similarity<double> of(luma[0].data(), luma[1].data(), height, width, 1, true);
    msroi::share(height, threads, [&](int64_t a, int64_t b) { of.rows(a, b, result); });
    return out;
}

Array<float> ac_energy(const Array<int16_t>& coefficients, int threads) {
    check_shape("coefficients", coefficients, {-1, -1, 64});
    Array<float> out({coefficients.shape(0), coefficients.shape(1)});
    const auto* in = coefficients.data();
    auto* result = out.mutable_data();
    const auto blocks = coefficients.shape(0) * coefficients.shape(1);
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(blocks, threads, [&](int64_t a, int64_t b) { msroi::energy_rows(in, a, b, result); });
    return out;
}

Array<float> block_texture(const Array<int16_t>& coefficients, const Array<int16_t>& levels,
                           const Array<uint16_t>& table, int start, int threads) {
    check_shape("coefficients", coefficients, {-1, -1, 64});
    const auto rows = coefficients.shape(0), columns = coefficients.shape(1);
    check_shape("levels", levels, {rows, columns, 64});
    check_table(table);
    if (start < 1 || start > 63) refuse("start: must be 1 to 63");
    Array<float> out({rows, columns, py::ssize_t{3}});
    const auto steps = as_floats(table);
    const auto* in = coefficients.data();
    const auto* own = levels.data();
    auto* result = out.mutable_data();
    threads = checked_threads(threads);
    py::gil_scoped_release release;
    msroi::share(rows * columns, threads,
                 [&](int64_t a, int64_t b) { msroi::texture_rows(in, own, steps.data(), start, a, b, result); });
    return out;
}

void define_measures(py::module_& module) {
    module.def("block_means", &block_means, py::arg("plane").noconvert(), py::arg("side"), py::arg("threads") = 1);
    module.def("similarity", &similarity, py::arg("x").noconvert(), py::arg("y").noconvert(), py::arg("side"),
               py::arg("luminance"), py::arg("threads") = 1);
    module.def("ssim_map", &ssim_map, py::arg("first").noconvert(), py::arg("second").noconvert(),
               py::arg("threads") = 1);
    module.def("block_texture", &block_texture, py::arg("coefficients").noconvert(), py::arg("levels").noconvert(),
               py::arg("table").noconvert(), py::arg("start"), py::arg("threads") = 1);
    module.def("ac_energy", &ac_energy, py::arg("coefficients").noconvert(), py::arg("threads") = 1);
}

}  // namespace msroi::bindings
