"""The step of DC in dark pictures."""

from __future__ import annotations

import numpy as np

import msroi
from msroi import metrics
from msroi.codecs.jpeg import plain
from msroi.codecs.jpeg.coefficients import from_pixels
from msroi.codecs.jpeg.rdo.dark import dark_blocks


def dark_page(ground: int) -> np.ndarray:
    """Light lines on a dark ground, grey."""
    pixels = np.full((160, 240), ground, np.uint8)
    pixels[20:140:12, 16:220:3] = 200
    return pixels


def test_steps_meet_dark_grounds() -> None:
    for ground in (3, 5, 11, 14):
        coefficients = from_pixels(dark_page(ground), "420", (), 1)
        blocks = dark_blocks(coefficients.planes[0], coefficients.limits)
        for step in (7, 10, 13, 24):
            best = blocks.best_step(step)
            assert 0.75 * step <= best <= 1.25 * step
            assert blocks.loss(best) <= blocks.loss(step)


def test_the_loss_is_that_of_ssims_luminance_term() -> None:
    pixels = np.full((64, 64), 6, np.uint8)
    coefficients = from_pixels(pixels, "420", (), 1)
    blocks = dark_blocks(coefficients.planes[0], coefficients.limits)
    step = 7  # -976 / 7 is 139.4: -973, whose mean is 6.375
    exact = 1 - (2 * 6 * 6.375 + 6.5025) / (6**2 + 6.375**2 + 6.5025)
    assert abs(blocks.loss(step) - exact) < 0.1 * exact


def test_light_pictures_and_black_keep_their_step() -> None:
    for pixels in (np.zeros((32, 32), np.uint8), np.full((32, 32), 120, np.uint8)):
        coefficients = from_pixels(pixels, "420", (), 1)
        assert dark_blocks(coefficients.planes[0], coefficients.limits).best_step(9) == 9


def test_dark_pages_are_no_worse_than_plain() -> None:
    for ground in (4, 9, 13, 22):
        pixels = dark_page(ground)
        for quality in (15, 25, 40, 60):
            ours = plain.decode(msroi.compress(pixels, quality=quality, map_kind="none").data)
            theirs = plain.decode(plain.encode(pixels, quality))
            assert metrics.ssim(pixels, ours) > metrics.ssim(pixels, theirs) - 0.0005
