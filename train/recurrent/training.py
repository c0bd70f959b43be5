"""A training run of the recurrent codec, from its photos to its folder. `python -m train.recurrent` is the program."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from msroi.codecs.neural.recurrent.allocation import CELL
from msroi.codecs.neural.recurrent.allocation import MOST as ITERATIONS
from msroi.codecs.neural.recurrent.network import Architecture, Network, State
from msroi.errors import OptionError
from train.common import files, history
from train.common.command import say
from train.common.loop import Plan, Task, train
from train.common.optimisers import optimiser
from train.data import patches
from train.data.patches import Patches
from train.recurrent.recipes import Recipe

JUDGED = (1, 2, 4, 8, 16, ITERATIONS)
"""Iterations after which the error of the judges is taken."""

PANEL = history.Panel(
    "mean absolute error, pixel values",
    lambda row: {f"{n} iterations": error for n, error in zip(JUDGED, row["l1"], strict=True)},
    logarithmic=True,
)


class Trainer(keras.Model):
    """The network unrolled over a segment of iterations; its output is the loss of each picture.

    Inputs: pixels uint8 (n, side, side, 3); levels int (n, rows, columns), after how many iterations each cell is
    silent; first int (n, 1), the iteration that the segment starts with. What is carried over lies in variables that
    are not trained.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(autocast=False)
        self.network = Network(Architecture(recipe.width), "mixed_bfloat16" if recipe.mixed_precision else "float32")
        self.network.build()
        self.unrolled = recipe.unrolled
        self.parts = self.network.layers
        states = [*self.network.encoder_states, *self.network.decoder_states]
        n, side = recipe.batch, recipe.side
        self.picture = self._carried((n, side, side, 3), "picture")
        self.carried = [self._carried(_shape(n, side, s), f"state{i}") for i, s in enumerate([*states, *states])]
        self.order = [i + half * len(states) for i in range(len(states)) for half in (0, 1)]

    def _carried(self, shape: tuple[int, ...], name: str) -> Any:
        return self.add_weight(shape=shape, initializer="zeros", trainable=False, dtype="float32", name=name)

    def call(self, inputs: dict[str, Any]) -> Any:
        target = ops.cast(inputs["pixels"], "float32") / 255 - 0.5
        levels, first = ops.cast(inputs["levels"], "int32"), ops.cast(inputs["first"], "int32")
        goes_on = ops.cast(first > 0, "float32")[:, :, None, None]
        variables = [self.carried[i] for i in self.order]
        dtype = self.network.first.compute_dtype
        states = [ops.cast(v * goes_on, dtype) for v in variables]
        n_encoder = 2 * len(self.network.encoder_states)
        encoder, decoder = states[:n_encoder], states[n_encoder:]
        picture, loss = self.picture * goes_on, 0.0
        for step in range(self.unrolled):
            sent, encoder = self.network.encode(ops.cast(target - picture, dtype), encoder)
            sent = ops.cast(sent, "float32")
            active = (first[:, :, None] + step < levels)[..., None]
            # The sign, through which the gradient passes as if it were not there. Toderici et al. draw it at random,
            # by the distance from 0; here, after 200 steps, that had 2 % more error at one iteration, 11 % at four.
            bits = sent + ops.stop_gradient(ops.where(sent > 0, 1.0, -1.0) - sent)
            bits = bits * ops.cast(active, "float32")
            added, decoder = self.network.decode(ops.cast(bits, dtype), decoder)
            picture = picture + ops.cast(added, "float32")
            loss = loss + ops.mean(ops.abs(target - picture), axis=(1, 2, 3))
        for variable, value in zip([self.picture, *variables], [picture, *encoder, *decoder], strict=True):
            variable.assign(ops.cast(ops.stop_gradient(value), "float32"))
        return loss


def _shape(n: int, side: int, state: State) -> tuple[int, ...]:
    return n, side // state.stride, side // state.stride, state.filters


@dataclass
class Run:
    """A training run in its folder: the recipe, the patches, the model that trains."""

    recipe: Recipe
    folder: Path
    patches: Patches
    judges: Patches
    trainer: Trainer


def run(recipe: Recipe, options: argparse.Namespace) -> None:
    """Train, from the last checkpoint on, and leave everything in the run's folder."""
    begun = prepare(recipe, options)
    plan = Plan(options.output, recipe.as_dict(), recipe.steps, options.every, options.minutes)
    if train(Training(begun), plan):
        finish(begun)


def prepare(recipe: Recipe, options: argparse.Namespace) -> Run:
    """Cut the patches, build the model."""
    keras.utils.set_random_seed(recipe.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    if not options.photos and not options.cifar100:
        raise OptionError("no photos to train on: give --photos DIR or --cifar100 train.bin")
    found = [patches.collect(*_folder(word), recipe.seed) for word in options.photos or []]
    found += [patches.cifar100(options.cifar100)] if options.cifar100 else []
    usable = np.concatenate(found) if len(found) > 1 else found[0]
    if usable.shape[1] < recipe.side:
        raise OptionError(f"recipe {recipe.name}: takes patches of {recipe.side} pixels; these have {usable.shape[1]}")
    judges = patches.collect(options.judges, 2, recipe.seed) if options.judges else usable[:: len(usable) // 64 or 1]
    say(f"{len(usable)} patches to train on, {len(judges)} to judge by")
    trainer = Trainer(recipe)
    adam = optimiser(recipe.learning_rate, recipe.steps, cosine=recipe.cosine, clip_norm=1.0)
    trainer.compile(optimizer=adam, loss=lambda _, loss: ops.mean(loss))
    return Run(recipe, options.output, usable, judges, trainer)


def _folder(word: str) -> tuple[Path, int]:
    """DIR=N, or DIR alone."""
    folder, _, number = word.rpartition("=") if "=" in word else (word, "", "6")
    if not number.isdigit() or not int(number):
        raise OptionError(f"--photos {word}: give a folder, or FOLDER=N with N patches of each photo")
    return Path(folder), int(number)


def segments(recipe: Recipe) -> list[tuple[int, int]]:
    """Of every step, the number of its batch and of its segment: a plan that a resumed run makes again."""
    random = np.random.default_rng(recipe.seed)
    plan: list[tuple[int, int]] = []
    batch = 0
    while len(plan) < recipe.steps:
        second, third = random.random() < recipe.longer[0], random.random() < recipe.longer[1]
        plan += [(batch, i) for i in range(1 + (2 if second and third else int(second)))]
        batch += 1
    return plan[: recipe.steps]


def make_batch(run: Run, batch: int, segment: int) -> dict[str, np.ndarray]:
    """The inputs of one step."""
    recipe = run.recipe
    random = np.random.default_rng((recipe.seed, batch))
    pixels = patches.draw(run.patches, recipe.batch, recipe.side, random)
    cells = (recipe.batch, recipe.side // CELL, recipe.side // CELL)
    levels = 1 + np.floor(ITERATIONS * random.random(cells) ** 1.5).astype(np.int32)
    levels[random.random(recipe.batch) >= recipe.stopped] = ITERATIONS
    first = np.full((recipe.batch, 1), segment * recipe.unrolled, np.int32)
    return {"pixels": pixels, "levels": levels, "first": first}


class Training(Task):
    """The run as the loop sees it. The loss in the history is that of segments that begin with the first iteration."""

    def __init__(self, run: Run) -> None:
        self.run, self.trainer = run, run.trainer
        self.segments = segments(run.recipe)

    def batch(self, step: int) -> dict[str, np.ndarray]:
        return make_batch(self.run, *self.segments[step])

    def learn(self, batch: dict[str, np.ndarray]) -> dict[str, float]:
        loss = self.trainer.train_on_batch(batch, np.zeros(self.run.recipe.batch, np.float32))
        self.trainer.reset_metrics()
        return {} if batch["first"].any() else {"loss": float(np.ravel(loss)[0])}

    def judge(self, done: int) -> dict[str, list[float]]:
        return {"l1": judge(self.run)}

    def keep(self) -> None:
        write_weights(self.run)


def judge(run: Run) -> list[float]:
    """Mean absolute error, in pixel values, of the judges after 1, 2, 4, 8, 16 and 24 iterations."""
    network = Network(Architecture(run.recipe.width))
    network.assign({name: ops.convert_to_numpy(v) for name, v in run.trainer.network.named_weights()})
    encoder, decoder = network.stepper(False), network.stepper(True)
    target = run.judges.astype(np.float32) / 255 - 0.5
    n, height, width, _ = target.shape
    enter = network.blank(network.encoder_states, n, height, width)
    leave = network.blank(network.decoder_states, n, height, width)
    picture, errors = np.zeros_like(target), []
    for step in range(1, ITERATIONS + 1):
        sent, *enter = encoder.predict_on_batch([target - picture, *enter])
        added, *leave = decoder.predict_on_batch([np.where(sent > 0, 1, -1).astype(np.float32), *leave])
        picture = picture + added
        if step in JUDGED:
            errors.append(round(float(255 * np.abs(target - np.clip(picture, -0.5, 0.5)).mean()), 3))
    return errors


def write_weights(run: Run) -> None:
    """The network as it is now, by name; `train.recurrent.contexts` takes it."""
    weights = {name: np.asarray(ops.convert_to_numpy(v)) for name, v in run.trainer.network.named_weights()}
    files.write_arrays(run.folder / "weights.npz", {"width": np.float32(run.recipe.width)} | weights)


def finish(run: Run) -> None:
    """What the run was, and the learning curve."""
    facts: dict[str, Any] = {"recipe": run.recipe.as_dict(), "date": time.strftime("%Y-%m-%d", time.gmtime())}
    facts["patches"] = len(run.patches)
    facts["keras"] = f"{keras.__version__} on {keras.backend.backend()}"
    facts["l1"] = judge(run)
    files.write_json(run.folder / "run.json", facts)
    history.draw(run.folder, [PANEL])
    say(f"done: {run.folder}: {facts['l1']}")
