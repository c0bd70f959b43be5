"""The formats that Pillow writes at qualities: JPEG, WebP, AVIF."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from msroi.arrays import Pixels
from msroi.benchmark.encoder import QUALITIES, Coder, Encoder, Face, pillow_version, sampling_of
from msroi.images import Picture
from msroi.saliency.steering import Steering
from msroi.search.knobs import Steps


class PillowEncoder(Encoder):
    """A format that Pillow writes, at qualities."""

    def __init__(
        self,
        name: str,
        kind: str,
        suffix: str,
        options: Mapping[str, Any],
        face: Face,
        *,
        feature: str = "jpg",
        settings: Sequence[float] = QUALITIES,
        sampling: str = "",
    ) -> None:
        self.name, self.suffix, self.face = name, suffix, face
        self._kind, self._options, self._feature = kind, options, feature
        self._settings, self._sampling = settings, sampling

    def missing(self) -> str:
        from PIL import features

        return "" if features.check(self._feature) else f"this Pillow has no {self._kind}: pip install -U pillow"

    def version(self) -> str:
        return pillow_version(self._feature)

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> Coder:
        return Coder(functools.partial(self._encode, picture.pixels), Steps("quality", self._settings))

    def _encode(self, pixels: Pixels, setting: float) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, self._kind, quality=setting, **self._options)
        return buffer.getvalue()

    def describe(self, setting: Any, data: bytes) -> str:
        return f"quality={setting:g} {self._sampling or sampling_of(data)}".strip()
