"""jpegli, by one of two packages."""

from __future__ import annotations

import functools
import importlib

import numpy as np

from msroi.arrays import Pixels
from msroi.benchmark.encoder import Coder, Encoder, Face, foreign_interval, sampling_of
from msroi.images import Picture
from msroi.saliency.steering import Steering


class Jpegli(Encoder):
    """jpegli, 4:2:0: its distance by ajpegli, or whole qualities by pyjpegli where that is not to be had."""

    name = "jpegli"
    face = Face("JPEG", 4, "solid", "diamond")
    install = "pip install ajpegli (or pyjpegli, which knows whole qualities only)"

    def missing(self) -> str:
        return "" if self._module() else f"neither ajpegli nor pyjpegli is installed: {self.install}"

    @property
    def has_quality_numbers(self) -> bool:  # type: ignore[override]
        return self._module() == "pyjpegli"

    def version(self) -> str:
        from importlib import metadata

        return f"{self._module()} {metadata.version(self._module())}"

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> Coder:
        if self._module() == "pyjpegli":
            return Coder(functools.partial(_save_pyjpegli, picture.pixels))
        knob = foreign_interval("minus-log2-distance", -4.6, 4.0)
        return Coder(functools.partial(_save_ajpegli, picture.pixels), knob)

    def describe(self, setting: float, data: bytes) -> str:
        if self._module() == "pyjpegli":
            return super().describe(setting, data)
        return f"distance={2**-setting:.4f} {sampling_of(data)}".strip()

    @staticmethod
    def _module() -> str:
        for name in ("ajpegli", "pyjpegli"):
            try:
                importlib.import_module(name)
            except (ImportError, OSError):
                continue
            return name
        return ""


def _save_ajpegli(pixels: Pixels, setting: float) -> bytes:
    """The setting is minus log2 of the distance."""
    import ajpegli

    options = {"subsampling": "420"} if pixels.ndim == 3 else {}
    data: bytes = ajpegli.encode(pixels, distance=2.0**-setting, **options)
    return data


def _save_pyjpegli(pixels: Pixels, quality: int) -> bytes:
    import pyjpegli

    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    height, width = colour.shape[:2]
    data: bytes = pyjpegli.encode(np.ascontiguousarray(colour), width, height, quality=quality)
    return data
