"""The one compiled module: the kernels of the rdo encoder. What the package is stands in pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path

from pybind11.setup_helpers import Pybind11Extension
from setuptools import setup

sys.path.insert(0, str(Path(__file__).resolve().parent / "building"))

from msroi_building import BuildKernels

# One translation unit that includes a header a stage. Paths are relative to this file's folder, as setuptools asks.
KERNELS = "msroi/codecs/jpeg/kernels"
HEADERS = sorted(path.name for path in (Path(__file__).resolve().parent / KERNELS).glob("*.h"))

# No fast-math and no contraction: results must not depend on the processor.
FLAGS = ["/O2", "/fp:precise"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off", "-fno-math-errno"]
LINK_FLAGS = [] if sys.platform in ("win32", "darwin") else ["-pthread"]

setup(
    ext_modules=[
        Pybind11Extension(
            "msroi.codecs.jpeg._kernels",
            [f"{KERNELS}/bindings.cpp"],
            depends=[f"{KERNELS}/{name}" for name in HEADERS],
            cxx_std=17,
            extra_compile_args=FLAGS,
            extra_link_args=LINK_FLAGS,
        )
    ],
    cmdclass={"build_ext": BuildKernels},
)
