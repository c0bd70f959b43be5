"""JPEG encoders: one surface (`codec`), one file a codec, one table (`CODECS`)."""

from __future__ import annotations

import importlib

from msroi import extras
from msroi.errors import NotBuiltError

try:
    importlib.import_module("msroi.codecs.jpeg._kernels")
except ModuleNotFoundError:
    raise NotBuiltError(extras.not_built()) from None

from msroi.codecs.jpeg.registry import CODECS, codec_defaults, codec_options, make_codec

__all__ = ["CODECS", "codec_defaults", "codec_options", "make_codec"]
