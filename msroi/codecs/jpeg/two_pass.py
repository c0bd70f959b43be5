"""The paper's two-pass encoder: qualities by the map first, one uniform quality after.

    pixels --> JPEG at q_low  ... q_high --> decoded --+
    map ----> level of each pixel ---------------------+--> composite --> JPEG at Q_final

Selimović, Hladnik 2018, after Prakash et al. 2017. In the first pass the picture is encoded and decoded
once per level, and each pixel takes its value from the picture of its level; the second pass codes that
composite with one uniform quality, Q_final, so what comes out is an ordinary JPEG. Where the map is
low the composite is already coarse and costs few bytes at any Q_final; what is saved there pays for a
higher Q_final everywhere.

The paper leaves open, and our reading is:
- the number of levels: five by default, at qualities 30, 40, 50, 60 and 70;
- the composite is put together pixel by pixel, not block by block;
- both passes sample the colours 4:2:0, with plain's tables and settings.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from msroi.arrays import Pixels, Saliency
from msroi.codecs.jpeg.base import JpegCodec, check_order, q_high, q_low
from msroi.codecs.jpeg.plain import SEQUENTIAL_420, QualitySession, decode, encode
from msroi.errors import SaliencyError
from msroi.fields import Checked, Whole, declared
from msroi.saliency.curves import CONTRAST

if TYPE_CHECKING:
    from msroi.images import Picture
    from msroi.saliency.steering import Steering


# The first pass works on strips of rows: memory stays small and a level is coded only near where it
# occurs. Rows of whole MCUs (16 with 4:2:0) beyond a strip's own, because a decoder smooths the colours
# with one row of the neighbour: with them a strip's pixels are those of the whole picture, bit for bit.
_MCU = 16
_STRIP = 16 * _MCU


@dataclass(frozen=True)
class TwoPass(JpegCodec, Checked):
    """The codec `two-pass`.

    q_low, q_high: qualities of the lowest and the highest level, 1 to 100, q_low at most q_high
        (the paper: 30 and 70). Equal ones are allowed: then the map has no effect.
    levels: steps of the map, 1 to 256; level = min(levels - 1, floor(levels * saliency)). Their qualities
        are evenly spaced and rounded to whole numbers, half up. A single level lies midway.
    """

    name: ClassVar[str] = "two-pass"
    version: ClassVar[str] = "2"
    uses_map: ClassVar[bool] = True
    curve: ClassVar[str] = CONTRAST
    is_yardstick: ClassVar[bool] = False
    quality_options: ClassVar[tuple[str, ...]] = ("q_low", "q_high")
    also_accepts: ClassVar[Mapping[str, tuple[object, ...]]] = SEQUENTIAL_420

    q_low: int = q_low()
    q_high: int = q_high()
    levels: int = declared(5, Whole(1, 256), "steps between the two, two-pass only", group="map", metavar="N")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order(self.q_low, self.q_high)

    @property
    def level_qualities(self) -> tuple[int, ...]:
        """The quality of each level, from the lowest to the highest."""
        if self.levels == 1:
            return ((self.q_low + self.q_high + 1) // 2,)
        steps, span = self.levels - 1, self.q_high - self.q_low
        return tuple((2 * (self.q_low * steps + span * i) + steps) // (2 * steps) for i in range(self.levels))

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> QualitySession:
        """Make the composite; the encoder returned codes it at any Q_final from 1 to 100.

        steering: the map, whose value gives a pixel its level.
        threads: at most so many strips at once; the result does not depend on it.
        Errors: SaliencyError without a map or with one of another shape.
        """
        if steering is None:
            raise SaliencyError(f"two-pass needs a map of shape {picture.pixels.shape[:2]}, got none")
        steering.check_fits(picture, self.name)
        return QualitySession(self.composite(picture.pixels, steering.followed(picture.orientation), threads))

    def composite(self, pixels: Pixels, saliency: Saliency, threads: int = 1) -> Pixels:
        """The first pass: uint8 as `pixels`, each pixel from the picture of its level."""
        composite = np.empty_like(pixels)

        def fill(rows: slice) -> None:
            composite[rows] = self._strip(pixels, saliency, rows)

        strips = list(_strips(len(pixels)))
        if min(threads, len(strips)) < 2:
            for rows in strips:
                fill(rows)
            return composite
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(fill, strips):  # raises what a strip raised
                pass
        return composite

    def _strip(self, pixels: Pixels, saliency: Saliency, rows: slice) -> Pixels:
        """The rows `rows` of the composite."""
        steps = saliency[rows] * np.float32(self.levels)
        level = np.clip(steps, 0, self.levels - 1, out=steps).astype(np.uint8)
        # With the neighbouring MCU rows, as far as the picture has them.
        top = max(0, rows.start - _MCU)
        coded = pixels[top : rows.stop + _MCU]
        own = slice(rows.start - top, rows.stop - top)
        result = np.empty_like(pixels[rows])
        for quality, levels in self._levels_by_quality(int(level.min()), int(level.max())):
            here = (level >= levels.start) & (level < levels.stop)
            if here.any():
                decoded = decode(encode(coded, quality))[own]
                np.copyto(result, decoded, where=here if decoded.ndim == 2 else here[..., np.newaxis])
        return result

    def _levels_by_quality(self, lowest: int, highest: int) -> Iterator[tuple[int, range]]:
        """Each quality of the levels from `lowest` to `highest`, with the levels that have it."""
        levels = range(lowest, highest + 1)
        for quality, group in itertools.groupby(levels, self.level_qualities.__getitem__):
            members = list(group)
            yield quality, range(members[0], members[-1] + 1)


def _strips(height: int) -> Iterator[slice]:
    for top in range(0, height, _STRIP):
        yield slice(top, min(top + _STRIP, height))
