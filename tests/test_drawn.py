"""Screens, pages and drawings are told from photos, and no map is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_made import DRAWN_ONES, page
from PIL import Image

import msroi
from msroi.codecs.jpeg import plain
from msroi.drawn import DRAWN, TILES_ENOUGH, is_drawn, share_drawn
from msroi.images import read
from msroi.saliency import kinds, make_map
from msroi.saliency.sources import Sources
from msroi.saliency.steering import steer


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
        assert found.values == 0.5 and found.notice.startswith("drawing or screen: ")
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
    boxed = steer(Sources.of(focus=[(10, 20, 60, 50)]), read(screen)).followed()
    assert boxed[20:70, 10:70].min() == 1 and boxed[200, 300] == 0.5
    own = np.zeros((24, 32), np.float32)
    own[:12] = 1
    steering = steer(Sources.of(saliency=own), read(screen))
    assert np.ptp(steering.followed()) == 1 and steering.notice == ""
