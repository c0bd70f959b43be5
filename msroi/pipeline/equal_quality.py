"""Equal quality: when a file is as good as plain JPEG's (DESIGN 5.1), and the fewest bytes for which it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from msroi import metrics
from msroi.errors import TargetError
from msroi.jpeg import plain
from msroi.jpeg.guard import sampled_rows
from msroi.jpeg.interval import Interval
from msroi.matching import Match, RealEncoder, Verdict
from msroi.pipeline.quality_search import DECIBELS, ENOUGH, fewest_bytes_between
from msroi.pipeline.result import Saliency

Pixels = npt.NDArray[np.uint8]

# Of plain's bytes, what equal quality usually takes: where a search for it begins.
USUAL_SHARE = 0.78

# A PSNR so little above plain's was the harder condition, or as hard as SSIM.
_NEAR_DB = 0.15

# A margin that ends the first search, whose file tells which variant to take and is seldom the smaller one.
_NEARLY_DB = 0.1

# Margins are cut here. SSIM is first judged on strips of so many pixels.
_MOST_DB, _SAMPLE_PIXELS = 20.0, 1_000_000


class AsGoodAs:
    """Judges files: PSNR over the whole picture and SSIM, weighted by a map if there is one, at least those of others.

    yardstick, pixels: the pixels to be as good as, and the picture, of one shape. weights: float (height, width); a map
    of zeros says that nothing matters more than anything else. decode: a file's pixels, in the picture's shape.
    """

    def __init__(
        self,
        yardstick: Pixels,
        pixels: Pixels,
        weights: Saliency | None = None,
        decode: Callable[[bytes], Pixels] = plain.decode,
    ) -> None:
        self._weights = None if weights is None or not weights.any() else weights
        self._pixels, self._decode = pixels, decode
        self._psnr_db = metrics.psnr_db(pixels, yardstick)
        self._ssim = metrics.ssim(pixels, yardstick, self._weights)
        self.wanted = self._in_words(self._psnr_db, self._ssim)
        self._judged: dict[int, tuple[float, float]] = {}  # by the file's hash: a file is judged once
        self._rows = sampled_rows(pixels.shape[0], pixels.shape[1], _SAMPLE_PIXELS)
        self._some_weights = None if self._weights is None else self._weights[self._rows]
        if self._some_weights is not None and not self._some_weights.any():
            self._rows, self._some_weights = np.arange(len(pixels)), self._weights
        self._is_sample = len(self._rows) < len(pixels)
        self._some_ssim = self._ssim
        if self._is_sample:
            self._some_ssim = metrics.ssim(pixels[self._rows], yardstick[self._rows], self._some_weights)

    def __call__(self, data: bytes) -> Verdict:
        if hash(data) not in self._judged:
            decoded = self._decode(data)
            ssim = metrics.ssim(self._pixels, decoded, self._weights)
            self._judged[hash(data)] = metrics.psnr_db(self._pixels, decoded), ssim
        psnr_db, ssim = self._judged[hash(data)]
        good = psnr_db >= self._psnr_db and ssim >= self._ssim
        margin = min(_gain_db(psnr_db, self._psnr_db), _ssim_gain_db(ssim, self._ssim))
        return Verdict(good, self._in_words(psnr_db, ssim), margin)

    def rough(self, data: bytes) -> float:
        """About the margin of the verdict: SSIM, which takes ten times as long as PSNR, from strips of a large
        picture."""
        if not self._is_sample:
            return self(data).margin
        decoded = self._decode(data)
        psnr_margin = _gain_db(metrics.psnr_db(self._pixels, decoded), self._psnr_db)
        ssim = metrics.ssim(self._pixels[self._rows], decoded[self._rows], self._some_weights)
        return min(psnr_margin, _ssim_gain_db(ssim, self._some_ssim))

    def figures(self, data: bytes) -> dict[str, float]:
        """What was wanted and what a file that was judged has, by the report's names. SSIM as it was weighed."""
        psnr_db, ssim = self._judged[hash(data)]
        wanted = {"target_psnr_db": self._psnr_db, "target_ssim": self._ssim}
        return wanted | {"reached_psnr_db": psnr_db, "reached_ssim": ssim}

    def harder(self, data: bytes) -> str:
        """Which condition a file that was judged nearly misses: "psnr" or "ssim"."""
        return "psnr" if self._judged[hash(data)][0] - self._psnr_db < _NEAR_DB else "ssim"

    def _in_words(self, psnr_db: float, ssim: float | None = None) -> str:
        name = "SSIM" if self._weights is None else "map-weighted SSIM"
        return f"PSNR {psnr_db:.2f} dB" + ("" if ssim is None else f", {name} {ssim:.4f}")


def _gain_db(psnr_db: float, wanted_db: float) -> float:
    """PSNR above what is wanted, within reason: of equal pictures it is infinite."""
    return 0.0 if psnr_db == wanted_db else min(max(psnr_db - wanted_db, -_MOST_DB), _MOST_DB)


def _ssim_gain_db(ssim: float, wanted: float) -> float:
    """SSIM above what is wanted, in decibels of what it lacks to 1."""
    if ssim == wanted:
        return 0.0
    lacks = [max(1 - value, 1e-9) for value in (wanted, ssim)]
    return min(max(10 * math.log10(lacks[0] / lacks[1]), -_MOST_DB), _MOST_DB)


def fewest_of_both(encoder: RealEncoder, settings: Interval, judge: AsGoodAs, plain_bytes: int) -> Match:
    """The smaller file of an encoder and of its variant for the condition that was the harder to meet.

    A variant is what an encoder's `harder_on` gives, where it has one. plain_bytes: of the file to be as good as.
    """
    low, high = settings.low, settings.high
    harder_on = getattr(encoder, "harder_on", None)
    enough = ENOUGH if harder_on is None else _NEARLY_DB
    best = fewest_bytes_between(encoder, low, high, judge, round(USUAL_SHARE * plain_bytes), enough)
    variant = harder_on(judge.harder(best.data)) if harder_on else None
    match = best
    if variant is not None:
        with suppress(TargetError):
            match = fewest_bytes_between(variant, low, high, judge, len(best.data))
    margin = judge(best.data).margin
    nearly = len(best.data) * math.exp(-margin / DECIBELS)  # what it would have without that margin
    if margin > ENOUGH and (match is best or nearly < len(match.data)):
        with suppress(TargetError):
            best = min(best, fewest_bytes_between(encoder, low, high, judge, round(nearly)), key=_size)
    return min(best, match, key=_size)


def _size(match: Match) -> int:
    return len(match.data)
