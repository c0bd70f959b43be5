"""How msroi is built: by setuptools, with a C++ compiler that comes along where the machine has none.

pyproject.toml names this module as the build backend (PEP 517); setup.py takes BuildKernels from it. On Linux without a
compiler the backend asks for `ziglang`, a wheel with Clang and a C library in it, and the kernels are compiled with
that: slim images have Python's headers and no compiler. Elsewhere a compiler comes with the system's own tools.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 - the hooks that stay as they are
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, CompileError, ExecError, PlatformError

ZIG = "ziglang>=0.13"
GLIBC = "2.28"
"""Of manylinux_2_28: what Zig builds runs on every system that the other wheels of the dependencies run on."""


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """PEP 517: setuptools' own, and a compiler if there is none."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_compiler_to_bring()]


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    """PEP 660: as for a wheel."""
    return [*build_meta.get_requires_for_build_editable(config_settings), *_compiler_to_bring()]


def _compiler_to_bring() -> list[str]:
    return [ZIG] if sys.platform == "linux" and find_compiler() is None else []


def find_compiler() -> list[str] | None:
    """The command of a C++ compiler: $CXX, the one that Python was built with, or one of the usual names; or None."""
    for command in (os.environ.get("CXX"), sysconfig.get_config_var("CXX"), "c++", "g++", "clang++"):
        words = shlex.split(command or "")
        if words and shutil.which(words[0]):
            return words
    return None


def zig_compiler() -> list[str] | None:
    """The command of ziglang's C++ compiler; None where it is not installed."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        return None
    target = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"
    if "gnu" in target:
        target += f".{GLIBC}"
    # A stated target is compiled for its baseline; without one Zig takes all that this very processor can.
    return [str(Path(found.origin).with_name("zig")), "c++", "-target", target]


def missing_headers() -> str:
    """What to say where Python's C headers are not installed; "" where they are."""
    folder = Path(sysconfig.get_path("include"))
    if (folder / "Python.h").is_file():
        return ""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"Python's C headers are missing (there is no {folder / 'Python.h'}); the package that brings them is "
        f"python{version}-dev on Debian and Ubuntu (apt install python{version}-dev), python3-devel on Fedora"
    )


class BuildKernels(build_ext):
    """Compiles the kernels with what there is, and says in one line what is missing where nothing is."""

    def build_extensions(self) -> None:
        if problem := missing_headers():
            raise SystemExit(f"msroi: {problem}")
        if sys.platform == "linux":
            self._choose_compiler()
        try:
            super().build_extensions()
        except (CCompilerError, CompileError, ExecError, PlatformError) as error:
            needed = "MSVC Build Tools" if sys.platform == "win32" else "g++ or clang++ (apt install g++)"
            raise SystemExit(f"msroi: its kernels need a working C++17 compiler: {needed}; got: {error}") from None

    def _choose_compiler(self) -> None:
        """Leave setuptools' choice where it can be run; else the compiler that was found, or brought."""
        words = find_compiler()
        configured = shlex.split(os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "")
        if words is not None and words == configured:
            return
        words = words or zig_compiler()
        if words is None:
            raise SystemExit("msroi: its kernels need a C++17 compiler: apt install g++, or pip install ziglang")
        # -fwrapv as Python has it; -s because Zig links its C++ library into the module, with all its symbols.
        compiling, linking = [*words, "-fPIC", "-fwrapv", "-DNDEBUG"], [*words, "-shared", "-s"]
        for language in ("", "_cxx"):
            self.compiler.set_executable(f"compiler{language}", words)
            self.compiler.set_executable(f"compiler_so{language}", compiling)
            self.compiler.set_executable(f"linker_so{language}", linking)
            self.compiler.set_executable(f"linker_exe{language}", words)
