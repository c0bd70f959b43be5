"""JPEG sources: the reader of coefficients against Pillow, and coding again on the source's own lattice."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import files_made as made
import numpy as np
import pytest
from conftest import SHARED_DATA
from PIL import Image

import msroi
from msroi import images, metrics
from msroi.codecs.jpeg import _kernels, plain, source
from msroi.codecs.jpeg.coefficients import PARTS, dc_of, from_pixels
from msroi.codecs.jpeg.rdo import guard
from msroi.codecs.jpeg.rdo.codec import Rdo
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import PRESETS, ZIGZAG
from msroi.codecs.jpeg.source import for_source, from_jpeg, on_lattice
from msroi.images import Picture, read
from msroi.saliency.steering import Steering
from msroi.search.landing import land_within

SIZES = [(1, 1), (1, 9), (8, 8), (9, 7), (16, 17), (45, 67)]
CODINGS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "optimised": {"optimize": True},
    "progressive": {"progressive": True},
    "restart every block": {"restart_marker_blocks": 1},
    "restart every row": {"restart_marker_rows": 1},
    "progressive, restarts": {"progressive": True, "restart_marker_blocks": 3},
}


def planes_by_pillow(data: bytes) -> np.ndarray:
    """Y, Cb, Cr (height, width, 3), chroma enlarged, or grey (height, width), before any conversion to RGB."""
    with Image.open(io.BytesIO(data)) as image:
        if image.mode == "RGB":
            image.draft("YCbCr", image.size)
        return np.asarray(image)


def samples(levels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """What levels and a table stand for: float64 (8 rows, 8 columns), by the definition of the DCT."""
    k = np.arange(8)
    matrix = np.cos((2 * k[None, :] + 1) * k[:, None] * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    blocks = np.zeros((*levels.shape[:2], 8, 8))
    for index, (row, column) in enumerate(ZIGZAG):
        blocks[..., row, column] = levels[..., index].astype(np.float64) * table[index]
    rows, columns = levels.shape[:2]
    return (matrix.T @ blocks @ matrix).swapaxes(1, 2).reshape(8 * rows, 8 * columns)


def agrees_with_pillow(data: bytes) -> None:
    """Planes at full size within one level of Pillow's: its inverse DCT is one in whole numbers."""
    levels, tables, sampling, height, width = _kernels.read_jpeg(data)
    expected = planes_by_pillow(data)
    assert expected.shape[:2] == (height, width)
    expected = np.atleast_3d(expected).astype(np.float64)
    for index in range(len(levels)):
        if index and sampling[0] != (1, 1):
            continue  # enlarged by a filter
        shown = np.clip(np.rint(samples(levels[index], tables[index]) + 128), 0, 255)[:height, :width]
        assert np.abs(shown - expected[..., index]).max() <= 1


def written_again(data: bytes, progressive: bool) -> bytes:
    levels, tables, sampling, height, width = _kernels.read_jpeg(data)
    return _kernels.write_jpeg(levels, tables, sampling, height, width, progressive)


# --- the reader -----------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_levels_are_what_pillow_shows(coding: str, size: tuple[int, int], mode: str) -> None:
    for subsampling in (0, 1, 2):
        for quality in (20, 100):
            options = {"quality": quality, "subsampling": subsampling, **CODINGS[coding]}
            data = made.encoded(made.picture(*size), mode=mode, **options)
            agrees_with_pillow(data)
            factors = [(1, 1), (2, 1), (2, 2)][subsampling] if mode == "RGB" else (1, 1)
            assert _kernels.read_jpeg(data)[2] == [factors, (1, 1), (1, 1)][: 3 if mode == "RGB" else 1]
            for progressive in (False, True):
                again = written_again(data, progressive)
                assert np.array_equal(planes_by_pillow(again), planes_by_pillow(data))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("factors", [None, (1, 1), (2, 1), (2, 2)])
def test_what_we_write_is_read_back(progressive: bool, factors: tuple[int, int] | None) -> None:
    random = np.random.default_rng(4)
    height, width = 61, 77
    sampling = [(1, 1)] if factors is None else [factors, (1, 1), (1, 1)]
    levels, tables = [], []
    for h, v in sampling:
        rows = math.ceil(math.ceil(height * v / sampling[0][1]) / 8)
        columns = math.ceil(math.ceil(width * h / sampling[0][0]) / 8)
        sparse = random.random((rows, columns, 64)) < np.geomspace(0.9, 0.02, 64)
        values = random.integers(-1023, 1024, sparse.shape) // random.choice([1, 30, 300], sparse.shape)
        levels.append(np.where(sparse, values, 0).astype(np.int16))
        tables.append(random.integers(1, 256, 64).astype(np.uint16))
    data = _kernels.write_jpeg(levels, tables, sampling, height, width, progressive)
    read_levels, read_tables, read_sampling, *size = _kernels.read_jpeg(data)
    assert (read_sampling, size) == (sampling, [height, width])
    for ours, theirs in zip((*levels, *tables), (*read_levels, *read_tables), strict=True):
        assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs)
    for only in range(3):  # one component alone
        if only >= len(levels):
            with pytest.raises(ValueError, match="no such component"):
                _kernels.read_jpeg(data, only)
            continue
        some, some_tables, *rest = _kernels.read_jpeg(data, only)
        assert rest == [sampling, height, width] and np.array_equal(some_tables, read_tables)
        assert np.array_equal(some[only], levels[only])
        assert all(own.shape == (0, 0, 64) for index, own in enumerate(some) if index != only)


def test_scans_of_single_components_and_tables_defined_anew() -> None:
    """A sequential file of three scans, one component each, with its Huffman tables between them."""
    pixels = made.picture(37, 50)
    levels, tables, sampling, height, width = _kernels.read_jpeg(made.encoded(pixels, quality=80))
    parts = []
    for index in range(3):
        rows, columns = levels[index].shape[:2]
        alone = _kernels.write_jpeg([levels[index]], [tables[index]], [(1, 1)], 8 * rows, 8 * columns, False)
        scan = alone[alone.index(b"\xff\xc4") : -2]
        header = scan.index(b"\xff\xda")
        parts.append(scan[: header + 5] + bytes((index + 1,)) + scan[header + 6 :])
    whole = _kernels.write_jpeg(levels, tables, sampling, height, width, False)
    data = whole[: whole.index(b"\xff\xc4")] + b"".join(parts) + b"\xff\xd9"
    assert np.array_equal(planes_by_pillow(data), planes_by_pillow(whole))
    for index, (ours, theirs) in enumerate(zip(levels, _kernels.read_jpeg(data)[0], strict=True)):
        assert np.array_equal(ours, theirs) and np.array_equal(ours, _kernels.read_jpeg(data, index)[0][index])


def dc_only(factors: list[int], height: int, width: int) -> bytes:
    """A sequential 4:?:? file of random DC alone: codes of four bits for DC, one bit for the end of a block."""
    tables = made.segment(0xDB, bytes([0] + [8] * 64))
    tables += made.segment(0xC4, bytes([0, 0, 0, 0, 12] + [0] * 12) + bytes(range(12)))
    tables += made.segment(0xC4, bytes([0x10, 1] + [0] * 15 + [0]))
    parts = b"".join(bytes((index + 1, factor, 0)) for index, factor in enumerate(factors))
    frame = made.segment(0xC0, bytes((8, 0, height, 0, width, len(factors))) + parts)
    scan = made.segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0]))
    across, down = max(f >> 4 for f in factors), max(f & 15 for f in factors)
    n_mcu = math.ceil(height / (8 * down)) * math.ceil(width / (8 * across))
    random, bits = np.random.default_rng(2), ""
    for _ in range(n_mcu * sum((f >> 4) * (f & 15) for f in factors)):
        value = int(random.integers(-6, 7))
        size = abs(value).bit_length()
        further = f"{value if value > 0 else value - 1 + (1 << size):0{size}b}" if size else ""
        bits += f"{size:04b}{further}0"
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    jfif = made.segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    return b"\xff\xd8" + jfif + tables + frame + scan + coded + b"\xff\xd9"


@pytest.mark.parametrize("factors", [[0x11] * 3, [0x12] * 3, [0x21] * 3, [0x31] * 3])
def test_equal_factors_are_no_sampling(factors: list[int]) -> None:
    """All components at one resolution, whatever the number that says so: 4:4:4, in MCUs of several blocks."""
    data = dc_only(factors, 37, 61)
    assert _kernels.read_jpeg(data)[2] == [(1, 1)] * 3
    agrees_with_pillow(data)


@pytest.mark.parametrize(
    ("factors", "sampling"),
    [
        ([0x21, 0x11, 0x11], (2, 1)),
        ([0x22, 0x11, 0x11], (2, 2)),
        ([0x22, 0x12, 0x12], (2, 1)),
        ([0x42, 0x21, 0x21], None),
        ([0x12, 0x11, 0x11], None),
        ([0x41, 0x11, 0x11], None),
        ([0x22, 0x21, 0x21], None),
        ([0x21, 0x21, 0x11], None),
        ([0x22, 0x22, 0x22], None),
    ],
)
def test_samplings(factors: list[int], sampling: tuple[int, int] | None) -> None:
    data = dc_only(factors, 37, 61)
    if sampling is None:
        with pytest.raises(ValueError, match=r"sampling is not known|10 blocks"):
            _kernels.read_jpeg(data)
        return
    assert _kernels.read_jpeg(data)[2] == [sampling, (1, 1), (1, 1)]
    agrees_with_pillow(data)


REFUSED = {
    "jpg_arithmetic_sof9.jpg": "not decoded here",
    "jpg_cmyk_adobe0.jpg": "not decoded here",
    "jpg_made_411_301x203.jpg": "sampling",
    "jpg_made_440_301x203.jpg": "sampling",
    "jpg_progressive_rgb_blue_subsampled.jpg": "R, G, B",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_lattice_for_us_is_refused(name: str, shared_data: Callable[..., Path]) -> None:
    path = shared_data("robust", name)
    with pytest.raises(ValueError, match=REFUSED[name]):
        _kernels.read_jpeg(path.read_bytes())
    assert from_jpeg(read(path)) is None


ODD = sorted((SHARED_DATA / "robust").glob("*.jpg")) + sorted((SHARED_DATA / "robust").glob("*.mpo"))


@pytest.mark.parametrize("path", ODD, ids=lambda path: path.name)
def test_odd_files_agree_with_pillow_or_are_refused(path: Path) -> None:
    try:
        _kernels.read_jpeg(path.read_bytes())
    except ValueError:
        return
    agrees_with_pillow(path.read_bytes())


def test_most_odd_files_are_read(shared_data: Callable[..., Path]) -> None:
    shared_data("robust")
    n_read = sum(from_jpeg(read(path)) is not None for path in ODD if "lossless" not in path.name)
    assert n_read >= len(ODD) - 20


@pytest.mark.parametrize("path", sorted((SHARED_DATA / "robust" / "damaged").glob("*")), ids=lambda path: path.name)
def test_damaged_files_do_no_harm(path: Path) -> None:
    try:
        levels, *_ = _kernels.read_jpeg(path.read_bytes())
    except ValueError:
        return
    assert sum(level.nbytes for level in levels) <= 1024 * path.stat().st_size


@pytest.mark.parametrize("coding", ["baseline", "progressive", "progressive, restarts"])
def test_cut_and_flipped_files_are_levels_or_a_value_error(coding: str) -> None:
    data = made.encoded(made.picture(40, 56), quality=70, **CODINGS[coding])
    random = np.random.default_rng(11)
    for cut in range(0, len(data) - 2, 7):
        with pytest.raises(ValueError, match="JPEG"):
            _kernels.read_jpeg(data[:cut])
    n_read = 0
    for _ in range(2000):
        flipped = bytearray(data)
        for at in random.integers(0, len(data), random.integers(1, 6)):
            flipped[at] = random.integers(0, 256)
        try:
            levels, *_ = _kernels.read_jpeg(bytes(flipped))
        except ValueError:
            continue
        n_read += 1
        assert all(level.min() >= -2048 and level.max() <= 2047 for level in levels)
    assert n_read


def test_a_header_alone_takes_no_memory() -> None:
    data = bytearray(made.encoded(made.picture(8, 8)))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(ValueError, match="fewer data"):
        _kernels.read_jpeg(bytes(data))


def test_a_refinement_stays_within_the_range_of_levels() -> None:
    """-1024 in steps of two bits' worth is -2048; the bit that its last scan adds would make it -2049."""

    def refined(bits: bytes) -> bytes:
        table = made.segment(0xDB, b"\0" + bytes([1] * 64))
        frame = made.segment(0xC2, b"\x08\0\x08\0\x08\x01\x01\x11\0")
        codes = made.segment(0xC4, b"\x00" + bytes((1, *[0] * 15)) + b"\0")
        codes += made.segment(0xC4, b"\x10" + bytes((1, 1, *[0] * 14)) + b"\x0b\0")  # of 11 bits; end of block
        scans = [(b"\x01\x01\0\0\0\0", b"\x7f"), (b"\x01\x01\0\x01\x3f\x01", b"\x3f\xfb")]
        scans.append((b"\x01\x01\0\x01\x3f\x10", bits))
        coded = b"".join(made.segment(0xDA, head) + data for head, data in scans)
        return b"\xff\xd8" + table + frame + codes + coded + b"\xff\xd9"

    assert _kernels.read_jpeg(refined(b"\x9f"))[0][0][0, 0, 1] == -2048
    with pytest.raises(ValueError, match="a coefficient out of range"):
        _kernels.read_jpeg(refined(b"\xbf"))


def test_steps_beyond_a_byte_are_refused() -> None:
    data = made.encoded(made.picture(8, 8), mode="L", quality=50)
    at = data.index(b"\xff\xdb")
    steps = data[at + 5 : at + 69]
    wide = made.segment(0xDB, b"\x10" + b"".join(bytes((0, step)) for step in steps))
    same = data[:at] + wide + data[at + 69 :]
    assert np.array_equal(_kernels.read_jpeg(same)[1][0], list(steps))
    with pytest.raises(ValueError, match="beyond 1 to 255"):
        _kernels.read_jpeg(same.replace(wide, wide[:-2] + b"\x01\x00"))


# --- when there is a lattice ----------------------------------------------------------------------


def coded(pixels: np.ndarray, **options: Any) -> Picture:
    return read(made.encoded(pixels, **{"quality": 85, **options}))


def test_the_coefficients_are_those_of_the_file(photo: np.ndarray) -> None:
    picture = coded(photo)
    lattice = from_jpeg(picture, 2)
    assert lattice is not None and lattice.tables is not None and lattice.samplings[0] == (2, 2)
    for plane, table in zip(lattice.planes, lattice.tables, strict=True):
        assert not np.any(plane % (PARTS * table.astype(np.int16)))
    from_decoded = from_pixels(picture.pixels, "420", (), 1)
    assert np.abs(lattice.half - from_decoded.half).mean() < 0.6
    assert np.abs(lattice.planes[0].astype(int) - from_decoded.planes[0]).mean() < 0.6 * PARTS


def test_pixels_that_changed_have_no_lattice(photo: np.ndarray) -> None:
    picture = coded(photo)
    assert from_jpeg(images.resize_to_max_side(picture, 100)) is None
    assert from_jpeg(images.resize_to_max_side(picture, 1000)) is not None
    assert from_jpeg(images.convert_to_srgb(picture)) is not None  # sRGB it is already
    assert from_jpeg(Picture(picture.pixels, source=picture.source)) is None
    assert from_jpeg(read(made.encoded(photo, "PNG"))) is None
    assert from_jpeg(read(photo)) is None
    # Should someone forget to say so.
    assert from_jpeg(replace(picture, pixels=np.roll(picture.pixels, 1, axis=1))) is None
    assert from_jpeg(replace(picture, pixels=np.ascontiguousarray(picture.pixels[:-8]))) is None


def test_another_sampling_than_the_sources_goes_by_pixels(photo: np.ndarray) -> None:
    picture = coded(photo, subsampling=1)
    for chroma, on_it in (("keep", True), ("422", True), ("420", False), ("444", False)):
        encoder = Rdo(chroma=chroma).start(picture, None, 1)
        assert isinstance(encoder, RdoSession)
        assert (encoder.signal.coefficients.tables is not None) == on_it


# --- coding again ---------------------------------------------------------------------------------


def test_tables_are_multiples_of_the_sources() -> None:
    source_steps = np.array([10, 10, 10, 10, 3, 99, 200] + [1] * 57, np.uint16)
    ours = np.array([4, 14, 15, 32, 4, 255, 255] + [7] * 57, np.uint16)
    assert on_lattice(ours, source_steps).tolist() == [10, 10, 20, 40, 3, 198, 200] + [7] * 57
    for step, multiple in ((19, 1), (20, 3), (39, 3), (40, 5)):  # of DC, never between two of the source's values
        ours[0] = step
        assert on_lattice(ours, source_steps)[0] == multiple * 10


def test_far_from_the_source_our_tables_stand_as_they_are() -> None:
    ours, fine = np.full(64, 24, np.uint16), np.full(64, 5, np.uint16)
    chroma = np.full(64, 31, np.uint16)
    assert [table[1] for table in for_source([ours, chroma], [fine, fine])] == [24, 31]
    fine[0] = 40  # no step is finer than the source's
    assert for_source([ours, chroma], [fine, fine])[0].tolist() == [40] + [24] * 63
    near = np.full(64, 7, np.uint16)
    assert [table[1] for table in for_source([ours, chroma], [near, near])] == [28, 35]


def test_a_map_on_a_fine_source_is_followed_as_well_as_on_pixels() -> None:
    """Without the guard, whose strength would be another on either way."""
    from skimage import data

    differences = []
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        jpeg = plain.encode(np.ascontiguousarray(getattr(data, name)()[:300, :400]), 94)
        pixels = plain.decode(jpeg)
        saliency = np.zeros(pixels.shape[:2], np.float32)
        saliency[60:200, 120:260] = 1
        for target in (30, 50):
            by_lattice, by_pixels = (
                metrics.psnr_db(pixels[60:200, 120:260], plain.decode(result.data)[60:200, 120:260])
                for result in (
                    msroi.compress(image, quality=target, saliency=saliency, guard=False) for image in (jpeg, pixels)
                )
            )
            differences.append(by_lattice - by_pixels)
    assert np.mean(differences) > -0.02


def test_a_finer_target_gives_the_source_itself(photo: np.ndarray) -> None:
    for options in ({}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}):
        picture = coded(photo[:101, :203], quality=60, **options)
        encoder = Rdo().start(picture, None, 1)
        match = land_within(encoder, 0.0, 1.0, 10 * len(picture.source.data))
        assert np.array_equal(plain.decode(match.data), picture.pixels)
        assert len(match.data) < len(picture.source.data)


# On a fine lattice there is little to gain, and a jump of steps moves some .2 dB.
@pytest.mark.parametrize(
    ("quality", "target", "gain_db"), [(75, 50, 1.0), (85, 50, 0.1), (75, 30, 0.0), (92, 50, -0.3), (97, 30, -0.3)]
)
def test_the_lattice_is_better_than_the_pixels(photo: np.ndarray, quality: int, target: int, gain_db: float) -> None:
    picture = coded(photo, quality=quality)
    budget = len(plain.encode(picture.pixels, target))
    psnr = []
    for lattice in (from_jpeg(picture), None):
        match = land_within(RdoSession.of(picture.pixels, PRESETS["default"], source=lattice), 0.0, 1.0, budget)
        assert 0.99 * budget <= len(match.data) <= budget
        psnr.append(metrics.psnr_db(picture.pixels, plain.decode(match.data)))
    assert psnr[0] >= psnr[1] + gain_db


def test_sizes_rise_with_the_setting(photo: np.ndarray) -> None:
    picture = coded(photo, quality=75)
    prepared = Rdo().start(picture, None, 1).near(0.55)
    sizes = [len(prepared.encode(setting)) for setting in np.linspace(0.3, 1, 15)]
    assert all(after >= 0.995 * before for before, after in itertools.pairwise(sizes))


@pytest.mark.parametrize("size", [(1, 1), (9, 7), (45, 67)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_any_size_and_sampling(size: tuple[int, int], mode: str, subsampling: int) -> None:
    data = made.encoded(made.picture(*size), mode=mode, quality=90, subsampling=subsampling)
    picture = read(data)
    encoders = [Rdo().start(picture, None, threads) for threads in (1, 3)]
    files = [encoder.near(0.5).encode(0.5) for encoder in encoders]
    assert files[0] == files[1]
    assert plain.decode(files[0]).shape == picture.pixels.shape
    if mode == "RGB":
        assert _kernels.read_jpeg(files[0])[2] == _kernels.read_jpeg(data)[2]


def test_cut_blocks_weigh_what_is_seen_of_them() -> None:
    shares = source.seen_shares(17, 12)
    assert shares.shape == (3, 2)
    assert shares.tolist() == [[1, 0.5], [1, 0.5], [0.125, 0.0625]]


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_the_guards_strips_are_those_of_the_pixels(subsampling: int) -> None:
    small = made.picture(120, 97)
    picture = coded(np.ascontiguousarray(np.tile(small, (10, 9, 1))), subsampling=subsampling)
    lattice = from_jpeg(picture)
    assert lattice is not None
    rows = guard.sampled_rows(*picture.pixels.shape[:2])
    assert len(rows) < len(picture.pixels)
    part = source.strips(lattice, rows)
    pixels, _ = guard.sample(picture.pixels, np.ones((150, 110), np.float32))
    name = {0: "444", 1: "422", 2: "420"}[subsampling]
    by_pixels = from_pixels(pixels, name, (), 1)
    assert [plane.shape for plane in part.planes] == [plane.shape for plane in by_pixels.planes]
    assert np.abs(part.half - by_pixels.half).mean() < 1
    assert np.abs(dc_of(part.planes[0]) - dc_of(by_pixels.planes[0])).mean() < 1


def test_a_guarded_map_on_a_large_source() -> None:
    small = made.picture(120, 97)
    picture = coded(np.ascontiguousarray(np.tile(small, (10, 9, 1))))
    saliency = np.zeros(picture.pixels.shape[:2], np.float32)
    saliency[300:700, 200:600] = 1
    encoder = Rdo().start(picture, Steering.of(saliency), 2)
    match = land_within(encoder, 0.0, 1.0, len(plain.encode(picture.pixels, 50)))
    assert plain.decode(match.data).shape == picture.pixels.shape


def test_compress_is_idempotent_and_forced_again_loses_little(photo: np.ndarray) -> None:
    data = made.encoded(photo, quality=90)
    flat = np.full((2, 2), 0.5, np.float32)
    first = msroi.compress(data, quality=60, saliency=flat)
    assert msroi.compress(first.data, quality=60, saliency=flat).data == first.data
    again = msroi.compress(first.data, quality=60, saliency=flat, force=True)
    pixels = [plain.decode(file) for file in (first.data, again.data)]
    assert len(again.data) <= len(first.data)
    assert metrics.psnr_db(*pixels) > metrics.psnr_db(plain.decode(data), pixels[0]) + 4


def test_a_target_finer_than_the_source_never_loses(photo: np.ndarray) -> None:
    data = made.encoded(photo, quality=70)
    result = msroi.compress(data, quality=95, saliency=np.full((2, 2), 0.5, np.float32))
    assert len(result.data) < len(data)
    assert np.array_equal(plain.decode(result.data), plain.decode(data))
