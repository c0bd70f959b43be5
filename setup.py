"""Builds from setup.cfg, and the one compiled module: the kernels of the rdo encoder."""

from __future__ import annotations

import sys

from pybind11.setup_helpers import Pybind11Extension
from setuptools import setup
from setuptools.command.build_ext import build_ext


class BuildKernels(build_ext):
    """Says in one line what is missing where the kernels cannot be compiled."""

    def build_extension(self, ext: Pybind11Extension) -> None:
        from setuptools.errors import CCompilerError, CompileError, ExecError, PlatformError

        try:
            super().build_extension(ext)
        except (CCompilerError, CompileError, ExecError, PlatformError) as error:
            needed = "MSVC Build Tools" if sys.platform == "win32" else "g++ or clang++ (apt install g++)"
            raise SystemExit(f"msroi: its kernels need a C++17 compiler: {needed}; got: {error}") from None


# No fast-math and no contraction: results must not depend on the processor.
FLAGS = ["/O2", "/fp:precise"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off", "-fno-math-errno"]
LINK_FLAGS = [] if sys.platform in ("win32", "darwin") else ["-pthread"]

setup(
    ext_modules=[
        Pybind11Extension(
            "msroi.jpeg._kernels",
            ["msroi/jpeg/_kernels.cpp"],
            depends=["msroi/jpeg/_decoder.h"],
            cxx_std=17,
            extra_compile_args=FLAGS,
            extra_link_args=LINK_FLAGS,
        )
    ],
    cmdclass={"build_ext": BuildKernels},
)
