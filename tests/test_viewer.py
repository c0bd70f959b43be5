"""The viewer of pages in a real browser: where it opens, its difference views, its jump; and the place it opens at."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser, Document
from PIL import Image

from msroi import metrics
from msroi.errors import ImageError
from msroi.report import Candidate, comparison_page, embed
from msroi.report.document import without_folders
from msroi.report.place import place_of_gain

SPOT = (96, 200, 60, 80)
"""Rows and columns (top, left, height, width) that the worse of two pictures spoils."""


def png_of(pixels: np.ndarray, name: str, reference: np.ndarray) -> Candidate:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return Candidate(name, buffer.getvalue(), 100, metrics.score(reference, pixels))


def spoiled(photo: np.ndarray, by: int = 20, spot: tuple[int, int, int, int] = SPOT) -> np.ndarray:
    top, left, height, width = spot
    result = photo.copy()
    part = result[top : top + height, left : left + width]
    part[:] = np.where(part > 127, part - by, part + by)
    return result


@pytest.fixture
def pair(photo: np.ndarray) -> list[Candidate]:
    """A picture that is wrong at one place, and one that is wrong by less at another."""
    faint = spoiled(photo, 5, (180, 20, 60, 80))
    return [png_of(spoiled(photo), "bad", photo), png_of(faint, "faint", photo)]


@pytest.fixture
def opened(browser: Browser, photo: np.ndarray, pair: list[Candidate], tmp_path: Path) -> Iterator[Browser]:
    browser.resize(1000, 900)
    browser.open(comparison_page("t", photo, pair), tmp_path)
    yield browser
    assert browser.errors() == []


def click(browser: Browser, element: str) -> None:
    browser.run("document.getElementById(arguments[0]).click()", element)


def text_of(browser: Browser, element: str) -> Any:
    return browser.run("return document.getElementById(arguments[0]).textContent", element)


def wait_for(browser: Browser, words: str) -> None:
    """Until the tag says so; a jump takes as long as its pictures' decoding."""
    browser.run(
        """const tag = document.getElementById('tag-state');
        await new Promise((done) => {
          const look = () => tag.textContent.startsWith(arguments[0]) && done();
          new MutationObserver(look).observe(tag, { childList: true });
          look();
        });""".replace("arguments[0]", repr(words))
    )


def pixels_at_100(browser: Browser) -> np.ndarray:
    """The part of the pictures that is seen when a pixel of theirs is one of the screen."""
    browser.run("document.querySelector('[data-zoom=\"1\"]').click()")
    box = browser.box("layers")
    top, left = round(box["top"]), round(box["left"])
    return browser.screenshot()[top : top + 256, left : left + 384].astype(int)


def point_in_view(browser: Browser) -> tuple[float, float]:
    """The pictures' point in the middle of the stage, in pixels of theirs."""
    stage, layers = browser.box("stage"), browser.box("layers")
    scale = layers["width"] / 384
    x = (stage["left"] + stage["width"] / 2 - layers["left"]) / scale
    return x, (stage["top"] + stage["height"] / 2 - layers["top"]) / scale


# --- difference and errors ----------------------------------------------------------------------


def test_difference_view_is_amplified_by_what_is_said(opened: Browser, photo: np.ndarray) -> None:
    click(opened, "mode-difference")
    seen = pixels_at_100(opened)
    assert text_of(opened, "tag-state") == "difference of the two, × 8"
    np.testing.assert_allclose(seen[110:150, 220:270], 160, atol=2)
    np.testing.assert_allclose(seen[190:230, 40:90], 40, atol=2)
    np.testing.assert_array_equal(seen[60:80, 300:370], 0)
    click(opened, "mode-slider")
    np.testing.assert_allclose(pixels_at_100(opened)[60:80, 300:370], photo[60:80, 300:370], atol=2)
    assert opened.run("return document.getElementById('tag-state').hidden") is True


def test_errors_stand_against_the_original_and_are_divided(opened: Browser) -> None:
    """Left of the divider the error of the left picture, right of it that of the right one."""
    opened.run("document.getElementById('gain').value = '4'")
    click(opened, "mode-errors")
    seen = pixels_at_100(opened)
    assert text_of(opened, "tag-state") == "error against the original, × 4"
    np.testing.assert_array_equal(seen[110:150, 220:270], 0)
    np.testing.assert_array_equal(seen[190:230, 40:90], 0)
    click(opened, "swap")
    seen = pixels_at_100(opened)
    np.testing.assert_allclose(seen[110:150, 220:270], 80, atol=2)
    np.testing.assert_allclose(seen[190:230, 40:90], 20, atol=2)


def test_views_are_reached_by_the_keyboard(opened: Browser) -> None:
    tab, enter = "\ue004", "\ue007"
    opened.run("document.getElementById('swap').focus()")
    opened.press(tab, tab, tab, enter)
    assert opened.run("return document.activeElement.id") == "mode-difference"
    assert opened.run("return document.getElementById('mode-difference').getAttribute('aria-pressed')") == "true"
    opened.press(tab, tab)
    assert opened.run("return document.activeElement.id") == "gain"
    opened.run("document.getElementById('stage').focus()")
    opened.press("e")
    assert opened.run("return document.getElementById('mode-errors').getAttribute('aria-pressed')") == "true"
    opened.press("e")
    assert opened.run("return document.getElementById('mode-slider').getAttribute('aria-pressed')") == "true"
    opened.press("l")
    assert opened.run("return document.getElementById('grip').getAttribute('aria-valuenow')") == "100"


# --- where it opens and goes --------------------------------------------------------------------


def test_jumps_to_where_the_two_differ_most_and_on(opened: Browser) -> None:
    opened.run("document.getElementById('stage').focus()")
    opened.press("j")
    wait_for(opened, "place 1 of ")
    x, y = point_in_view(opened)
    top, left, height, width = SPOT
    assert left <= x <= left + width and top <= y <= top + height
    assert text_of(opened, "tag-zoom") == "400 %"  # 200 % is what fits already
    n = int(text_of(opened, "tag-state").split()[-1])
    assert 2 <= n <= 5
    for place in [*range(2, n + 1), 1]:
        click(opened, "jump")
        wait_for(opened, f"place {place} of {n}")
    assert point_in_view(opened) == pytest.approx((x, y), abs=1)


def test_equal_pictures_have_no_difference(browser: Browser, photo: np.ndarray, tmp_path: Path) -> None:
    browser.resize(1000, 900)
    browser.open(comparison_page("t", photo, [png_of(photo, "same", photo)]), tmp_path)
    click(browser, "jump")
    wait_for(browser, "no difference")
    assert browser.errors() == []


def test_opens_at_a_place_under_the_divider(
    browser: Browser, photo: np.ndarray, pair: list[Candidate], tmp_path: Path
) -> None:
    browser.resize(600, 900)
    lead = "Same size: look at <the eyes>."
    page = comparison_page("t", photo, pair, lead=lead, look_at=(180, 90))
    assert lead in Document(page).text["p"]
    browser.open(page, tmp_path)
    assert text_of(browser, "tag-zoom") == "200 %"
    assert browser.run("return document.querySelector('[data-zoom=\"2\"]').getAttribute('aria-pressed')") == "true"
    layers, grip = browser.box("layers"), browser.box("divider")
    assert layers["width"] == 768
    assert (grip["left"] + 1 - layers["left"]) / 2 == pytest.approx(180, abs=1)
    assert point_in_view(browser)[0] == pytest.approx(180, abs=1)
    assert browser.errors() == []


def test_place_of_a_huge_picture_is_in_the_region_shown(monkeypatch: pytest.MonkeyPatch, photo: np.ndarray) -> None:
    monkeypatch.setattr(embed, "WHOLE_PICTURE_PIXELS", 50_000)
    monkeypatch.setattr(embed, "REGION_PIXELS", 20_000)
    tall = np.ascontiguousarray(np.tile(photo, (5, 4, 1)))
    page = comparison_page("t", tall, [png_of(tall, "a", tall)], np.zeros(tall.shape[:2]), look_at=(1300, 30))
    (viewer,) = (s for s in Document(page).all("section") if s.get("id") == "viewer")
    assert (viewer["data-width"], viewer["data-height"]) == ("1000", "1000")
    assert (viewer["data-look-x"], viewer["data-look-y"]) == (f"{1300 - 536}", "30")


def test_table_that_is_too_wide_scrolls_in_its_box(browser: Browser, photo: np.ndarray, tmp_path: Path) -> None:
    """It fades where there is more, and stands in full where there is not."""
    names = [f"a rather long name {i}.jpg" for i in range(6)]
    candidates = [png_of(spoiled(photo, i + 1), name, photo) for i, name in enumerate(names)]
    browser.resize(390, 844, mobile=True)
    browser.open(comparison_page("t", photo, candidates), tmp_path)
    assert browser.run("return document.documentElement.scrollWidth") == 390
    box = "const box = document.querySelector('.scroll');"
    assert browser.run(f"{box} return box.scrollWidth > box.clientWidth + 100") is True
    two_frames = "await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));"
    mask = f"{two_frames} return getComputedStyle(box).maskImage"
    assert "gradient" in browser.run(f"{box} {mask}")
    assert browser.run(f"{box} box.scrollLeft = 1e6; {mask}") == "none"
    assert browser.run(f"{box} box.scrollLeft = 0; {mask}") != "none"
    assert browser.errors() == []


def test_two_files_and_their_difference_fit_a_phone(browser: Browser, photo: np.ndarray, tmp_path: Path) -> None:
    candidates = [png_of(spoiled(photo, by), name, photo) for by, name in ((3, "plain.jpg"), (4, "msroi.jpg"))]
    browser.resize(390, 844, mobile=True)
    browser.open(comparison_page("t", photo, candidates), tmp_path)
    assert browser.run("const s = document.querySelector('.scroll'); return s.scrollWidth - s.clientWidth") == 0
    assert browser.errors() == []


# --- the place -----------------------------------------------------------------------------------


def test_place_is_where_the_second_gains() -> None:
    reference = np.full((400, 600, 3), 100, np.uint8)
    first, second = reference.copy(), reference.copy()
    first[40:80, 40:80] += 10
    first[300:340, 500:540] += 8
    second[200:240, 100:140] += 60
    place = place_of_gain(reference, first, second)
    assert abs(place.x - 60) < 12 and abs(place.y - 60) < 12 and place.less_error > 0.95
    weights = np.full((400, 600), 0.1, np.float32)
    weights[200:, 400:] = 1
    place = place_of_gain(reference, first, second, weights)
    assert abs(place.x - 520) < 12 and abs(place.y - 320) < 12
    worse = place_of_gain(reference, first, second, at=(120, 220))
    assert (worse.x, worse.y) == (120, 220) and worse.less_error < 0


def test_place_without_any_gain_is_the_maps_peak_or_the_middle() -> None:
    grey = np.full((300, 500), 50, np.uint8)
    weights = np.zeros((300, 500), np.float32)
    weights[230:260, 30:60] = 1
    place = place_of_gain(grey, grey, grey, weights)
    assert abs(place.x - 45) < 12 and abs(place.y - 245) < 12 and place.less_error == 0
    flat = place_of_gain(grey, grey, grey)
    assert abs(flat.x - 250) < 8 and abs(flat.y - 150) < 8
    one = place_of_gain(grey[:1, :1], grey[:1, :1], grey[:1, :1])
    assert one.x <= 1 and one.y <= 1
    with pytest.raises(ImageError, match="both must have the same"):
        place_of_gain(grey, grey[:100], grey)


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/me/a.jpg: no image", "a.jpg: no image"),
        ("--masks=/data/x/masks and '/data/y z'", "--masks=masks and 'y z'"),
        ("read C:\\Users\\me\\a.jpg", "read a.jpg"),
        ("~/photos/a.jpg", "a.jpg"),
        ("photos/a.jpg, 30/50, see https://example.org/a/b", "photos/a.jpg, 30/50, see https://example.org/a/b"),
        ("/my photos/2024/a.jpg", "a.jpg"),
    ],
)
def test_absolute_paths_are_cut_to_names(text: str, expected: str) -> None:
    assert without_folders(text, ["/my photos/2024"]) == expected
