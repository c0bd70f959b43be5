// The compiled module msroi.codecs.jpeg._kernels, all of it in this translation unit: a stage a header.
//
// Stages, in the order of an encode: colour, sampling, planes (dct, deringing), texture, means, similarity; trellis and
// dc_trellis; plain_bits; symbol_counts, band_choice, huffman; scans, sinks, segments, writer. Back: decoder,
// decoder_scans, decoder_bits. They are pure code on pointers and sizes; arrays.h and bind_*.h alone know Python.
// Functions in headers are not `inline`: the compiler is to judge them as those of one file, which they are.
//
// Every function is stateless. Threads share rows of blocks; what they write does not overlap and what they add up are
// integers, so no result depends on their number. The order of floating-point operations is fixed (no fast-math, no
// contraction), so neither does it depend on the processor's vector width.
//
// Blocks are 8 x 8. Coefficients of a block lie in zigzag order, in the scale of the orthonormal DCT, which is that of
// JPEG: coefficient / table entry is the value that a file holds. They are kept as whole sixteenths, in two bytes
// (coefficients.h). Grids of blocks hold the blocks that touch the picture; blocks that only complete an MCU exist in
// the writer alone.

#include <pybind11/pybind11.h>

#include "bind_files.h"
#include "bind_levels.h"
#include "bind_measures.h"
#include "bind_planes.h"

PYBIND11_MODULE(_kernels, module) {
    module.doc() = "Compiled kernels of the rdo encoder; each has a NumPy oracle in tests/test_kernels.py.";
    msroi::bindings::define_planes(module);
    msroi::bindings::define_measures(module);
    msroi::bindings::define_levels(module);
    msroi::bindings::define_files(module);
}
