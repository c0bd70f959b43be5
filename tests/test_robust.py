"""Every odd, damaged and hostile file of the image sets `robust` and `camera`."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import files_made as made
import numpy as np
import pytest
from conftest import SHARED_DATA
from PIL import Image, ImageOps

from msroi.errors import ImageError
from msroi.images import (
    Picture,
    assemble,
    bare,
    convert_to_srgb,
    is_srgb,
    jpeg_facts,
    read,
    resize_to_max_side,
    strip,
    strip_gps,
)
from msroi.metadata import Metadata, exif, from_jpeg, is_jpeg

NOT_READ = {
    "jpg_lossless_16bit_sof3.jpg": "16 bits a sample; 8 are supported",
    "tif_rgb_float32.tiff": "floating point samples",
}
# Damaged, but not in the picture: these are read. All others of `damaged` are refused.
READ_ALL_THE_SAME = {
    "bmp_bad_rle.bmp",
    "jpg_made_app0_length_0.jpg",
    "jpg_made_app0_length_1.jpg",
    "jpg_made_bitflips_restart.jpg",
    "jpg_made_bitflips_scan_10.jpg",
    "jpg_made_bitflips_scan_200.jpg",
    "jpg_made_bomb_flat_12000x12000.jpg",
    "jpg_made_dqt_all_zero.jpg",
    "jpg_made_exif_count_4e9.jpg",
    "jpg_made_exif_ifd_loop.jpg",
    "jpg_made_exif_offset_beyond.jpg",
    "jpg_made_icc_garbage.jpg",
    "jpg_made_icc_segment_missing.jpg",
    "jpg_made_no_eoi.jpg",
    "jpg_progressive_truncated.jpg",  # by the last byte of its end marker
    "png_text_bomb.png",
    "png_unknown_compression.png",
    "tif_clusterfuzz.tif",
    "tif_ifd_loop.tiff",
    "tif_made_ifd_loop.tif",
    "tif_wrong_bits_per_sample.tiff",
    "webp_panic.webp",
}
COMMENT = "msroi 1.2.3 0123456789abcdef"
ALL_AT_ONCE = """
import json, resource, sys
from pathlib import Path
from msroi.errors import MsroiError
from msroi.images import read
def peak_kilobytes():
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the peak of the parent too, whose copy this process began as
        return int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        picture = read(path)
        said = [*picture.pixels.shape]
    except MsroiError as error:
        said = f"{type(error).__name__}: {error}"
    print(json.dumps([path.name, said, peak_kilobytes()]), flush=True)
"""


def files(*parts: str) -> list[Path]:
    folder = SHARED_DATA.joinpath(*parts)
    return sorted(p for p in folder.glob("*.*") if p.suffix != ".md") if folder.is_dir() else []


ODD = files("robust")
CAMERA = files("camera")
NO_SET = "needs the image set robust; set MSROI_SHARED_DATA to the folder of the sets"
pytestmark = pytest.mark.skipif(not ODD, reason=NO_SET)


def by_name(path: Path) -> str:
    return path.name


def n_bytes(metadata: Metadata) -> int:
    """Bytes that all of this takes in a file."""
    segments = sum(len(s.payload) + 4 for s in metadata.segments)
    pictures = sum(len(p.gap) + len(p.data) for p in metadata.pictures)
    return segments + pictures + len(metadata.trailer) + len(metadata.index) + 4


def picture_of(path: Path) -> Picture:
    if path.suffix == ".heif":
        pytest.importorskip("pillow_heif")
    return read(path)


@pytest.mark.parametrize("path", [p for p in ODD if p.name not in NOT_READ], ids=by_name)
def test_an_odd_file_is_read_and_its_metadata_live_on(path: Path) -> None:
    picture = picture_of(path)
    pixels = picture.pixels
    assert pixels.dtype == np.uint8 and pixels.flags.c_contiguous and not pixels.flags.writeable
    coded = made.encoded(pixels, quality=60)
    file = assemble(coded, picture.metadata, COMMENT)
    assert len(file) <= len(coded) + n_bytes(picture.metadata) + len(COMMENT) + 4
    assert from_jpeg(file)[0].icc_profile == picture.metadata.icc_profile
    assert from_jpeg(file)[0].exif == picture.metadata.exif
    assert from_jpeg(file)[0].pictures == picture.metadata.pictures
    assert from_jpeg(file)[0].trailer == picture.metadata.trailer
    same = jpeg_facts(file)
    assert (same.width, same.height) == picture.upright_size and same.comment == COMMENT
    # Pillow, OpenCV and FFmpeg see the picture that was coded.
    assert np.array_equal(made.decoded(bare(file)), made.decoded(coded))
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    by_opencv = [cv2.imdecode(np.frombuffer(data, np.uint8), flags) for data in (coded, file)]
    assert np.array_equal(*by_opencv)
    with av.open(io.BytesIO(file), format="jpeg_pipe") as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == pixels.shape[1::-1]


@pytest.mark.parametrize("path", [p for p in ODD if p.name not in NOT_READ], ids=by_name)
def test_the_edits_work_on_an_odd_file(path: Path) -> None:
    picture = picture_of(path)
    converted = convert_to_srgb(picture)
    assert converted.pixels.shape == picture.pixels.shape
    smaller = resize_to_max_side(picture, 8)
    assert max(smaller.pixels.shape[:2]) <= 8 and smaller.metadata.pictures == ()
    without = strip_gps(picture.metadata)
    assert not any(exif.has_gps(s.payload[6:]) for s in without.segments if s.payload.startswith(b"Exif\0\0"))
    stripped = strip(picture.metadata, picture.orientation)
    profile = picture.metadata.icc_profile
    assert (stripped.icc_profile is None) == (profile is None or is_srgb(profile))
    assert stripped.orientation == picture.orientation
    others = [p for p in picture.metadata.pictures if p.kind != "gain map"]
    assert len(stripped.pictures) == len(picture.metadata.pictures) - len(others) and stripped.trailer == b""
    assert bool(stripped.notices) == bool(others or picture.metadata.trailer)
    assert strip(stripped, picture.orientation).segments == stripped.segments


@pytest.mark.parametrize("path", [p for p in (*ODD, *CAMERA) if is_jpeg(p.read_bytes()[:3])], ids=by_name)
def test_a_jpeg_is_what_pillow_makes_of_it(path: Path) -> None:
    data = path.read_bytes()
    if path.name in NOT_READ:
        pytest.skip("not read")
    picture = read(path)
    with Image.open(path) as image:
        if image.mode not in ("L", "RGB") or "XYB converted" in " ".join(picture.notices):
            assert picture.notices and picture.metadata.icc_profile is None
            assert picture.pixels.shape == (image.height, image.width, 3)
        else:
            assert np.array_equal(picture.pixels, np.asarray(image))
        exif_transposed = ImageOps.exif_transpose(image)
        assert exif_transposed.size == picture.upright_size
        core = bare(data)
        with Image.open(io.BytesIO(core)) as plain:
            assert np.array_equal(np.asarray(plain), np.asarray(image))
        with Image.open(io.BytesIO(assemble(core, picture.metadata))) as again:
            assert np.array_equal(np.asarray(again), np.asarray(image))


@pytest.mark.parametrize("path", [p for p in ODD if p.name in NOT_READ], ids=by_name)
def test_a_format_outside_the_list_is_one_clear_line(path: Path) -> None:
    with pytest.raises(ImageError, match=f"{path.name}: .*{NOT_READ[path.name]}"):
        read(path)


@pytest.mark.parametrize("path", CAMERA, ids=by_name)
def test_a_cameras_segments_stand_in_our_file_byte_for_byte(path: Path) -> None:
    data = path.read_bytes()
    picture = read(path)
    file = assemble(made.encoded(picture.pixels[::16, ::16]), picture.metadata, COMMENT)
    n_head = data.index(b"\xff\xdb")  # all of these have their metadata before the first table
    kept = data[2:n_head].removesuffix(b"\xff\xdd\0\4" + data[n_head - 2 : n_head])
    assert file[2 : 2 + len(kept)] == kept
    stripped = assemble(data, strip_gps(picture.metadata))
    assert len(stripped) == len(data)
    with Image.open(path) as before, Image.open(io.BytesIO(stripped)) as after:
        one, other = before.getexif(), after.getexif()
        assert other.get_ifd(0x8825) == {}
        assert {tag: value for tag, value in one.items() if tag != 0x8825} == dict(other)
        assert one.get_ifd(0x8769) == other.get_ifd(0x8769)  # maker notes among them


@pytest.fixture(scope="module")
def outcomes(shared_data: Callable[..., Path]) -> dict[str, tuple[object, int]]:
    """What one process said of each damaged file, and its memory in kilobytes thereafter."""
    command = [
        sys.executable,
        "-X",
        "dev",
        "-W",
        "error",
        "-c",
        ALL_AT_ONCE,
        shared_data("robust", "damaged"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and done.stderr == ""
    return {name: (said, memory) for name, said, memory in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("path", files("robust", "damaged"), ids=by_name)
def test_a_damaged_file_is_a_clean_result_or_one_line(path: Path, outcomes: dict[str, tuple[object, int]]) -> None:
    said, kilobytes = outcomes[path.name]
    assert kilobytes < 1_000_000
    if path.name in READ_ALL_THE_SAME:
        assert isinstance(said, list)
    else:
        assert isinstance(said, str) and said.startswith("ImageError: ") and f"{path.name}: " in said
        assert "\n" not in said and "Traceback" not in said
