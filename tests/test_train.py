"""The training program end to end on a handful of photos, and what its export computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the keras extra")

from msroi.errors import OptionError  # noqa: E402
from msroi.saliency import keras_model  # noqa: E402
from msroi.saliency.keras_model import Architecture  # noqa: E402
from train.data import datasets, views  # noqa: E402
from train.saliency import measures, recipes  # noqa: E402
from train.saliency.sources import Sampler  # noqa: E402

ROOT = Path(__file__).parents[1]


def run_program(module: str, *arguments: object) -> str:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def smoke_run(shared_data: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the recipe `smoke`: killed after two steps, then resumed."""
    run = tmp_path_factory.mktemp("run")
    arguments = ["--recipe", "smoke", "--output", run, "--every", 2, "--validation", 2]
    arguments += ["--caltech101", shared_data("caltech101-mini"), "--duts", shared_data("duts-mini")]
    arguments += ["--mit1003", shared_data("mit1003-mini")]
    arguments += ["--init", shared_data("weights", "vgg16_conv1_1_to_conv3_3_fp16.npz")]
    arguments += ["--teacher", shared_data("weights", "googlenet_bvlc_fp16.npz")]
    assert "going on" not in run_program("train.saliency", *arguments)
    assert "going on from step 4" in run_program("train.saliency", *arguments)
    return run


def test_smoke_runs_without_any_data_set(tmp_path: Path) -> None:
    said = run_program("train.saliency", "--recipe", "smoke", "--output", tmp_path / "run", "--every", 2)
    assert "caltech101: 12 photos, 6 of them held back" in said and "done: " in said
    rows = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4] and all(np.isfinite(v) for row in rows for v in row.values())
    assert (tmp_path / "run" / "per_class.csv").read_text().splitlines()[1].startswith("astronaut,1,")
    assert "going on from step 4" in run_program(
        "train.saliency", "--recipe", "smoke", "--output", tmp_path / "run", "--every", 2
    )


def test_training_leaves_all_it_promises(smoke_run: Path) -> None:
    rows = [json.loads(line) for line in (smoke_run / "history.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4]
    assert all(np.isfinite(value) for row in rows for value in row.values())
    assert {"top1", "top5", "max_f", "mae", "cc"} <= set(rows[-1])
    assert (smoke_run / "learning_curve.png").read_bytes()[:4] == b"\x89PNG"
    per_class = (smoke_run / "per_class.csv").read_text().splitlines()
    assert len(per_class) == 103 and per_class[1].startswith("BACKGROUND_Google,2,")
    confusion = np.array(
        [row.split(",")[1:] for row in (smoke_run / "confusion.csv").read_text().splitlines()[1:]], int
    )
    assert confusion.shape == (102, 102) and confusion.sum() == 204
    facts = json.loads((smoke_run / "run.json").read_text())
    assert facts["recipe"]["name"] == "smoke" and len(facts["classes"]) == 102


def test_live_views_train_all_layers(
    shared_data: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `ms-roi-2018` and `full` do, made small: no stored features, the trunk learns too."""
    from train.saliency import __main__ as saliency

    small = {"side": 64, "batch": (4, 0, 0), "steps": 2, "mixed_precision": False}
    paper = replace(recipes.find("ms-roi-2018"), architecture=Architecture(16, False, 2, False, False), **small)
    full = replace(recipes.find("full"), architecture=Architecture(16), **small | {"batch": (4, 2, 2)})
    sets = ["--caltech101", shared_data("caltech101-mini"), "--validation", 2, "--duts", shared_data("duts-mini")]
    sets += ["--mit1003", shared_data("mit1003-mini"), "--every", 1]
    sets += ["--init", shared_data("weights", "vgg16_conv1_1_to_conv3_3_fp16.npz")]
    teacher = ["--teacher", shared_data("weights", "googlenet_bvlc_fp16.npz")]
    for recipe, more in ((paper, []), (full, teacher)):
        monkeypatch.setitem(recipes.RECIPES, recipe.name, recipe)
        run = tmp_path / recipe.name
        assert saliency.main(list(map(str, ["--recipe", recipe.name, "--output", run, *sets, *more]))) == 0
        with np.load(run / "weights.npz") as weights, np.load(sets[-1]) as start:
            assert not np.array_equal(weights["block1_conv1/kernel"], start["block1_conv1/kernel"].astype(np.float32))


def test_export_computes_what_keras_computes(
    smoke_run: Path, shared_data: Callable[..., Path], tmp_path: Path, photo: np.ndarray
) -> None:
    import onnxruntime

    run_program(
        "train.saliency.export", smoke_run, "--caltech101", shared_data("caltech101-mini"),
        "--side", 64, "--name", "trial", "--output", tmp_path, "--float",
    )  # fmt: skip
    card = json.loads((tmp_path / "trial.json").read_text())
    assert card["accuracy"]["photos"] == 204 and set(card["read_out"]) == {"objects", "gaze"}
    model = keras_model.build(Architecture(**card["recipe"]["architecture"]))
    with np.load(smoke_run / "weights.npz") as weights:
        for layer in keras_model.walk_layers(model):
            layer.set_weights([weights[f"{layer.name}/{weight.name}"] for weight in layer.weights])
    pixels = np.ascontiguousarray(photo[:64, :96])
    expected = model.predict_on_batch(pixels[None].astype(np.float32))
    session = onnxruntime.InferenceSession(str(tmp_path / "trial.onnx"), providers=["CPUExecutionProvider"])
    names = ["object_maps", "gaze_maps", "logits"]
    found = dict(zip(names, session.run(names, {"picture": pixels[None]}), strict=True))
    for name in ("object_maps", "gaze_maps"):
        reference = np.asarray(expected[name]).transpose(0, 3, 1, 2)
        # Sums of some thousand float32 products, in another order.
        assert np.abs(found[name] - reference).max() <= 1e-4 * np.abs(reference).max()
    assert np.allclose(found["logits"], expected["logits"], rtol=1e-3, atol=1e-4)


def test_eight_bits_follow_the_float_network(
    smoke_run: Path, shared_data: Callable[..., Path], tmp_path: Path, photo: np.ndarray
) -> None:
    import onnxruntime

    outputs = {}
    for name, extra in (("whole", ["--float"]), ("eight", [])):
        arguments = ["--caltech101", shared_data("caltech101-mini")]
        run_program("train.saliency.export", smoke_run, *arguments, "--name", name, "--output", tmp_path, *extra)
        session = onnxruntime.InferenceSession(str(tmp_path / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        outputs[name] = session.run(["gaze_maps"], {"picture": photo[None, :128, :192]})[0].ravel()
    assert np.corrcoef(outputs["whole"], outputs["eight"])[0, 1] >= 0.98
    assert (tmp_path / "eight.onnx").stat().st_size < 0.5 * (tmp_path / "whole.onnx").stat().st_size


def test_grad_cam_of_a_network_with_global_average_pooling_is_its_class_map() -> None:
    """The gradients say what Selvaraju et al. 2017 prove: class maps after ReLU, over the number of cells."""
    from msroi.saliency.grad_cam import gradient_map

    keras.utils.set_random_seed(4)
    head = keras_model.build_head(Architecture(16, gaze_maps=False))
    model = keras.Model(head.input, head.output["logits"])
    seen = np.random.default_rng(0).uniform(0, 5, (12, 16, 256)).astype(np.float32)
    class_maps = head.predict_on_batch(seen[None])["object_maps"][0]
    for index in (0, 7, 101):
        expected = np.maximum(class_maps[..., index], 0) / class_maps[..., index].size
        found = gradient_map(model, seen, index, "features")
        assert expected.max() > 0 and np.allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.parametrize("ending", ["activation", "layer"])
def test_grad_cam_of_a_model_without_global_average_pooling(photo: np.ndarray, ending: str) -> None:
    """Convolution, flattened, dense, softmax: the mean gradient of a feature is the mean of its dense weights."""
    from msroi.saliency.grad_cam import grad_cam, gradient_map

    keras.utils.set_random_seed(6)
    layers = [keras.Input((32, 48, 3)), keras.layers.Conv2D(5, 3, strides=4, activation="relu", name="conv")]
    layers += [keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax" if ending == "activation" else None)]
    model = keras.Sequential([*layers, *([keras.layers.Softmax()] if ending == "layer" else [])])
    model.trainable = False  # gradients of frozen layers count as well
    pixels = photo[:32, 100:148].astype(np.float32) / 255
    conv, dense = model.get_layer("conv"), next(one for one in model.layers if isinstance(one, keras.layers.Dense))
    features = np.asarray(conv(pixels[None]), np.float64)[0]
    kernel = dense.get_weights()[0].astype(np.float64).reshape(*features.shape, 4)
    scores = np.tensordot(features, kernel, axes=3)
    expected = np.maximum(features @ kernel[..., scores.argmax()].mean(axis=(0, 1)), 0)
    assert np.allclose(gradient_map(model, pixels), expected, rtol=1e-4, atol=1e-6)
    saliency = grad_cam(model, pixels)
    assert saliency.shape == (32, 48) and saliency.dtype == np.float32
    assert saliency.min() >= 0 and saliency.max() <= 1
    assert np.asarray(model(pixels[None])).sum() == pytest.approx(1, abs=1e-5)  # the softmax is back
    with pytest.raises(OptionError, match=r"'pool': is no layer with an output \(n, h, w, channels\); the model has"):
        grad_cam(model, pixels, layer="pool")
    with pytest.raises(OptionError, match="class_index: got 4, allowed: a whole number from 0 to 3"):
        grad_cam(model, pixels, 4)


def test_the_definition_is_vgg16_with_three_more_convolutions() -> None:
    model = keras_model.build(Architecture(64, batch_norm=False, gaze_maps=False, last_pool_stride=2))
    names = [layer.name for layer in keras_model.walk_layers(model)]
    blocks = [f"block{b}_conv{i}" for b, n in ((1, 2), (2, 2), (3, 3), (4, 3), (5, 3)) for i in range(1, n + 1)]
    assert names == [*blocks, "msroi_conv1", "msroi_conv2", "msroi_conv3", "object_maps", "logits"]


def test_logits_are_the_mean_of_the_class_maps_at_any_size() -> None:
    keras.utils.set_random_seed(1)
    model = keras_model.build(Architecture(16))
    for height, width in ((48, 80), (64, 64), (37, 50)):
        outputs = model.predict_on_batch(
            np.random.default_rng(0).uniform(0, 255, (1, height, width, 3)).astype(np.float32)
        )
        assert outputs["object_maps"].shape == (1, height // 16, width // 16, 102)
        assert np.allclose(outputs["object_maps"].mean((1, 2)), outputs["logits"], atol=1e-4)


def test_initial_layers_come_from_npz_and_from_keras_applications(
    shared_data: Callable[..., Path], tmp_path: Path
) -> None:
    import h5py

    source = shared_data("weights", "vgg16_conv1_1_to_conv3_3_fp16.npz")
    trunk = keras_model.build_trunk()
    assert len(keras_model.load_initial_layers(trunk, source)) == 7
    with h5py.File(tmp_path / "vgg16.h5", "w") as file, np.load(source) as stored:
        for name in stored.files:  # as keras.applications' file lays them out
            layer, what = name.split("/")
            file[f"{layer}/{layer}_{'W' if what == 'kernel' else 'b'}_1:0"] = stored[name]
        kernel = np.random.default_rng(0).normal(size=(3, 3, 256, 512)).astype(np.float32)
        file["block4_conv1/block4_conv1_W_1:0"], file["block4_conv1/block4_conv1_b_1:0"] = (
            kernel,
            np.ones(512, np.float32),
        )
    model = keras_model.build(Architecture(512, batch_norm=False, gaze_maps=False))
    assert keras_model.load_initial_layers(model, tmp_path / "vgg16.h5")[-1] == "block4_conv1"
    layers = {layer.name: layer for layer in keras_model.walk_layers(model)}
    assert np.array_equal(layers["block4_conv1"].get_weights()[0], kernel)
    np.savez(tmp_path / "other.npz", conv=np.ones(3))
    with pytest.raises(OptionError, match=r"other\.npz: holds no layer of this network"):
        keras_model.load_initial_layers(model, tmp_path / "other.npz")


def test_paper_recipe_is_the_papers() -> None:
    recipe = recipes.find("ms-roi-2018")
    assert (recipe.side, recipe.learning_rate, recipe.batch) == (224, 1e-4, (32, 0, 0))
    assert not recipe.architecture.batch_norm and not recipe.cosine
    assert recipe.augmentation.rotation_degrees == 30 and recipe.augmentation.zoom == (0.7, 1.3)
    with pytest.raises(OptionError, match="the recipes are full, ms-roi-2018, smoke, two-cores, two-cores-labels"):
        recipes.find("fast")


def test_split_holds_back_the_last_photos_of_each_class(shared_data: Callable[..., Path]) -> None:
    samples, names = datasets.caltech101(shared_data("caltech101-mini"), 2)
    assert len(names) == 102 and len(samples) == 612
    for label in (0, 50, 101):
        own = [sample for sample in samples if sample.label == label]
        assert [sample.held_back for sample in own] == [False] * 4 + [True] * 2
        assert own == sorted(own, key=lambda s: s.path)


def test_views_move_pixels_mask_and_fixations_together(tmp_path: Path) -> None:
    """A white square on black is its own mask and the only place looked at; after any geometry they agree."""
    import cv2

    picture = np.zeros((200, 300), np.uint8)
    picture[60:140, 40:120] = 255
    cv2.imwrite(str(tmp_path / "square.png"), picture)
    path = tmp_path / "square.png"
    points = np.stack(np.meshgrid(np.linspace(0.15, 0.38, 12), np.linspace(0.32, 0.68, 12)), -1).reshape(-1, 2)
    turned = views.Augmentation(rotation_degrees=30, flip_vertical=True, colour=0, jpeg=0)
    for seed in range(12):
        masked = views.make_view(datasets.Sample(path, mask=path), 160, turned, (seed,))
        seen = cv2.resize(masked.pixels[..., 0] / 255.0, (20, 20), interpolation=cv2.INTER_AREA)
        assert masked.mask is not None and np.abs(seen - masked.mask).mean() < 0.01
        looked = views.make_view(datasets.Sample(path, fixations=points.astype(np.float32)), 160, turned, (seed,))
        assert looked.density is not None and looked.density.sum() == pytest.approx(1, abs=1e-4)
        inside = cv2.resize(masked.mask, (10, 10), interpolation=cv2.INTER_AREA) > 0.05
        assert looked.density[inside].sum() > 0.75


def test_views_and_batches_repeat(shared_data: Callable[..., Path]) -> None:
    sample = datasets.duts(shared_data("duts-mini"))[3]
    first, again = (views.make_view(sample, 96, views.Augmentation(), (1, 2)) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)

    class Labels:
        label, kind, held_back = np.arange(40) % 4, np.zeros(40, int), np.arange(40) >= 36

    sampler = Sampler(Labels(), (8, 0, 0), 5)  # type: ignore[arg-type]
    assert np.array_equal(sampler.draw(7), Sampler(Labels(), (8, 0, 0), 5).draw(7))  # type: ignore[arg-type]
    assert not np.array_equal(sampler.draw(7), sampler.draw(8))
    assert max(max(sampler.draw(step)) for step in range(50)) < 36
    with pytest.raises(OptionError, match="takes 2 photos with masks a step and none were given"):
        Sampler(Labels(), (8, 2, 0), 5)  # type: ignore[arg-type]


def test_measures_of_known_maps() -> None:
    masks = np.zeros((2, 4, 4))
    masks[:, :2] = 1
    assert measures.max_f(masks * 0.9, masks) == pytest.approx(1)
    assert measures.max_f(np.ones((2, 4, 4)), masks) == pytest.approx(1.3 * 0.5 / (0.3 * 0.5 + 1))
    assert measures.correlation(masks, masks * 3) == pytest.approx(1, abs=1e-6)
    logits = np.array([[0.1, 0.9, 0.5], [0.9, 0.1, 0.5]])
    assert measures.top_k(logits, np.array([1, 2]), 1) == 0.5
    assert measures.top_k(logits, np.array([1, 2]), 2) == 1.0
