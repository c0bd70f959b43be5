"""Pictures in and out: the one reader, the one writer, and what lies between bytes and pixels.

    read(path, bytes, file, PIL picture, array) -> Picture -> ...
    ... -> assemble(coded, metadata) -> write_atomically

Pixels stay as they are stored, with the orientation beside them; maps and boxes are in upright coordinates.
"""

from __future__ import annotations

from msroi.images.colour import convert_to_srgb, is_srgb
from msroi.images.edits import resize_to_max_side, strip
from msroi.images.orientation import to_stored, turn_upright
from msroi.images.picture import Limits, Picture, Source
from msroi.images.png_file import png_file
from msroi.images.reader import read
from msroi.images.writer import put, refuse_link, refuse_to_replace, replace_input, write_atomically
from msroi.metadata import (
    ExtraPicture,
    JpegFacts,
    Metadata,
    Segment,
    assemble,
    bare,
    jpeg_facts,
    read_comment,
    strip_gps,
)

__all__ = [
    "ExtraPicture",
    "JpegFacts",
    "Limits",
    "Metadata",
    "Picture",
    "Segment",
    "Source",
    "assemble",
    "bare",
    "convert_to_srgb",
    "is_srgb",
    "jpeg_facts",
    "png_file",
    "put",
    "read",
    "read_comment",
    "refuse_link",
    "refuse_to_replace",
    "replace_input",
    "resize_to_max_side",
    "strip",
    "strip_gps",
    "to_stored",
    "turn_upright",
    "write_atomically",
]
