"""The autoencoder: it begins as a lapped transform codec, knows its rates, trains the same with a break and without."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the keras extra")

import msroi  # noqa: E402
from msroi.codecs.neural.vae import gamma as knob  # noqa: E402
from msroi.codecs.neural.vae import lapped  # noqa: E402
from msroi.codecs.neural.vae.autoencoder import bits_of, constant_gamma  # noqa: E402
from msroi.codecs.neural.vae.network import PRESETS, Architecture, Network  # noqa: E402
from msroi.codecs.neural.vae.published import PublishedArchitecture, PublishedNetwork  # noqa: E402
from msroi.errors import OptionError  # noqa: E402
from msroi.metrics import psnr_db  # noqa: E402

SMALL = PRESETS["small"]


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """uint8 (height, width, 3): waves and an edge, a little noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = 60 * np.sin(x / (5 + seed % 3))[..., None] * np.array([1.0, 0.8, 0.6]) + 40 * np.cos(y / 11)[..., None]
    pixels = 120 + waves + 40 * (x + y > (height + width) / 2)[..., None] + random.normal(0, 2, (height, width, 3))
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def untrained() -> Network:
    keras.utils.set_random_seed(5)
    network = Network(Architecture((32, 48, 48, 64), 1, 32, 32, 32, (1, 1, 1), (8, 8), 8, 8))
    network.build()
    return network


def evaluated(network: Network, pixels: np.ndarray, gamma: float) -> tuple[np.ndarray, float]:
    """(pixels as decoded, estimated bits)."""
    height, width = pixels.shape[:2]
    padded = network.padded(pixels)
    decoded, bits = network([padded, constant_gamma(1, *padded.shape[1:3], gamma)])
    levels = 255 * (keras.ops.convert_to_numpy(decoded)[0, :height, :width] + 0.5)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8), float(keras.ops.convert_to_numpy(bits)[0])


def test_the_filter_has_the_published_coding_gain_and_an_inverse() -> None:
    """Tran, Liang, Tu 2003, table II: 8 x 16, biorthogonal, 9.6 dB; blocks alone 8.83 dB."""
    line = 0.95 ** np.abs(np.subtract.outer(np.arange(16), np.arange(16)))
    before = np.zeros((16, 16))
    before[:8, :8] = before[8:, 8:] = lapped.border_filter()
    analysis = lapped._cosines(8, 2) @ before[4:12]
    synthesis = np.linalg.inv(before)[:, 4:12] @ lapped._cosines(8, 2).T
    products = np.diag(analysis @ line @ analysis.T) * (synthesis**2).sum(axis=0)
    assert 9.5 < -10 * np.log10(np.exp(np.log(products).mean())) < 9.62
    pixels = np.random.default_rng(1).random((24, 40, 3))
    assert np.abs(lapped.unfiltered(lapped.filtered(pixels)) - pixels).max() < 1e-12


def test_layers_are_the_transform(untrained: Network) -> None:
    pixels = picture(64, 32)[None] / np.float32(255) - np.float32(0.5)
    blocks = keras.ops.convert_to_numpy(untrained.lap(pixels))
    assert np.abs(blocks[0] - lapped.filtered(pixels[0])).max() < 1e-5
    assert np.abs(keras.ops.convert_to_numpy(untrained.unlap(blocks)) - pixels).max() < 1e-5


def test_untrained_it_is_the_transform_codec(untrained: Network) -> None:
    """All 192 components, nonlinear branches at 0: coding is rounding of coefficients, above 40 dB at the finest."""
    pixels = picture(96, 64, 1)
    decoded, bits = evaluated(untrained, pixels, knob.HIGHEST)
    assert psnr_db(pixels, decoded) > 40
    basis = lapped.basis(lapped.smooth_covariance(), 192)
    step = 5.1 / 255 / basis.norms / math.sqrt(float(knob.Weighting().of(knob.HIGHEST)))
    coefficients = lapped.filtered(pixels / 255 - 0.5) @ basis.axes
    direct = lapped.unfiltered((step * np.rint(coefficients / step)) @ np.linalg.pinv(basis.axes))
    levels = np.clip(np.rint(255 * (direct + 0.5)), 0, 255).astype(np.uint8)
    assert abs(psnr_db(pixels, decoded) - psnr_db(pixels, levels)) < 0.05
    assert 0 < bits < 24 * 96 * 64


def test_a_smaller_gamma_costs_fewer_bits_and_more_error(untrained: Network) -> None:
    pixels = picture(64, 64, 2)
    found = [evaluated(untrained, pixels, gamma) for gamma in (32, 128, 512, 2048)]
    bits = [b for _, b in found]
    quality = [psnr_db(pixels, decoded) for decoded, _ in found]
    assert bits == sorted(bits) and quality == sorted(quality)
    assert bits[0] < bits[-1] / 3 and quality[-1] > quality[0] + 6


def test_bits_are_those_of_the_distribution() -> None:
    scales = np.array([0.05, 0.3, 2.0, 40.0], np.float32).reshape(1, 1, 1, 4)
    for difference in (0.0, 1.0, -3.0, 0.4):
        found = bits_of(np.full((1, 1, 1, 4), difference, np.float32), scales)
        s = scales.astype(np.float64).ravel()
        upper, lower = 0.5 - abs(difference), -0.5 - abs(difference)
        mass = 1 / (1 + np.exp(-upper / s)) - 1 / (1 + np.exp(-lower / s))
        assert float(found[0]) == pytest.approx(-np.log2(mass).sum(), rel=1e-4)
    far = bits_of(np.full((1, 1, 1, 4), 1e4, np.float32), scales)
    assert np.isfinite(float(far[0]))
    integers = np.arange(-400, 401, dtype=np.float32).reshape(-1, 1, 1, 1)
    masses = 2.0 ** -np.asarray(bits_of(integers, np.float32(3.0)), np.float64)
    assert masses.sum() == pytest.approx(1, abs=1e-5)


def test_gamma_may_vary_and_a_constant_map_is_the_number(untrained: Network) -> None:
    pixels = picture(64, 96, 3)
    padded = untrained.padded(pixels)
    constant = constant_gamma(1, 64, 96, 300)
    one = [keras.ops.convert_to_numpy(v) for v in untrained([padded, constant])]
    assert np.array_equal(constant, np.full((1, 8, 12, 1), knob.position(300), np.float32))
    split = constant.copy()
    split[:, :, 6:] += 0.5
    other = [keras.ops.convert_to_numpy(v) for v in untrained([padded, split])]
    assert other[1][0] > one[1][0]
    errors = [np.square(v[0] - padded)[0].mean(axis=(0, 2)) for v in (one, other)]
    assert errors[1][60:].mean() < 0.7 * errors[0][60:].mean()
    assert errors[1][:36].mean() == pytest.approx(errors[0][:36].mean(), rel=0.05)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (31, 33), (64, 8)])
def test_any_size_is_padded_by_mirroring(untrained: Network, height: int, width: int) -> None:
    pixels = picture(height, width)
    padded = untrained.padded(pixels)
    assert padded.shape[1] % 32 == padded.shape[2] % 32 == 0
    assert np.array_equal(padded[0, :height, :width], pixels.astype(np.float32) / 255 - np.float32(0.5))
    decoded, _ = evaluated(untrained, pixels, knob.HIGHEST)
    assert decoded.shape == pixels.shape and psnr_db(pixels, decoded) > 38


def test_a_compiled_network_computes_what_layers_compute() -> None:
    """TensorFlow's optimiser of graphs gave a leaky ReLU behind convolution and sum another slope."""
    from msroi.codecs.neural.vae.layers import activate

    keras.utils.set_random_seed(4)
    x = keras.Input((32, 32, 64))
    one, other = (keras.layers.Conv2D(64, 1, bias_initializer="normal") for _ in range(2))
    model = keras.Model(x, activate(one(x) + other(x)))
    pixels = np.random.default_rng(4).normal(size=(1, 32, 32, 64)).astype(np.float32)
    direct = keras.ops.convert_to_numpy(model(pixels))
    assert (direct < 0).any() and np.abs(model.predict_on_batch(pixels) - direct).max() < 1e-5


def test_weights_go_out_and_in_by_name(untrained: Network) -> None:
    stored = {name: keras.ops.convert_to_numpy(v).copy() for name, v in untrained.named_weights()}
    assert len(stored) == len(untrained.weights)
    other = Network(untrained.architecture, name="other")
    other.assign(stored)
    pixels = picture(32, 32)
    assert evaluated(other, pixels, 256)[1] == evaluated(untrained, pixels, 256)[1]


def test_base_has_the_size_that_was_planned() -> None:
    network = Network(PRESETS["base"])
    network.build()
    assert 1.8e6 < network.count_params() < 2.6e6
    assert 15_000 < network.multiplications() < 25_000


def test_the_published_shape_takes_a_step() -> None:
    """Its weights and sums in full; a narrow one is taught, and then has less loss."""
    from train.vae import recipes
    from train.vae.training import Trainer

    full = PublishedNetwork()
    full.build()
    assert 60e6 < full.count_params() < 130e6
    assert [(stride, n) for _, stride, n in full.latents()][:3] == [(64, 32), (32, 32), (32, 32)]
    del full
    keras.utils.set_random_seed(1)
    narrow = PublishedArchitecture((8, 8, 16, 16, 16), (1,) * 5, (0, 1, 1, 1, 1), (0, 2, 4, 4, 4), 1, 8)
    network = PublishedNetwork(narrow)
    found = teach(Trainer(network, recipes.find("smoke", preset="full")), 2, 128)
    assert np.isfinite(found).all() and found[-1] < found[0]


@pytest.mark.parametrize(("distortion", "mixed"), [("si-ssim", 0.5), ("ms-ssim", 1.0)])
def test_losses_fall(distortion: str, mixed: float) -> None:
    from train.vae import recipes
    from train.vae.training import Trainer

    keras.utils.set_random_seed(2)
    network = Network(Architecture((8, 16), 1, 16, 16, 16, (1, 1, 1), (4, 4), 4, 0))
    saliency = np.ones((2, 12, 12, 1), np.float32)
    saliency[:, :6] = 0.1
    recipe = recipes.find("smoke", distortion=distortion, mixed=mixed)
    found = teach(Trainer(network, recipe), 3, 96, saliency=saliency)
    assert np.isfinite(found).all() and found[-1] < found[1] < found[0]


def teach(trainer: keras.Model, steps: int, side: int, **more: np.ndarray) -> list[float]:
    """The losses of steps on one batch of made pictures."""
    random = np.random.default_rng(3)
    pixels = np.stack([picture(side, side, seed) for seed in (1, 2)])
    batch = {"pixels": pixels, "gamma": constant_gamma(2, side, side, 200), "rounding": np.zeros((2, 1), np.float32)}
    for name, stride, n in trainer.network.latents():
        batch["noise" + name] = random.uniform(-0.5, 0.5, (2, side // stride, side // stride, n)).astype(np.float32)
    trainer.compile(
        optimizer=keras.optimizers.SGD(0.01, global_clipnorm=1.0),
        loss=lambda _, output: keras.ops.mean(output[:, 0]),
        run_eagerly=True,
    )
    return [float(trainer.train_on_batch(batch | more, np.zeros(2, np.float32))) for _ in range(steps)]


def test_gamma_out_of_range_is_one_line() -> None:
    with pytest.raises(OptionError, match=r"gamma 31: must be from 32 .* to 2048"):
        knob.checked(31)
    assert knob.checked(32) == 32
    assert [round(float(knob.position(g)), 3) for g in (32, 256, 2048)] == [-1, 0, 1]
    assert float(knob.PUBLISHED.of(512) / knob.PUBLISHED.of(256)) == pytest.approx(2)


def test_groups_must_fit() -> None:
    with pytest.raises(OptionError, match="groups"):
        Architecture((100, 100))
    with pytest.raises(OptionError, match="checkered 9"):
        Architecture(checkered=9)
    with pytest.raises(OptionError, match="components"):
        Network(SMALL, lapped.basis(lapped.smooth_covariance(), 10))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    for i in range(4):
        Image.fromarray(picture(130, 150, i)).save(folder / f"{i}.png")
    Image.fromarray(picture(200, 300, 9)).save(folder / "halved.jpg")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_photos_are_packed_once(photos: Path, tmp_path: Path) -> None:
    from train.data import packed

    source = packed.Source.parse(f"{photos}=2")
    held = packed.held_back(source.paths(), 1)
    first = packed.pack(tmp_path, [source], held)
    names = [p.name for p in source.paths() if p not in held and p.name != "broken.png"]
    assert len(names) == 4 and len(first) == sum(1 if n.endswith("jpg") else 2 for n in names)
    assert sorted({tuple(row[1:3]) for row in first.table.tolist()}) == [(65, 75), (100, 150), (130, 150)]
    before = (tmp_path / "pictures.bin").stat().st_mtime_ns
    again = packed.pack(tmp_path, [source], held)
    assert (tmp_path / "pictures.bin").stat().st_mtime_ns == before and np.array_equal(again.table, first.table)
    whole = msroi.images.read(source.paths()[names.index(names[0])]).upright
    assert any(np.array_equal(first.picture(i), whole) for i in range(len(first)))
    batch = first.draw(3, 64, np.random.default_rng(0))
    assert batch.shape == (3, 64, 64, 3) and np.array_equal(batch, first.draw(3, 64, np.random.default_rng(0)))
    with pytest.raises(OptionError, match="no photo has 512 x 512"):
        first.draw(1, 512, np.random.default_rng(0))


def test_maps_lie_where_the_patches_are(photos: Path, tmp_path: Path) -> None:
    from train.data import packed
    from train.vae.weights import Weights

    pictures = packed.pack(tmp_path, [packed.Source.parse(str(photos))])
    weights = Weights.of(pictures, "ms-roi", tmp_path)
    assert [m.shape for m in weights.maps] == [(h // 8, w // 8) for _, h, w, _ in pictures.table.tolist()]
    again = Weights.of(pictures, "ms-roi", tmp_path)
    assert all(np.array_equal(one, other) for one, other in zip(weights.maps, again.maps, strict=True))
    # A picture whose cells hold their own map's values: what is cut of both must be the same.
    for i, own in enumerate(weights.maps):
        _, height, width, _ = (int(v) for v in pictures.table[i])
        whole = np.zeros((height, width, 3), np.uint8)
        whole[: 8 * own.shape[0], : 8 * own.shape[1]] = np.kron(own, np.ones((8, 8), np.uint8))[..., None]
        marked = packed.Packed(whole.ravel(), np.array([[0, height, width, 0]]), (1.0,))
        places = marked.places(6, 64, np.random.default_rng(i), grid=8)
        cut = Weights((own,)).cut(places, 64)
        assert np.array_equal(np.rint(255 * cut[..., 0]), marked.cut(places, 64)[:, ::8, ::8, 0])


@pytest.mark.parametrize("word", ["photos=", "photos=much", "photos=-1"])
def test_a_share_is_a_number(word: str) -> None:
    from train.data.packed import Source

    with pytest.raises(OptionError, match="FOLDER=SHARE"):
        Source.parse(word)


def trained(photos: Path, out: Path, *more: str) -> int:
    from train.vae.__main__ import main

    words = ["--output", str(out), "--recipe", "smoke", "--data", str(photos), "--held-back", "1", "--every", "1"]
    return main([*words, "--judge-every", "2", *more])


def test_a_run_with_a_break_is_the_run_without(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(photos, tmp_path / "whole") == 0
    assert trained(photos, tmp_path / "broken", "--minutes", "0") == 0  # stops behind its first step
    assert "time is up after step 1 of 2" in capsys.readouterr().out
    assert trained(photos, tmp_path / "broken") == 0
    assert "going on from step 1" in capsys.readouterr().out
    with np.load(tmp_path / "whole" / "weights.npz") as one, np.load(tmp_path / "broken" / "weights.npz") as other:
        assert set(one.files) == set(other.files)
        for name in one.files:
            assert np.array_equal(one[name], other[name]), name
        network = Network(PRESETS[str(one["preset"])])
        network.assign(one)
    rows = [json.loads(line) for line in (tmp_path / "whole" / "history.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    assert all(math.isfinite(row["loss"]) and row["bpp"] > 0 for row in rows)
    points = rows[-1]["points"]
    assert [p[0] for p in points] == sorted(p[0] for p in points) and points[-1][1] > points[0][1] + 6
    assert (tmp_path / "whole" / "learning_curve.png").exists() and (tmp_path / "whole" / "run.json").exists()
    assert trained(photos, tmp_path / "whole", "--steps", "9") == 2
    assert "another recipe" in capsys.readouterr().err


def test_the_learning_rate_falls_and_begins_again_for_twice_as_long() -> None:
    from train.common.optimisers import Restarting, optimiser

    rate = Restarting(1e-3, 100, 10)
    assert rate.get_config() == {"peak": 1e-3, "cycle": 100, "warm_up": 10}
    at = {step: float(rate(step)) for step in (0, 9, 50, 99, 100, 109, 200, 299, 300, 310, 699, 700)}
    assert at[0] == pytest.approx(1e-4) and at[9] == pytest.approx(1e-3, rel=0.03)
    assert at[50] == pytest.approx(5e-4) and at[99] < 1e-6
    assert at[100] == pytest.approx(0.8e-4) and at[109] == pytest.approx(0.8e-3, rel=0.03)
    assert at[200] == pytest.approx(0.4e-3) and at[299] < 1e-6
    assert at[310] == pytest.approx(0.64e-3, rel=0.01) and at[699] < 1e-6
    assert at[700] == pytest.approx(0.512e-4, rel=0.01)
    assert isinstance(optimiser(1e-3, 400, cycle=100)._learning_rate, Restarting)


def test_beyond_rdos_files_nothing_is_compared() -> None:
    from train.vae import judging

    judge = judging.Judge("made", picture(32, 32), (0.5, 2.0), (30.0, 36.0))
    assert judge.over_rdo(1.0, 34.0) == pytest.approx(1.0)
    assert judge.over_rdo(0.4, 34.0) is None and judge.over_rdo(2.1, 34.0) is None
    row = {"points": [[0.1, 25.0, None], [1.0, 34.0, 1.0]]}
    assert judging.over_rdo(row) == {f"gamma {judging.GAMMAS[1]}": 1.0}
    line = judging.rdo_line(picture(64, 64))
    assert line["bpp"] == sorted(line["bpp"]) and len(line["bpp"]) == len(judging.QUALITIES)


def test_wrong_words_are_a_line(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from train.vae.__main__ import main

    assert main(["--output", str(tmp_path / "a"), "--recipe", "none", "--data", str(photos)]) == 2
    assert "the recipes are base, " in capsys.readouterr().err
    assert main(["--output", str(tmp_path / "b"), "--recipe", "smoke", "--data", str(tmp_path)]) == 2
    assert "no photos in this folder" in capsys.readouterr().err


def test_losses_are_the_metrics() -> None:
    from train.vae import losses

    first, second = picture(96, 96, 1), picture(96, 96, 1) // 2 + picture(96, 96, 2) // 2
    x, y = (p.astype(np.float32)[None] / 255 - 0.5 for p in (first, second))
    cells = keras.ops.convert_to_numpy(losses.cell_similarity(x, y))
    assert float(cells.mean()) == pytest.approx(msroi.metrics.ssim(first, second), abs=2e-4)
    saliency = np.zeros((96, 96), np.float32)
    saliency[:48, :40] = 1
    weights = saliency[::8, ::8].reshape(1, 12, 12, 1)
    lacking = keras.ops.convert_to_numpy(losses.cells_of("si-ssim", 1.0, y, x, weights)).mean() / losses.SSIM_UNIT
    assert 1 - lacking == pytest.approx(msroi.metrics.si_ssim(first, second, saliency), abs=1e-3)
    errors = keras.ops.convert_to_numpy(losses.cells_of("mse", 0.0, y, x))
    assert float(errors.mean()) == pytest.approx(msroi.metrics.mse(first, second), rel=1e-4)
    wide, other = picture(192, 192, 1), picture(192, 192, 1) // 2 + picture(192, 192, 2) // 2
    x, y = (p.astype(np.float32)[None] / 255 - 0.5 for p in (wide, other))
    assert float(losses.ms_ssim(x, y)[0]) == pytest.approx(msroi.metrics.ms_ssim(wide, other), abs=5e-4)
    with pytest.raises(OptionError, match="there are mse, si-ssim, ms-ssim"):
        losses.cells_of("psnr", 0.0, y, x)
