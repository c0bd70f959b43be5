"""Train the recurrent codec: `python -m train.recurrent --recipe NAME --photos DIR=N ... --output RUN`.

    photos -> patches -> batches -> the network, unrolled over iterations -> RUN/

The loss is the paper's: the L1 norm of the residual after each iteration, summed. Iterations are unrolled in
segments; the states and the picture so far are carried from one to the next without their gradients, so that all 24
are trained at the cost of a few. In two of five patches each cell stops at a random iteration and sends zeros from
then on, or the network would never learn what a silent neighbour means.

RUN holds the checkpoint (a killed run goes on from it when the same command is given again), the network as
`weights.npz`, `history.jsonl` and the learning curve. `python -m train.recurrent.contexts RUN` learns the context model
and makes the file that ships.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from msroi.codecs.neural.allocation import CELL
from msroi.codecs.neural.allocation import MOST as ITERATIONS
from msroi.codecs.neural.recurrent.network import Architecture, Network, State
from msroi.errors import MsroiError, OptionError
from train.common import checkpoints
from train.data import patches
from train.data.patches import Patches


@dataclass(frozen=True)
class Recipe:
    """One training run.

    width: share of the published widths. side: pixels of a patch. batch: patches a step. unrolled: iterations of a
    segment. longer: share of the batches that go on to a second segment, and of those to a third. stopped: share of
    the patches whose cells stop at random. steps: segments trained. learning_rate: peak, after warm-up, falling as
    a cosine unless constant.
    """

    name: str
    width: float
    steps: int
    learning_rate: float
    side: int = 32
    batch: int = 32
    unrolled: int = 8
    longer: tuple[float, float] = (0.25, 0.5)
    stopped: float = 0.4
    cosine: bool = True
    mixed_precision: bool = True
    seed: int = 2019

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for the model card."""
        return json.loads(json.dumps(asdict(self)))


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "wang-2019",
            1.0,
            steps=200 * 1562,
            learning_rate=5e-4,
            unrolled=24,
            longer=(0, 0),
            stopped=0,
            cosine=False,
            mixed_precision=False,
        ),
        Recipe("two-cores", 0.25, steps=6000, learning_rate=2e-3),
        Recipe("full", 0.25, steps=60_000, learning_rate=1e-3, batch=64, side=64),
        Recipe("smoke", 1 / 16, steps=4, learning_rate=1e-3, batch=4, unrolled=2, mixed_precision=False),
    )
}
"""`wang-2019`: the published width and CIFAR-100's pictures (`--cifar100`). `two-cores`: what a computer without a GPU
trains in about an hour, which made the network that ships. `full`: for a GPU. `smoke`: that the program runs."""


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


def main(argv: list[str] | None = None) -> int:
    options = _arguments().parse_args(argv)
    try:
        if options.recipe not in RECIPES:
            raise OptionError(f"recipe {options.recipe!r}: unknown; the recipes are {', '.join(sorted(RECIPES))}")
        recipe = RECIPES[options.recipe]
        recipe = replace(recipe, steps=options.steps or recipe.steps, width=options.width or recipe.width)
        run = prepare(recipe, options)
        train(run, options.every)
        finish(run)
    except MsroiError as error:
        print(f"train.recurrent: {error}", file=sys.stderr)
        return error.exit_status
    return 0


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
    trainer.compile(optimizer=_optimizer(recipe), loss=lambda _, loss: ops.mean(loss))
    return Run(recipe, options.output, usable, judges, trainer)


def _folder(word: str) -> tuple[Path, int]:
    """DIR=N, or DIR alone."""
    folder, _, number = word.rpartition("=") if "=" in word else (word, "", "6")
    if not number.isdigit() or not int(number):
        raise OptionError(f"--photos {word}: give a folder, or FOLDER=N with N patches of each photo")
    return Path(folder), int(number)


def _optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    rate: Any = recipe.learning_rate
    if recipe.cosine:
        warm_up = min(200, max(1, recipe.steps // 10))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, recipe.steps - warm_up), warmup_target=recipe.learning_rate, warmup_steps=warm_up
        )
    return keras.optimizers.Adam(rate, global_clipnorm=1.0)


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


def batches(run: Run, first: int) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """(step, inputs) from step `first` on, made two ahead."""
    plan = segments(run.recipe)
    with ThreadPoolExecutor(1) as pool:
        waiting: list[Any] = []
        for step in range(first, run.recipe.steps):
            waiting.append((step, pool.submit(make_batch, run, *plan[step])))
            if len(waiting) > 2:
                ready, future = waiting.pop(0)
                yield ready, future.result()
        for ready, future in waiting:
            yield ready, future.result()


def train(run: Run, every: int) -> None:
    """Run the recipe's steps from the last checkpoint on; report and save every `every` steps."""
    nothing = np.zeros(run.recipe.batch, np.float32)
    first = checkpoints.restore(run.folder, run.trainer, run.recipe.as_dict())
    say(f"going on from step {first}" if first else "starting")
    started = time.monotonic()
    losses = []
    for step, inputs in batches(run, first):
        loss = run.trainer.train_on_batch(inputs, nothing)
        if not inputs["first"].any():
            losses.append(float(np.ravel(loss)[0]))
        run.trainer.reset_metrics()
        if (step + 1) % every and step + 1 != run.recipe.steps:
            continue
        row: dict[str, Any] = {"step": step + 1, "loss": round(float(np.mean(losses or [np.nan])), 5)}
        losses = []
        row["l1"] = judge(run)
        with (run.folder / "history.jsonl").open("a") as history:
            history.write(json.dumps(row) + "\n")
        checkpoints.save(run.folder, run.trainer, step + 1, run.recipe.as_dict())
        write_weights(run)
        left = (run.recipe.steps - step - 1) * (time.monotonic() - started) / (step + 1 - first) / 60
        say(f"step {step + 1} loss {row['loss']} l1 {row['l1']} | {left:.0f} minutes left")


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
        if step in (1, 2, 4, 8, 16, ITERATIONS):
            errors.append(round(float(255 * np.abs(target - np.clip(picture, -0.5, 0.5)).mean()), 3))
    return errors


def write_weights(run: Run) -> None:
    """The network as it is now, by name; `train.recurrent.contexts` takes it."""
    weights = {name: np.asarray(ops.convert_to_numpy(v)) for name, v in run.trainer.network.named_weights()}
    np.savez(run.folder / "weights.npz", width=np.float32(run.recipe.width), **weights)  # type: ignore[arg-type]


def finish(run: Run) -> None:
    """What the run was, and the learning curve."""
    facts: dict[str, Any] = {"recipe": run.recipe.as_dict(), "date": time.strftime("%Y-%m-%d", time.gmtime())}
    facts["patches"] = len(run.patches)
    facts["keras"] = f"{keras.__version__} on {keras.backend.backend()}"
    facts["l1"] = judge(run)
    (run.folder / "run.json").write_text(json.dumps(facts, indent=1) + "\n")
    draw_learning_curve(run.folder / "history.jsonl", run.folder / "learning_curve.png")
    say(f"done: {run.folder}: {facts['l1']}")


def draw_learning_curve(history: Path, path: Path) -> None:
    """Error of patches that are not trained on, by step, after 1 to 24 iterations."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [json.loads(line) for line in history.read_text().splitlines()]
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for i, iterations in enumerate((1, 2, 4, 8, 16, ITERATIONS)):
        axes.plot([r["step"] for r in rows], [r["l1"][i] for r in rows], label=f"{iterations} iterations")
    axes.set(xlabel="step", ylabel="mean absolute error, pixel values", yscale="log")
    axes.legend()
    figure.savefig(path, dpi=100)


def say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, flush=True)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.recurrent", description="Train the recurrent codec.")
    parser.add_argument("--recipe", default="two-cores", help=f"one of {', '.join(sorted(RECIPES))}")
    parser.add_argument("--output", type=Path, required=True, metavar="RUN", help="folder of the run; resumed")
    parser.add_argument("--photos", nargs="+", metavar="DIR=N", help="folders of photos, N patches of each (default 6)")
    parser.add_argument("--cifar100", type=Path, metavar="FILE", help="train.bin of CIFAR-100's binary version")
    parser.add_argument(
        "--judges", type=Path, metavar="DIR", help="photos that judge (default: some of the training's)"
    )
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument("--width", type=float, help="instead of the recipe's")
    parser.add_argument("--every", type=int, default=200, help="steps between reports and checkpoints")
    return parser


if __name__ == "__main__":
    sys.exit(main())
