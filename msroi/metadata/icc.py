"""ICC profiles in JPEG segments (ICC.1:2010, annex B.4), and the little of their header that is needed."""

from __future__ import annotations

from collections.abc import Sequence

from msroi.metadata.segments import APP2, Segment

PREFIX = b"ICC_PROFILE\0"
_MAX_PART = 65_533 - len(PREFIX) - 2


def is_part(segment: Segment) -> bool:
    """True for a segment that holds a part of a profile."""
    return segment.marker == APP2 and segment.payload.startswith(PREFIX)


def join(segments: Sequence[Segment]) -> bytes | None:
    """The profile whose parts stand in `segments` in any order; None if a part is missing or it is none."""
    parts: dict[int, bytes] = {}
    totals: set[int] = set()
    for segment in segments:
        if is_part(segment) and len(segment.payload) > len(PREFIX) + 2:
            number, total = segment.payload[len(PREFIX)], segment.payload[len(PREFIX) + 1]
            parts.setdefault(number, segment.payload[len(PREFIX) + 2 :])
            totals.add(total)
    if len(totals) != 1 or sorted(parts) != list(range(1, max(totals) + 1)):
        return None
    profile = b"".join(parts[i] for i in sorted(parts))
    return profile if is_valid(profile) else None


def split(profile: bytes) -> tuple[Segment, ...]:
    """The segments of a profile; none if it is larger than 255 segments hold (16.7 MB)."""
    parts = [profile[i : i + _MAX_PART] for i in range(0, len(profile), _MAX_PART)]
    if len(parts) > 255:
        return ()
    return tuple(Segment(APP2, PREFIX + bytes((i + 1, len(parts))) + part) for i, part in enumerate(parts))


def is_valid(profile: bytes) -> bool:
    """True if header, signature and declared size make sense (ICC.1:2010, section 7.2)."""
    return (
        len(profile) >= 132 and profile[36:40] == b"acsp" and 132 <= int.from_bytes(profile[:4], "big") <= len(profile)
    )


def colour_space(profile: bytes) -> str:
    """`RGB`, `GRAY`, `CMYK`, `Lab`, ..."""
    return profile[16:20].decode("ascii", "replace").strip()


def description(profile: bytes) -> str | None:
    """The profile's own name, as `desc` (version 2) or `mluc` (version 4) holds it."""
    n_tags = int.from_bytes(profile[128:132], "big")
    for i in range(132, 132 + 12 * min(n_tags, 200), 12):
        if profile[i : i + 4] == b"desc":
            start = int.from_bytes(profile[i + 4 : i + 8], "big")
            return _text(profile[start : start + int.from_bytes(profile[i + 8 : i + 12], "big")])
    return None


def _text(tag: bytes) -> str | None:
    if tag[:4] == b"desc":
        n_bytes = int.from_bytes(tag[8:12], "big")
        text = tag[12 : 12 + min(n_bytes, 200)].split(b"\0")[0].decode("ascii", "replace")
    elif tag[:4] == b"mluc" and len(tag) >= 28:
        n_bytes, start = int.from_bytes(tag[20:24], "big"), int.from_bytes(tag[24:28], "big")
        text = tag[start : start + min(n_bytes, 400)].decode("utf-16-be", "replace")
    else:
        return None
    return "".join(c for c in text if c.isprintable()).strip() or None
