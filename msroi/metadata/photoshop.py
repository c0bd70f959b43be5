"""Photoshop's image resources, which carry IPTC, thumbnails and copies of EXIF and XMP.

'8BIM' | number (2 bytes) | name (Pascal, padded to even) | length (4 bytes) | content (padded to even)
"""

from __future__ import annotations

from collections.abc import Iterator

PREFIX = b"Photoshop 3.0\0"
IPTC, IPTC_DIGEST = 0x0404, 0x0425
EXIF, XMP, THUMBNAILS = (0x0422, 0x0423), 0x0424, (0x0409, 0x040C)
_SIGNATURES = (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa")


def resources(block: bytes) -> Iterator[tuple[int, int, int]]:
    """(number, start, end) of the content of each resource; the last has number -1 and is what cannot be read."""
    position = 0
    while block[position : position + 4] in _SIGNATURES and position + 12 <= len(block):
        number = int.from_bytes(block[position + 4 : position + 6], "big")
        n_name = block[position + 6] + 1
        start = position + 6 + n_name + n_name % 2 + 4
        n_bytes = int.from_bytes(block[start - 4 : start], "big")
        if start + n_bytes > len(block):
            break
        yield number, start, start + n_bytes
        position = start + n_bytes + n_bytes % 2
    if position < len(block):
        yield -1, position, len(block)


def is_padding(rest: bytes) -> bool:
    """True for what says nothing."""
    return not rest.strip(b"\0 ")


def is_whole(block: bytes) -> bool:
    """True if all of the block can be read."""
    return all(number >= 0 or is_padding(block[start:end]) for number, start, end in resources(block))
