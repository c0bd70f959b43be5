"""What is coded: a picture's coefficients, and what is known of it whatever the setting."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from msroi.arrays import Pixels
from msroi.codecs.jpeg.coefficients import Coefficients, from_pixels
from msroi.codecs.jpeg.rdo.dark import DarkBlocks, dark_blocks
from msroi.codecs.jpeg.rdo.tables import Preset
from msroi.codecs.jpeg.source import strips


@dataclass(frozen=True, eq=False)
class Signal:
    """A picture, transformed.

    pixels: uint8 (height, width[, 3]), of the whole picture. coefficients: those that are coded, `height` x `width`
    pixels of them. sampling: of chroma, where pixels were transformed. baseline: one sequential scan is to come of it.
    threads: at most so many; no byte depends on them.
    """

    pixels: Pixels
    coefficients: Coefficients
    height: int
    width: int
    sampling: str
    baseline: bool
    threads: int
    dark: DarkBlocks
    _dc_steps: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        pixels: Pixels,
        preset: Preset,
        *,
        sampling: str = "420",
        source: Coefficients | None = None,
        baseline: bool = False,
        threads: int = 1,
    ) -> Signal:
        """Pixels transformed, with chroma sampled by `sampling`, or a JPEG source whose coefficients are given."""
        coefficients = source or from_pixels(pixels, sampling, preset.steps, threads)
        dark = dark_blocks(coefficients.planes[0], coefficients.limits)
        height, width = pixels.shape[:2]
        return cls(pixels, coefficients, height, width, sampling, baseline, threads, dark)

    @property
    def n_pixels(self) -> int:
        """Pixels that are coded."""
        return self.height * self.width

    def rows(self, rows: npt.NDArray[np.intp]) -> Signal:
        """Some rows of pixels, whole MCUs each; what is known of the whole holds on."""
        return replace(self, coefficients=strips(self.coefficients, rows), height=len(rows))

    def best_dc_step(self, step: int) -> int:
        """The step near `step` that meets the means of dark blocks, see `dark`."""
        if step not in self._dc_steps:
            self._dc_steps[step] = self.dark.best_step(step)
        return self._dc_steps[step]
