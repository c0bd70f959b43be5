"""Codecs: the table, plain against Pillow, the two-pass encoder against its definition, foreign decoders."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from msroi import metrics
from msroi.codecs.jpeg import CODECS, lossless, make_codec, plain
from msroi.codecs.jpeg.two_pass import TwoPass
from msroi.errors import OptionError, SaliencyError
from msroi.images import Picture
from msroi.saliency.steering import Steering


def centre_map(height: int, width: int) -> np.ndarray:
    """DESIGN section 12: a Gaussian in the middle, sigma a quarter of each side."""
    y, x = np.mgrid[:height, :width]
    down, across = (y - (height - 1) / 2) / (height / 4), (x - (width - 1) / 2) / (width / 4)
    return np.exp(-(down**2 + across**2) / 2).astype(np.float32)


def pillow_jpeg(pixels: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def literal_composite(pixels: np.ndarray, saliency: np.ndarray, codec: TwoPass) -> np.ndarray:
    """The paper's first pass as it is written down: the whole picture once per level."""
    level = np.minimum(codec.levels - 1, np.floor(codec.levels * saliency)).astype(int)
    decoded = [np.asarray(Image.open(io.BytesIO(pillow_jpeg(pixels, q)))) for q in codec.level_qualities]
    result = np.empty_like(pixels)
    for y, x in np.ndindex(*level.shape):
        result[y, x] = decoded[level[y, x]][y, x]
    return result


# --- the table ------------------------------------------------------------------------------------


def test_an_unknown_method_lists_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"^method: got 'jpegli', allowed: rdo, two-pass, plain"):
        make_codec("jpegli")


def test_options_go_to_the_codec_that_has_them() -> None:
    assert make_codec("two-pass", {"q_low": 20, "levels": 9, "chroma": "keep"}) == TwoPass(20, 70, 9)
    assert make_codec("plain", {"q_low": 30}) == plain.Plain()


@pytest.mark.parametrize(
    ("method", "option", "value"),
    [
        ("plain", "q_low", 20),
        ("plain", "levels", 3),
        ("two-pass", "chroma", "444"),
        ("two-pass", "tune", "psnr"),
        ("two-pass", "guard", False),
        ("plain", "baseline", 1),
    ],
)
def test_what_a_codec_cannot_honour_is_refused(method: str, option: str, value: object) -> None:
    with pytest.raises(OptionError, match=rf"^{option}: got .*, allowed with method {method}: "):
        make_codec(method, {option: value})


@pytest.mark.parametrize("method", ["two-pass", "plain"])
def test_what_a_codec_does_anyway_is_accepted(method: str) -> None:
    codec = make_codec(method, {"chroma": "420", "baseline": True, "tune": "default", "guard": True})
    assert codec == make_codec(method)


# --- plain ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("quality", [1, 30, 75, 100])
def test_plain_is_pillows_jpeg(photo: np.ndarray, quality: int) -> None:
    assert plain.encode(photo, quality) == pillow_jpeg(photo, quality)
    assert plain.encode(photo[..., 0].copy(), quality) == pillow_jpeg(photo[..., 0].copy(), quality)
    encoder = make_codec("plain").start(Picture(photo), None, 1)
    assert encoder.encode(quality) == pillow_jpeg(photo, quality)


def test_plain_decodes_to_what_pillow_decodes(photo: np.ndarray) -> None:
    data = plain.encode(photo, 60)
    assert np.array_equal(plain.decode(data), np.asarray(Image.open(io.BytesIO(data))))


# --- two-pass -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "qualities"),
    [
        (TwoPass(), (30, 40, 50, 60, 70)),
        (TwoPass(levels=1), (50,)),
        (TwoPass(levels=2), (30, 70)),
        (TwoPass(q_low=1, q_high=100, levels=3), (1, 51, 100)),
        (TwoPass(q_low=60, q_high=60, levels=3), (60, 60, 60)),
    ],
)
def test_qualities_of_the_levels(codec: TwoPass, qualities: tuple[int, ...]) -> None:
    assert codec.level_qualities == qualities


def test_more_levels_than_qualities_are_allowed() -> None:
    qualities = TwoPass(levels=256).level_qualities
    assert len(qualities) == 256
    assert set(qualities) == set(range(30, 71))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"q_low": 0}, "q_low: got 0, allowed: a whole number from 1 to 100"),
        ({"q_high": 101}, "q_high: got 101"),
        ({"q_low": 80}, "q_low: got 80, allowed: at most `q_high`, 70"),
        ({"levels": 0}, "levels: got 0, allowed: a whole number from 1 to 256"),
        ({"levels": 2.5}, "levels: got 2.5"),
        ({"q_low": True}, "q_low: got True"),
        ({"q_low": "30"}, "q_low: got '30'"),
    ],
)
def test_two_pass_refuses_what_makes_no_sense(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=f"^{message}"):
        TwoPass(**options)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (9, 33), (256, 40), (257, 31), (290, 50)])
def test_composite_is_the_papers_though_made_strip_by_strip(
    photo: np.ndarray, height: int, width: int, grey: bool
) -> None:
    tall = np.concatenate([photo, photo[::-1]])
    colour = np.ascontiguousarray(tall[:height, 100 : 100 + width])
    pixels = colour[..., 1].copy() if grey else colour
    before = pixels.copy()
    for codec in (TwoPass(), TwoPass(levels=1), TwoPass(5, 95, 3)):
        saliency = centre_map(height, width)
        composite = codec.composite(pixels, saliency, threads=2)
        assert np.array_equal(composite, literal_composite(pixels, saliency, codec))
        assert np.array_equal(composite, codec.composite(pixels, saliency, threads=1))
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize(("value", "quality"), [(0.0, 30), (0.1999, 30), (0.2, 40), (0.999, 70), (1.0, 70)])
def test_a_map_of_one_value_is_one_level(photo: np.ndarray, value: float, quality: int) -> None:
    saliency = np.full(photo.shape[:2], value, np.float32)
    assert np.array_equal(TwoPass().composite(photo, saliency), plain.decode(plain.encode(photo, quality)))


def test_second_pass_is_plain_over_the_composite(photo: np.ndarray) -> None:
    saliency = centre_map(*photo.shape[:2])
    encoder = TwoPass().start(Picture(photo), Steering.of(saliency), 2)
    assert list(encoder.knob.values) == list(range(1, 101))
    assert encoder.encode(55) == pillow_jpeg(TwoPass().composite(photo, saliency), 55)


def test_two_pass_needs_a_map_of_the_pictures_shape(photo: np.ndarray) -> None:
    with pytest.raises(SaliencyError, match=r"\(256, 384\), got none"):
        TwoPass().start(Picture(photo), None, 1)
    with pytest.raises(SaliencyError, match=r"got one of shape \(384, 256\)"):
        TwoPass().start(Picture(photo), Steering.of(np.zeros((384, 256), np.float32)), 1)


def test_two_pass_is_better_inside_the_map_than_outside(photo: np.ndarray) -> None:
    saliency = centre_map(*photo.shape[:2])
    data = TwoPass(10, 90).start(Picture(photo), Steering.of(saliency), 2).encode(90)
    decoded = plain.decode(data)
    inside = metrics.psnr_db(photo, decoded, (saliency > 0.7).astype(float))
    outside = metrics.psnr_db(photo, decoded, (saliency < 0.2).astype(float))
    assert inside > outside + 3
    assert outside > 24


# --- other decoders -------------------------------------------------------------------------------


def planes_of_pillow(data: bytes) -> list[np.ndarray]:
    """Y, Cb, Cr as Pillow decodes them, at the size of the picture."""
    image = Image.open(io.BytesIO(data))
    image.draft("YCbCr", image.size)
    return [np.asarray(plane) for plane in image.split()]


def planes_of_ffmpeg(data: bytes) -> list[np.ndarray]:
    """Y, Cb, Cr as FFmpeg decodes them, chroma at half the size."""
    av = pytest.importorskip("av")
    with av.open(io.BytesIO(data), format="jpeg_pipe") as container:
        frame = next(container.decode(video=0))
    assert frame.format.name in ("yuvj420p", "gray")
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        planes.append(rows[:, : plane.width])
    return planes


@pytest.mark.parametrize("method", list(CODECS))
@pytest.mark.parametrize("quality", [30, 75])
def test_foreign_decoders_read_the_same(photo: np.ndarray, method: str, quality: int) -> None:
    # Each 2 x 2 pixels alike: then chroma at half size is all there is, and no way of enlarging it differs.
    pixels = np.ascontiguousarray(photo[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)[:250, :374])
    encoder = make_codec(method).start(Picture(pixels), Steering.of(centre_map(250, 374)), 1)
    data = encoder.encode(quality)
    with_opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(with_opencv.astype(int) - plain.decode(data)).max() <= 1
    luma, *chroma = planes_of_pillow(data)
    other_luma, *other_chroma = planes_of_ffmpeg(data)
    assert np.abs(luma.astype(int) - other_luma).max() <= 1
    for plane, other in zip(chroma, other_chroma, strict=True):
        # libjpeg enlarges chroma by a triangle filter; the same filter on FFmpeg's plane.
        assert np.abs(plane.astype(int) - triangle(other, plane.shape)).max() <= 1


def triangle(plane: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """libjpeg's h2v2_fancy_upsample: 3/4 of the nearer, 1/4 of the farther sample in each direction."""
    padded = np.pad(plane.astype(int), 1, mode="edge")
    near = padded[1:-1]
    rows = np.empty((2 * len(plane), padded.shape[1]), int)
    rows[0::2], rows[1::2] = 3 * near + padded[:-2], 3 * near + padded[2:]
    centre = rows[:, 1:-1]
    result = np.empty((len(rows), 2 * plane.shape[1]), int)
    result[:, 0::2] = (3 * centre + rows[:, :-2] + 8) >> 4
    result[:, 1::2] = (3 * centre + rows[:, 2:] + 7) >> 4
    return result[: shape[0], : shape[1]]


def test_a_grey_file_reads_the_same_everywhere(photo: np.ndarray) -> None:
    grey = np.ascontiguousarray(photo[..., 1])
    data = TwoPass().start(Picture(grey), Steering.of(centre_map(*grey.shape)), 1).encode(60)
    with_pillow = plain.decode(data).astype(int)
    with_opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.abs(with_pillow - with_opencv).max() <= 1
    assert np.abs(with_pillow - planes_of_ffmpeg(data)[0]).max() <= 1


# --- lossless -------------------------------------------------------------------------------------


def test_optimised_is_smaller_and_the_same_picture(photo: np.ndarray) -> None:
    data = plain.encode(photo, 80)
    smaller = lossless.optimise(data)
    assert smaller is not None
    assert len(smaller) < len(data)
    assert np.array_equal(plain.decode(smaller), plain.decode(data))
    assert lossless.optimise(smaller) is None


def test_what_the_optimiser_cannot_do_is_left_alone(photo: np.ndarray) -> None:
    assert lossless.optimise(b"no JPEG") is None
    assert lossless.optimise(plain.encode(photo, 80)[:2000]) is None


@pytest.mark.parametrize("name", ["jpg_crash_dc-predictor-overflow.jpg", "jpg_imagetestsuite_5482a546.jpg"])
def test_the_optimisers_exit_does_not_end_the_process(shared_data: Callable[..., Path], name: str) -> None:
    # mozjpeg's libjpeg calls exit() on these: "DCT coefficient out of range".
    assert lossless.optimise(shared_data("robust", "damaged", name).read_bytes()) is None
