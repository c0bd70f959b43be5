"""Black stays black and white stays white: areas at 0 and 255 decode to 0 and 255, at every quality."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

import msroi
from msroi.codecs.jpeg import coefficients

QUALITIES = (10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95)


def disc_on_black() -> np.ndarray:
    y, x = np.mgrid[:200, :300]
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[np.hypot(y - 100, x - 150) < 60] = (200, 120, 90)
    return pixels


def noise_on_black() -> np.ndarray:
    pixels = np.zeros((160, 240, 3), np.uint8)
    pixels[64:112, 80:160] = np.random.default_rng(1).integers(60, 200, (48, 80, 3))
    return pixels


def page() -> np.ndarray:
    image = Image.new("RGB", (300, 200), "white")
    draw = ImageDraw.Draw(image)
    for line in range(6):
        draw.text((10, 10 + 20 * line), "The quick brown fox jumps", fill=(0, 0, 0) if line % 2 else (200, 0, 0))
    return np.asarray(image)


def grey_page() -> np.ndarray:
    return np.asarray(Image.fromarray(page()).convert("L"))


def halves() -> np.ndarray:
    pixels = np.zeros((127, 255, 3), np.uint8)
    pixels[:, 128:] = 255
    return pixels


MADE = (disc_on_black, noise_on_black, page, grey_page, halves)


def flat_areas(pixels: np.ndarray, value: int) -> np.ndarray:
    """Pixels of MCUs that are all at `value`, their neighbours, too: chroma is coded and enlarged over MCUs."""
    flat = np.atleast_3d(pixels == value).all(axis=2)
    down, across = (-side % 16 for side in flat.shape)
    mcus = np.pad(flat, ((0, down), (0, across)), constant_values=True)
    mcus = mcus.reshape(mcus.shape[0] // 16, 16, -1, 16).all(axis=(1, 3))
    around = np.pad(mcus, 1, constant_values=True)
    rows, columns = mcus.shape
    inner = np.all([around[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0)
    return np.kron(inner, np.ones((16, 16), bool))[: flat.shape[0], : flat.shape[1]]


def assert_limits_stay(pixels: np.ndarray, jpeg: bytes) -> None:
    decoded = np.asarray(Image.open(io.BytesIO(jpeg)))
    n_areas = 0
    for value in (0, 255):
        area = flat_areas(pixels, value)
        n_areas += area.any()
        assert np.all(decoded[area] == value)
    assert n_areas


@pytest.mark.parametrize("make", MADE)
def test_pixels_at_a_limit_stay_there(make) -> None:
    for quality in QUALITIES:
        assert_limits_stay(make(), msroi.compress(make(), quality=quality, map_kind="none").data)


@pytest.mark.parametrize("quality", [75, 90, 97])
@pytest.mark.parametrize("make", MADE)
def test_jpeg_sources_at_a_limit_stay_there(make, quality: int) -> None:
    buffer = io.BytesIO()
    Image.fromarray(make()).save(buffer, "JPEG", quality=quality)
    source = buffer.getvalue()
    pixels = np.asarray(Image.open(io.BytesIO(source)))
    for target in (10, 30, 50, 70):
        result = msroi.compress(source, quality=target, map_kind="none", force=True)
        assert_limits_stay(pixels, result.data)


def test_blocks_at_limits_are_those_of_the_pixels() -> None:
    pixels = np.full((20, 40), 128, np.uint8)
    pixels[:8, :8], pixels[8:, 32:], pixels[8:16, :8] = 0, 255, 0
    pixels[9, 3] = 1
    limits = coefficients.from_pixels(pixels, "420", (), 1).limits
    expected = np.zeros((3, 5), np.int8)
    expected[0, 0], expected[1:, 4] = -1, 1
    assert np.array_equal(limits, expected)
