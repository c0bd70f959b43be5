"""mozjpeg, by libvips."""

from __future__ import annotations

import functools

import numpy as np

from msroi.arrays import Pixels
from msroi.benchmark.encoder import Coder, Encoder, Face
from msroi.images import Picture
from msroi.saliency.steering import Steering


class MozJpeg(Encoder):
    """mozjpeg by libvips: trellis, deringing, optimised scans, table 3."""

    name = "mozjpeg"
    face = Face("JPEG", 3, "solid", "square")
    module = "pyvips"
    install = 'pip install "pyvips[binary]"'

    def missing(self) -> str:
        return super().missing() or _missing_trellis()

    def version(self) -> str:
        import pyvips

        return "libvips " + ".".join(str(pyvips.version(part)) for part in range(3))

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> Coder:
        return Coder(functools.partial(_save_mozjpeg, picture.pixels, True))


def _save_mozjpeg(pixels: Pixels, trellis: bool, quality: int) -> bytes:
    import pyvips

    data: bytes = pyvips.Image.new_from_array(pixels).jpegsave_buffer(
        Q=quality,
        optimize_coding=True,
        interlace=True,
        trellis_quant=trellis,
        overshoot_deringing=True,
        optimize_scans=True,
        quant_table=3,
        subsample_mode="on" if pixels.ndim == 3 else "auto",
        keep="none",
    )
    return data


@functools.cache
def _missing_trellis() -> str:
    """A libvips without mozjpeg writes JPEG too and passes over its options."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    if _save_mozjpeg(noise, True, 50) == _save_mozjpeg(noise, False, 50):
        return f"this libvips has no mozjpeg: {MozJpeg.install}"
    return ""
