"""JPEG encoders: one surface (`codec`), one file a codec, one table (`CODECS`)."""

from __future__ import annotations

from msroi.jpeg.codec import CODEC_OPTIONS, CODECS, Codec, Encoder, make_codec

__all__ = ["CODECS", "CODEC_OPTIONS", "Codec", "Encoder", "make_codec"]
