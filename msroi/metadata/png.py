"""PNG chunks (ISO/IEC 15948): header, colour, metadata, and the picture alone, read within bounds."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from msroi.errors import ImageError
from msroi.metadata.foreign import Density, Foreign, iptc_of_photoshop, profile_text
from msroi.metadata.xmp import PREFIX as XMP_PREFIX

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_MAX_CHUNKS = 1_000_000
_MAX_INFLATED = 17_000_000  # what 255 JPEG segments of a profile hold
_DEFLATE_RATIO = 1032  # bytes that a byte becomes at most
_MAX_COMMENTS = 100


@dataclass(frozen=True)
class Chromaticities:
    """CIE xy of white, red, green and blue."""

    white: tuple[float, float]
    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]


@dataclass(frozen=True)
class Png:
    """What a PNG's chunks say. `bare`: a PNG of the critical chunks alone, an animation's first picture.

    depth: bits a sample; colour_type: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA; gamma: the exponent
    of the encoding (1/2.2 is usual), None if not stated; transparency: the content of tRNS, which `bare`
    keeps unless samples have 16 bits (decoders reduce them before they compare).
    """

    width: int
    height: int
    depth: int
    colour_type: int
    bare: bytes
    foreign: Foreign
    says_srgb: bool = False
    gamma: float | None = None
    chromaticities: Chromaticities | None = None
    coding_points: bytes | None = None
    transparency: bytes | None = None
    n_frames: int = 1


def parse(data: bytes) -> Png:
    """Takes a PNG apart. Errors: ImageError if its header or a chunk of the picture is damaged."""
    kept: list[bytes] = [SIGNATURE]
    png: Png | None = None
    inflated = _Inflater()
    for kind, content, whole in _chunks(data):
        if png is None:
            if kind != b"IHDR" or len(content) != 13:
                raise ImageError("damaged PNG: it does not begin with a header")
            width, height, depth, colour_type = struct.unpack(">IIBB", content[:10])
            if depth not in _DEPTHS.get(colour_type, ()):
                raise ImageError(f"damaged PNG: its header says colour type {colour_type} at {depth} bits")
            png = Png(width, height, depth, colour_type, b"", Foreign())
        elif kind == b"IHDR":  # a decoder may take another one than we do
            raise ImageError("damaged PNG: it has a second header")
        if kind in _CRITICAL and not (kind == b"tRNS" and png.depth == 16):
            kept.append(whole)
        png = _with_chunk(png, kind, content, inflated)
    if png is None:
        raise ImageError("damaged PNG: it ends before its header")
    kept.append(_chunk(b"IEND", b""))
    return replace(png, bare=b"".join(kept))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(type, content, whole chunk) up to IEND. Damage outside the picture's own chunks is passed over."""
    position, n_chunks = len(SIGNATURE), 0
    while position + 8 <= len(data):
        n_chunks += 1
        if n_chunks > _MAX_CHUNKS:
            raise ImageError(f"damaged PNG: more than {_MAX_CHUNKS} chunks")
        n_bytes, kind = struct.unpack(">I4s", data[position : position + 8])
        end = position + 12 + n_bytes
        if end > len(data):
            if kind == b"IEND":
                return
            raise ImageError("damaged PNG: it is cut short")
        content, checksum = data[position + 8 : end - 4], data[end - 4 : end]
        if kind == b"IEND" or zlib.crc32(kind + content).to_bytes(4, "big") == checksum:
            yield kind, content, data[position:end]
        elif kind in _CRITICAL:
            raise ImageError(f"damaged PNG: the checksum of its {kind.decode()} chunk is wrong")
        if kind == b"IEND":
            return
        position = end


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def _with_chunk(png: Png, kind: bytes, content: bytes, inflated: _Inflater) -> Png:
    foreign = png.foreign
    if kind == b"tRNS":
        return replace(png, transparency=content)
    if kind == b"sRGB":
        return replace(png, says_srgb=True)
    if kind == b"cICP" and len(content) == 4:
        return replace(png, coding_points=content)
    if kind == b"gAMA" and len(content) == 4 and int.from_bytes(content, "big") > 0:
        return replace(png, gamma=int.from_bytes(content, "big") / 100_000)
    if kind == b"cHRM" and len(content) == 32:
        v = [value / 100_000 for value in struct.unpack(">8I", content)]
        points = Chromaticities((v[0], v[1]), (v[2], v[3]), (v[4], v[5]), (v[6], v[7]))
        return replace(png, chromaticities=points)
    if kind == b"acTL" and len(content) == 8:
        return replace(png, n_frames=max(int.from_bytes(content[:4], "big"), 1))
    if kind == b"pHYs" and len(content) == 9:
        across, down, unit = struct.unpack(">IIB", content)
        per_cm = (across + 50) // 100, (down + 50) // 100
        density = Density(2, *per_cm) if unit == 1 else Density(0, across, down)
        return replace(png, foreign=replace(foreign, density=density))
    if kind == b"eXIf":
        return replace(png, foreign=replace(foreign, exif=content))
    if kind == b"iCCP":
        # What does not inflate is passed on as it is, to be told from a PNG without a profile.
        profile = inflated(content.partition(b"\0")[2][1:]) or content[:80]
        return replace(png, foreign=replace(foreign, icc_profile=profile))
    if kind in (b"tEXt", b"zTXt", b"iTXt"):
        return replace(png, foreign=_with_text(foreign, *_text(kind, content, inflated)))
    return png


class _Inflater:
    """Inflates what stands compressed beside a PNG's picture, all of it together no more than is sensible."""

    def __init__(self) -> None:
        self._left = 2 * _MAX_INFLATED

    def __call__(self, data: bytes) -> bytes | None:
        """The inflated data; None if damaged or too much."""
        most = min(_MAX_INFLATED, self._left)
        if most <= 0:
            return None
        stream = zlib.decompressobj()
        try:
            inflated = stream.decompress(data, most)
        except zlib.error:
            self._left -= min(most, len(data) * _DEFLATE_RATIO)
            return None
        self._left -= len(inflated)
        return inflated if stream.eof else None


def _text(kind: bytes, content: bytes, inflated: _Inflater) -> tuple[bytes, bytes | None]:
    """(keyword, text) of a text chunk."""
    keyword, _, rest = content.partition(b"\0")
    if kind == b"tEXt":
        return keyword, rest
    if kind == b"zTXt":
        return keyword, inflated(rest[1:])
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return keyword, inflated(text) if rest[:1] == b"\1" else text


def _with_text(foreign: Foreign, keyword: bytes, text: bytes | None) -> Foreign:
    if text is None:
        return foreign
    if keyword == b"XML:com.adobe.xmp":
        return replace(foreign, xmp=text)
    if keyword == b"Comment" and text:
        if len(foreign.comments) >= _MAX_COMMENTS:
            return foreign
        return replace(foreign, comments=(*foreign.comments, text))
    if not keyword.startswith(b"Raw profile type "):
        return foreign
    name, content = keyword[17:].lower(), profile_text(text)
    if not content:
        return foreign
    if name == b"xmp" or (name == b"app1" and content.startswith(XMP_PREFIX)):
        return replace(foreign, xmp=foreign.xmp or content.removeprefix(XMP_PREFIX))
    if name in (b"exif", b"app1"):
        return replace(foreign, exif=foreign.exif or content)
    if name in (b"icc", b"icm"):
        return replace(foreign, icc_profile=foreign.icc_profile or content)
    if name in (b"iptc", b"8bim"):
        resources = content.removeprefix(b"Photoshop 3.0\0")
        record = content if content[:1] == b"\x1c" else None
        return replace(foreign, iptc=iptc_of_photoshop(resources) or record)
    return foreign
