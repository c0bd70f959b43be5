"""What is fuzzed. A target takes any bytes at all; the errors that may leave it are MsroiError's.

`tests/fuzzing/run.py` drives these with coverage (atheris, libFuzzer), tests/test_fuzzing.py with the seeds and with
what was found once. The entropy decoder, which is C++, has a target of its own: decoder.cpp.
"""

from __future__ import annotations

import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import files_made as made

import msroi
from msroi import images
from msroi import metadata as meta
from msroi.codecs.neural import container
from msroi.codecs.neural.attached import attached
from msroi.codecs.neural.registry import file_facts
from msroi.errors import MsroiError
from msroi.images import Limits
from msroi.metadata import foreign, png, webp
from msroi.metadata.gain_map import without_pictures
from msroi.pipeline import equal_quality, original  # noqa: F401  (imported late elsewhere; here they are instrumented)

# What a target may take for one input: seconds of processor time, and bytes of memory of the whole process.
MAX_SECONDS, MAX_BYTES = 2.0, 700_000_000
SMALL = Limits(max_megapixels=0.25, max_bytes=1_000_000)
TINY = Limits(max_megapixels=0.01, max_bytes=200_000)

_HEAD = made.encoded(made.picture(16, 16))
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
# Marker and signature of the segments that hold metadata.
KINDS = (
    (0xE1, b"Exif\0\0"), (0xE1, b"Exif\0\xff"), (0xE1, b"http://ns.adobe.com/xap/1.0/\0"), (0xE1, _EXTENSION),
    (0xED, b"Photoshop 3.0\0"), (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0"), (0xE2, b"MPF\0"),
    (0xE2, b"ICC_PROFILE\0"), (0xE0, b"JFIF\0"), (0xE0, b"JFXX\0"), (0xE3, b"Meta\0\0"), (0xE6, b"GoPro\0"),
    (0xEE, b"Adobe"), (0xFE, b""), (0xEB, b"JP"), (0xE4, b""),
)  # fmt: skip


def read(data: bytes) -> None:
    """The reader, all formats."""
    picture = images.read(data, limits=SMALL)
    assert picture.pixels.size and picture.orientation in range(1, 9)


def read_png(data: bytes) -> None:
    """The reader on a PNG whose checksums are right, which mutation by itself never gets past."""
    parts, at = [png.SIGNATURE], len(png.SIGNATURE)
    while at + 8 <= len(data):
        n_bytes = int.from_bytes(data[at : at + 4], "big")
        parts.append(made.png_chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + n_bytes]))
        at += 12 + n_bytes
    read(b"".join(parts))


def jpeg(data: bytes) -> None:
    """A JPEG's segments and all that is done to its metadata, without pixels."""
    parsed = meta.parse(data)
    meta.jpeg_facts(data)
    meta.read_comment(data)
    core = meta.bare(data)
    meta.picture_digest(core)
    _edited(meta.from_jpeg(data, parsed)[0], core)


def segments(data: bytes) -> None:
    """Metadata of every kind: KIND, two bytes of length, payload, and so on; KIND 255: the rest stands behind EOI."""
    parts, at = [], 0
    while at + 3 <= len(data) and data[at] != 255:
        marker, signature = KINDS[data[at] % len(KINDS)]
        n_bytes = int.from_bytes(data[at + 1 : at + 3], "big")
        parts.append(made.segment(marker, (signature + data[at + 3 : at + 3 + n_bytes])[:65_533]))
        at += 3 + n_bytes
    jpeg(made.with_segments(_HEAD, *parts) + data[at + 1 :])


def containers(data: bytes) -> None:
    """What other formats hold beside pixels: chunks of WebP and PNG, a TIFF's first page, a BMP's header."""
    for parse in (_webp, png.parse, foreign.from_tiff, foreign.from_bmp):
        try:
            found = parse(data)
            about = found if isinstance(found, foreign.Foreign) else found.foreign
            _edited(foreign.to_metadata(about)[0], _HEAD)
        except MsroiError:
            pass


def _webp(data: bytes) -> webp.WebP:
    return webp.parse(data)


def _edited(metadata: meta.Metadata, core: bytes) -> None:
    """The edits, and the file that comes of them, which must be one that we read."""
    bare, stripped = meta.strip_gps(metadata), images.strip(metadata, metadata.orientation)
    assert meta.strip_gps(bare).segments == bare.segments
    assert images.strip(stripped, metadata.orientation).segments == stripped.segments
    for edited in (metadata, bare, stripped, meta.without_gain_map(metadata), without_pictures(metadata)[0]):
        meta.parse(meta.assemble(core, edited, "msroi 1.2.3 0123456789abcdef"))


def neural(data: bytes) -> None:
    """A neural codec's file, given without its checksums, which are put in; and as it stands."""
    for file in (_with_checksums(data), data):
        try:
            container.read_header(file)
            attached(container.read_prefix(file, SMALL)[1])
            file_facts(file, limits=SMALL)
            container.read(file, SMALL)
        except MsroiError:
            pass


def _with_checksums(data: bytes) -> bytes:
    at, lengths = 29, []
    for _ in range(data[28] if len(data) > 28 else 0):
        length, shift = 0, 0
        at += 1
        while at < len(data) and shift < 35:
            length |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if data[at - 1] <= 0x7F:
                break
        lengths.append(length)
    crc = zlib.crc32(data[:at])
    file = data[:at] + struct.pack("<I", crc)
    for length in lengths:
        payload = data[at : at + length]
        crc = zlib.crc32(payload, crc)
        file += payload + struct.pack("<I", crc)
        at += length
    return file


def compress(data: bytes) -> None:
    """The whole way of a tiny picture: the request hangs on the last byte."""
    bits = data[-1] if data else 0
    quality = (10, 50, 75, 95)[bits & 3]
    result = msroi.compress(
        data, quality=quality, map_kind="none", strip_gps=bool(bits & 4), baseline=bool(bits & 8),
        method=("rdo", "plain")[bits >> 4 & 1], threads=1, limits=TINY,
    )  # fmt: skip
    images.read(result.data)
    if result.report.format == "JPEG" and not bits & 8:
        assert result.report.output_bytes <= len(data), (result.report.output_bytes, len(data))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "read": read,
    "read_png": read_png,
    "jpeg": jpeg,
    "segments": segments,
    "containers": containers,
    "neural": neural,
    "compress": compress,
}


def try_target(name: str, data: bytes) -> None:
    """One input. Errors: whatever is not MsroiError; AssertionError for an input that takes too much."""
    started = time.process_time()
    try:
        TARGETS[name](data)
    except MsroiError as error:
        assert "\n" not in str(error)
    seconds = time.process_time() - started
    assert seconds < MAX_SECONDS, f"{seconds:.1f} s for {len(data)} bytes"
    n_bytes = _peak_bytes()
    assert n_bytes < MAX_BYTES, f"{n_bytes / 1e6:.0f} MB"


def _peak_bytes() -> int:
    """The most memory that this process has had."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the peak of the parent too, whose copy this process began as
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
