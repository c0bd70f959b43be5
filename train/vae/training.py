"""A training run of the autoencoder, from its photos to its folder. `python -m train.vae` is the program."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from msroi.codecs.neural.vae import gamma as knob
from msroi.codecs.neural.vae import lapped
from msroi.codecs.neural.vae.autoencoder import Autoencoder, bits_of
from msroi.codecs.neural.vae.network import PRESETS, Network
from msroi.codecs.neural.vae.published import FULL, PublishedNetwork
from msroi.errors import OptionError
from msroi.images import read
from train.common import checkpoints, files, history
from train.common.command import say
from train.common.loop import Plan, Task, train
from train.common.optimisers import averaged, optimiser
from train.data import packed
from train.data.packed import Packed, Source
from train.vae import judging, losses
from train.vae.judging import Judge
from train.vae.recipes import Recipe
from train.vae.weights import Weights

REFERENCE = 0.015
"""lambda at which a patch's loss counts as it is."""

TOLD_AFTER = 20
"""Steps after which a run says how fast it is."""

PANELS = (
    history.Panel("loss", lambda row: {"training": row["loss"]}),
    history.Panel("dB over rdo at equal bits, held back", judging.over_rdo),
)


class Trainer(keras.Model):
    """The network with uniform noise for rounding; its output is (loss, bits per pixel, squared error) of each patch.

    Inputs: pixels uint8 (n, side, side, 3); gamma float (n, side / 8, side / 8, 1), positions; noise, from -.5 to .5,
    by the name of its latents; rounding (n, 1), 1 where the decoder is taught with rounded latents.
    """

    def __init__(self, network: Autoencoder, recipe: Recipe) -> None:
        super().__init__(autocast=False)
        self.network, self.evening = network, recipe.evening
        self.distortion, self.mixed = recipe.distortion, recipe.mixed
        self.weighting = network.weighting
        network.build()

    def call(self, inputs: dict[str, Any]) -> Any:
        pictures = ops.cast(inputs["pixels"], "float32") / 255 - 0.5
        rounding = inputs["rounding"][:, :, None, None]
        gamma, bits = inputs["gamma"], []

        def code(name: str, y: Any, mean: Any, scale: Any, mask: Any) -> Any:
            difference = y - mean
            noisy = difference + inputs["noise" + name]
            bits.append(bits_of(noisy, scale, mask))
            straight = difference + ops.stop_gradient(ops.round(difference) - difference)
            return mean + noisy + rounding * (straight - noisy)

        decoded = self.network.forward(code, pictures, gamma)
        _, height, width, _ = ops.shape(pictures)
        rate = sum(bits) / (height * width)
        weights = ops.exp(gamma * (3 * np.log(2) * self.weighting.power)) * self.weighting.middle
        error = losses.cells_of("mse", 0, decoded, pictures)
        felt = error
        if self.distortion != "mse":
            felt = losses.cells_of(self.distortion, self.mixed, decoded, pictures, inputs.get("saliency"))
        loss = rate + ops.mean(weights * felt, axis=(1, 2, 3))
        typical = ops.exp(ops.mean(ops.log(weights), axis=(1, 2, 3)))
        return ops.stack([loss / (typical / REFERENCE) ** self.evening, rate, ops.mean(error, axis=(1, 2, 3))], -1)


@dataclass
class Run:
    """A training run in its folder: the recipe, the photos, who judges, the model that trains."""

    recipe: Recipe
    folder: Path
    pictures: Packed
    judges: list[Judge]
    trainer: Trainer
    saliency: Weights | None = None


def run(recipe: Recipe, options: argparse.Namespace) -> None:
    """Train, from the last checkpoint on, and leave everything in the run's folder."""
    begun = prepare(recipe, options)
    plan = Plan(options.output, recipe.as_dict(), recipe.steps, options.every, options.minutes)
    if train(Training(begun, options.judge_every), plan):
        finish(begun)


def prepare(recipe: Recipe, options: argparse.Namespace) -> Run:
    """Pack the photos, hold some back, build the model."""
    keras.utils.set_random_seed(recipe.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    checkpoints.check(options.output, recipe.as_dict())
    sources = [Source.parse(word) for word in options.data]
    held = packed.held_back(sources[0].paths(), options.held_back)
    folder = options.packed or options.output / "packed"
    pictures = packed.pack(folder, sources, held)
    pictures.chances(recipe.side)
    judges = judging.judges([(path.stem, read(path).upright) for path in held], options.output)
    say(f"{len(pictures)} pictures, {pictures.megapixels:.0f} megapixels to train on, {len(judges)} photos judge")
    network = make_network(recipe, pictures)
    if recipe.side % network.stride:
        raise OptionError(f"side {recipe.side}: must be a multiple of {network.stride}")
    trainer = Trainer(network, recipe)
    trainer.compile(
        optimizer=optimiser(
            recipe.learning_rate,
            recipe.steps,
            cosine=recipe.cycle is not None,
            cycle=recipe.cycle or None,
            clip_norm=recipe.clip_norm,
            average=recipe.average,
        ),
        loss=lambda _, output: ops.mean(output[:, 0]),
        metrics=[mean_rate, mean_error],
        run_eagerly=recipe.eager,
    )
    trainer.network.compile(run_eagerly=recipe.eager)
    weights = None if recipe.saliency == "none" else Weights.of(pictures, recipe.saliency, folder)
    return Run(recipe, options.output, pictures, judges, trainer, weights)


def mean_rate(_: Any, output: Any) -> Any:
    """Bits per pixel."""
    return output[:, 1]


def mean_error(_: Any, output: Any) -> Any:
    """Squared error."""
    return output[:, 2]


def make_network(recipe: Recipe, pictures: Packed) -> Autoencoder:
    """The recipe's network, untrained. Errors: OptionError for an unknown preset."""
    if recipe.preset == "full":
        return PublishedNetwork(FULL)
    if recipe.preset not in PRESETS:
        raise OptionError(f"preset {recipe.preset!r}: unknown; there are {', '.join([*PRESETS, 'full'])}")
    architecture = PRESETS[recipe.preset]
    return Network(architecture, measured_basis(pictures, sum(architecture.groups), recipe.seed))


def measured_basis(pictures: Packed, n: int, seed: int) -> lapped.Basis:
    """The transform of these photos: axes of the covariance of filtered blocks."""
    random = np.random.default_rng((seed, 1))
    side, n_patches = 64, min(1500, 10 * len(pictures))
    covariance = np.zeros((lapped.SIZE, lapped.SIZE))
    for patch in pictures.draw(n_patches, side, random):
        blocks = lapped.filtered(patch / 255 - 0.5).reshape(-1, lapped.SIZE)
        covariance += blocks.T @ blocks / (n_patches * len(blocks))
    return lapped.basis(covariance, n)


def draw_gamma(recipe: Recipe, n: int, cells: int, random: np.random.Generator) -> np.ndarray:
    """float32 (n, cells, cells, 1): positions from -1 to 1, uniform; some of them smooth maps around their level."""
    found = np.empty((n, cells, cells, 1), np.float32)
    for i in range(n):
        level = random.uniform(-1, 1) if recipe.gamma is None else float(knob.position(knob.checked(recipe.gamma)))
        found[i] = level
        if random.random() < recipe.maps:
            found[i, ..., 0] = np.clip(level + random.uniform(0, 0.8) * smooth(cells, random), -1, 1)
    return found


def smooth(cells: int, random: np.random.Generator) -> np.ndarray:
    """(cells, cells): a random map from about -1 to 1, its corners of 8 cells joined linearly."""
    import cv2

    corners = random.uniform(-1, 1, (cells // 8 + 2,) * 2).astype(np.float32)
    side = 8 * corners.shape[0]
    y, x = (int(random.integers(side - cells + 1)) for _ in range(2))
    return cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR)[y : y + cells, x : x + cells]


def make_batch(run: Run, step: int) -> dict[str, np.ndarray]:
    """The inputs of one step."""
    recipe = run.recipe
    random = np.random.default_rng((recipe.seed, 2, step))
    late = step >= round(recipe.steps * (1 - recipe.late))
    side, n = (2 * recipe.side, max(1, recipe.batch // 4)) if late else (recipe.side, recipe.batch)
    cells = side // 8
    places = run.pictures.places(n, side, random, grid=1 if run.saliency is None else 8)
    batch = {
        "pixels": run.pictures.cut(places, side),
        "gamma": draw_gamma(recipe, n, cells, random),
        "rounding": np.full((n, 1), step >= recipe.rounding_from, np.float32),
    }
    if run.saliency is not None:
        batch["saliency"] = run.saliency.cut(places, side)
    for name, stride, channels in run.trainer.network.latents():
        size = (n, side // stride, side // stride, channels)
        batch["noise" + name] = random.random(size, np.float32) - np.float32(0.5)
    return batch


class Training(Task):
    """The run as the loop sees it."""

    def __init__(self, run: Run, judge_every: int) -> None:
        self.run, self.trainer, self.judge_every = run, run.trainer, judge_every
        self.started, self.pixels, self.steps = 0.0, 0, 0

    def batch(self, step: int) -> dict[str, np.ndarray]:
        return make_batch(self.run, step)

    def learn(self, batch: dict[str, np.ndarray]) -> dict[str, float]:
        n, side = batch["pixels"].shape[:2]
        loss, rate, error = self.trainer.train_on_batch(batch, np.zeros(n, np.float32))
        self.trainer.reset_metrics()
        if self.started:
            self.pixels += n * side * side
            self.steps += 1
            if self.steps == TOLD_AFTER:
                self.tell()
        else:  # behind the first step, in which the framework makes its plan
            self.started = time.monotonic()
        return {"loss": float(loss), "bpp": float(rate), "mse": float(error)}

    def tell(self) -> None:
        """How fast it goes: pixels a second, and what that is in sums. A step costs three times its way forward."""
        speed = self.pixels / (time.monotonic() - self.started)
        per_pixel = self.trainer.network.multiplications()
        say(
            f"{speed / 1000:.0f} kilopixels a second, {6 * per_pixel * speed / 1e9:.0f} GFLOP/s "
            f"({per_pixel / 1000:.1f} thousand multiplications a pixel forward)"
        )

    def judge(self, done: int) -> dict[str, Any]:
        row: dict[str, Any] = {}
        if self.pixels:
            row["kilopixels_per_second"] = round(self.pixels / (time.monotonic() - self.started) / 1000)
        if done % self.judge_every == 0 or done == self.run.recipe.steps:
            with averaged(self.trainer):
                row |= judging.judge(self.trainer.network, self.run.judges)
        return row

    def keep(self) -> None:
        write_weights(self.run)
        history.draw(self.run.folder, PANELS)


def write_weights(run: Run) -> None:
    """The averaged network as it is now, by name."""
    with averaged(run.trainer):
        weights = {name: ops.convert_to_numpy(v) for name, v in run.trainer.network.named_weights()}
    files.write_arrays(run.folder / "weights.npz", {"preset": np.str_(run.recipe.preset)} | weights)


def finish(run: Run) -> None:
    """What the run was."""
    facts: dict[str, Any] = {"recipe": run.recipe.as_dict(), "date": time.strftime("%Y-%m-%d", time.gmtime())}
    facts["pictures"] = len(run.pictures)
    facts["keras"] = f"{keras.__version__} on {keras.backend.backend()}"
    facts["gammas"] = [knob.LOWEST, knob.HIGHEST]
    files.write_json(run.folder / "run.json", facts)
    say(f"done: {run.folder}")
