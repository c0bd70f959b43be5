// Marks for the loops that take the time: versions for newer processors, inlining, pointers without aliases.
//
// They change nothing that is computed: setup.py forbids fast-math and contraction. Used by every stage that profiling
// showed.

#pragma once

// Two versions of a hot loop, the better chosen at start; both compute the same, operation by operation. From GCC 12,
// which knows this name of a processor's features, and where the C library can choose (glibc).
#if defined(__x86_64__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && defined(__GLIBC__)
#define MSROI_HOT __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define MSROI_HOT
#endif

// What such a pointer leads to is reached through no other.
#if defined(__GNUC__) || defined(_MSC_VER)
#define MSROI_ALONE __restrict
#else
#define MSROI_ALONE
#endif

// Part of a hot loop wherever it is called, and so of both its versions.
#if defined(__GNUC__)
#define MSROI_INSIDE __attribute__((always_inline)) inline
#else
#define MSROI_INSIDE inline
#endif
