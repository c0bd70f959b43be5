"""The step of luma's DC in dark pictures.

Where a block is dark its mean matters most to SSIM: a mean of 13 shown as 14 costs as much as one of 130 shown as 140.
Dark screens and backdrops hold a few such means over large areas, and whether a step meets them is chance: over all of
a picture, steps of 7 and 8 may differ by .002 of SSIM for next to no bytes. So a step nearby is taken that meets them.

    loss(T) = mean over blocks of e_b(T)^2 / (2 mu_b^2 + C1), the luminance term of SSIM (Wang et al. 2004, eq. 6) for
    small errors, mu_b the block's mean and e_b(T) what rounding to multiples of T does to it
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats
from msroi.codecs.jpeg.coefficients import Parts, dc_of

# (.01 * 255)^2 of SSIM.
_C1 = 6.5025

# Blocks of a mean above this are left out: together they lose less than 1e-4.
_DARK_BELOW = 48.0

# Steps are looked for this far from the one that tables ask for, as a share of it. COST: what a finer or a coarser step
# costs, in SSIM by the logarithm of the step. DC takes a tenth of a file, and SSIM rises by about .05 with the
# logarithm of bytes. Of Kodak's pictures none changes; screens with dark grounds gain up to .008 of SSIM.
REACH, COST = 0.25, 0.0025


@dataclass(frozen=True)
class DarkBlocks:
    """Luma's DC of the dark blocks of a picture, centred on 0, and what their squared errors weigh in the mean SSIM."""

    coefficients: Floats
    weights: Floats

    def loss(self, step: int) -> float:
        """SSIM that rounding to multiples of `step` takes from the whole picture."""
        errors = self.coefficients - step * np.rint(self.coefficients / np.float32(step))
        return float(np.sum(self.weights * errors * errors, dtype=np.float64))

    def best_step(self, step: int) -> int:
        """The step around `step`, 1 to 255, of the least loss and cost."""
        if not self.coefficients.size:
            return step
        nearby = range(max(1, math.ceil(step * (1 - REACH))), min(255, math.floor(step * (1 + REACH))) + 1)
        return min(nearby, key=lambda other: (self.loss(other) + COST * abs(math.log(other / step)), abs(other - step)))


def dark_blocks(luma: Parts, limits: npt.NDArray[np.int8]) -> DarkBlocks:
    """Of luma's coefficients, as in `Coefficients`, black blocks left out: they are exact at any step."""
    dc = dc_of(luma)
    means = dc / np.float32(8) + np.float32(128)
    dark = (means < _DARK_BELOW) & (limits == 0)
    sensitivity = 1 / (2 * np.maximum(means[dark], 0) ** 2 + np.float32(_C1))
    # An error of DC is 8 times that of the mean.
    return DarkBlocks(dc[dark], (sensitivity / (64 * dc.size)).astype(np.float32))
