"""The comparison page: read as HTML everywhere, and used in a real browser where one is installed."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser, Document, displays_in_print
from PIL import Image, ImageCms

from msroi import metrics
from msroi.errors import ImageError, OptionError, SaliencyError
from msroi.report import Candidate, comparison_page, embed
from msroi.report.table import ScoreRow, largest_size_gap, make_groups

HOSTILE = "</script><script>alert(\"$x ${y}\")</script> 'a' & b \u202e\x00\udcff.jpg"


def encode(pixels: np.ndarray, quality: int, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()


def candidate_of(
    pixels: np.ndarray, quality: int, name: str, saliency: np.ndarray | None = None, **options: Any
) -> Candidate:
    data = encode(pixels, quality, **options)
    decoded = np.asarray(Image.open(io.BytesIO(data)))
    return Candidate(name, data, len(data), metrics.score(pixels, decoded, saliency))


def ramp_map(pixels: np.ndarray) -> np.ndarray:
    """From 0 at the left edge to 1 at the right."""
    height, width = pixels.shape[:2]
    return np.linspace(0 if width > 1 else 1, 1, width, dtype=np.float32)[None, :].repeat(height, axis=0)


def make_page(pixels: np.ndarray, names: tuple[str, ...] = ("plain", "ours"), **options: Any) -> str:
    saliency = ramp_map(pixels)
    candidates = [candidate_of(pixels, 40 + 20 * index, name, saliency) for index, name in enumerate(names)]
    return comparison_page("A title", pixels, candidates, saliency, **options)


def picture_bytes(document: Document, kind: str) -> list[bytes]:
    """What the <img> of each figure of that kind holds."""
    found = []
    wanted = False
    for tag, attributes in document.tags:
        if tag == "figure":
            wanted = attributes["data-picture"] == kind
        elif tag == "img" and wanted and (source := attributes.get("src")):
            found.append(base64.b64decode(source.split(",", 1)[1]))
    return found


# --- the page as a document -----------------------------------------------------------------------


def test_page_is_well_formed_and_carries_everything(photo: np.ndarray) -> None:
    page = make_page(photo, facts={"Method": "two-pass", "Levels": [30, 50], "Kept": False, "None": None})
    document = Document(page)
    assert page.startswith("<!doctype html>")
    assert document.text["title"] == ["A title"]
    assert [d.strip() for d in document.text["dt"]] == ["Method", "Levels", "Kept"]
    assert document.all("html")[0]["lang"] == "en"
    for image in document.all("img"):
        assert "alt" in image
    kinds = [figure["data-picture"] for figure in document.all("figure")]
    assert kinds == ["reference", "candidate", "candidate", "map"]
    ids = [attributes["id"] for _, attributes in document.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in document.tags:
        for reference in ("aria-labelledby", "aria-describedby", "for"):
            assert attributes.get(reference) is None or attributes[reference] in ids


def test_page_reaches_for_nothing_outside(photo: np.ndarray) -> None:
    page = make_page(photo)
    document = Document(page)
    without_data = re.sub(r'"data:[^"]*"', '""', page)
    assert (
        "http:" not in without_data
        and "https:" not in without_data
        and "//" not in re.sub(r"<script>.*</script>", "", without_data, flags=re.S)
    )
    assert "@import" not in page and "url(" not in page
    for _, attributes in document.tags:
        for name in ("src", "href", "srcset", "action"):
            assert (attributes.get(name) or "data:").startswith("data:")
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    policy = next(m["content"] for m in document.all("meta") if "http-equiv" in m)
    assert policy is not None and "default-src 'none'" in policy and "unsafe" not in policy


def test_policy_admits_this_style_and_script_only(photo: np.ndarray) -> None:
    page = make_page(photo)
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, flags=re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in page


def test_candidates_are_embedded_as_they_are(photo: np.ndarray) -> None:
    candidates = [candidate_of(photo, quality, f"q{quality}") for quality in (30, 60, 90)]
    document = Document(comparison_page("t", photo, candidates))
    assert picture_bytes(document, "candidate") == [candidate.data for candidate in candidates]
    (reference,) = picture_bytes(document, "reference")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(reference))), photo)
    assert "map-button" not in {attributes.get("id") for _, attributes in document.tags}


def test_map_is_jet_coloured_and_small() -> None:
    pixels = np.full((300, 1300, 3), 99, np.uint8)
    document = Document(make_page(pixels))
    (data,) = picture_bytes(document, "map")
    picture = Image.open(io.BytesIO(data))
    assert picture.size == (640, 148)
    colours = np.asarray(picture.convert("RGB"))
    assert colours[70, 0].tolist() == [0, 0, 128] and colours[70, -1].tolist() == [128, 0, 0]


def test_grey_pictures() -> None:
    grey = np.arange(40 * 60, dtype=np.uint8).reshape(40, 60)
    document = Document(make_page(grey))
    (reference,) = picture_bytes(document, "reference")
    assert Image.open(io.BytesIO(reference)).mode == "L"


def test_names_are_escaped(photo: np.ndarray) -> None:
    page = make_page(
        photo,
        (HOSTILE, "ours"),
        facts={HOSTILE: HOSTILE},
        notices=[HOSTILE],
        reference_name=HOSTILE,
        weights_name=HOSTILE,
    )
    page.encode("utf-8")
    document = Document(page)
    assert len(document.all("script")) == 1
    assert "\x00" not in page
    shown = "</script><script>alert(\"$x ${y}\")</script> 'a' & b \u202e\ufffd?.jpg"
    assert shown in document.text["option"] and shown in document.text["li"] and shown in document.text["dt"]


def test_title_is_escaped(photo: np.ndarray) -> None:
    page = comparison_page('<b>$title & "co"</b>', photo, [candidate_of(photo, 50, "a")])
    assert Document(page).text["title"] == ['<b>$title & "co"</b>']


def test_one_candidate_opens_beside_the_reference(photo: np.ndarray) -> None:
    document = Document(comparison_page("t", photo, [candidate_of(photo, 50, "a")]))
    starts = [(figure["data-picture"], figure["data-start"]) for figure in document.all("figure")]
    assert starts == [("reference", "left"), ("candidate", "right")]
    assert "Difference" not in document.text["th"]


def test_sizes_apart_are_said(photo: np.ndarray) -> None:
    apart = [candidate_of(photo, 30, "small"), candidate_of(photo, 90, "large")]
    assert "more bytes than the smallest" in comparison_page("t", photo, apart)
    alike = [candidate_of(photo, 50, "one"), candidate_of(photo, 50, "two")]
    assert "more bytes than the smallest" not in comparison_page("t", photo, alike)


def test_small_pictures_say_how_many_scales(photo: np.ndarray) -> None:
    small = np.ascontiguousarray(photo[:60, :80])
    assert "3 of 5 scales" in make_page(small) and "under 176 pixels" in make_page(small)
    assert "of 5 scales" not in make_page(photo)


def test_same_input_same_page(photo: np.ndarray) -> None:
    assert make_page(photo) == make_page(photo)


def test_one_pixel() -> None:
    Document(make_page(np.zeros((1, 1, 3), np.uint8)))


# --- what goes in ---------------------------------------------------------------------------------


def test_reference_of_many_pixels_is_near_lossless_and_said(monkeypatch: pytest.MonkeyPatch, photo: np.ndarray) -> None:
    monkeypatch.setattr(embed, "LOSSLESS_PIXELS", 1000)
    page = make_page(photo)
    (reference,) = picture_bytes(Document(page), "reference")
    shown = Image.open(io.BytesIO(reference))
    assert shown.format == "JPEG" and shown.size == (384, 256)
    assert metrics.psnr_db(photo, np.asarray(shown)) > 40
    assert "scores were measured on its true pixels" in page


def test_huge_pictures_are_shown_by_an_exact_region(monkeypatch: pytest.MonkeyPatch, photo: np.ndarray) -> None:
    monkeypatch.setattr(embed, "WHOLE_PICTURE_PIXELS", 50_000)
    monkeypatch.setattr(embed, "REGION_PIXELS", 20_000)
    tall = np.ascontiguousarray(np.tile(photo, (5, 4, 1)))
    saliency = np.zeros(tall.shape[:2], np.float32)
    saliency[1200:, 1400:] = 1
    candidate = candidate_of(tall, 50, "a")
    page = comparison_page("t", tall, [candidate], saliency)
    document = Document(page)
    (reference,) = picture_bytes(document, "reference")
    (shown,) = picture_bytes(document, "candidate")
    (heat,) = picture_bytes(document, "map")
    exact = np.asarray(Image.open(io.BytesIO(reference)))
    height, width = exact.shape[:2]
    assert (height, width) == (1000, 1000)
    np.testing.assert_array_equal(exact, tall[280:, 536:])
    decoded = np.asarray(Image.open(io.BytesIO(candidate.data)))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(shown))), decoded[280:, 536:])
    assert np.asarray(Image.open(io.BytesIO(heat)).convert("RGB"))[-1, -1].tolist() == [128, 0, 0]
    assert "the page shows 1000 x 1000 pixels" in page


def test_region_follows_the_map_and_stays_inside() -> None:
    saliency = np.zeros((6000, 8000), np.float32)
    saliency[:300, :400] = 1
    region = embed.choose_region(8000, 6000, saliency)
    assert (region.left, region.top) == (0, 0) and region.width * region.height == pytest.approx(3e6, rel=0.01)
    flat = embed.choose_region(8000, 6000, None)
    assert abs(flat.left + flat.width / 2 - 4000) <= 1 and abs(flat.top + flat.height / 2 - 3000) <= 1
    strip = embed.choose_region(60_000, 800, None)
    assert strip.height == 800 and strip.left + strip.width <= 60_000


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_reference_profile_is_lent_to_candidates_without_one(photo: np.ndarray) -> None:
    """Otherwise the viewer would show a difference of colour that no codec made."""
    lent = srgb_profile()
    own = lent + bytes(70_000)
    bare, tagged = candidate_of(photo, 50, "bare"), candidate_of(photo, 50, "tagged", icc_profile=own)
    document = Document(comparison_page("t", photo, [bare, tagged], icc_profile=lent))
    shown = [Image.open(io.BytesIO(data)) for data in picture_bytes(document, "candidate")]
    assert shown[0].info["icc_profile"] == lent
    assert shown[1].info["icc_profile"] == own
    np.testing.assert_array_equal(np.asarray(shown[0]), np.asarray(Image.open(io.BytesIO(bare.data))))
    (reference,) = picture_bytes(document, "reference")
    assert Image.open(io.BytesIO(reference)).info["icc_profile"] == lent


def test_long_profile_is_cut_into_segments(photo: np.ndarray) -> None:
    profile = bytes(range(256)) * 700
    data = embed.with_icc_profile(encode(photo, 50), profile)
    assert Image.open(io.BytesIO(data)).info["icc_profile"] == profile


def test_orientation_counts_for_the_size(photo: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(np.rot90(photo))
    data = encode(stored, 60, exif=exif)
    scores = metrics.score(photo, photo)
    assert Document(comparison_page("t", photo, [Candidate("turned", data, len(data), scores)])).tags
    with pytest.raises(ImageError, match="flat: 256x384 upright, but the reference is 384x256"):
        flat = encode(stored, 60)
        comparison_page("t", photo, [Candidate("flat", flat, len(flat), scores)])


def test_formats_that_no_browser_opens_become_png(photo: np.ndarray) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "TIFF")
    data = buffer.getvalue()
    page = comparison_page("t", photo, [Candidate("a.tif", data, len(data), metrics.score(photo, photo))])
    (shown,) = picture_bytes(Document(page), "candidate")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(shown))), photo)
    assert "no browser opens every TIFF" in page


def test_what_cannot_be_shown(photo: np.ndarray) -> None:
    good = candidate_of(photo, 50, "good")
    with pytest.raises(OptionError, match="at least one candidate"):
        comparison_page("t", photo, [])
    with pytest.raises(ImageError, match=r"^broken: "):
        comparison_page("t", photo, [Candidate("broken", b"no picture", 10, good.scores)])
    with pytest.raises(ImageError, match="float64"):
        comparison_page("t", photo / 255, [good])  # type: ignore[arg-type]
    with pytest.raises(SaliencyError, match="pass shape \\(256, 384\\)"):
        comparison_page("t", photo, [good], np.zeros((4, 4)))
    for value in (np.nan, 2.0):
        with pytest.raises(SaliencyError, match="scale them"):
            comparison_page("t", photo, [good], np.full(photo.shape[:2], value))


# --- the table ------------------------------------------------------------------------------------


def scores_of(psnr: float, ssim: float = 0.9, **options: Any) -> metrics.Scores:
    return metrics.Scores(mse=10.0, psnr_db=psnr, ssim=ssim, ms_ssim=0.95, ms_ssim_scales=5, **options)


def row_named(name: str, entries: list[tuple[int, metrics.Scores]], group: int = 1) -> ScoreRow:
    groups = make_groups(entries, 1000, "a map")
    return next(row for row in groups[group].rows if row.name.startswith(name))


def test_winner_is_the_higher_score_and_the_smaller_file() -> None:
    entries = [(900, scores_of(31.0)), (1000, scores_of(32.5)), (800, scores_of(30.0))]
    assert [cell.best for cell in row_named("PSNR", entries).cells] == [False, True, False]
    assert [cell.best for cell in row_named("Bytes", entries, 0).cells] == [False, False, True]
    assert [cell.text for cell in row_named("Bits per pixel", entries, 0).cells] == [
        "7.200",
        "8.000",
        "6.400",
    ]


def test_figures_that_read_alike_share_the_win() -> None:
    entries = [(1, scores_of(31.001)), (1, scores_of(31.004)), (1, scores_of(30.0))]
    assert [cell.best for cell in row_named("PSNR", entries).cells] == [True, True, False]
    equal = row_named("SSIM", entries)
    assert not any(cell.best for cell in equal.cells)


def test_differences_are_signed_and_rounded_once() -> None:
    entries = [(44508, scores_of(32.174, 0.91424)), (44321, scores_of(31.02, 0.91416))]
    assert row_named("PSNR", entries).difference == "\u22121.15"
    assert row_named("SSIM", entries).difference == "0"
    assert row_named("Bytes", entries, 0).difference == "\u2212187"
    assert row_named("PSNR", [(1, scores_of(float("inf"))), (1, scores_of(30.0))]).difference == "\u2013"


def test_infinite_psnr_wins_and_is_written() -> None:
    row = row_named("PSNR", [(1, scores_of(float("inf"))), (1, scores_of(50.0))])
    assert row.cells[0].text == "\u221e" and row.cells[0].best and not row.cells[1].best


def test_weighted_rows_only_where_there_are_weights() -> None:
    assert len(make_groups([(1, scores_of(30.0))], 1000, "a map")) == 2
    weighted = scores_of(30.0, weighted_psnr_db=33.0, weighted_ssim=0.95, weighted_ms_ssim=0.97, weighted_mse=5.0)
    groups = make_groups([(1, weighted), (1, scores_of(31.0))], 1000, "the map of kind gaze")
    assert groups[2].name == "Weighted by the map of kind gaze"
    assert [cell.text for cell in groups[2].rows[0].cells] == ["33.00", "\u2013"]


def test_a_single_candidate_wins_nothing() -> None:
    groups = make_groups([(1, scores_of(30.0))], 1000, "a map")
    assert not any(cell.best for group in groups for row in group.rows for cell in row.cells)


def test_size_gap() -> None:
    assert largest_size_gap([(100, scores_of(1.0)), (134, scores_of(1.0))]) == pytest.approx(0.34)


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture
def opened(browser: Browser, photo: np.ndarray, tmp_path: Path) -> Iterator[Browser]:
    """A page of two flat candidates, so that a pixel of the screen says which of them is seen."""
    red, blue = np.zeros_like(photo), np.zeros_like(photo)
    red[..., 0], blue[..., 2] = 255, 255
    candidates = [
        Candidate(name, data, len(data), metrics.score(photo, pixels, ramp_map(photo)))
        for name, pixels in (("red", red), ("blue", blue))
        for data in [encode(pixels, 95)]
    ]
    browser.resize(1000, 900)
    browser.open(comparison_page("A title", photo, candidates, ramp_map(photo)), tmp_path)
    yield browser
    assert browser.errors() == []


def colour_at(browser: Browser, share: float) -> str:
    """Which candidate is seen at that share of the picture's width, a little below its top."""
    box = browser.box("layers")
    pixel = browser.screenshot()[round(box["top"]) + 60, round(box["left"] + share * box["width"])]
    red, _, blue = (int(value) for value in pixel)
    return "red" if red > 200 and blue < 60 else "blue" if blue > 200 and red < 60 else str(pixel)


def divider_percent(browser: Browser) -> int:
    return int(browser.run("return document.getElementById('grip').getAttribute('aria-valuenow')"))


def test_viewer_shows_left_and_right(opened: Browser) -> None:
    assert opened.run("return document.getElementById('viewer').hidden") is False
    assert colour_at(opened, 0.3) == "red" and colour_at(opened, 0.7) == "blue"


def test_divider_is_dragged(opened: Browser) -> None:
    grip, shown = opened.box("grip"), opened.box("layers")
    y = grip["top"] + 22
    opened.drag((grip["left"] + 22, y), (shown["left"] + 0.8 * shown["width"], y))
    assert divider_percent(opened) == 80
    assert colour_at(opened, 0.7) == "red" and colour_at(opened, 0.9) == "blue"
    opened.drag((shown["left"] + 300, y + 60), (shown["left"] + 0.1 * shown["width"], y + 60))
    assert divider_percent(opened) == 10


def test_divider_obeys_the_keyboard(opened: Browser) -> None:
    right, left, home, end, page_up = "\ue014", "\ue012", "\ue011", "\ue010", "\ue00e"
    opened.run("document.getElementById('grip').focus()")
    opened.press(right, right, right, left)
    assert divider_percent(opened) == 52
    opened.press(page_up)
    assert divider_percent(opened) == 62
    opened.press(home)
    assert divider_percent(opened) == 0 and colour_at(opened, 0.3) == "blue"
    opened.press(end)
    assert divider_percent(opened) == 100 and colour_at(opened, 0.7) == "red"


def test_pictures_are_chosen_and_swapped(opened: Browser) -> None:
    opened.run("document.getElementById('swap').click()")
    assert colour_at(opened, 0.3) == "blue" and colour_at(opened, 0.7) == "red"
    opened.run("const s = document.getElementById('left'); s.selectedIndex = 1; s.dispatchEvent(new Event('change'))")
    assert colour_at(opened, 0.3) == "red" and colour_at(opened, 0.7) == "red"
    opened.run("document.querySelectorAll('[data-side=right]')[2].click()")
    assert colour_at(opened, 0.7) == "blue"
    assert opened.run("return document.getElementById('right').selectedIndex") == 2


def test_map_lies_over_the_picture(opened: Browser) -> None:
    before = opened.screenshot()
    opened.run("document.getElementById('map-strength').value = 100; document.getElementById('map-button').click()")
    box = opened.box("layers")
    row = opened.screenshot()[round(box["top"]) + 60]
    assert (before[round(box["top"]) + 60] != row).any()
    at_left, at_right = row[round(box["left"]) + 3], row[round(box["right"]) - 4]
    assert at_left[2] > 100 > at_left[0] and at_right[0] > 100 > at_right[2]


def test_zoom_shows_single_pixels_on_a_dense_screen(browser: Browser, tmp_path: Path) -> None:
    """At 400 % on a screen of two dots a CSS pixel, a pixel of the picture is four dots wide."""
    pixels = np.zeros((300, 300, 3), np.uint8)
    pixels[:, ::2] = 255
    candidate = candidate_of(pixels, 100, "a", subsampling=0)
    browser.resize(1000, 900, scale=2)
    browser.open(comparison_page("t", pixels, [candidate]), tmp_path)
    browser.run("document.querySelector('[data-zoom=\"4\"]').click()")
    box = browser.box("stage")
    line = browser.screenshot()[round(2 * box["top"]) + 200, round(2 * box["left"]) + 40 :][:400, 0]
    edges = np.flatnonzero(np.diff((line > 127).astype(int)))
    assert set(np.diff(edges).tolist()) == {4}
    assert browser.run("return document.getElementById('tag-zoom').textContent") == "400 %"
    assert browser.errors() == []


def test_zoomed_picture_is_moved_and_stays_in_view(opened: Browser) -> None:
    opened.run("document.querySelector('[data-zoom=\"4\"]').click()")
    stage, before = opened.box("stage"), opened.box("layers")
    start = (stage["left"] + 100, stage["top"] + 80)
    opened.drag(start, (start[0] + 50, start[1] + 30))
    moved = opened.box("layers")
    assert moved["left"] - before["left"] == pytest.approx(50, abs=1)
    assert moved["top"] - before["top"] == pytest.approx(30, abs=1)
    for _ in range(6):
        opened.drag((stage["left"] + 20, stage["top"] + 20), (stage["right"] - 20, stage["bottom"] - 20))
    corner = opened.box("layers")
    assert (corner["left"], corner["top"]) == pytest.approx((stage["left"], stage["top"]), abs=1)
    opened.run("document.getElementById('stage').focus()")
    opened.press("0")
    assert opened.run("return document.querySelector('[data-zoom=fit]').getAttribute('aria-pressed')") == "true"


def test_narrow_screen_scrolls_down_only(browser: Browser, photo: np.ndarray, tmp_path: Path) -> None:
    names = ("plain JPEG, quality 50", "a-file-name-without-any-break-" * 4, "third", "fourth")
    browser.resize(400, 800, mobile=True)
    browser.open(make_page(photo, names, facts={"x" * 80: "y" * 200}), tmp_path)
    assert browser.run("return document.documentElement.scrollWidth") == 400
    assert browser.box("stage")["width"] > 330
    assert browser.errors() == []


def test_hostile_names_run_nothing(browser: Browser, photo: np.ndarray, tmp_path: Path) -> None:
    browser.resize(1000, 900)
    browser.open(make_page(photo, (HOSTILE, "ours"), notices=[HOSTILE], facts={HOSTILE: HOSTILE}), tmp_path)
    label = browser.run("return document.getElementById('tag-left').textContent")
    assert label.startswith("</script><script>alert(")
    assert browser.errors() == []


def test_prints_pictures_without_controls(opened: Browser) -> None:
    displays = displays_in_print(opened, ["#viewer", ".choose", "figure", "table"])
    assert displays[:2] == ["none", "none"] and "none" not in displays[2:]
    assert base64.b64decode(opened.call("POST", "/print", {})).startswith(b"%PDF")
