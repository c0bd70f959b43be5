"""Equal quality: when a file is as good as plain JPEG's (DESIGN 5.1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from msroi import metrics
from msroi.arrays import Pixels, Saliency
from msroi.codecs.jpeg import _kernels
from msroi.codecs.jpeg.coefficients import luma_of
from msroi.codecs.jpeg.rdo.guard import STRIP, sampled_rows
from msroi.codecs.jpeg.rows import Rows
from msroi.codecs.jpeg.rows import decoded as decoded_rows
from msroi.metrics.error import decibels
from msroi.search.equal_quality import Probe
from msroi.search.match import Verdict
from msroi.search.session import Session

Decoded = Pixels | Rows
Kept = npt.NDArray[np.floating] | None

# A PSNR so little above SSIM, in decibels of their margins, is as hard a condition as that.
_NEAR_DB = 0.15

# Margins are cut here. SSIM is first judged on strips of so many pixels.
_MOST_DB, _SAMPLE_PIXELS = 20.0, 700_000

# SSIM in single precision errs by 2e-5 at most, in flat pictures: a file that has so much more than what is wanted by
# it is good, one that has less is not, unless by the second, as where it is the very same picture. It is made in bands
# of so many pixels, with as many more as its window looks beyond them.
_QUICK, _SAME, _BAND_PIXELS, _WINDOW = 5e-5, 1e-6, 500_000, 5

# Weights of pictures of more pixels are kept in half precision: they lie in memory beside the encoder.
_LARGE = 12_000_000


class AsGoodAs:
    """Judges files: PSNR over the whole picture and SSIM, weighted by a map if there is one, at least those of others.

    yardstick, pixels: the pixels to be as good as, and the picture, of one shape. weights: float (height, width); a map
    of zeros says that nothing matters more than anything else. decode: a file's pixels, in the picture's shape, or what
    gives rows of them.
    """

    def __init__(
        self,
        yardstick: Pixels,
        pixels: Pixels,
        weights: Saliency | None = None,
        decode: Callable[[bytes], Decoded] = decoded_rows,
    ) -> None:
        self._is_weighted = weights is not None and bool(weights.any())
        self._weights = None if weights is None or not self._is_weighted else _kept(weights)
        self._pixels, self._decode = pixels, decode
        self._psnr_db, self._quick = _scores(pixels, yardstick, self._weights)
        self._ssim = _exact_ssim(pixels, yardstick, self._weights)
        self.wanted = self._in_words(self._psnr_db, self._ssim)
        self._judged: dict[int, tuple[float, float]] = {}  # by the file's hash: a file is judged once
        self._rows = sampled_rows(pixels.shape[0], pixels.shape[1], _SAMPLE_PIXELS)
        self._some_weights = None if self._weights is None else self._weights[self._rows]
        self._is_sample = len(self._rows) < len(pixels)
        if self._is_sample and (self._some_weights is None or self._some_weights.any()):
            self._some = pixels[self._rows]
            self._some_wanted = _scores(self._some, yardstick[self._rows], self._some_weights)
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
            psnr_db, quick = _scores(self._pixels, decoded, self._weights)
            more = quick - self._quick
            ssim = self._ssim + more
            if psnr_db >= self._psnr_db and -_SAME <= more < _QUICK:
                ssim = _exact_ssim(self._pixels, decoded, self._weights)
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

    def rough(self, probe: Probe) -> float:
        """About the margin of the verdict on a probe's file: of a large picture from strips, coded by themselves."""
        if not self._is_sample:
            return self(probe.data).margin
        if self._part is None or self._part[0] is not probe.session:
            self._part = probe.session, probe.session.part(self._rows)
        part = self._part[1]
        decoded = self._decode(probe.data if part is None else part.encode(probe.value))
        if part is None:
            decoded = np.concatenate([decoded[top : top + STRIP] for top in self._rows[::STRIP]])
        psnr_db, ssim = _scores(self._some, decoded, self._some_weights)
        margins = _gain_db(psnr_db, self._some_wanted[0]), _ssim_gain_db(ssim, self._some_wanted[1])
        self._latest = probe, margins
        return min(margin + short for margin, short in zip(margins, self._short, strict=True))

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


def _kept(weights: Saliency) -> Kept:
    """Weights as they are kept; None where all are one value."""
    if weights.strides == (0, 0):
        return None
    return weights.astype(np.float16) if weights.size > _LARGE else weights


def _bands(height: int, width: int) -> Iterator[tuple[slice, slice, slice]]:
    """Bands of rows: their rows, the rows that SSIM's window sees from them, and where those lie among these."""
    step = max(32, _BAND_PIXELS // width)
    for top in range(0, height, step):
        bottom = min(top + step, height)
        first = max(0, top - _WINDOW)
        yield slice(top, bottom), slice(first, min(height, bottom + _WINDOW)), slice(top - first, bottom - first)


class _Mean:
    """A mean by weights, float (height, width) or None for all alike, of values that come in bands of rows."""

    def __init__(self, weights: Kept) -> None:
        self._weights, self._total, self._weight = weights, 0.0, 0.0

    def add(self, values: npt.NDArray[np.floating], band: slice) -> None:
        """values: (rows, width), of the rows of a band."""
        wide = values.astype(np.float64, copy=False)
        own = None if self._weights is None else self._weights[band].astype(np.float64)
        self._total += float(np.sum(wide if own is None else wide * own))
        self._weight += float(values.size if own is None else np.sum(own))

    @property
    def value(self) -> float:
        """The mean so far."""
        return self._total / self._weight


def _scores(pixels: Pixels, decoded: Decoded, weights: Kept) -> tuple[float, float]:
    """PSNR in decibels, and SSIM in single precision, in a third of its time: it errs by 2e-5 at most."""
    squares, ssim = 0, _Mean(weights)
    for band, seen, inner in _bands(*pixels.shape[:2]):
        own, other = pixels[seen], decoded[seen]
        squares += round(metrics.mse(own[inner], other[inner]) * own[inner].size)
        ssim.add(_kernels.similarity(luma_of(own), luma_of(other), 1, True)[inner], band)
    return decibels(squares / pixels.size), ssim.value


def _exact_ssim(pixels: Pixels, decoded: Decoded, weights: Kept) -> float:
    """`metrics.ssim`, by bands."""
    ssim = _Mean(weights)
    for band, seen, inner in _bands(*pixels.shape[:2]):
        ssim.add(metrics.ssim_map(pixels[seen], decoded[seen])[inner], band)
    return ssim.value


def _gain_db(psnr_db: float, wanted_db: float) -> float:
    """PSNR above what is wanted, within reason: of equal pictures it is infinite."""
    return 0.0 if psnr_db == wanted_db else min(max(psnr_db - wanted_db, -_MOST_DB), _MOST_DB)


def _ssim_gain_db(ssim: float, wanted: float) -> float:
    """SSIM above what is wanted, in decibels of what it lacks to 1."""
    if ssim == wanted:
        return 0.0
    lacks = [max(1 - value, 1e-9) for value in (wanted, ssim)]
    return min(max(10 * math.log10(lacks[0] / lacks[1]), -_MOST_DB), _MOST_DB)
