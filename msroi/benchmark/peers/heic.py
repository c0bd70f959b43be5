"""HEIC, by libheif and x265."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from msroi.arrays import Pixels
from msroi.benchmark.encoder import Coder, Encoder, Face
from msroi.images import Limits, Picture
from msroi.saliency.steering import Steering
from msroi.search.knobs import Steps


class Heic(Encoder):
    """HEVC's still pictures (HEIC) by x265, 4:2:0. Every second quality: libheif knows no finer steps."""

    name = "heic"
    suffix = ".heic"
    face = Face("not JPEG; the class of BPG", 7, "dashed", "square")
    module = "pillow_heif"
    install = "pip install pillow-heif"

    def version(self) -> str:
        import pillow_heif

        facts = pillow_heif.libheif_info()
        return f"pillow-heif {pillow_heif.__version__}, libheif {facts['libheif']}, {facts['HEIF']}"

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> Coder:
        import pillow_heif

        def encode(quality: int) -> bytes:
            buffer = io.BytesIO()
            image = pillow_heif.from_pillow(Image.fromarray(picture.pixels))
            image.save(buffer, quality=quality, chroma=420)
            return buffer.getvalue()

        return Coder(encode, Steps("quality", range(0, 101, 2)))

    def decode(self, data: bytes, limits: Limits | None = None) -> Pixels:
        import pillow_heif

        image = pillow_heif.open_heif(data)
        (limits or Limits()).check_size(*image.size)
        return np.asarray(image)

    def facts(self, data: bytes) -> dict[str, Any]:
        import pillow_heif

        width, height = pillow_heif.open_heif(data).size
        return {"format": "HEIF", "width": width, "height": height, "bytes": len(data)}

    def describe(self, setting: Any, data: bytes) -> str:
        return f"quality={setting} 4:2:0"
