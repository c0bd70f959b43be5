"""Equal quality: when a file is as good as plain JPEG's (DESIGN 5.1)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from msroi import metrics
from msroi.codecs.jpeg import _kernels, plain
from msroi.codecs.jpeg.coefficients import luma_of
from msroi.codecs.jpeg.guard import sampled_rows
from msroi.pipeline.result import Saliency
from msroi.search.matching import Verdict

Pixels = npt.NDArray[np.uint8]

# A PSNR so little above SSIM, in decibels of their margins, is as hard a condition as that.
_NEAR_DB = 0.15

# A margin so near to 0 tells by how much the strips of a picture differ from the whole.
_NEARLY_DB = 0.15

# Margins are cut here. SSIM is first judged on strips of so many pixels.
_MOST_DB, _SAMPLE_PIXELS = 20.0, 700_000

# SSIM in single precision decides where it is further than this from what is wanted: it errs by 2e-5 at most, in flat
# pictures. It is made in bands of so many rows, with as many more as its window looks beyond them.
_QUICK, _BAND, _WINDOW = 5e-5, 256, 5


class AsGoodAs:
    """Judges files: PSNR over the whole picture and SSIM, weighted by a map if there is one, at least those of others.

    yardstick, pixels: the pixels to be as good as, and the picture, of one shape. weights: float (height, width), or
    what makes it: then it lies in memory for verdicts alone; a map of zeros says that nothing matters more than
    anything else. decode: a file's pixels, in the picture's shape.
    """

    def __init__(
        self,
        yardstick: Pixels,
        pixels: Pixels,
        weights: Saliency | Callable[[], Saliency | None] | None = None,
        decode: Callable[[bytes], Pixels] = plain.decode,
    ) -> None:
        made = weights() if callable(weights) else weights
        made = None if made is None or not made.any() else made
        self._is_weighted, self._weights = made is not None, weights
        self._pixels, self._decode = pixels, decode
        self._psnr_db = metrics.psnr_db(pixels, yardstick)
        self._ssim = metrics.ssim(pixels, yardstick, made)
        self.wanted = self._in_words(self._psnr_db, self._ssim)
        self._judged: dict[int, tuple[float, float]] = {}  # by the file's hash: a file is judged once
        self._rows = sampled_rows(pixels.shape[0], pixels.shape[1], _SAMPLE_PIXELS)
        self._some_weights = None if made is None else made[self._rows]
        if self._some_weights is not None and not self._some_weights.any():
            self._rows, self._some_weights = np.arange(len(pixels)), made
        self._rough: dict[int, tuple[float, float]] = {}  # margins of PSNR and of SSIM on the rows
        self._correction, self._is_corrected = 0.0, False  # of the latter
        self._is_sample = len(self._rows) < len(pixels)
        self._some_ssim = self._ssim
        if self._is_sample:
            self._some_ssim = metrics.ssim(pixels[self._rows], yardstick[self._rows], self._some_weights)

    def __call__(self, data: bytes) -> Verdict:
        if hash(data) not in self._judged:
            decoded = self._decode(data)
            weights = self._made_weights()
            ssim = _quick_ssim(self._pixels, decoded, weights)
            if abs(ssim - self._ssim) < _QUICK:
                ssim = metrics.ssim(self._pixels, decoded, weights)
            self._judged[hash(data)] = metrics.psnr_db(self._pixels, decoded), ssim
        psnr_db, ssim = self._judged[hash(data)]
        self._learn(data, ssim)
        good = psnr_db >= self._psnr_db and ssim >= self._ssim
        margin = min(_gain_db(psnr_db, self._psnr_db), _ssim_gain_db(ssim, self._ssim))
        return Verdict(good, self._in_words(psnr_db, ssim), margin)

    def _made_weights(self) -> Saliency | None:
        if not self._is_weighted:
            return None
        return self._weights() if callable(self._weights) else self._weights

    def rough(self, data: bytes) -> float:
        """About the margin of the verdict: SSIM, which takes ten times as long as PSNR, from strips of a large
        picture."""
        if not self._is_sample:
            return self(data).margin
        decoded = self._decode(data)
        psnr_margin = _gain_db(metrics.psnr_db(self._pixels, decoded), self._psnr_db)
        ssim = _quick_ssim(self._pixels[self._rows], decoded[self._rows], self._some_weights)
        margins = psnr_margin, _ssim_gain_db(ssim, self._some_ssim)
        del decoded
        self._rough[hash(data)] = margins
        if not self._is_corrected and abs(min(margins)) < _NEARLY_DB:
            self(data)  # and by how much strips differ from the whole is known
        return min(margins[0], margins[1] + self._correction)

    def _learn(self, data: bytes, ssim: float) -> None:
        if hash(data) in self._rough:
            self._correction = _ssim_gain_db(ssim, self._ssim) - self._rough[hash(data)][1]
            self._is_corrected = True

    def figures(self, data: bytes) -> dict[str, float]:
        """What was wanted and what a file that was judged has, by the report's names. SSIM as it was weighed."""
        psnr_db, ssim = self._judged[hash(data)]
        wanted = {"target_psnr_db": self._psnr_db, "target_ssim": self._ssim}
        return wanted | {"reached_psnr_db": psnr_db, "reached_ssim": ssim}

    def harder(self, data: bytes) -> str:
        """Which condition is the harder one for a file that was judged, if only roughly: "psnr" or "ssim"."""
        if hash(data) in self._judged:
            psnr_db, ssim = self._judged[hash(data)]
            psnr_margin, ssim_margin = _gain_db(psnr_db, self._psnr_db), _ssim_gain_db(ssim, self._ssim)
        else:
            psnr_margin, ssim_margin = self._rough[hash(data)]
        return "psnr" if psnr_margin < ssim_margin + _NEAR_DB else "ssim"

    def _in_words(self, psnr_db: float, ssim: float | None = None) -> str:
        name = "map-weighted SSIM" if self._is_weighted else "SSIM"
        return f"PSNR {psnr_db:.2f} dB" + ("" if ssim is None else f", {name} {ssim:.4f}")


def _quick_ssim(pixels: Pixels, decoded: Pixels, weights: Saliency | None) -> float:
    """`metrics.ssim` in single precision, in a third of its time: it errs by 2e-5 at most."""
    total = weight = 0.0
    for top in range(0, len(pixels), _BAND):
        bottom = min(top + _BAND, len(pixels))
        rows = slice(max(0, top - _WINDOW), min(len(pixels), bottom + _WINDOW))
        similarity = _kernels.similarity(luma_of(pixels[rows]), luma_of(decoded[rows]), 1, True)
        similarity = similarity[top - rows.start : bottom - rows.start].astype(np.float64)
        own = np.ones_like(similarity) if weights is None else weights[top:bottom].astype(np.float64)
        total += float(np.sum(similarity * own))
        weight += float(own.sum())
    return total / weight


def _gain_db(psnr_db: float, wanted_db: float) -> float:
    """PSNR above what is wanted, within reason: of equal pictures it is infinite."""
    return 0.0 if psnr_db == wanted_db else min(max(psnr_db - wanted_db, -_MOST_DB), _MOST_DB)


def _ssim_gain_db(ssim: float, wanted: float) -> float:
    """SSIM above what is wanted, in decibels of what it lacks to 1."""
    if ssim == wanted:
        return 0.0
    lacks = [max(1 - value, 1e-9) for value in (wanted, ssim)]
    return min(max(10 * math.log10(lacks[0] / lacks[1]), -_MOST_DB), _MOST_DB)
