"""The map: definition, alignment with the whole picture, determinism, sources, errors."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import msroi
from msroi.errors import OptionError, SaliencyError
from msroi.images import Picture, read
from msroi.options import PixelBox
from msroi.saliency import KINDS, QUALITIES, activation_maps, boxes, faces, kinds, make_map, network, read_outs
from msroi.saliency.curves import CONTRAST
from msroi.saliency.sources import Sources
from msroi.saliency.steering import steer


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


def test_evidence_is_enlarged_before_the_sigmoid() -> None:
    """Bilinear with half-pixel centres, against NumPy's own interpolation; the network's cells keep their values."""
    random, finer = np.random.default_rng(8), activation_maps.FINER
    evidence = random.normal(0, 4, (5, 7)).astype(np.float32)

    def enlarged(values: np.ndarray) -> np.ndarray:  # along the first axis
        n = len(values)
        places = (np.arange(finer * n) + 0.5) / finer - 0.5
        return np.stack([np.interp(places, np.arange(n), column) for column in values.T], axis=1)

    expected = enlarged(enlarged(evidence).T).T
    fine = activation_maps.averaged([evidence])
    assert np.allclose(fine, expected, atol=1e-5)
    assert np.array_equal(fine[finer // 2 :: finer, finer // 2 :: finer].astype(np.float32), evidence)
    twice = np.repeat(np.repeat(evidence, 2, axis=0), 2, axis=1)
    both = activation_maps.averaged([evidence, twice])
    assert both.shape == (10 * finer, 14 * finer)
    looks = [network.Evidence(evidence[None], None, np.zeros(1, np.float32))]
    found = read_outs.coarse_map("objects", looks, {"read_out": {"objects": {"scale": 2.0, "offset": -1.0}}})
    assert np.abs(found - 1 / (1 + np.exp(1 - 2 * expected))).max() <= 0.5 / activation_maps.MAP_STEPS + 1e-5


@pytest.mark.parametrize("kind", KINDS)
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


def test_cards_and_files_of_the_shipped_networks() -> None:
    facts = {facts["name"]: facts for facts in network.network_facts()}
    assert set(facts) == {"ms-roi", "ms-roi-labels"}
    assert sum(one["card"]["n_bytes"] for one in facts.values()) <= 24e6
    for one in facts.values():
        data, card = (network.WEIGHTS / one["file"]).read_bytes(), one["card"]
        assert hashlib.sha256(data).hexdigest() == one["sha256"] == card["sha256"]
        assert len(data) == card["n_bytes"]
        assert len(card["classes"]) == 102
        assert card["accuracy"]["photos"] == 1530
        assert 0.7 < card["accuracy"]["top1"] < card["accuracy"]["top5"] <= 1
        assert card["trained"] and card["recipe"]["name"] and card["data"]
    assert set(facts["ms-roi"]["card"]["read_out"]) == {"objects", "gaze"}
    losses = facts["ms-roi-labels"]["card"]["recipe"]["losses"]
    assert losses["objects"] == losses["gaze"] == 0 and not facts["ms-roi-labels"]["card"]["read_out"]


def test_missing_and_damaged_networks_are_named(tmp_path: Path) -> None:
    for name in ("lost", "ms-roi"):
        with pytest.raises(SaliencyError, match=rf"{name}\.json: the network's card is missing or damaged; install"):
            network.load(name, tmp_path)
    (tmp_path / "lost.json").write_text(json.dumps({"sha256": "00ff"}))
    with pytest.raises(SaliencyError, match=r"lost\.onnx: the network is missing"):
        network.load("lost", tmp_path)
    (tmp_path / "lost.onnx").write_bytes(b"not a network")
    with pytest.raises(SaliencyError, match=r"lost\.onnx: damaged, its SHA-256 is .* expected 00ff"):
        network.load("lost", tmp_path)


def labels_network(folder: Path, name: str = "ms-roi-labels") -> None:
    """A small network without gaze maps and without a learned sigmoid, and its card."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("keras", reason="needs the keras extra")
    from msroi.saliency import keras_model
    from train.saliency.onnx_graph import build_graph

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
    identity = Sources.of(map_kind="ms-roi-labels").identity()
    assert identity.startswith(f"ms-roi-labels:{own.sha256[:16]}:{read_outs.MAP_VERSION}-")
    assert own.sha256 != default.sha256
    assert np.all(make_map(np.full((40, 50, 3), 90, np.uint8), "ms-roi-labels") == 0.5)


def test_a_missing_network_of_labels_is_named_with_its_hash(
    photo: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ms-roi-labels.json").write_text(json.dumps({"sha256": "12ab"}))
    monkeypatch.setattr(network, "WEIGHTS", tmp_path)
    with pytest.raises(SaliencyError, match=r"ms-roi-labels\.onnx: the network is missing .* expected SHA-256 12ab"):
        make_map(photo, "ms-roi-labels")


def bright_squares_model(path: Path, score: float = 1.0) -> Path:
    """A model with YuNet's inputs and outputs, for whom a face is a white square of 32 pixels on the grid of 32.

    Scores are the mean brightness of a cell; cells of 8 and 16 pixels never score.
    """
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    constants = [numpy_helper.from_array(np.full((1, 3, 1, 1), 1 / 765, np.float32), "third")]
    nodes = [helper.make_node("Conv", ["input", "third"], ["grey"], kernel_shape=[1, 1])]
    outputs = []
    for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        for stride in (8, 16, 32):
            gain = np.full((width, 1, 1, 1), score * (width == 1 and stride == 32), np.float32)
            middle = np.array([0.5, 0.5, 0, 0] if name == "bbox" else [0] * width, np.float32)
            own = f"{name}_{stride}"
            arrays = {"gain": gain, "bias": middle, "shape": np.array([1, -1, width], np.int64)}
            constants += [numpy_helper.from_array(value, f"{own}_{what}") for what, value in arrays.items()]
            sides = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
            nodes += [
                helper.make_node("AveragePool", ["grey"], [f"{own}_mean"], **sides),
                helper.make_node(
                    "Conv", [f"{own}_mean", f"{own}_gain", f"{own}_bias"], [f"{own}_sum"], kernel_shape=[1, 1]
                ),
                helper.make_node("Transpose", [f"{own}_sum"], [f"{own}_rows"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{own}_rows", f"{own}_shape"], [own]),
            ]
            outputs.append(helper.make_tensor_value_info(own, TensorProto.FLOAT, [1, None, width]))
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])
    graph = helper.make_graph(nodes, "squares", [picture], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def with_squares(height: int, width: int, *corners: tuple[int, int]) -> np.ndarray:
    pixels = np.random.default_rng(2).integers(0, 60, (height, width, 3), dtype=np.uint8)
    for x, y in corners:
        pixels[y : y + 32, x : x + 32] = 255
    return pixels


def test_faces_of_a_model_join_the_map(tmp_path: Path) -> None:
    """OpenCV's FaceDetectorYN itself runs, on a model that knows white squares."""
    model = bright_squares_model(tmp_path / "squares.onnx")
    pixels = with_squares(160, 224, (32, 64), (160, 96))
    assert faces.find_faces(pixels, model) == [(32, 64, 32, 32), (160, 96, 32, 32)]
    assert faces.find_faces(with_squares(160, 224), model) == []
    picture = read(pixels)
    base = steer(Sources.of(), picture)
    found = steer(Sources.of(focus=[(0, 0, 10, 10)], face_model=model), picture)
    for saliency, before in ((found.made(), base.made()), (found.followed(), base.followed())):
        for x, y, side in ((32, 64, 32), (160, 96, 32), (0, 0, 10)):
            assert saliency[y : y + side, x : x + side].min() == 1
        assert np.all(saliency >= before) and saliency[150, 110] == before[150, 110]
    assert found.identity.startswith(f"{base.identity}+focus:[(0, 0, 10, 10)]+faces:")
    alone = steer(Sources.of(map_kind="none", face_model=str(model)), picture)
    assert alone.followed()[80, 48] == 1 and alone.followed()[20, 120] == 0
    nobody = steer(Sources.of(map_kind="none", face_model=model), read(with_squares(160, 224)))
    assert np.all(nobody.followed() == 0.5) and nobody.is_flat


def test_faces_of_large_and_grey_pictures_are_in_their_own_pixels(tmp_path: Path) -> None:
    model = bright_squares_model(tmp_path / "squares.onnx")
    small = with_squares(320, 1280, (640, 96))[..., 0]
    large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    assert faces.find_faces(small, model) == [(640, 96, 32, 32)]
    assert faces.find_faces(large, model) == [(1280, 192, 64, 64)]
    assert faces.find_faces(np.full((1, 1, 3), 9, np.uint8), model) == []
    edge = with_squares(40, 50, (32, 32))  # the detector fills up to whole cells
    assert all(x + w <= 50 and y + h <= 40 for x, y, w, h in faces.find_faces(edge, model))


def test_face_models_that_cannot_be_one_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    picture = read(with_squares(64, 64))
    (tmp_path / "text.onnx").write_text("no model")
    for name, message in (
        ("lost.onnx", r"lost\.onnx: the face model cannot be read \(No such file"),
        ("text.onnx", r"text\.onnx: is no model that OpenCV's FaceDetectorYN can run; give YuNet's"),
        (".", "the face model cannot be read"),
        (network.WEIGHTS / "ms-roi.onnx", r"ms-roi\.onnx: is no model that OpenCV's FaceDetectorYN can run"),
    ):
        with pytest.raises(SaliencyError, match=message):
            steer(Sources.of(face_model=tmp_path / name), picture)
    with pytest.raises(OptionError, match=r"face_model: got 3, allowed: the path of YuNet's ONNX file"):
        steer(Sources.of(face_model=3), picture)  # type: ignore[arg-type]
    with pytest.raises(SaliencyError, match=r"lost\.onnx: the face model cannot be read"):
        msroi.compress(with_squares(64, 64), face_model=tmp_path / "lost.onnx")


def test_high_quality_is_the_mean_of_four_looks_and_a_picture_of_its_own(photo: np.ndarray) -> None:
    """A mirrored picture has the mirrored map, since both are looked at; the default is one look, as ever."""
    fast, high = make_map(photo), make_map(photo, quality="high")
    assert high.shape == fast.shape and high.dtype == np.float32 and 0 <= high.min() <= high.max() <= 1
    assert 0.5 < np.corrcoef(fast.ravel(), high.ravel())[0, 1] < 1
    mirrored = make_map(np.ascontiguousarray(photo[:, ::-1]), quality="high")
    assert np.abs(mirrored[:, ::-1] - high).max() < 0.02
    picture = read(photo)
    identities = {steer(Sources.of(map_quality=q), picture).identity for q in ("fast", "high")}
    sha = network.load().sha256[:16]
    assert len(identities) == 2 and all(i.startswith(f"ms-roi:{sha}:{read_outs.MAP_VERSION}-") for i in identities)
    assert [i.endswith(":high") for i in sorted(identities, key=len)] == [False, True]
    with pytest.raises(OptionError, match="map_quality: got 'best', allowed: fast, high"):
        make_map(photo, quality="best")
    with pytest.raises(OptionError, match="map_quality: got 'best'"):
        msroi.compress(photo, map_kind="none", map_quality="best")


def unsure_pictures() -> dict[str, np.ndarray]:
    random = np.random.default_rng(11)
    sky = np.stack([np.linspace(a, b, 300) for a, b in ((60, 190), (110, 220), (200, 240))], -1)
    return {
        "noise": random.integers(0, 256, (300, 420, 3), dtype=np.uint8),
        "faint noise": np.clip(random.normal(128, 4, (300, 420)), 0, 255).astype(np.uint8),
        "sky": np.broadcast_to(sky[:, None], (300, 420, 3)).astype(np.uint8),
    }


@pytest.mark.parametrize("name", unsure_pictures())
def test_where_nothing_stands_out_the_map_is_flat_and_says_so(name: str) -> None:
    pixels = unsure_pictures()[name]
    for quality in QUALITIES:
        found = kinds.find_map(pixels, quality=quality)
        assert found.values == 0.5
        assert found.notice.startswith("map unsure (0.") and "all matters alike" in found.notice
    result = msroi.compress(pixels, quality=30)
    assert found.notice.split("(")[0] in " ".join(result.report.notices)
    boxed = steer(Sources.of(focus=[(10, 20, 50, 40)]), read(pixels), CONTRAST).followed()
    assert boxed[20:60, 10:60].min() == 1 and boxed[250, 300] == 0.5


def test_the_command_line_takes_quality_and_face_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from msroi.cli import main

    monkeypatch.chdir(tmp_path)
    model = bright_squares_model(tmp_path / "squares.onnx")
    Image.fromarray(with_squares(160, 224, (32, 64))).save("squares.png")
    Image.fromarray(unsure_pictures()["noise"]).save("noise.png")
    words = ["squares.png", "--map-quality", "high", "--face-model", str(model)]
    assert main(["map", *words, "--npy"]) == 0
    assert ":high+faces:" in capsys.readouterr().out
    assert np.load("squares.map.npy")[64:96, 32:64].min() == 1
    assert main(["compress", *words, "--quality", "40", "--json"]) == 0
    assert ":high+faces:" in json.loads(capsys.readouterr().out)["map"]
    assert main(["map", "noise.png", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["minimum"] == facts["maximum"] == 0.5 and facts["notices"][0].startswith("map unsure")


def test_photos_are_sure(photo: np.ndarray, wide: np.ndarray) -> None:
    for pixels in (photo, wide):
        assert kinds.find_map(pixels).notice == ""


def picture_of(height: int, width: int) -> Picture:
    return read(np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_user_map_of_any_size_and_type(tmp_path: Path) -> None:
    half = np.zeros((10, 20), np.float32)
    half[:, 10:] = 1
    np.save(tmp_path / "map.npy", half)
    Image.fromarray((half * 255).astype(np.uint8)).save(tmp_path / "map.png")
    picture = picture_of(50, 100)
    sources = [half, half.astype(bool), (half * 255).astype(np.uint8), half.astype(np.float64)]
    sources += [tmp_path / "map.npy", str(tmp_path / "map.png")]
    steerings = [steer(Sources.of(saliency=source), picture, CONTRAST) for source in sources]
    resolved = [(steering.made(), steering.identity) for steering in steerings]
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
        Sources.of(saliency=saliency)


def test_boxes_are_laid_over_the_map() -> None:
    picture = picture_of(60, 90)
    base = steer(Sources.of(), picture).made()
    steering = steer(Sources.of(focus=[(70, 5, 15, 20)]), picture)
    boxed, identity = steering.made(), steering.identity
    assert boxed[5:25, 70:85].min() == 1
    assert np.all(boxed >= base)
    assert np.allclose(boxed[40:, :50], base[40:, :50])
    assert "focus" in identity
    alone = steer(Sources.of(map_kind="none", focus=[(70, 5, 15, 20)]), picture).made()
    assert alone[40:, :50].max() == 0


@pytest.mark.parametrize("box", [(80, 5, 15, 20), (-1, 0, 5, 5), (0, 0, 0, 5), (0, 55, 5, 6)])
def test_boxes_outside_are_refused_with_the_size(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(OptionError, match=r"the box leaves the picture, which has 90 x 60 pixels"):
        steer(Sources.of(map_kind="none", focus=[box]), picture_of(60, 90))


def test_identity_of_the_network_map_names_its_hash_and_the_version_of_the_maps() -> None:
    identity = Sources.of(map_kind="objects").identity()
    assert identity.startswith(f"objects:{network.load().sha256[:16]}:{read_outs.MAP_VERSION}-")
    assert Sources.of(saliency="none").identity() == "none"


@pytest.mark.parametrize(
    ("height", "width", "areas"),
    [
        (900, 640, [(40, 300, 200, 310)]),
        (640, 901, [(0, 0, 300, 200), (500, 150, 401, 490), (10, 420, 5, 1)]),
        (300, 200, [(0, 0, 200, 300)]),
        (70, 1000, [(3, 20, 400, 30)]),
    ],
)
def test_soft_edges_of_boxes_are_those_of_the_whole_picture_blurred(
    height: int, width: int, areas: list[PixelBox]
) -> None:
    inside = np.zeros((height, width), np.float32)
    for x, y, w, h in areas:
        inside[y : y + h, x : x + w] = 1
    sigma = boxes.BOX_EDGE * min(height, width)
    blurred = cv2.GaussianBlur(inside, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    found = steer(Sources.of(map_kind="none", focus=areas), read(np.zeros((height, width), np.uint8)))
    assert np.array_equal(found.followed(), np.maximum(inside, blurred))
