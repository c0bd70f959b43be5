// NumPy arrays at the border: what a kernel may take for granted is checked here, once, before the GIL is released.
//
// Every refusal is a ValueError that names the argument. That arrays are C-contiguous and of the very type is
// pybind11's check, a TypeError, where the argument says `noconvert`: all that are or hold arrays do. Used by all
// bindings.

#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace msroi::bindings {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

[[noreturn]] void refuse(const std::string& message) { throw py::value_error(message); }

// Threads to start: those asked for, and never more than 256.
int checked_threads(int threads) {
    if (threads < 1) refuse("threads: " + std::to_string(threads) + ", must be at least 1");
    return std::min(threads, 256);
}

// shape: of each dimension its length; -1: any but 0.
template <class T>
void check_shape(const char* name, const Array<T>& array, std::vector<py::ssize_t> shape) {
    bool equal = array.ndim() == static_cast<py::ssize_t>(shape.size());
    for (size_t i = 0; equal && i < shape.size(); ++i) {
        const py::ssize_t length = array.shape(static_cast<py::ssize_t>(i));
        equal = shape[i] < 0 ? length > 0 : length == shape[i];
    }
    if (!equal) refuse(std::string(name) + ": wrong shape or empty");
}

void check_levels(const Array<int16_t>& levels) { check_shape("levels", levels, {-1, -1, 64}); }

// A table of a baseline file: steps of 8 bits, none of them 0 (T.81, B.2.4.1).
void check_table(const Array<uint16_t>& table) {
    check_shape("table", table, {64});
    for (int k = 0; k < 64; ++k)
        if (table.data()[k] < 1 || table.data()[k] > 255) refuse("table: steps must be 1 to 255");
}

// The steps of a table that check_table passed, as kernels take them.
std::array<float, 64> as_floats(const Array<uint16_t>& table) {
    std::array<float, 64> steps;
    std::copy(table.data(), table.data() + 64, steps.begin());
    return steps;
}

}  // namespace msroi::bindings
