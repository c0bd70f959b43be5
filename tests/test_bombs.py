"""Files that say one size and hold another, or ask for far more memory than they have bytes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import files_made as made
import numpy as np
import pytest
from memory_made import peak
from PIL import Image
from skimage import data

from msroi.errors import ImageError
from msroi.images import Limits, read
from msroi.metadata import parse

PHOTO = made.picture()
READ = """
import sys
from msroi.images import read
said = list(read(sys.argv[1]).pixels.shape)
"""
MOST_BYTES = 300_000_000


def header(width: int, height: int) -> bytes:
    return made.png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


def png_of_two_headers(width: int, height: int) -> bytes:
    """Says 8 x 8 first, then another size, of which it holds every row."""
    packer = zlib.compressobj(9)
    row = bytes(1 + width)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    chunks = (header(8, 8), header(width, height), made.png_chunk(b"IDAT", rows), made.png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def jpeg_of_two_frames(width: int, height: int) -> bytes:
    """Says 16 x 16 in its first frame header, another size in its second."""
    data = made.encoded(PHOTO[:16, :16])
    start = data.index(b"\xff\xc0")
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    frame = bytearray(data[start:end])
    frame[5:9] = struct.pack(">HH", height, width)
    return data[:end] + bytes(frame) + data[end:]


def frame_in_screen(width: int, height: int) -> bytes:
    """A GIF whose logical screen is 8 x 8 and whose frame is larger."""
    data = bytearray(made.encoded(made.picture(8, 8)[..., 0], "GIF"))
    start = data.rindex(b"\x2c\0\0\0\0\x08\0\x08\0")
    data[start + 5 : start + 9] = struct.pack("<HH", width, height)
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: png_of_two_headers(16_000, 16_000), "it has a second header"),
        (lambda: jpeg_of_two_frames(40_000, 40_000), "it has a second frame header"),
        (lambda: frame_in_screen(40_000, 40_000), "40000 x 40000 pixels are 1600.0 megapixels"),
    ],
    ids=["png", "jpeg", "gif"],
)
def test_a_size_said_twice_reserves_nothing(make: object, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(make())  # type: ignore[operator]
    said, n_bytes = peak(READ, path)
    assert said.startswith("ImageError: ") and words in said and "\n" not in said
    assert n_bytes < MOST_BYTES


def test_a_second_frame_header_is_refused_behind_a_scan_too() -> None:
    data = made.encoded(PHOTO)
    again = data[data.index(b"\xff\xc0") :]
    with pytest.raises(ImageError, match="it has a second frame header"):
        parse(data[:-2] + again)
    assert parse(data).frame.width == PHOTO.shape[1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"])
def test_what_a_decoder_has_opened_is_checked_before_its_pixels_are_loaded(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder's word counts beside the header's: here the first check sees nothing."""
    data = made.encoded(PHOTO, kind)
    sizes: list[tuple[int, int]] = []
    checked = Limits.check_size

    def once_blind(self: Limits, width: int, height: int) -> None:
        sizes.append((width, height))
        if len(sizes) > 1 or kind in ("BMP", "AVIF"):
            checked(self, width, height)

    def refuse(*_: object) -> None:
        raise AssertionError("loaded before the limit was checked")

    monkeypatch.setattr(Limits, "check_size", once_blind)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    with pytest.raises(ImageError, match=r"56 x 40 pixels are .*; the limit is 0\.002 megapixels"):
        read(data, limits=Limits(max_megapixels=0.002))


def webp_of_one_colour(width: int, height: int) -> bytes:
    """38 bytes or so: WebP's lossless coding says a flat picture in next to none."""
    data = made.encoded(np.zeros((4, 4, 3), np.uint8), "WEBP", lossless=True)
    start = data.index(b"VP8L") + 9
    packed = int.from_bytes(data[start : start + 4], "little") >> 28 << 28 | (height - 1) << 14 | (width - 1)
    return data[:start] + packed.to_bytes(4, "little") + data[start + 4 :]


WIDTH, HEIGHT = 4096, 2048
FIXED_BYTES = 200_000_000


def written(path: Path, kind: str) -> Path:
    """A large picture with some detail, in a form that takes much memory to read."""
    across, down = np.arange(WIDTH), np.arange(HEIGHT)
    planes = [np.add.outer(down * down // n, across) % 256 for n in (99, 999, 9999, 7)]
    pixels = np.dstack([plane.astype(np.uint8) for plane in planes])
    if kind == "flat.webp":
        path.write_bytes(webp_of_one_colour(WIDTH, HEIGHT))
    elif kind == "alpha.webp":
        Image.fromarray(pixels).save(path, "WEBP", quality=30, method=0)
    elif kind == "16.png":
        path.write_bytes(made.png(pixels.astype(np.uint16), 16, 6))
    elif kind == "ends grey.jpg":
        image = Image.fromarray(pixels[..., :3])
        image.paste((128, 128, 128), (WIDTH - 99, HEIGHT - 99, WIDTH, HEIGHT))
        image.save(path, "JPEG", quality=80, subsampling=0, progressive=True)
    else:
        Image.fromarray(pixels).save(path, "TIFF", compression="tiff_lzw")
    return path


@pytest.mark.parametrize("kind", ["flat.webp", "alpha.webp", "16.png", "ends grey.jpg", "alpha.tif"])
def test_reading_takes_at_most_12_bytes_a_pixel(kind: str, tmp_path: Path) -> None:
    said, n_bytes = peak(READ, written(tmp_path / "large", kind))
    assert said == [HEIGHT, WIDTH, 3]
    assert n_bytes < FIXED_BYTES + 12 * WIDTH * HEIGHT


COMPARE = """
import sys
import numpy as np
import msroi
across = np.linspace(0, 1, 4096, dtype=np.float32)
weights = np.broadcast_to(across, (2048, 4096)).copy() if sys.argv[3:] else None
said = msroi.compare(sys.argv[1], sys.argv[2], weights).ssim
"""


@pytest.mark.parametrize("weighted", [(), ("weighted",)], ids=["", "weighted"])
def test_comparing_takes_at_most_20_bytes_a_pixel(weighted: tuple[str, ...], tmp_path: Path) -> None:
    first, second = written(tmp_path / "first", "ends grey.jpg"), written(tmp_path / "second", "alpha.tif")
    said, n_bytes = peak(COMPARE, first, second, *weighted)
    assert 0 < said < 1
    assert n_bytes < FIXED_BYTES + 20 * WIDTH * HEIGHT


COMPRESS = """
import sys
import msroi
asked = {"boxes": {"focus": "10%,10%,20%,20%"}, "444": {"chroma": "444"}, "quality": {"match": "quality"}}
result = msroi.compress(sys.argv[1], threads=1, **(asked[sys.argv[2]] if sys.argv[2:] else {}))
said = [*result.saliency.shape, float(result.saliency.max() - result.saliency.min()), result.report.kept_original]
"""


@pytest.mark.parametrize(
    "kind", ["photo.jpg", "photo.png", "photo.png boxes", "444.jpg", "photo.png 444", "large.png quality"]
)
def test_compressing_takes_at_most_16_bytes_a_pixel(kind: str, tmp_path: Path) -> None:
    side = 5120 if kind.startswith("large") else 4096
    name, *options = kind.split()
    photo = Image.fromarray(data.astronaut()).resize((side, side), Image.Resampling.BICUBIC)
    grain = np.random.default_rng(1).integers(-3, 4, (side, side, 1), np.int8)
    pixels = np.clip(np.asarray(photo, np.int16) + grain, 0, 255).astype(np.uint8)
    sampling = {"subsampling": 0} if name == "444.jpg" else {}
    Image.fromarray(pixels).save(tmp_path / name, quality=92, compress_level=1, **sampling)
    (height, width, span, kept), n_bytes = peak(COMPRESS, tmp_path / name, *options)
    assert (height, width, kept) == (side, side, False) and span > 0.3
    assert n_bytes < FIXED_BYTES + 16 * side * side
