"""JPEG 2000 by OpenJPEG."""

from __future__ import annotations

import functools
import io

from PIL import Image

from msroi.arrays import Pixels
from msroi.benchmark.encoder import Coder, Encoder, Face, foreign_interval, pillow_version
from msroi.images import Picture
from msroi.saliency.steering import Steering


class Jpeg2000(Encoder):
    """JPEG 2000 by OpenJPEG: irreversible wavelet, told how many bytes it may take."""

    name = "jpeg2000"
    suffix = ".jp2"
    face = Face("not JPEG", 5, "solid", "triangle")
    has_quality_numbers = False

    def missing(self) -> str:
        from PIL import features

        return "" if features.check("jpg_2000") else "this Pillow has no JPEG 2000: pip install -U pillow"

    def version(self) -> str:
        return pillow_version("jpg_2000")

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> Coder:
        """The knob is minus log2 of the rate of compression, which OpenJPEG meets within some per cent."""
        pixels = picture.pixels
        knob = foreign_interval("minus-log2-rate", -11.0, 0.0)
        return Coder(functools.partial(_save_jpeg2000, pixels), knob, lambda setting: float(pixels.size * 2**setting))

    def describe(self, setting: float, data: bytes) -> str:
        return f"rate={2**-setting:.4g}"


def _save_jpeg2000(pixels: Pixels, setting: float) -> bytes:
    buffer = io.BytesIO()
    options = {"mct": 1} if pixels.ndim == 3 else {}
    layers = [2**-setting]
    image = Image.fromarray(pixels)
    image.save(buffer, "JPEG2000", quality_mode="rates", quality_layers=layers, irreversible=True, **options)
    return buffer.getvalue()
