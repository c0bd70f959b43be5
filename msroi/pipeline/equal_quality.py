"""Equal quality: when a file is as good as plain JPEG's (DESIGN 5.1)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from msroi import metrics
from msroi.arrays import Pixels, Saliency
from msroi.codecs.jpeg import _kernels, plain
from msroi.codecs.jpeg.coefficients import luma_of
from msroi.codecs.jpeg.guard import sampled_rows
from msroi.search.matching import Verdict
from msroi.search.quality_search import Probe
from msroi.search.session import Session

# A PSNR so little above SSIM, in decibels of their margins, is as hard a condition as that.
_NEAR_DB = 0.15

# Margins are cut here. SSIM is first judged on strips of so many pixels.
_MOST_DB, _SAMPLE_PIXELS = 20.0, 700_000

# SSIM in single precision errs by 2e-5 at most, in flat pictures: a file that has so much more than what is wanted by
# it is good, one that has less is not, unless by the second, as where it is the very same picture. It is made in bands
# of so many rows, with as many more as its window looks beyond them.
_QUICK, _SAME, _BAND, _WINDOW = 5e-5, 1e-6, 256, 5


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
        self._ssim, self._quick = metrics.ssim(pixels, yardstick, made), _quick_ssim(pixels, yardstick, made)
        self.wanted = self._in_words(self._psnr_db, self._ssim)
        self._judged: dict[int, tuple[float, float]] = {}  # by the file's hash: a file is judged once
        self._rows = sampled_rows(pixels.shape[0], pixels.shape[1], _SAMPLE_PIXELS)
        self._some_weights = None if made is None else made[self._rows]
        self._is_sample = len(self._rows) < len(pixels)
        if self._is_sample and (made is None or made[self._rows].any()):
            self._some = pixels[self._rows]
            self._some_wanted = self._of_some(yardstick[self._rows])
        else:
            self._is_sample = False
        # Of the latest rough word: what it was about, and its margins of PSNR and SSIM; and by how much such margins
        # fall short of the whole picture's.
        self._latest: tuple[Probe, tuple[float, float]] | None = None
        self._short = (0.0, 0.0)
        self._part: tuple[Session, Session | None] | None = None

    def __call__(self, data: bytes) -> Verdict:
        if hash(data) not in self._judged:
            decoded = self._decode(data)
            weights = self._made_weights()
            psnr_db = metrics.psnr_db(self._pixels, decoded)
            more = _quick_ssim(self._pixels, decoded, weights) - self._quick
            ssim = self._ssim + more
            if psnr_db >= self._psnr_db and -_SAME <= more < _QUICK:
                ssim = metrics.ssim(self._pixels, decoded, weights)
            elif more < 0:
                ssim = min(ssim, math.nextafter(self._ssim, 0))
            self._judged[hash(data)] = psnr_db, ssim
        psnr_db, ssim = self._judged[hash(data)]
        good = psnr_db >= self._psnr_db and ssim >= self._ssim
        margins = self._margins(data)
        if self._latest is not None and self._latest[0].data is data:
            psnr_margin, ssim_margin = self._latest[1]
            self._short = margins[0] - psnr_margin, margins[1] - ssim_margin
        return Verdict(good, self._in_words(psnr_db, ssim), min(margins))

    def _margins(self, data: bytes) -> tuple[float, float]:
        psnr_db, ssim = self._judged[hash(data)]
        return _gain_db(psnr_db, self._psnr_db), _ssim_gain_db(ssim, self._ssim)

    def _made_weights(self) -> Saliency | None:
        if not self._is_weighted:
            return None
        return self._weights() if callable(self._weights) else self._weights

    def rough(self, probe: Probe) -> float:
        """About the margin of the verdict on a probe's file: of a large picture from strips, coded by themselves."""
        if not self._is_sample:
            return self(probe.data).margin
        if self._part is None or self._part[0] is not probe.session:
            self._part = probe.session, probe.session.part(self._rows)
        part = self._part[1]
        some = self._decode(probe.data)[self._rows] if part is None else self._decode(part.encode(probe.value))
        psnr_db, ssim = self._of_some(some)
        margins = _gain_db(psnr_db, self._some_wanted[0]), _ssim_gain_db(ssim, self._some_wanted[1])
        self._latest = probe, margins
        return min(margin + short for margin, short in zip(margins, self._short, strict=True))

    def _of_some(self, some: Pixels) -> tuple[float, float]:
        """PSNR and SSIM of the strips."""
        return metrics.psnr_db(self._some, some), _quick_ssim(self._some, some, self._some_weights)

    def figures(self, data: bytes) -> dict[str, float]:
        """What was wanted and what a file that was judged has, by the report's names. SSIM as it was weighed."""
        psnr_db, ssim = self._judged[hash(data)]
        wanted = {"target_psnr_db": self._psnr_db, "target_ssim": self._ssim}
        return wanted | {"reached_psnr_db": psnr_db, "reached_ssim": ssim}

    def harder(self, data: bytes) -> str:
        """Which condition is the harder one for a file that was judged: "psnr" or "ssim"."""
        psnr_margin, ssim_margin = self._margins(data)
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
