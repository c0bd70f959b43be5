"""Metadata and the JPEG marker stream: bytes only, no pixels.

Taken from a file once, carried along unchanged, put into the new file by `assemble`.
"""

from __future__ import annotations

from msroi.metadata.assembly import assemble, bare, picture_digest
from msroi.metadata.comment import read_comment
from msroi.metadata.facts import JpegFacts, jpeg_facts
from msroi.metadata.gain_map import without_gain_map
from msroi.metadata.model import Metadata, from_jpeg
from msroi.metadata.multi_picture import ExtraPicture
from msroi.metadata.places import strip_gps
from msroi.metadata.segments import Jpeg, Segment, is_jpeg, parse

__all__ = [
    "ExtraPicture",
    "Jpeg",
    "JpegFacts",
    "Metadata",
    "Segment",
    "assemble",
    "bare",
    "from_jpeg",
    "is_jpeg",
    "jpeg_facts",
    "parse",
    "picture_digest",
    "read_comment",
    "strip_gps",
    "without_gain_map",
]
