"""Whether full chroma is needed: coloured text yes, photos, grey and what was halved before no."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from msroi import metrics
from msroi.codecs.jpeg import plain
from msroi.codecs.jpeg.rdo import sampling
from msroi.codecs.jpeg.rdo.codec import Rdo
from msroi.codecs.jpeg.rdo.session import RdoSession
from msroi.codecs.jpeg.rdo.tables import PRESETS, RADIUS
from msroi.images import Picture, read
from msroi.search.landing import land_within

STEPS = PRESETS["default"].steps


def lines(ink: tuple[int, int, int], ground: tuple[int, int, int], size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """Thin strokes, as of small text."""
    image = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(image)
    for i in range(6, size[0], 9):
        draw.line((i, 8, size[0] - i, size[1] - 8), fill=ink)
        draw.text((i, (i * 5) % (size[1] - 10)), "ink", fill=ink)
    return np.asarray(image)


RED_ON_BLUE = lines((255, 30, 30), (0, 0, 150))


def error_oracle(pixels: np.ndarray) -> np.ndarray:
    """Errors of blocks in RGB where each pair of pixels, and of rows, has its mean chroma, enlarged by the triangle."""

    def enlarged(small: np.ndarray) -> np.ndarray:
        before, after = np.concatenate([small[:1], small[:-1]]), np.concatenate([small[1:], small[-1:]])
        return np.stack([0.75 * small + 0.25 * before, 0.75 * small + 0.25 * after], axis=1).reshape(-1, small.shape[1])

    def lost(plane: np.ndarray) -> np.ndarray:
        height, width = plane.shape
        small = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
        return plane - enlarged(enlarged(small).T).T

    red, green, blue = (pixels[..., i].astype(np.float64) for i in range(3))
    cb = lost(-0.168735892 * red - 0.331264108 * green + 0.5 * blue)
    cr = lost(0.5 * red - 0.418687589 * green - 0.081312411 * blue)
    shown = np.stack([1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb])
    return (shown**2).mean(axis=0).reshape(pixels.shape[0] // 8, 8, -1, 8).mean(axis=(1, 3))


def test_errors_of_blocks_are_those_in_rgb() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (64, 48, 3), np.uint8)
    np.testing.assert_allclose(sampling._errors(pixels, (), 1), error_oracle(pixels), rtol=1e-3)


@pytest.mark.parametrize(
    ("pixels", "needed"),
    [
        (RED_ON_BLUE, True),
        (lines((220, 0, 0), (255, 255, 255)), True),
        (lines((0, 0, 0), (255, 255, 255)), False),
        (lines((255, 255, 255), (0, 0, 0)), False),
        (RED_ON_BLUE[..., 0], False),
        (np.full((40, 40, 3), (255, 0, 0), np.uint8), False),
    ],
)
def test_what_needs_full_chroma(pixels: np.ndarray, needed: bool) -> None:
    assert sampling.needs_full_chroma(pixels, STEPS) == needed


def test_a_photo_does_not_and_with_a_red_caption_does(photo: np.ndarray) -> None:
    assert not sampling.needs_full_chroma(photo, STEPS)
    captioned = photo.copy()
    captioned[-40:, :160] = RED_ON_BLUE[:40]
    assert sampling.needs_full_chroma(captioned, STEPS)


def test_what_was_halved_before_does_not() -> None:
    decoded = plain.decode(plain.encode(RED_ON_BLUE, 90))
    assert sampling.share_harmed(decoded, STEPS) == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 3), (17, 33), (130, 8), (8, 70_000), (70_000, 8)])
def test_every_size_has_a_share(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    assert 0 <= sampling.share_harmed(pixels, STEPS) <= 1


def test_large_pictures_are_sampled_and_threads_change_nothing() -> None:
    pixels = np.tile(RED_ON_BLUE, (16, 12, 1))  # 1920 x 1920
    tops = sampling._tops(*pixels.shape[:2])
    assert len(tops) < 30 and tops[0] == 0 and max(tops) == 1920 - sampling.STRIP
    shares = {sampling.share_harmed(pixels, STEPS, threads) for threads in (1, 3)}
    assert len(shares) == 1
    assert shares.pop() == pytest.approx(sampling.share_harmed(RED_ON_BLUE, STEPS), abs=0.05)


def chroma_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.layer[0][1:3]


def test_auto_takes_what_is_needed_and_keep_does_not(photo: np.ndarray) -> None:
    factors = {}
    for name, pixels in {"photo": photo, "text": RED_ON_BLUE}.items():
        for chroma in ("auto", "keep"):
            factors[name, chroma] = chroma_of(Rdo(chroma=chroma).start(Picture(pixels), None, 1).encode(0.4))
    assert factors == {("photo", "auto"): (2, 2), ("photo", "keep"): (2, 2), ("text", "auto"): (1, 1)} | {
        ("text", "keep"): (2, 2)
    }


def test_auto_keeps_the_sampling_of_a_jpeg_source(photo: np.ndarray) -> None:
    for subsampling, expected in ((0, (1, 1)), (1, (2, 1)), (2, (2, 2))):
        buffer = io.BytesIO()
        Image.fromarray(photo).save(buffer, "JPEG", subsampling=subsampling, quality=90)
        encoder = Rdo(chroma="auto").start(read(buffer.getvalue()), None, 1)
        assert chroma_of(encoder.encode(0.4)) == expected


def test_at_equal_bytes_coloured_text_is_nearer_with_full_chroma() -> None:
    budget = len(plain.encode(RED_ON_BLUE, 50))
    errors = [
        metrics.mse(RED_ON_BLUE, plain.decode(land_within(encoder, 0.0, 1.0, budget).data))
        for encoder in (RdoSession.of(RED_ON_BLUE, PRESETS["default"], sampling=s) for s in ("420", "444"))
    ]
    assert errors[1] < errors[0] / 1.3


def test_steps_of_full_chroma_are_longer_and_errors_weigh_less() -> None:
    preset = PRESETS["default"]
    assert preset.shapes_for((2, 2)) == preset.shapes
    tables = [[shape.table(8.0) for shape in preset.shapes_for(factors)] for factors in ((2, 2), (2, 1), (1, 1))]
    assert np.array_equal(tables[0][0], tables[2][0])
    for component in (1, 2):
        middle = (RADIUS > 1) & (RADIUS < 6)
        assert np.all(tables[0][component][middle] < tables[1][component][middle])
        assert np.all(tables[1][component][middle] < tables[2][component][middle])
        weights = [preset.shapes_for(factors)[component].weight for factors in ((2, 2), (2, 1), (1, 1))]
        assert weights[0] > weights[1] > weights[2]
