"""Plain JPEG: what everybody else makes, the yardstick of every budget, and a codec of its own.

Plain is Pillow's JPEG at `quality=Q`: its default tables and 4:2:0 sampling, sequential, Huffman
codes not optimised, no metadata (DESIGN 5.1). The bytes of the *upright* picture so coded are the
budget B(Q) that other encoders are measured against.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from msroi.arrays import Pixels
from msroi.codecs.jpeg import lossless
from msroi.codecs.jpeg.base import JpegCodec
from msroi.metadata.segments import DHT, DQT, parse
from msroi.search.knobs import Steps
from msroi.search.session import Session

if TYPE_CHECKING:
    from msroi.images import Picture
    from msroi.saliency.steering import Steering


# The settings of libjpeg's scale of quality, from the smallest file to the largest.
QUALITIES = range(1, 101)

# Pictures of more pixels are decoded into an array by so many rows at a time.
_LARGE, _ROWS = 4_000_000, 256

# What a sequential 4:2:0 encoder that knows no such options does anyway: asking for it is no error.
SEQUENTIAL_420: Mapping[str, tuple[object, ...]] = {"chroma": ("keep", "420"), "baseline": (False, True)}


def encode(pixels: Pixels, quality: int) -> bytes:
    """Plain JPEG of uint8 pixels, (height, width, 3) RGB or (height, width) grey; quality 1 to 100."""
    return _save(Image.fromarray(pixels), quality)


def size(pixels: Pixels, quality: int) -> int:
    """How many bytes `encode` gives; of a large picture within some tens, in bands of rows: Pillow's copy is larger."""
    if pixels.shape[0] * pixels.shape[1] <= _LARGE:
        return len(encode(pixels, quality))
    head = len(encode(pixels[:8, :8], quality))
    return head + sum(len(encode(pixels[top : top + _ROWS], quality)) - head for top in range(0, len(pixels), _ROWS))


def decode(jpeg: bytes) -> Pixels:
    """Pixels of a JPEG as Pillow decodes it: RGB, grey or CMYK, uint8, orientation not applied."""
    # Not Image.open: it looks at the number of pixels, which was settled when the picture was read.
    with JpegImageFile(io.BytesIO(jpeg)) as image:
        if image.width * image.height <= _LARGE:
            return np.asarray(image)
        channels = () if image.mode == "L" else (len(image.getbands()),)
        pixels = np.empty((image.height, image.width, *channels), np.uint8)
        for top in range(0, image.height, _ROWS):  # whole it would be there three times
            bottom = min(top + _ROWS, image.height)
            pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
        return pixels


def shape(jpeg: bytes) -> tuple[int, int]:
    """(height, width) of a JPEG as it is stored."""
    frame = parse(jpeg).frame
    return frame.height, frame.width


def is_plain(jpeg: bytes, quality: int) -> bool:
    """Whether a JPEG has the sampling, the quantisation tables and the Huffman codes of plain JPEG at `quality`."""
    grey, colour = np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.uint8)
    return _how_coded(jpeg) in [_how_coded(encode(pixels, quality)) for pixels in (grey, colour)]


def _how_coded(jpeg: bytes) -> tuple[int, bytes, frozenset[bytes]]:
    """Kind of frame, its components (3 bytes each), quantisation tables and Huffman codes."""
    parsed = parse(jpeg)
    frame = next(segment for segment in parsed.segments if segment.marker == parsed.frame.marker)
    tables = frozenset(segment.payload for segment in parsed.segments if segment.marker in (DHT, DQT))
    return frame.marker, frame.payload[6:], tables


@functools.cache
def code_lengths() -> Mapping[int, npt.NDArray[np.uint8]]:
    """Lengths of plain's Huffman codes by symbol, 0 to 255, for each table: 16 for AC, and 1 for chroma."""
    lengths = {}
    for segment in parse(encode(np.zeros((8, 8, 3), np.uint8), 50)).segments:
        payload = segment.payload if segment.marker == DHT else b""
        while payload:
            counts = np.frombuffer(payload[1:17], np.uint8)
            end = 17 + int(counts.sum())
            own = lengths[payload[0]] = np.zeros(256, np.uint8)
            own[np.frombuffer(payload[17:end], np.uint8)] = np.repeat(np.arange(1, 17, dtype=np.uint8), counts)
            payload = payload[end:]
    return lengths


def tables(quality: int) -> list[npt.NDArray[np.uint16]]:
    """Plain's steps at a quality, (64,) in zigzag order: luma's, chroma's."""
    payload = b"".join(
        segment.payload
        for segment in parse(encode(np.zeros((8, 8, 3), np.uint8), quality)).segments
        if segment.marker == DQT
    )
    return [np.frombuffer(payload[start + 1 : start + 65], np.uint8).astype(np.uint16) for start in (0, 65)]


class QualitySession(Session):
    """Encodes one picture at any quality from 1 to 100, with plain's settings.

    For one thread: Pillow notes the settings of a save on the image itself.
    """

    knob = Steps("quality", QUALITIES)

    def __init__(self, pixels: Pixels) -> None:
        self._image = Image.fromarray(pixels)

    def encode(self, setting: int) -> bytes:
        """The JPEG at quality `setting`."""
        return _save(self._image, setting)

    def compacted(self) -> Session:
        """The same files with Huffman codes of their own."""
        return _Compacted(self)


class _Compacted(Session):
    knob = QualitySession.knob

    def __init__(self, usual: QualitySession) -> None:
        self._usual = usual

    def encode(self, setting: int) -> bytes:
        return lossless.compact(self._usual.encode(setting))


@dataclass(frozen=True)
class Plain(JpegCodec):
    """The codec `plain`. It codes the picture as stored, so that the orientation tag stays right."""

    name: ClassVar[str] = "plain"
    version: ClassVar[str] = "2"
    uses_map: ClassVar[bool] = False
    curve: ClassVar[str] = ""
    is_yardstick: ClassVar[bool] = True
    quality_options: ClassVar[tuple[str, ...]] = ()
    also_accepts: ClassVar[Mapping[str, tuple[object, ...]]] = SEQUENTIAL_420

    def start(self, picture: Picture, steering: Steering | None, threads: int) -> QualitySession:
        """An encoder of the stored pixels; the map and the threads are not used."""
        return QualitySession(picture.pixels)


def _save(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    # Pillow would write these of an opened file by itself; arrays have none, and plain has none.
    nothing: dict[str, Any] = {"exif": b"", "icc_profile": None, "comment": b""}
    image.save(buffer, "JPEG", quality=quality, **nothing)
    return buffer.getvalue()
