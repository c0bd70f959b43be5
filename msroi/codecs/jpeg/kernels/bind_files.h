// Python's view of writer and decoder: levels to files and back. _kernels.pyi says what each means.

#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "block.h"
#include "decoder.h"
#include "scans.h"
#include "writer.h"

namespace msroi::bindings {

using Sampling = std::vector<std::pair<int, int>>;
using Tables = std::vector<Array<uint16_t>>;

// The frame of a file, its components without levels; blocks: rows and columns of each.
msroi::Frame checked_frame(const std::vector<std::pair<int64_t, int64_t>>& blocks, const Tables& tables,
                           const Sampling& sampling, py::ssize_t height, py::ssize_t width) {
    const size_t n = blocks.size();
    if ((n != 1 && n != 3) || tables.size() != n || sampling.size() != n)
        refuse("levels, tables, sampling: one or three components, as many of each");
    if (height < 1 || width < 1 || height > 65535 || width > 65535) refuse("height, width: must be 1 to 65535");
    msroi::Frame frame{{}, height, width, 0, 0};
    int h_max = 1, v_max = 1;
    for (const auto& [h, v] : sampling) {
        if (h < 1 || h > 2 || v < 1 || v > 2) refuse("sampling: factors must be 1 or 2");
        h_max = std::max(h_max, h);
        v_max = std::max(v_max, v);
    }
    if (n == 1 && (h_max > 1 || v_max > 1)) refuse("sampling: one component has factors 1, 1");
    frame.mcu_rows = (height + 8 * v_max - 1) / (8 * v_max);
    frame.mcu_columns = (width + 8 * h_max - 1) / (8 * h_max);
    for (size_t i = 0; i < n; ++i) {
        check_table(tables[i]);
        const auto [h, v] = sampling[i];
        const int64_t rows = ((height * v + v_max - 1) / v_max + 7) / 8,
                      columns = ((width * h + h_max - 1) / h_max + 7) / 8;
        if (blocks[i] != std::make_pair(rows, columns)) refuse("levels: blocks do not cover the picture");
        frame.components.push_back({nullptr, rows, columns, h, v});
    }
    return frame;
}

std::vector<const uint16_t*> steps_of(const Tables& tables) {
    std::vector<const uint16_t*> steps;
    for (const auto& table : tables) steps.push_back(table.data());
    return steps;
}

py::bytes as_bytes(const std::vector<uint8_t>& data) {
    return py::bytes(reinterpret_cast<const char*>(data.data()), data.size());
}

py::bytes write_jpeg(const std::vector<Array<int16_t>>& levels, const Tables& tables, const Sampling& sampling,
                     py::ssize_t height, py::ssize_t width, bool progressive, int threads) {
    std::vector<std::pair<int64_t, int64_t>> blocks;
    for (const auto& own : levels) {
        check_levels(own);
        blocks.emplace_back(own.shape(0), own.shape(1));
    }
    msroi::Frame frame = checked_frame(blocks, tables, sampling, height, width);
    for (size_t i = 0; i < levels.size(); ++i) frame.components[i].levels = levels[i].data();
    const auto steps = steps_of(tables);
    threads = checked_threads(threads);
    std::vector<uint8_t> out;
    {
        py::gil_scoped_release release;
        out = msroi::write_jpeg(frame, steps, progressive, threads);
    }
    return as_bytes(out);
}

py::typing::List<py::bytes> ac_scans(const Array<int16_t>& levels, int component, int threads) {
    check_levels(levels);
    if (component < 0 || component > 2) refuse("component: must be 0, 1 or 2");
    const msroi::Component own{levels.data(), levels.shape(0), levels.shape(1), 1, 1};
    threads = checked_threads(threads);
    std::vector<std::vector<uint8_t>> scans;
    {
        py::gil_scoped_release release;
        scans = msroi::component_scans(own, component + 1, threads);
    }
    py::typing::List<py::bytes> out;
    for (const auto& scan : scans) out.append(as_bytes(scan));
    return out;
}

py::bytes join_scans(const std::vector<Array<int16_t>>& dc, const std::vector<std::vector<py::bytes>>& ac,
                     const Tables& tables, const Sampling& sampling, py::ssize_t height, py::ssize_t width) {
    std::vector<std::pair<int64_t, int64_t>> blocks;
    std::vector<msroi::Digest> digests;
    for (const auto& own : dc) {
        check_shape("dc", own, {-1, -1});
        blocks.emplace_back(own.shape(0), own.shape(1));
        digests.push_back({{}, std::vector<int16_t>(own.data(), own.data() + own.size())});
        for (const int16_t level : digests.back().dc)
            if (level < msroi::MIN_DC || level > msroi::MAX_DC) refuse("dc: beyond -1024 to 1023");
    }
    const msroi::Frame frame = checked_frame(blocks, tables, sampling, height, width);
    if (ac.size() != dc.size()) refuse("ac: scans of each component");
    std::vector<std::vector<std::string>> scans;
    for (const auto& own : ac) scans.emplace_back(own.begin(), own.end());
    const auto steps = steps_of(tables);
    std::vector<uint8_t> out;
    {
        py::gil_scoped_release release;
        out = msroi::join_scans(frame, steps, digests, scans);
    }
    return as_bytes(out);
}

// Levels, tables and sampling of each component; height, width.
using ReadJpeg = py::typing::Tuple<py::typing::List<Array<int16_t>>, py::typing::List<Array<uint16_t>>,
                                   py::typing::List<py::typing::Tuple<int, int>>, int, int>;

ReadJpeg read_jpeg(const py::bytes& data, int only) {
    if (only < -1 || only > 2) refuse("only: must be 0, 1 or 2, or -1 for all");
    char* bytes = nullptr;
    py::ssize_t n_bytes = 0;
    if (PyBytes_AsStringAndSize(data.ptr(), &bytes, &n_bytes)) throw py::error_already_set();
    msroi::DecodedJpeg jpeg;
    {
        py::gil_scoped_release release;
        jpeg = msroi::read_jpeg(reinterpret_cast<const uint8_t*>(bytes), static_cast<size_t>(n_bytes), only);
    }
    if (only >= static_cast<int>(jpeg.components.size())) refuse("only: no such component");
    py::list levels, tables, sampling;
    for (msroi::DecodedComponent& c : jpeg.components) {
        auto* kept = new std::vector<int16_t>(std::move(c.levels));  // the array's memory from here on
        const py::capsule owner(kept, [](void* p) { delete static_cast<std::vector<int16_t>*>(p); });
        const bool is_read = !kept->empty();
        const int64_t rows = is_read ? c.rows : 0, columns = is_read ? c.columns : 0;
        levels.append(Array<int16_t>({rows, columns, int64_t{64}}, kept->data(), owner));
        tables.append(Array<uint16_t>(py::ssize_t{64}, c.steps.data()));
        sampling.append(py::make_tuple(c.horizontal, c.vertical));
    }
    return py::make_tuple(levels, tables, sampling, jpeg.height, jpeg.width);
}

void define_files(py::module_& module) {
    module.def("write_jpeg", &write_jpeg, py::arg("levels").noconvert(), py::arg("tables").noconvert(),
               py::arg("sampling"), py::arg("height"), py::arg("width"), py::arg("progressive"),
               py::arg("threads") = 1);
    module.def("ac_scans", &ac_scans, py::arg("levels").noconvert(), py::arg("component"), py::arg("threads") = 1);
    module.def("join_scans", &join_scans, py::arg("dc").noconvert(), py::arg("ac"), py::arg("tables").noconvert(),
               py::arg("sampling"), py::arg("height"), py::arg("width"));
    module.def("read_jpeg", &read_jpeg, py::arg("data"), py::arg("only") = -1);
}

}  // namespace msroi::bindings
