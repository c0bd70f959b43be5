"""Small files for the tests of reading and writing, made on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

XMP_GPS = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/">
<rdf:Description exif:GPSLatitude="52,31.2N" dc:title="kept" exif:GPSLongitude = '13,24.1E'>
<exif:GPSAltitude>34/1</exif:GPSAltitude><exif:GPSDestBearing rdf:resource="x"/>
<exif:GPSVersionID><rdf:Seq><rdf:li>2</rdf:li></rdf:Seq></exif:GPSVersionID>
<dc:creator>Ann Author</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"""

XMP_GAIN_MAP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:Container="http://ns.google.com/photos/1.0/container/"
 xmlns:Item="http://ns.google.com/photos/1.0/container/item/">
<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" dc:title="kept">
<Container:Directory><rdf:Seq>
<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>
<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Length="321"/></rdf:li>
</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>"""


def picture(height: int = 40, width: int = 56, seed: int = 5) -> np.ndarray:
    """A smooth colour picture with some noise, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    planes = (columns * 255 / max(width - 1, 1), rows * 255 / max(height - 1, 1), (rows + columns) * 2 % 256)
    return np.clip(np.stack(planes, axis=-1) + rng.normal(0, 6, (height, width, 3)), 0, 255).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str = "JPEG", mode: str | None = None, **options: Any) -> bytes:
    """`pixels` as a file of Pillow's, converted to `mode` before."""
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(buffer, kind, **options)
    return buffer.getvalue()


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A PIL picture as a file of Pillow's."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """What Pillow makes of a file."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def segment(marker: int, payload: bytes) -> bytes:
    """A JPEG marker segment."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """The JPEG with segments put behind its JFIF header."""
    n_head = 4 + int.from_bytes(jpeg[4:6], "big") if jpeg[2:4] == b"\xff\xe0" else 2
    return jpeg[:n_head] + b"".join(segments) + jpeg[n_head:]


def multi_picture(primary: bytes, *others: bytes, gap: bytes = b"", trailer: bytes = b"") -> bytes:
    """A multi-picture file (CIPA DC-007): `gap` before each further picture, `trailer` behind the last."""
    n_entries = 1 + len(others)
    entries_at = 8 + 2 + 3 * 12 + 4
    directory = struct.pack(">H", 3)
    directory += struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    directory += struct.pack(">HHII", 0xB001, 4, 1, n_entries)
    directory += struct.pack(">HHII", 0xB002, 7, 16 * n_entries, entries_at) + bytes(4)
    n_primary = len(primary) + 4 + 4 + entries_at + 16 * n_entries
    header_at = (4 + int.from_bytes(primary[4:6], "big") if primary[2:4] == b"\xff\xe0" else 2) + 8
    entries = struct.pack(">IIIHH", 0x030000, n_primary, 0, 0, 0)
    place = n_primary
    for other in others:
        place += len(gap)
        entries += struct.pack(">IIIHH", 0, len(other), place - header_at, 0, 0)
        place += len(other)
    index = segment(0xE2, b"MPF\0MM\0*" + struct.pack(">I", 8) + directory + entries)
    file = with_segments(primary, index)
    assert len(file) == n_primary
    return file + b"".join(gap + other for other in others) + trailer


def exif_with_gps(orientation: int = 1, order: str = "<") -> bytes:
    """EXIF with camera, orientation, GPS, maker notes and a thumbnail, 300 bytes."""
    pack = struct.Struct
    head = (b"II*\0" if order == "<" else b"MM\0*") + pack(order + "I").pack(8)
    row = pack(order + "HHII").pack
    make, gps, details, thumbnail = 8 + 2 + 4 * 12 + 4, 80, 160, 220
    main = pack(order + "H").pack(4)
    main += row(0x010F, 2, 8, make)
    main += pack(order + "HHIHH").pack(0x0112, 3, 1, orientation, 0)
    main += row(0x8769, 4, 1, details) + row(0x8825, 4, 1, gps) + pack(order + "I").pack(thumbnail)
    block = bytearray(300)
    block[: len(head) + len(main)] = head + main
    block[make : make + 8] = b"ACME Co\0"
    position = pack(order + "H").pack(2) + pack(order + "HHI4s").pack(1, 2, 2, b"N\0\0\0") + row(2, 5, 3, gps + 40)
    block[gps : gps + len(position) + 4] = position + bytes(4)
    block[gps + 40 : gps + 64] = pack(order + "6I").pack(52, 1, 31, 1, 12, 1)
    notes = pack(order + "H").pack(1) + row(0x927C, 7, 20, details + 24)
    block[details : details + len(notes) + 4] = notes + bytes(4)
    block[details + 24 : details + 44] = b"maker notes, 20 byte"
    small = pack(order + "H").pack(2) + row(0x0201, 4, 1, thumbnail + 40) + row(0x0202, 4, 1, 30)
    block[thumbnail : thumbnail + len(small) + 4] = small + bytes(4)
    block[thumbnail + 40 : thumbnail + 70] = bytes(range(100, 130))
    return bytes(block)


def png(samples: np.ndarray, depth: int, colour_type: int, *chunks: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    """A PNG of big-endian samples (height, width[, channels]) with further chunks before its data."""
    height, width = samples.shape[:2]
    body = samples.astype(">u2").tobytes() if depth == 16 else samples.astype(np.uint8).tobytes()
    stride = len(body) // height
    raw = b"".join(b"\0" + body[i : i + stride] for i in range(0, len(body), stride))
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts) + behind


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def tiff(samples: np.ndarray, photometric: int, *fields: tuple[int, int, int, bytes]) -> bytes:
    """An uncompressed little-endian TIFF of uint8 or uint16 samples (height, width[, channels])."""
    height, width = samples.shape[:2]
    channels = samples.shape[2] if samples.ndim == 3 else 1
    body = samples.astype("<u2" if samples.dtype == np.uint16 else np.uint8).tobytes()

    def short(tag: int, *values: int) -> tuple[int, int, int, bytes]:
        return tag, 3, len(values), struct.pack(f"<{len(values)}H", *values)

    rows = [
        *(short(256, width), short(257, height), short(258, *[samples.itemsize * 8] * channels)),
        *(short(259, 1), short(262, photometric), (273, 4, 1, struct.pack("<I", 8))),
        *(short(277, channels), short(278, height), (279, 4, 1, struct.pack("<I", len(body))), *fields),
    ]
    start = 8 + len(body) + len(body) % 2
    behind = start + 2 + 12 * len(rows) + 4
    table, values = struct.pack("<H", len(rows)), b""
    for tag, kind, count, value in sorted(rows):
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", behind + len(values))
        values += b"" if len(value) <= 4 else value + bytes(len(value) % 2)
        table += struct.pack("<HHI", tag, kind, count) + place
    return b"II*\0" + struct.pack("<I", start) + body.ljust(start - 8, b"\0") + table + bytes(4) + values
