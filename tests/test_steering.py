"""The one value of a map: what is made, what is followed, what it is known by; kinds that ask no network."""

from __future__ import annotations

import dataclasses
import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from guide import added, block, tables_written
from PIL import Image

import msroi
from msroi.codecs.jpeg import plain
from msroi.errors import OptionError, SaliencyError
from msroi.images import Picture, bare, read, to_stored
from msroi.pipeline import ALREADY_MADE
from msroi.saliency import activation_maps, boxes, kinds, make_map, network, own_map, read_outs
from msroi.saliency.curves import CONTRAST, SQUARE_ROOT, Contrast
from msroi.saliency.kind import Found, Kind, View
from msroi.saliency.sources import Sources
from msroi.saliency.steering import Steering, steer
from msroi.settings import Settings

BOX = (60, 40, 160, 120)


def fog(height: int = 240, width: int = 320) -> np.ndarray:
    """A grey slope under faint noise, in which the network sees nothing: uint8 (height, width, 3)."""
    random = np.random.default_rng(5)
    slope = np.linspace(150, 190, height)[:, None, None]
    return np.clip(slope + random.normal(0, 5, (height, width, 3)), 0, 255).astype(np.uint8)


def stored_as(pixels: np.ndarray, orientation: int) -> bytes:
    """A JPEG that shows `pixels` once it is turned as its tag says."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(to_stored(pixels, orientation)).save(buffer, "JPEG", quality=95, subsampling=0, exif=exif)
    return buffer.getvalue()


def psnr_db(pixels: np.ndarray, data: bytes, box: tuple[int, int, int, int]) -> float:
    x, y, w, h = box
    error = pixels[y : y + h, x : x + w].astype(float) - plain.decode(data)[y : y + h, x : x + w]
    return float(10 * np.log10(255**2 / np.square(error).mean()))


# --- what is followed -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["rdo", "two-pass"])
def test_a_box_is_followed_where_nothing_stands_out(method: Any) -> None:
    """It was not: a curve that made 1 of .5 as well as of 1 came after the box."""
    pixels = fog()
    assert kinds.find_map(pixels).values == 0.5
    without = msroi.compress(pixels, quality=50, method=method)
    boxed = msroi.compress(pixels, quality=50, method=method, focus=[BOX])
    assert bare(boxed.data) != bare(without.data)
    assert psnr_db(pixels, boxed.data, BOX) > psnr_db(pixels, without.data, BOX) + 0.05


def test_a_box_lies_over_what_the_curve_left(photo: np.ndarray) -> None:
    for pixels in (photo, fog(256, 384)):
        for curve in (CONTRAST, SQUARE_ROOT):
            before, after = (steer(Sources.of(focus=focus), read(pixels), curve) for focus in ((), BOX))
            alone = steer(Sources.of(map_kind="none", focus=BOX), read(pixels), curve).followed()
            assert np.array_equal(after.followed(), np.maximum(before.followed(), alone))
            assert np.array_equal(after.made(), np.maximum(before.made(), alone))


def test_the_curve_hangs_on_kind_and_codec(photo: np.ndarray) -> None:
    picture, own = read(photo), np.linspace(0, 1, 30, dtype=np.float32).reshape(5, 6)
    for kind in ("ms-roi", "objects"):
        made = make_map(photo, kind)
        line = np.clip((made - np.float32(0.1)) / np.float32(0.4), 0, 1) if kind == "ms-roi" else made
        for curve, expected in (("", made), (CONTRAST, line), (SQUARE_ROOT, np.sqrt(made)), ("of others", made)):
            steering = steer(Sources.of(map_kind=kind), picture, curve)
            assert np.abs(steering.followed() - expected).max() < 1e-6
            assert np.array_equal(steering.made(), made)
    for curve in (CONTRAST, SQUARE_ROOT):
        steering = steer(Sources.of(saliency=own), picture, curve)
        assert np.array_equal(steering.followed(), own_map.user_map(own, *photo.shape[:2]))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_flat_map_is_flat_however_the_picture_is_stored(orientation: int) -> None:
    """It was known by its strides, which turning destroyed: then the curve made 1 of .5, and Q_final was 41 for 67."""
    data = stored_as(fog(), orientation)
    half = np.full((2, 2), 0.5)
    found, expected = (msroi.compress(data, quality=50, method="two-pass", saliency=one) for one in (None, half))
    assert bare(found.data) == bare(expected.data)
    picture = read(stored_as(fog(200, 320), orientation))
    steering = steer(Sources.of(), picture, CONTRAST)
    assert steering.is_flat
    for saliency in (steering.followed(orientation), steering.made(orientation), steering.followed(orientation).copy()):
        assert saliency.shape == picture.pixels.shape[:2] and np.all(saliency == 0.5)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_maps_are_given_as_pixels_are_stored(photo: np.ndarray, orientation: int) -> None:
    steering = steer(Sources.of(focus=BOX), read(photo), CONTRAST)
    assert not steering.is_flat
    for upright, stored in (
        (steering.followed(), steering.followed(orientation)),
        (steering.made(), steering.made(orientation)),
    ):
        assert np.array_equal(stored, to_stored(upright, orientation))


def test_what_is_flat_says_so() -> None:
    picture = read(np.full((40, 60, 3), 90, np.uint8))
    for sources, value in (
        (Sources.of(), 0.5),
        (Sources.of(map_kind="none"), 0.5),
        (Sources.of(saliency=np.full((7, 5), 0.25)), 0.25),
        (Sources.of(saliency=np.ones((7, 5), bool)), 1),
    ):
        for curve in ("", CONTRAST, SQUARE_ROOT):
            steering = steer(sources, picture, curve)
            assert steering.is_flat and np.all(steering.followed() == value) and np.all(steering.made() == value)
    for sources in (Sources.of(focus=(5, 5, 9, 9)), Sources.of(saliency=np.eye(3))):
        assert not steer(sources, picture).is_flat


# --- what is handed back --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["rdo", "two-pass"])
@pytest.mark.parametrize(
    "options",
    [{}, {"focus": BOX}, {"map_kind": "objects"}, {"map_kind": "none", "focus": BOX}, {"saliency": np.eye(9)}],
    ids=["network", "box", "objects", "box alone", "own"],
)
def test_the_map_that_steered_steers_again(photo: np.ndarray, method: Any, options: Mapping[str, Any]) -> None:
    for pixels in (photo, fog(256, 384)):
        first = msroi.compress(pixels, quality=50, method=method, **options)
        again = msroi.compress(pixels, quality=50, method=method, saliency=first.saliency)
        assert first.saliency is not None and first.saliency.shape == photo.shape[:2]
        assert bare(again.data) == bare(first.data)
        assert np.array_equal(again.saliency, first.saliency)


def test_a_result_is_small_until_its_map_is_asked_for(photo: np.ndarray) -> None:
    large = cv2.resize(photo, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    sizes = []
    for pixels in (photo, large, fog(1000, 1500)):
        result = msroi.compress(pixels, quality=20)
        sizes.append(len(pickle.dumps(result)) - len(result.data))
        handed_on = pickle.loads(pickle.dumps(result))
        assert np.array_equal(handed_on.saliency, result.saliency) and handed_on.report == result.report
        assert len(pickle.dumps(result)) - len(result.data) == sizes[-1]
        assert result.saliency is result.saliency and result.saliency.shape == pixels.shape[:2]
    assert max(sizes) < 80_000 and sizes[2] < 4_000


def test_no_network_runs_for_a_file_that_was_made_already(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    first = msroi.compress(photo, quality=50)
    asked_for = []
    look = network.Network.look
    monkeypatch.setattr(network.Network, "look", lambda self, seen: asked_for.append(seen.shape) or look(self, seen))
    again = msroi.compress(first.data, quality=50)
    assert again.report.reason == ALREADY_MADE and again.data == first.data
    assert not asked_for
    assert again.saliency is not None and again.saliency.shape == photo.shape[:2]
    assert len(asked_for) == 1
    assert np.array_equal(again.saliency, steer(Sources.of(), read(first.data), CONTRAST).followed())


# --- what it is known by --------------------------------------------------------------------------


CHANGES: list[tuple[Any, str, float]] = [
    (read_outs, "SURE_FROM", 0.6),
    (read_outs, "FLAT_RANGE", 3),
    (read_outs, "MAP_VERSION", 99),
    (activation_maps, "FINER", 7),
    (boxes, "BOX_EDGE", 0.02),
    (boxes, "VERSION", 99),
]


@pytest.mark.parametrize(("module", "name", "value"), CHANGES, ids=[name for _, name, _ in CHANGES])
def test_the_digest_knows_what_makes_the_map(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, value: float
) -> None:
    def digest() -> str:
        settings = Settings.of(focus=BOX)
        return settings.digest(settings.sources.identity(settings.codec.curve))

    before = digest()
    assert digest() == before
    monkeypatch.setattr(module, name, value)
    if name == "MAP_VERSION":  # which a kind takes when it is made
        monkeypatch.setitem(kinds.KINDS, "ms-roi", dataclasses.replace(kinds.KINDS["ms-roi"], version=value))
    assert digest() != before


def test_the_digest_knows_the_curve_and_the_network_s_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {Sources.of().identity(curve) for curve in ("", CONTRAST, SQUARE_ROOT)}
    steeper = dataclasses.replace(kinds.KINDS["ms-roi"], curves={CONTRAST: Contrast(0.1, 0.4)})
    monkeypatch.setitem(kinds.KINDS, "ms-roi", steeper)
    names.add(Sources.of().identity(CONTRAST))
    monkeypatch.setattr("msroi.saliency.kind.network_numbers", lambda name: {"input_side": 224})
    names.add(Sources.of().identity(CONTRAST))
    assert len(names) == 5


def test_a_file_of_an_earlier_algorithm_is_made_again(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    first = msroi.compress(photo, quality=50)
    steeper = dataclasses.replace(kinds.KINDS["ms-roi"], curves={CONTRAST: Contrast(0.3, 0.4)})
    monkeypatch.setitem(kinds.KINDS, "ms-roi", steeper)
    assert msroi.compress(first.data, quality=50).report.reason != ALREADY_MADE


def test_sources_are_one_value(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 35).reshape(5, 7)
    np.save(tmp_path / "map.npy", values)
    given = [
        Sources.of(saliency=one, focus="1,2,3,4") for one in (values, values.astype(np.float32), tmp_path / "map.npy")
    ]
    assert len(set(given)) == len({one.identity() for one in given}) == 1
    assert pickle.loads(pickle.dumps(given[0])) == given[0]
    (tmp_path / "map.npy").unlink()
    assert steer(given[2], read(np.zeros((50, 70, 3), np.uint8))).followed().max() == 1  # it was read
    assert Sources.of(saliency="gaze") == Sources.of(map_kind="gaze") != Sources.of()
    assert [Sources.of(**one).name for one in ({}, {"saliency": values}, {"map_kind": "none", "focus": BOX})] == [
        "ms-roi",
        "own",
        "boxes",
    ]
    with pytest.raises(OptionError, match="map_kind: got 'heat', allowed: ms-roi"):
        Sources.of(map_kind="heat")
    with pytest.raises(OptionError, match="map_quality: got 'best'"):
        Sources.of(map_quality="best")
    with pytest.raises(OptionError, match="focus: "):
        Sources.of(focus=3)  # type: ignore[arg-type]
    with pytest.raises(SaliencyError, match="spans 0 to 2; scale it"):
        Sources.of(saliency=2 * values)


def test_a_user_s_map_is_hashed_once_and_not_resized_to_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    digest, resize = own_map.hashlib.sha256, cv2.resize
    monkeypatch.setattr(own_map.hashlib, "sha256", lambda *a: done.append("hashed") or digest(*a))
    monkeypatch.setattr(own_map.cv2, "resize", lambda *a, **k: done.append("resized") or resize(*a, **k))
    sources = Settings.of(saliency=np.eye(300)).sources
    assert len({sources.identity() for _ in range(3)}) == 1
    assert done == ["hashed"]
    assert sources.identity() != Sources.of(saliency=np.eye(301)).identity()


def test_a_map_of_another_size_than_the_picture_s_is_refused(photo: np.ndarray) -> None:
    for method in ("rdo", "two-pass"):
        settings = Settings.of(method)
        with pytest.raises(SaliencyError, match=rf"{method} needs a map of shape \(256, 384\), got .* \(3, 3\)"):
            settings.codec.start(Picture(photo), Steering.of(np.eye(3)), 1)


# --- kinds ----------------------------------------------------------------------------------------


def test_the_kind_of_the_guide_is_one_block(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CONTRIBUTING's kind of map, as a program of one's own adds it, in every verb that makes maps."""
    from msroi.cli import main

    monkeypatch.setitem(kinds.KINDS, "steepness", kinds.KINDS["none"])  # taken away again at the end
    added("KINDS[", "guided_kind", tmp_path, monkeypatch)
    assert tables_written(block("KINDS[")) == ["KINDS"]
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo).save("photo.png")
    assert main(["map", "photo.png", "--map-kind", "steepness", "--npy"]) == 0
    saliency = np.load("photo.map.npy")
    assert np.ptp(saliency) > 0.2 and np.array_equal(saliency, msroi.compress(photo, map_kind="steepness").saliency)
    assert main(["compress", "photo.png", "--map-kind", "steepness", "--json"]) == 0
    assert main(["compare", "photo.png", "photo.msroi.jpg", "--map-kind", "steepness"]) == 0
    out = capsys.readouterr().out
    assert out.count("steepness") >= 3
    flat = msroi.compress(np.full((40, 50, 3), 90, np.uint8), map_kind="steepness", quality=50)
    assert "nothing is steep: all matters alike" in flat.report.notices


def _gradient(view: View) -> Found:
    """How steep the picture is, on the grid of its pixels."""
    grey = cv2.GaussianBlur(view.pixels if view.pixels.ndim == 2 else view.pixels[..., 1], (0, 0), 3).astype(np.float32)
    steep = np.hypot(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1))
    return Found(cv2.resize(steep / max(float(steep.max()), 1), (24, 16), interpolation=cv2.INTER_AREA), "by steepness")


def test_a_kind_is_a_function_of_pixels(
    photo: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such kinds were flat without a word: only read-outs of the network were asked."""
    from msroi.cli import main

    monkeypatch.setitem(kinds.KINDS, "gradient", Kind(_gradient, "where it is steep"))
    saliency = msroi.saliency_map(photo, "gradient")  # type: ignore[arg-type]
    assert saliency.shape == photo.shape[:2] and np.ptp(saliency) > 0.2
    result = msroi.compress(photo, map_kind="gradient", quality=50)  # type: ignore[arg-type]
    assert result.report.map_kind == "gradient" and np.array_equal(result.saliency, saliency)
    assert "by steepness" in result.report.notices
    assert result.report.map_identity.startswith("gradient:1-")
    newer = Kind(_gradient, "where it is steep", version=2, curves={CONTRAST: Contrast(0, 0.5)})
    monkeypatch.setitem(kinds.KINDS, "gradient", newer)
    followed = steer(Sources.of(map_kind="gradient"), read(photo), CONTRAST)
    assert followed.identity.startswith("gradient:2-")
    assert np.allclose(followed.followed(), np.minimum(2 * saliency, 1), atol=1e-6)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    assert main(["map", str(tmp_path / "photo.png"), "--map-kind", "gradient"]) == 0
    assert "gradient:2-" in capsys.readouterr().out


def test_a_kind_that_is_none_is_refused(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    for find, message in (
        (lambda view: Found(np.full((4, 4), 1.5)), r"map kind own: a map must lie in \[0, 1\], this one spans 1.5"),
        (lambda view: Found(2.0), r"map kind own: a map must lie in \[0, 1\]"),
        (lambda view: Found(np.zeros((2, 2, 3))), r"map kind own: a map must have the shape"),
        (lambda view: Found(view.evidence[0].object_maps[0]), "names no network whose evidence"),
    ):
        monkeypatch.setitem(kinds.KINDS, "own", Kind(find, "no kind"))
        with pytest.raises(SaliencyError, match=message):
            msroi.saliency_map(photo, "own")  # type: ignore[arg-type]


def test_a_kind_may_ask_for_the_evidence_of_a_network(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    def louder(view: View) -> Found:
        objects = read_outs.coarse_map("objects", view.evidence, view.network.card)
        return Found(np.sqrt(objects))

    monkeypatch.setitem(kinds.KINDS, "louder", Kind(louder, "objects, louder", network="ms-roi"))
    high = msroi.saliency_map(photo, "louder", "high")  # type: ignore[arg-type]
    assert np.abs(high**2 - msroi.saliency_map(photo, "objects", "high")).max() < 0.1
    sha = network.network_hash("ms-roi")[:16]
    assert Sources.of(map_kind="louder", map_quality="high").identity().startswith(f"louder:{sha}:1-")
    assert len({Sources.of(map_kind="louder", map_quality=quality).identity() for quality in ("fast", "high")}) == 2
