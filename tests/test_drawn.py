"""Screens, pages and drawings are told from photos, and no map is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

import msroi
from msroi.images import read
from msroi.jpeg import plain
from msroi.saliency import hints, kinds, make_map
from msroi.saliency.drawn import DRAWN, TILES_ENOUGH, is_drawn, share_drawn

Colour = tuple[int, int, int]
WORDS = ["bytes", "are", "spent", "where", "people", "look", "and", "weigh", "more", "than", "what", "nobody", "sees"]


def page(ground: Colour = (255, 255, 255), inks: tuple[Colour, ...] = ((0, 0, 0),), scale: int = 1) -> np.ndarray:
    """Lines of words in Pillow's own font, 240 x 320 times `scale`."""
    image = Image.new("RGB", (320, 240), ground)
    draw = ImageDraw.Draw(image)
    for row in range(16):
        x = 10 + 12 * (row % 3)
        for i in range(4 + row % 3):
            word = WORDS[(5 * row + i) % len(WORDS)]
            draw.text((x, 6 + 14 * row), word, fill=inks[(row + i) % len(inks)])
            x += int(draw.textlength(word)) + 7
    return np.tile(np.asarray(image), (scale, scale, 1))


def with_fringes(pixels: np.ndarray) -> np.ndarray:
    """The page as subpixels show it: each third of a pixel from its own place, through the usual filter of five."""
    wide = np.repeat(pixels.astype(np.float64), 3, axis=1).mean(axis=2)
    wide = cv2.filter2D(np.roll(wide, 1, axis=1), -1, np.array([[1, 2, 3, 2, 1]]) / 9)
    return wide.reshape(*pixels.shape[:2], 3).astype(np.uint8)


def drawing() -> np.ndarray:
    """Discs and bars with outlines over a ramp from one colour to another."""
    ramp = np.linspace((40, 90, 160), (160, 200, 230), 300)[:, None]
    image = Image.fromarray(np.broadcast_to(ramp, (300, 400, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for i in range(24):
        x, y, r = 29 + (97 * i) % 350, 30 + (61 * i) % 240, 10 + (7 * i) % 26
        shape = draw.ellipse if i % 2 else draw.rectangle
        shape((x - r, y - r, x + r, y + r), fill=((83 * i) % 256, (151 * i) % 256, (47 * i) % 256), outline=(0, 0, 0))
    return np.asarray(image)


DRAWN_ONES = {
    "text": page(),
    "grey": page()[..., 0],
    "dark, in colours": page((30, 30, 36), ((86, 156, 214), (206, 145, 120), (220, 220, 220))),
    "fringes": with_fringes(page()),
    "drawing": drawing(),
    "large": page(scale=7),
}


@pytest.mark.parametrize("name", DRAWN_ONES)
def test_text_and_drawings_are_drawn(name: str) -> None:
    assert is_drawn(DRAWN_ONES[name])


def test_photos_are_not(photo: np.ndarray) -> None:
    twice = cv2.resize(photo, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(4).integers(0, 256, (300, 300, 3), np.uint8)
    for pixels in (photo, photo[..., 1], twice, noise):
        assert share_drawn(pixels) < 0.1


def test_a_subject_cut_out_on_white_is_not(photo: np.ndarray) -> None:
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    inside = np.hypot(y - 128, x - 160) < 110
    assert share_drawn(np.where(inside[..., None], photo, np.uint8(255))) < DRAWN / 2


def test_a_page_with_a_photo_counts_by_its_larger_part(photo: np.ndarray) -> None:
    mixed = page(scale=2).copy()
    mixed[:160, :200] = photo[:160, :200]
    assert is_drawn(mixed)
    mixed = np.tile(photo, (2, 2, 1))
    mixed[-100:, :200] = page()[:100, :200]
    assert not is_drawn(mixed)


@pytest.mark.parametrize("size", [(1, 1), (16, 900), (17, 17), (900, 16), (66, 300), (129, 65), (3, 20_000)])
def test_every_size_is_answered(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    assert share_drawn(pixels) == 0 and not is_drawn(np.full(size, 200, np.uint8))


def test_little_is_no_ground_to_judge_by() -> None:
    blank = np.full((240, 320, 3), 255, np.uint8)
    blank[:40, :60] = page()[:40, :60]
    assert not is_drawn(blank) and TILES_ENOUGH > 12


def test_the_map_of_a_screen_is_flat_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from msroi.cli import main

    screen = DRAWN_ONES["dark, in colours"]
    for kind in ("ms-roi", "objects", "ms-roi-labels"):
        found = kinds.find_map(screen, kind)
        assert np.all(found.saliency == 0.5) and found.notice.startswith("drawing or screen: ")
    assert kinds.find_map(screen, "none").notice == ""
    assert np.all(make_map(screen, quality="high") == 0.5)
    Image.fromarray(screen).save(tmp_path / "screen.png")
    assert main(["map", str(tmp_path / "screen.png"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["minimum"] == facts["maximum"] == 0.5 and facts["notices"] == [found.notice]


def test_a_screen_is_coded_evenly_unless_the_user_says_where() -> None:
    screen = DRAWN_ONES["fringes"]
    even = msroi.compress(screen, quality=50)
    assert any(notice.startswith("drawing or screen") for notice in even.report.notices)
    without = msroi.compress(screen, quality=50, map_kind="none")
    assert np.array_equal(plain.decode(even.data), plain.decode(without.data))
    boxed = hints.steer(hints.Hints(focus=[(10, 20, 60, 50)]), read(screen)).saliency
    assert boxed[20:70, 10:70].min() == 1 and boxed[200, 300] == 0.5
    own = np.zeros((24, 32), np.float32)
    own[:12] = 1
    followed = hints.steer(hints.Hints(own), read(screen))
    assert np.ptp(followed.saliency) == 1 and followed.notice == ""
