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
SsimMap = Callable[[Pixels, Pixels], npt.NDArray[np.floating]]

# A PSNR so little above SSIM, in decibels of their margins, is as hard a condition as that.
_NEAR_DB = 0.15

# Margins are cut here. SSIM is first judged on strips of so many pixels.
_MOST_DB, _SAMPLE_PIXELS = 20.0, 700_000

# SSIM in single precision errs by 2e-5 at most, in flat pictures, and the kernel's in double precision by 1e-12: files
# that are nearer to what is wanted than these are judged by the next better one, in the end by `metrics.ssim`. Nor is
# single precision enough, in decibels, where less than the third lacks to 1. SSIM is made in bands of so many pixels,
# with as many rows more as its window looks beyond them.
_QUICK, _TIE, _NEAR_ONE, _BAND_PIXELS, _WINDOW = 5e-5, 1e-9, 0.01, 500_000, 5

# Weights of pictures of more pixels are kept in half precision: they lie in memory beside the encoder.
_LARGE = 12_000_000


class AsGoodAs:
    """Judges files: PSNR over the whole picture and SSIM, weighted by a map if there is one, at least those of others.

    yardstick: gives the pixels to be as good as. pixels: the picture, of their shape. weights: float (height, width); a
    map of zeros says that nothing matters more than anything else. decode: a file's pixels, in the picture's shape, or
    what gives rows of them.
    """

    def __init__(
        self,
        yardstick: Callable[[], Pixels],
        pixels: Pixels,
        weights: Saliency | None = None,
        decode: Callable[[bytes], Decoded] = decoded_rows,
    ) -> None:
        self._is_weighted = weights is not None and bool(weights.any())
        self._weights = None if weights is None or not self._is_weighted else _kept(weights)
        self._pixels, self._decode = pixels, decode
        self._yardstick, theirs = yardstick, yardstick()
        self._psnr_db, self._ssim = _scores(pixels, theirs, self._weights, _kernels.ssim_map)
        self.wanted = self._in_words(self._psnr_db, self._ssim)
        self._judged: dict[int, tuple[float, float]] = {}  # by the file's hash: a file is judged once
        self._rows = sampled_rows(pixels.shape[0], pixels.shape[1], _SAMPLE_PIXELS)
        self._some_weights = None if self._weights is None else self._weights[self._rows]
        self._is_sample = len(self._rows) < len(pixels)
        if self._is_sample and (self._some_weights is None or self._some_weights.any()):
            self._some = pixels[self._rows]
            self._some_wanted = _scores(self._some, theirs[self._rows], self._some_weights)
        else:
            self._is_sample = False
        # Of the latest rough word: what it was about, and its margins of PSNR and SSIM; and by how much such margins
        # fall short of the whole picture's.
        self._latest: tuple[Probe, tuple[float, float]] | None = None
        self._short = (0.0, 0.0)
        self._part: tuple[Session, Session | None] | None = None
        self._unprepared: tuple[Session, Session | None] | None = None

    def __call__(self, data: bytes) -> Verdict:
        if hash(data) not in self._judged:
            decoded = self._decode(data)
            psnr_db, ssim = _scores(self._pixels, decoded, self._weights)
            is_near = psnr_db >= self._psnr_db and abs(ssim - self._ssim) < _QUICK
            if is_near or self._ssim > 1 - _NEAR_ONE:
                ssim = self._sure_ssim(decoded)
            self._judged[hash(data)] = psnr_db, ssim
        psnr_db, ssim = self._judged[hash(data)]
        good = psnr_db >= self._psnr_db and ssim >= self._ssim
        margins = self._margins(data)
        if self._latest is not None and self._latest[0].is_made and self._latest[0].data is data:
            psnr_margin, ssim_margin = self._latest[1]
            self._short = margins[0] - psnr_margin, margins[1] - ssim_margin
        return Verdict(good, self._in_words(psnr_db, ssim), min(margins))

    def _sure_ssim(self, decoded: Decoded) -> float:
        """SSIM, on the same side of what is wanted as by `metrics.ssim`."""
        ssim = _scores(self._pixels, decoded, self._weights, _kernels.ssim_map)[1]
        if abs(ssim - self._ssim) >= _TIE:
            return ssim
        pair = decoded, self._yardstick()
        ours, theirs = (_scores(self._pixels, other, self._weights, metrics.ssim_map)[1] for other in pair)
        return self._ssim if ours >= theirs else min(ssim, math.nextafter(self._ssim, -1))

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
        margins = self._some_margins(decoded)
        self._latest = probe, margins
        return min(margin + short for margin, short in zip(margins, self._short, strict=True))

    def sketch(self, session: Session, setting: float) -> float | None:
        """About the margin at a setting, of a large picture's strips that are prepared by themselves, else None."""
        if not self._is_sample:
            return None
        if self._unprepared is None or self._unprepared[0] is not session:
            self._unprepared = session, session.part(self._rows)
        part = self._unprepared[1]
        return None if part is None else min(self._some_margins(self._decode(part.near(setting).encode(setting))))

    def _some_margins(self, decoded: Decoded) -> tuple[float, float]:
        """PSNR's and SSIM's, of the strips."""
        psnr_db, ssim = _scores(self._some, decoded, self._some_weights)
        return _gain_db(psnr_db, self._some_wanted[0]), _ssim_gain_db(ssim, self._some_wanted[1])

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


def _quick_map(pixels: Pixels, decoded: Pixels) -> npt.NDArray[np.floating]:
    """SSIM in single precision, in a third of the time: it errs by 2e-5 at most."""
    return _kernels.similarity(luma_of(pixels), luma_of(decoded), 1, True)


def _scores(pixels: Pixels, decoded: Decoded, weights: Kept, ssim_map: SsimMap = _quick_map) -> tuple[float, float]:
    """PSNR in decibels, and SSIM by a map of it, by bands."""
    squares, ssim = 0, _Mean(weights)
    for band, seen, inner in _bands(*pixels.shape[:2]):
        own, other = np.ascontiguousarray(pixels[seen]), np.ascontiguousarray(decoded[seen])
        squares += round(metrics.mse(own[inner], other[inner]) * own[inner].size)
        ssim.add(ssim_map(own, other)[inner], band)
    return decibels(squares / pixels.size), ssim.value


def _gain_db(psnr_db: float, wanted_db: float) -> float:
    """PSNR above what is wanted, within reason: of equal pictures it is infinite."""
    return 0.0 if psnr_db == wanted_db else min(max(psnr_db - wanted_db, -_MOST_DB), _MOST_DB)


def _ssim_gain_db(ssim: float, wanted: float) -> float:
    """SSIM above what is wanted, in decibels of what it lacks to 1."""
    if ssim == wanted:
        return 0.0
    lacks = [max(1 - value, 1e-9) for value in (wanted, ssim)]
    return min(max(10 * math.log10(lacks[0] / lacks[1]), -_MOST_DB), _MOST_DB)
