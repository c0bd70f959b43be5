"""Builds and loads train/encoder/_scores.cpp: the metrics of the search for parameters, in some 10 ms a picture."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pybind11

from msroi import metrics
from msroi.arrays import Pixels

_SOURCE = Path(__file__).with_name("_scores.cpp")
_MODULE = _SOURCE.with_name("_scores" + str(sysconfig.get_config_var("EXT_SUFFIX")))

if not _MODULE.exists() or _MODULE.stat().st_mtime < _SOURCE.stat().st_mtime:
    subprocess.run(
        ["c++", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-std=c++17"]
        + [f"-I{path}" for path in (pybind11.get_include(), sysconfig.get_paths()["include"])]
        + [str(_SOURCE), "-o", str(_MODULE)],
        check=True,
    )

from train.encoder._scores import Reference as FastReference  # noqa: E402 - it is there from here on

NAMES = ("PSNR", "SSIM", "MS-SSIM", "SSIMULACRA2")

CAP = 100.0
"""PSNR of a picture that is its reference, in dB; differences of infinities would say nothing."""


class Reference:
    """A picture, uint8 (height, width, 3), that candidates are scored against."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels
        self._fast = FastReference(np.ascontiguousarray(pixels))

    def score(self, candidate: Pixels) -> npt.NDArray[np.float64]:
        """The figures of NAMES: PSNR in dB as msroi.metrics has it, at most CAP; the others in single precision."""
        psnr_db = min(CAP, metrics.psnr_db(self.pixels, candidate))
        return np.array([psnr_db, *self._fast.score(np.ascontiguousarray(candidate))])
