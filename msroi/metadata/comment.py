"""Our own comment segment, `msroi VERSION DIGEST`, which marks the files that we wrote."""

from __future__ import annotations

import re

from msroi.errors import ImageError
from msroi.metadata.segments import COM, EOI, Segment, walk

_OURS = re.compile(rb"msroi [0-9][0-9A-Za-z.+!-]* [0-9a-f]{8,128}")


def is_ours(payload: bytes) -> bool:
    """True for the payload of a comment that msroi wrote."""
    return _OURS.fullmatch(payload) is not None


def to_segment(comment: str) -> Segment:
    """The segment of our comment. Errors: ValueError unless it reads `msroi VERSION DIGEST` (hexadecimal)."""
    payload = comment.encode("ascii", "replace")
    if not is_ours(payload):
        raise ValueError(f"not a comment of ours: {comment!r}; it reads 'msroi VERSION DIGEST'")
    return Segment(COM, payload)


def read_comment(jpeg: bytes) -> str | None:
    """Our comment `msroi VERSION DIGEST` if the JPEG holds it, None for any other data."""
    try:
        for segment, _, _ in walk(jpeg):
            if segment.marker == COM and is_ours(segment.payload):
                return segment.payload.decode("ascii")
            if segment.marker in (EOI, 0xDA):
                return None
    except ImageError:
        return None
    return None
