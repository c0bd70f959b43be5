"""The background guard: a map may be wrong, so what it takes from the rest of the picture has a floor.

The strength of a map's weights is the largest, up to the one asked for, at which the mean SSIM of the blocks
that weigh less than one is at least plain JPEG's at the same bytes (DESIGN 5.3). Trial files of a picture, or of strips
of a large one put together, find a strength; the file that is written in the end is judged once more, because its
steps are not quite those of the trials, and a step of DC alone can decide in dark or flat pictures.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats, Pixels
from msroi.codecs.jpeg import _kernels, plain
from msroi.codecs.jpeg.coefficients import SAMPLINGS, Coefficients, luma_of
from msroi.codecs.jpeg.rdo.adaptive_quantisation import similarity_of_blocks
from msroi.codecs.jpeg.source import rows_of_blocks

Rows = npt.NDArray[np.intp]

# Above so many pixels the guard's trials look at strips of so many rows, whole MCUs, evenly spaced; what is written is
# judged as a whole up to CHECK_PIXELS, a screen's, and by these strips beyond.
SAMPLE_PIXELS, CHECK_PIXELS = 600_000, 2_100_000
STRIP = 32

# Strengths are tried in steps of one part in STEPS; SSIM must exceed plain's by MARGIN, because what is
# measured here differs a little from what is in the file at the end.
STEPS = 8
MARGIN = 0.0005

# Our file may be smaller than the plain one that it is held against: by the mark, and by what a search leaves.
MARK_BYTES, LEFT_SHARE = 48, 0.0012

# About what plain's file has beside its scan: markers, tables.
_HEAD = 620

# A file at a strength from 0 to 1.
Trial = Callable[[float], bytes]


def sampled_rows(height: int, width: int, n_pixels: int = SAMPLE_PIXELS) -> Rows:
    """The rows of a picture that the guard looks at: all, or of a large one strips of whole MCUs."""
    n_strips = max(1, n_pixels // (STRIP * width))
    if height * width <= n_pixels or n_strips * STRIP >= height:
        return np.arange(height)
    tops = [round(i * (height // STRIP - 1) / max(1, n_strips - 1)) * STRIP for i in range(n_strips)]
    return np.concatenate([np.arange(top, top + STRIP) for top in tops])


def strip_blocks(plane: npt.NDArray[np.int16], index: int, vertical: int, rows: Rows) -> npt.NDArray[np.int16]:
    """Blocks that lie in some rows of pixels, whole MCUs each: those of component `index`, (rows, columns, 64).

    vertical: luma's factor.
    """
    return np.ascontiguousarray(plane[rows_of_blocks(rows, index, vertical)])


def sample(pixels: Pixels, weights: Floats) -> tuple[Pixels, Floats]:
    """Strips of a large picture one under the other, and the weights of their blocks."""
    rows = sampled_rows(*pixels.shape[:2])
    if len(rows) == len(pixels):
        return pixels, weights
    return np.ascontiguousarray(pixels[rows]), np.ascontiguousarray(weights[rows[::8] // 8])


class Guard:
    """What files of a picture may lose outside the map: no more than plain JPEG of as many bytes.

    picture: uint8 (height, width[, 3]); weights: of its blocks at full strength; source: its coefficients, if there are
    any. As attributes pixels and weights are those of the sample that trials are made of.
    """

    def __init__(self, picture: Pixels, weights: Floats, source: Coefficients | None, threads: int = 1) -> None:
        self._picture, self._all_weights, self._threads = picture, weights, threads
        self._source = source
        self.pixels, self.weights = sample(picture, weights)
        self._of_sample: _Rivals | None = None
        self._of_picture: _Rivals | None = None
        self._shares: dict[int, float] = {}  # by plain's quality, of its bytes those of the sample

    @property
    def is_sampled(self) -> bool:
        """Whether trials are made of a part of the picture."""
        return self.pixels is not self._picture

    @property
    def judged_rows(self) -> Rows | None:
        """Rows of the picture whose strips stand for a file that is judged; None where that is judged as a whole."""
        height, width = self._picture.shape[:2]
        return sampled_rows(height, width) if self.is_sampled and height * width > CHECK_PIXELS else None

    def strength(self, trial: Trial, n_bytes: float | None = None) -> float:
        """The largest strength from 0 to 1 that leaves the background at least as good as plain's.

        trial: makes a file of the sample. n_bytes: what such a file will have in the end, if that is known: plain's
        SSIM jumps from one quality to the next where a step of its DC meets black or a dark ground and the next does
        not, and trials may be some per cent smaller or larger.
        """
        if not (self.weights < 1).any():
            return 1.0
        rivals = self._rivals(whole=False)

        def passes(step: int) -> bool:
            data = trial(step / STEPS)
            goal = n_bytes or len(data)
            ours = rivals.similarity_of(data) + rivals.slope_at(goal) * math.log(goal / len(data))
            return ours >= rivals.similarity_at(goal) + MARGIN

        if passes(STEPS):
            return 1.0
        low, high = 0, STEPS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if passes(middle) else (low, middle)
        return low / STEPS

    def shortfall(self, jpeg: bytes, n_bytes: float | None = None, strips: bytes | None = None) -> float:
        """How far SSIM outside is below plain's; 0 where it is not. jpeg: a file of ours, without metadata.

        n_bytes: what such a file will have in the end, if this is not the one that is written. strips: a file of the
        levels in `judged_rows` alone, if they are at hand.
        """
        rows = self.judged_rows
        whole = rows is None
        if not ((self._all_weights if whole else self.weights) < 1).any():
            return 0.0
        rivals = self._rivals(whole)
        goal = n_bytes or len(jpeg) * (1 + LEFT_SHARE) + MARK_BYTES
        growth = math.log(goal / len(jpeg)) if n_bytes else 0.0
        if rows is not None:
            goal = _HEAD + (goal - _HEAD) * self._share(goal)
            jpeg = strips or _strips_of(jpeg, rows)
        ours = rivals.similarity_of(jpeg) + (rivals.slope_at(goal) * growth if growth else 0.0)
        return max(0.0, rivals.similarity_at(goal) - ours)

    def _rivals(self, whole: bool) -> _Rivals:
        if whole and self.is_sampled:
            if self._of_picture is None:
                self._of_picture = _Rivals(self._picture, self._all_weights < 1, self._threads)
            return self._of_picture
        if self._of_sample is None:
            self._of_sample = _Rivals(self.pixels, self.weights < 1, self._threads)
        return self._of_sample

    def _share(self, n_bytes: float) -> float:
        """Of the bytes of plain JPEG of the whole picture, those of its strips, where it has about `n_bytes`.

        Counted on the coefficients if they are sampled as plain's are.
        """
        rivals = self._rivals(whole=False)
        quality = rivals.quality_at(n_bytes * self.pixels.size / self._picture.size)
        if quality not in self._shares:
            source = self._source
            if source is not None and (len(source.planes) == 1 or source.samplings[0] == SAMPLINGS["420"]):
                self._shares[quality] = self._counted_share(source, quality)
            else:
                whole = plain.size(self._picture, quality)
                self._shares[quality] = (rivals.size(quality) - _HEAD) / (whole - _HEAD)
        return self._shares[quality]

    def _counted_share(self, source: Coefficients, quality: int) -> float:
        """`_share` by the bits of rounded coefficients; of six camera photos within .2 % of what files have."""
        in_strips = in_all = 0
        for index, plane in enumerate(source.planes):
            kind = min(index, 1)
            of_dc, of_ac = (plain.code_lengths()[16 * ac + kind] for ac in (0, 1))
            bits = _kernels.plain_bits(plane, plain.tables(quality)[kind], of_dc, of_ac, self._threads)
            in_all += int(bits.sum())
            height = 8 * (source.samplings[0][1] if index else 1)
            in_strips += int(bits[sampled_rows(*self._picture.shape[:2])[::height] // height].sum())
        return in_strips / in_all


def _strips_of(jpeg: bytes, rows: Rows) -> bytes:
    """A file of the strips that lie in some rows of pixels, whole MCUs each, of a file of ours."""
    levels, index, n_components = [], 0, 1
    while index < n_components:  # one after the other: together they would be the most that lies in memory
        read, tables, samplings, _, width = _kernels.read_jpeg(jpeg, index)
        levels.append(strip_blocks(read[index], index, samplings[0][1], rows))
        n_components, index = len(read), index + 1
        del read
    return _kernels.write_jpeg(levels, tables, samplings, len(rows), width, False)


class _Rivals:
    """SSIM in the background, of plain JPEG by number of bytes; sizes and scores are kept."""

    def __init__(self, pixels: Pixels, background: npt.NDArray[np.bool_], threads: int) -> None:
        self._encoder = plain.QualitySession(pixels)
        self._luma, self._background, self._threads = luma_of(pixels, threads), background, threads
        self._sizes: dict[int, int] = {}
        self._similarities: dict[int, float] = {}

    def similarity_at(self, n_bytes: float) -> float:
        """Between the two qualities whose files are next in size, in proportion to log bytes."""
        low = self.quality_at(n_bytes)
        (small, worse), (large, better) = self._at(low), self._at(low + 1)
        if large <= small:
            return better
        share = np.log(n_bytes / small) / np.log(large / small)
        return float(worse + (better - worse) * np.clip(share, 0, 1))

    def slope_at(self, n_bytes: float) -> float:
        """What SSIM gains with the logarithm of bytes, over some qualities around, at least 0."""
        middle = self.quality_at(n_bytes)
        (small, worse), (large, better) = (
            self._at(min(max(quality, plain.QUALITIES[0]), plain.QUALITIES[-1])) for quality in (middle - 8, middle + 8)
        )
        return max(0.0, (better - worse) / math.log(large / small)) if large > small else 0.0

    def quality_at(self, n_bytes: float) -> int:
        """The quality, up to the last but one, whose file has at most `n_bytes`, while the next one's has more."""
        low, high = plain.QUALITIES[0], plain.QUALITIES[-1]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.size(middle) <= n_bytes else (low, middle)
        return low

    def size(self, quality: int) -> int:
        """Bytes of plain JPEG at a quality."""
        if quality not in self._sizes:
            self._sizes[quality] = len(self._encoder.encode(quality))
        return self._sizes[quality]

    def _at(self, quality: int) -> tuple[int, float]:
        if quality not in self._similarities:
            data = self._encoder.encode(quality)
            self._sizes[quality] = len(data)
            self._similarities[quality] = self.similarity_of(data)
        return self._sizes[quality], self._similarities[quality]

    def similarity_of(self, data: bytes) -> float:
        """SSIM of a file in the background, decoded as users do it: clipped and rounded colours count."""
        decoded = luma_of(plain.decode(data), self._threads)
        similarity = similarity_of_blocks(self._luma, decoded, self._threads)
        return float(similarity[self._background].mean(dtype=np.float64))
