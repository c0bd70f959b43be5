"""Equal quality: when a file is as good as plain JPEG's (DESIGN 5.1), and the fewest bytes for which it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from msroi import metrics
from msroi.errors import TargetError
from msroi.jpeg import plain
from msroi.jpeg.interval import Interval
from msroi.matching import Match, RealEncoder, Verdict, fewest_bytes_between
from msroi.pipeline.result import Saliency

Pixels = npt.NDArray[np.uint8]

# Of plain's bytes, what equal quality usually takes: where a search for it begins.
USUAL_SHARE = 0.78

# A PSNR so little above plain's was the harder condition, or as hard as SSIM.
_NEAR_DB = 0.15


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

    def __call__(self, data: bytes) -> Verdict:
        decoded = self._decode(data)
        psnr_db = metrics.psnr_db(self._pixels, decoded)
        if psnr_db < self._psnr_db:  # SSIM takes ten times as long
            return Verdict(False, self._in_words(psnr_db))
        ssim = metrics.ssim(self._pixels, decoded, self._weights)
        self._judged[hash(data)] = psnr_db, ssim
        return Verdict(ssim >= self._ssim, self._in_words(psnr_db, ssim))

    def figures(self, data: bytes) -> dict[str, float]:
        """What was wanted and what a file that was found good has, by the report's names. SSIM as it was weighed."""
        psnr_db, ssim = self._judged[hash(data)]
        wanted = {"target_psnr_db": self._psnr_db, "target_ssim": self._ssim}
        return wanted | {"reached_psnr_db": psnr_db, "reached_ssim": ssim}

    def harder(self, data: bytes) -> str:
        """Which condition a file that meets both nearly misses: "psnr" or "ssim"."""
        margin_db = metrics.psnr_db(self._pixels, self._decode(data)) - self._psnr_db
        return "psnr" if margin_db < _NEAR_DB else "ssim"

    def _in_words(self, psnr_db: float, ssim: float | None = None) -> str:
        name = "SSIM" if self._weights is None else "map-weighted SSIM"
        return f"PSNR {psnr_db:.2f} dB" + ("" if ssim is None else f", {name} {ssim:.4f}")


def fewest_of_both(encoder: RealEncoder, settings: Interval, judge: AsGoodAs, plain_bytes: int) -> Match:
    """The smaller file of an encoder and of its variant for the condition that was the harder to meet.

    A variant is what an encoder's `harder_on` gives, where it has one. plain_bytes: of the file to be as good as.
    """
    low, high = settings.low, settings.high
    best = fewest_bytes_between(encoder, low, high, judge, round(USUAL_SHARE * plain_bytes))
    harder_on = getattr(encoder, "harder_on", None)
    variant = harder_on(judge.harder(best.data)) if harder_on else None
    if variant is not None:
        with suppress(TargetError):
            match = fewest_bytes_between(variant, low, high, judge, len(best.data))
            best = min(best, match, key=lambda found: len(found.data))
    return best
