"""The map: definition, alignment with the whole picture, determinism, hints, errors."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import msroi
from msroi.errors import OptionError, SaliencyError
from msroi.images import read
from msroi.saliency import KINDS, activation_maps, hints, make_map, network

SHIPPED = [kind for kind in KINDS if kind != "ms-roi-labels" or (network.WEIGHTS / "ms-roi-labels.onnx").exists()]


@pytest.fixture(scope="module")
def wide(photo: np.ndarray) -> np.ndarray:
    """A wide, quiet picture whose only object, a person's head and shoulders, is near its left edge."""
    from skimage import data

    person = np.asarray(Image.fromarray(data.astronaut()[:400, 60:400]).resize((204, 240), Image.Resampling.LANCZOS))
    rows = np.linspace(170, 130, 320)[:, None, None]
    picture = np.broadcast_to(rows, (320, 960, 3)).astype(np.uint8).copy()
    picture[60:300, 20:224] = person
    return picture


def test_map_is_the_weighted_sum_of_the_five_best_classes() -> None:
    random = np.random.default_rng(1)
    maps, logits = random.normal(size=(7, 3, 4)), np.array([0.0, 3.0, 1.0, -2.0, 2.0, 0.5, -1.0])
    p = np.exp(logits) / np.exp(logits).sum()
    best = [1, 4, 2, 5, 0]
    expected = sum(p[c] * maps[c] for c in best) / sum(p[c] for c in best)
    classes, weights = activation_maps.best_classes(activation_maps.softmax(logits))
    assert classes.tolist() == best
    assert np.allclose(activation_maps.weighted_map(maps, classes, weights), expected, atol=1e-12)


def test_softmax_of_huge_logits_is_finite() -> None:
    assert np.allclose(activation_maps.softmax(np.array([1e4, 1e4, -1e4])), [0.5, 0.5, 0])


def test_flat_evidence_gives_a_flat_map() -> None:
    assert np.all(activation_maps.stretched(np.full((3, 3), -2.0)) == 0.5)


@pytest.mark.parametrize("kind", SHIPPED)
def test_map_covers_the_picture_in_zero_to_one(photo: np.ndarray, kind: str) -> None:
    saliency = msroi.saliency_map(photo, kind)
    assert saliency.dtype == np.float32
    assert saliency.shape == photo.shape[:2]
    assert 0 <= saliency.min() <= saliency.max() <= 1
    if kind != "none":
        assert np.ptp(saliency) > 0.2


def test_grad_cam_equals_cam(photo: np.ndarray) -> None:
    assert np.array_equal(make_map(photo, "cam"), make_map(photo, "grad-cam"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_object_at_an_edge_lights_the_map_at_that_edge(wide: np.ndarray, tmp_path: Path, orientation: int) -> None:
    """The stored pixels are turned so that the tag turns them back: the map is always of the upright picture."""
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    image = Image.fromarray(wide)
    operation = undo[orientation]
    stored = image if operation is None else image.transpose(Image.Transpose(operation))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "wide.jpg"
    stored.save(path, quality=95, subsampling=0, exif=exif)
    assert np.abs(read(path).upright.astype(int) - wide).mean() < 5
    saliency = msroi.saliency_map(path)
    assert saliency.shape == wide.shape[:2]
    thirds = [part.mean() for part in np.array_split(saliency, 3, axis=1)]
    assert thirds[0] > 2 * max(thirds[1:])
    y, x = np.unravel_index(saliency.argmax(), saliency.shape)
    assert 20 <= x < 224 and 60 <= y < 300


def test_an_object_at_the_right_edge_lights_it_there(wide: np.ndarray) -> None:
    saliency = make_map(np.ascontiguousarray(wide[:, ::-1]))
    thirds = [part.mean() for part in np.array_split(saliency, 3, axis=1)]
    assert thirds[2] > 2 * max(thirds[:2])


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(64, 80, 3), (64, 80), (1, 1, 3), (3, 2000)])
def test_flat_pictures_have_flat_maps(shape: tuple[int, ...], value: int) -> None:
    saliency = make_map(np.full(shape, value, np.uint8))
    assert saliency.shape == shape[:2]
    assert np.all(saliency == 0.5)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 700), (5, 3, 3), (16, 3000, 3), (301, 203)])
def test_any_shape_has_a_map(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    saliency = make_map(pixels)
    assert saliency.shape == shape[:2]
    assert np.isfinite(saliency).all()


def test_the_input_keeps_proportions_and_shows_the_whole_picture() -> None:
    pixels = np.zeros((400, 1600, 3), np.uint8)
    pixels[:, 800:] = 255
    small = network.network_input(pixels, 160)
    assert small.shape[0] % 16 == small.shape[1] % 16 == 0
    assert small.shape[1] / small.shape[0] == pytest.approx(4, rel=0.1)
    assert small[:, : small.shape[1] // 2].max() == 0 and small[:, small.shape[1] // 2 :].min() == 255


def test_the_same_map_in_every_process_and_with_any_number_of_threads(photo: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(photo).save(tmp_path / "photo.png")
    code = (
        "import os, sys, hashlib, cv2, msroi; n = int(sys.argv[2]); cv2.setNumThreads(n);"
        "os.sched_getaffinity = lambda _: range(n);"
        "print(hashlib.sha256(msroi.saliency_map(sys.argv[1]).tobytes()).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "photo.png")]
    digests = {subprocess.check_output([*command, n], text=True).strip() for n in ("1", "2", "4")}
    assert digests == {hashlib.sha256(make_map(photo).tobytes()).hexdigest()}


def test_unknown_kind_lists_the_known_ones(photo: np.ndarray) -> None:
    with pytest.raises(OptionError, match=r"'heat': unknown; the kinds are ms-roi, ms-roi-labels, objects, gaze"):
        msroi.saliency_map(photo, "heat")


def test_card_and_file_of_the_shipped_network() -> None:
    (facts,) = [f for f in network.network_facts() if f["name"] == network.DEFAULT_NETWORK]
    data = (network.WEIGHTS / facts["file"]).read_bytes()
    card = facts["card"]
    assert hashlib.sha256(data).hexdigest() == facts["sha256"] == card["sha256"]
    assert len(data) == card["n_bytes"] <= 24e6
    assert len(card["classes"]) == 102
    assert card["accuracy"]["photos"] == 1530
    assert 0.5 < card["accuracy"]["top1"] < card["accuracy"]["top5"] <= 1
    assert card["trained"] and card["recipe"]["name"] and card["data"]


def test_missing_and_damaged_networks_are_named(tmp_path: Path) -> None:
    with pytest.raises(SaliencyError, match=r"lost\.json: the network's card is missing"):
        network.load("lost", tmp_path)
    (tmp_path / "lost.json").write_text(json.dumps({"sha256": "00ff"}))
    with pytest.raises(SaliencyError, match=r"lost\.onnx: the network is missing"):
        network.load("lost", tmp_path)
    (tmp_path / "lost.onnx").write_bytes(b"not a network")
    with pytest.raises(SaliencyError, match=r"lost\.onnx: damaged, its SHA-256 is .* expected 00ff"):
        network.load("lost", tmp_path)


def labels_network(folder: Path, name: str = "ms-roi-labels") -> None:
    """A small network without gaze maps and without a learned sigmoid, and its card."""
    onnx = pytest.importorskip("onnx")
    from train.onnx_graph import build_graph

    keras_model = pytest.importorskip("msroi.saliency.keras_model")
    random, weights, channels = np.random.default_rng(5), {}, 3
    layers = [(f"block{b}_conv{i}", 8) for b, n in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, n + 1)]
    for layer, filters in [*layers, *((f"msroi_conv{i}", 8) for i in (1, 2, 3)), ("object_maps", 102)]:
        size = 1 if layer == "object_maps" else 3
        weights[f"{layer}/kernel"] = random.normal(
            0, (2 / (size * size * channels)) ** 0.5, (size, size, channels, filters)
        )
        channels = filters
    weights["logits/bias"] = np.zeros(102)
    model = build_graph(weights, keras_model.Architecture(8, gaze_maps=False, supervised=False))
    data = model.SerializeToString()
    onnx.checker.check_model(model)
    (folder / f"{name}.onnx").write_bytes(data)
    card = {"sha256": hashlib.sha256(data).hexdigest(), "input_side": 96, "read_out": {}}
    (folder / f"{name}.json").write_text(json.dumps(card))


def test_the_network_taught_by_labels_alone_is_a_kind(
    photo: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ReLU and minimum to maximum: its map spans 0 to 1; the other kinds stay on the default network."""
    default = network.load()
    labels_network(tmp_path)
    monkeypatch.setattr(network, "WEIGHTS", tmp_path)
    saliency = make_map(photo, "ms-roi-labels")
    assert saliency.shape == photo.shape[:2] and 0 <= saliency.min() < 0.1 and 0.8 < saliency.max() <= 1
    own = network.load("ms-roi-labels")
    assert own.look(own.see(photo)).gaze_maps is None
    _, identity = hints.resolve(None, "ms-roi-labels", (), read(photo))
    assert identity == f"ms-roi-labels:{own.sha256[:16]}" and own.sha256 != default.sha256
    assert np.all(make_map(np.full((40, 50, 3), 90, np.uint8), "ms-roi-labels") == 0.5)


def test_a_missing_network_of_labels_is_named_with_its_hash(
    photo: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ms-roi-labels.json").write_text(json.dumps({"sha256": "12ab"}))
    monkeypatch.setattr(network, "WEIGHTS", tmp_path)
    with pytest.raises(SaliencyError, match=r"ms-roi-labels\.onnx: the network is missing .* expected SHA-256 12ab"):
        make_map(photo, "ms-roi-labels")


def picture_of(height: int, width: int) -> object:
    return read(np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_user_map_of_any_size_and_type(tmp_path: Path) -> None:
    half = np.zeros((10, 20), np.float32)
    half[:, 10:] = 1
    np.save(tmp_path / "map.npy", half)
    Image.fromarray((half * 255).astype(np.uint8)).save(tmp_path / "map.png")
    picture = picture_of(50, 100)
    sources = [half, half.astype(bool), (half * 255).astype(np.uint8), half.astype(np.float64)]
    sources += [tmp_path / "map.npy", str(tmp_path / "map.png")]
    resolved = [hints.resolve(source, "ms-roi", (), picture) for source in sources]
    for saliency, identity in resolved:
        assert saliency.shape == (50, 100) and saliency.dtype == np.float32
        assert np.allclose(saliency, resolved[0][0], atol=1e-6)
        assert identity == resolved[0][1]
    assert resolved[0][0][:, :40].max() == 0 and resolved[0][0][:, 60:].min() == 1


@pytest.mark.parametrize(
    ("saliency", "message"),
    [
        (np.full((3, 3), np.nan), r"must lie in \[0, 1\], this one has values that are not numbers"),
        (np.full((3, 3), -0.1), r"spans -0.1 to -0.1; scale it"),
        (np.full((3, 3), 255.0), r"spans 255 to 255; scale it"),
        (np.zeros((3, 3, 3)), r"shape \(height, width\), this one has \(3, 3, 3\)"),
        (np.zeros((0, 3)), r"shape \(height, width\), this one has \(0, 3\)"),
        (np.zeros((3, 3), np.int64), r"float in \[0, 1\], uint8 or bool, this one is int64"),
        ("no/such/map.png", r"no/such/map\.png"),
        ("no/such/map.npy", r"no/such/map\.npy: cannot be read"),
    ],
)
def test_maps_that_cannot_be_one(saliency: object, message: str) -> None:
    with pytest.raises(SaliencyError, match=message):
        hints.resolve(saliency, "ms-roi", (), picture_of(20, 30))


def test_boxes_are_laid_over_the_map() -> None:
    picture = picture_of(60, 90)
    base, _ = hints.resolve(None, "ms-roi", (), picture)
    boxed, identity = hints.resolve(None, "ms-roi", [(70, 5, 15, 20)], picture)
    assert boxed[5:25, 70:85].min() == 1
    assert np.all(boxed >= base)
    assert np.allclose(boxed[40:, :50], base[40:, :50])
    assert "focus" in identity
    alone, _ = hints.resolve(None, "none", [(70, 5, 15, 20)], picture)
    assert alone[40:, :50].max() == 0


@pytest.mark.parametrize("box", [(80, 5, 15, 20), (-1, 0, 5, 5), (0, 0, 0, 5), (0, 55, 5, 6)])
def test_boxes_outside_are_refused_with_the_size(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(OptionError, match=r"the box leaves the picture, which has 90 x 60 pixels"):
        hints.resolve(None, "none", [box], picture_of(60, 90))


def test_identity_of_the_network_map_names_its_hash() -> None:
    _, identity = hints.resolve(None, "objects", (), picture_of(20, 20))
    assert identity == f"objects:{network.load().sha256[:16]}"
    assert hints.resolve("none", "ms-roi", (), picture_of(20, 20))[1] == "none"
