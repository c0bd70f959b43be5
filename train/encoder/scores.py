"""Builds and loads train/encoder/_scores.cpp: the metrics of the search for parameters, in some 10 ms a picture."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pybind11

_SOURCE = Path(__file__).with_name("_scores.cpp")
_MODULE = _SOURCE.with_name("_scores" + str(sysconfig.get_config_var("EXT_SUFFIX")))

if not _MODULE.exists() or _MODULE.stat().st_mtime < _SOURCE.stat().st_mtime:
    subprocess.run(
        ["c++", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-std=c++17"]
        + [f"-I{path}" for path in (pybind11.get_include(), sysconfig.get_paths()["include"])]
        + [str(_SOURCE), "-o", str(_MODULE)],
        check=True,
    )

from train.encoder._scores import Reference  # noqa: E402 - it is there from here on

__all__ = ["Reference"]
