"""Learn the context model of a trained recurrent codec and make the file of both, as it ships.

    python -m train.recurrent.contexts RUN --photos DIR --judges DIR --output DIR

    photos -> bits of the codec -> what is seen of each bit -> the context model in floats -> in whole numbers

Half of the photos are coded with all cells alike, half by their maps, so that the model meets silent neighbours.
Printed is what the bits cost by the model on photos that it was not taught on, as a share of the raw bits. Weights of
the network are stored as float16, those of the context model as integers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from msroi.codecs.neural.recurrent import allocation, codec, context
from msroi.codecs.neural.recurrent.context import BITS, GROUPS, INPUTS, ITERATIONS, PARTS, PAST, Bits
from msroi.codecs.neural.recurrent.stepping import Stepper
from msroi.errors import OptionError
from msroi.images import read
from msroi.saliency import make_map
from train.common import command, shipping
from train.common.command import say

NAME = "recurrent"
_L1, _SHARE = "l1_after_1_2_4_8_16_24_iterations", "context_share_of_raw_bits"
FIGURES = (
    *(
        shipping.Figure(f"L1 after {n} iterations", lambda card, i=i: card[_L1][i], higher_is_better=False)  # type: ignore[misc]
        for i, n in enumerate((1, 2, 4, 8, 16, 24))
    ),
    shipping.Figure("share of raw bits after 8", lambda card: card[_SHARE][7], higher_is_better=False),
    shipping.Figure("share of raw bits after 24", lambda card: card[_SHARE][23], higher_is_better=False),
)

HIDDEN = 96
BATCH, PLACES = 16, 128
"""Photos and iterations of a training step, and cells of each."""

SIDE = 256
"""Pixels of a photo that are looked at: many corners say more than a few whole photos."""

STEPS = 4000
LEARNING_RATE = 2e-3
SEED = 2019


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(options: argparse.Namespace) -> None:
    """Learn, judge and write."""
    shipping.check(options)
    keras.utils.set_random_seed(SEED)
    with np.load(options.run / "weights.npz") as stored:
        weights = dict(stored)
    weights = {name: value if name == "width" else value.astype(np.float16) for name, value in weights.items()}
    stepper = Stepper(weights)
    taught = [bits_of(stepper, path, i % 2 == 1) for i, path in enumerate(_photos(options.photos, options.most))]
    say(f"bits of {len(taught)} photos")
    model = learn(taught, options.steps)
    arrays = whole_numbers(model)
    saved = judge(arrays, [bits_of(stepper, path, False) for path in _photos(options.judges, 12)])
    write(options, weights | arrays, saved)


def _photos(folder: Path, most: int) -> list[Path]:
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".png", ".jpg", ".jpeg"})
    if not paths:
        raise OptionError(f"{folder}: no photos in this folder")
    return [paths[i * len(paths) // min(most, len(paths))] for i in range(min(most, len(paths)))]


def bits_of(stepper: Stepper, path: Path, by_map: bool) -> Bits:
    """Bits of a photo's corner, int8 (24, rows, columns, 32); by_map: cells stop where its map says, at level 6."""
    pixels = read(path).upright[:SIDE, :SIDE]
    levels = np.full(allocation.cell_sums(np.ones(pixels.shape[:2], np.float32)).shape, ITERATIONS, np.uint8)
    if by_map:
        levels = allocation.allocate(allocation.cell_sums(make_map(pixels)), 6)
    bits = np.zeros((ITERATIONS, *levels.shape, BITS), np.int8)
    found = stepper.analyse(codec.padded(pixels), levels)
    bits[: len(found)] = found
    return bits


def known_masks() -> npt.NDArray[np.int8]:
    """(group, part, 9, 32): 1 where a bit of this iteration, of the cell or a neighbour, is coded before."""
    order = {parity: i for i, parity in enumerate(GROUPS)}
    masks = np.zeros((len(GROUPS), PARTS, 9, BITS), np.int8)
    for group, (y, x) in enumerate(GROUPS):
        for place in range(9):
            neighbour = order[(y + place // 3 - 1) % 2, (x + place % 3 - 1) % 2]
            masks[group, :, place] = neighbour < group
        for part in range(PARTS):
            masks[group, part, 4, : part * BITS // PARTS] = 1
    return masks


MASKS = known_masks()


def examples(
    bits: Bits, iteration: int, n: int, random: np.random.Generator
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32], Bits]:
    """What is seen of `n` cells at random steps, int8 (n, 864); the steps (n,); the true bits (n, 32), 0 silent."""
    known = np.zeros((1 + PAST, bits.shape[1] + 2, bits.shape[2] + 2, BITS), np.int8)
    for age in range(1 + PAST):
        if iteration >= age:
            known[age, 1:-1, 1:-1] = bits[iteration - age]
    rows, columns = np.nonzero(bits[iteration, ..., 0])
    if not len(rows):
        return np.zeros((0, INPUTS), np.int8), np.zeros(0, np.int32), np.zeros((0, BITS), np.int8)
    chosen = random.integers(len(rows), size=n)
    y, x = rows[chosen], columns[chosen]
    groups = np.array([[GROUPS.index((a, b)) for b in (0, 1)] for a in (0, 1)])[y % 2, x % 2]
    parts = random.integers(PARTS, size=n)
    seen = context.neighbourhoods(known, y, x).reshape(n, 9, 1 + PAST, BITS)
    seen[:, :, 0] *= MASKS[groups, parts]
    return seen.reshape(n, INPUTS), (groups * PARTS + parts).astype(np.int32), bits[iteration, y, x]


def build() -> keras.Model:
    """The context model in floats: [seen, iteration, step] -> logits of 32 bits."""
    seen = keras.Input((INPUTS,), name="seen")
    iteration = keras.Input((1,), dtype="int32", name="iteration")
    step = keras.Input((1,), dtype="int32", name="step")
    x = layers.Dense(HIDDEN, use_bias=False, name="first")(seen)
    for name, n, number in (("by_iteration", ITERATIONS, iteration), ("by_step", len(GROUPS) * PARTS, step)):
        x = x + layers.Flatten()(layers.Embedding(n, HIDDEN, name=name)(number))
    top = context.MOST / context.STEPS
    x = layers.Dense(HIDDEN, name="second")(ops.clip(x, 0, top))
    return keras.Model([seen, iteration, step], layers.Dense(BITS, name="last")(ops.clip(x, 0, top)))


def _loss(true: Any, logits: Any) -> Any:
    """Bits a coded bit. true: -1, 1, or 0 for what is not coded at this step."""
    coded = ops.abs(true)
    return ops.sum(coded * ops.softplus(-true * logits)) / ops.sum(coded) / np.log(2)


def learn(photos: Sequence[Bits], steps: int) -> keras.Model:
    """Teach the model on random cells, iterations and steps of the photos' bits."""
    model = build()
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)), loss=_loss)
    random = np.random.default_rng(SEED)
    losses = []
    for step in range(1, steps + 1):
        found = []
        for _ in range(BATCH):
            t = int(ITERATIONS * random.random() ** 1.5)
            seen, at, true = examples(photos[int(random.integers(len(photos)))], t, PLACES, random)
            found.append((seen, np.full(len(at), t, np.int32), at, true))
        seen, when, at, true = (np.concatenate(parts) for parts in zip(*found, strict=True))
        coded = np.arange(BITS) // (BITS // PARTS) == at[:, None] % PARTS
        inputs = [seen.astype(np.float32), when[:, None], at[:, None]]
        losses.append(float(np.ravel(model.train_on_batch(inputs, (true * coded).astype(np.float32)))[0]))
        model.reset_metrics()
        if step % 250 == 0:
            say(f"step {step}: {np.mean(losses[-250:]):.4f} bits a bit")
    return model


def whole_numbers(model: keras.Model) -> dict[str, npt.NDArray[np.int32]]:
    """The model's weights as `ContextModel.of` takes them."""

    def rounded(name: str, place: int, steps: int) -> npt.NDArray[np.int32]:
        values = keras.ops.convert_to_numpy(model.get_layer(name).weights[place]).astype(np.float64)
        return np.round(values * steps).astype(np.int32)

    one, product = context.WEIGHT_STEPS, context.WEIGHT_STEPS * context.STEPS
    found = {name: rounded(name, 0, one) for name in ("first", "by_iteration", "by_step", "second", "last")}
    found |= {"second_bias": rounded("second", 1, product), "last_bias": rounded("last", 1, product)}
    return {f"context/{name}": value for name, value in found.items()}


def judge(arrays: dict[str, npt.NDArray[np.int32]], photos: Sequence[Bits]) -> list[float]:
    """Of photos that were not taught: bits by the model over raw bits, after each iteration."""
    model = context.ContextModel.of(arrays)
    spent, raw, shares = 0.0, 0, []
    for t in range(ITERATIONS):
        for bits in photos:
            spent += context.cost(model, bits[t], context.past_of(bits, t), t)
            raw += int(np.abs(bits[t]).sum())
        shares.append(round(spent / max(1, raw), 4))
    say(f"share of the raw bits up to iteration 1, 2, 4, 8, 24: {[shares[t - 1] for t in (1, 2, 4, 8, 24)]}")
    return shares


def write(options: argparse.Namespace, arrays: dict[str, Any], shares: list[float]) -> None:
    """The network's file and its card, into the output folder or in the place of those that ship."""
    with shipping.place(options, NAME, FIGURES) as folder:
        _write(options, folder / f"{NAME}.npz", arrays, shares)


def _write(options: argparse.Namespace, path: Path, arrays: dict[str, Any], shares: list[float]) -> None:
    np.savez_compressed(path, **{n: _smallest(v) for n, v in arrays.items()})
    data = path.read_bytes()
    facts = json.loads((options.run / "run.json").read_text())
    card = {
        "name": NAME,
        "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "n_bytes": len(data),
        "codec": "Wang, Han, Wang 2019, on Toderici et al. 2017; LSTM units, additive",
        "trained": facts["date"],
        "trained_with": facts["keras"],
        "recipe": facts["recipe"],
        "patches": facts["patches"],
        "l1_after_1_2_4_8_16_24_iterations": facts["l1"],
        "context_share_of_raw_bits": shares,
        "data": options.data or "see the command",
        "licence": "Apache-2.0",
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    say(f"{path}: {len(data)} bytes")


def _smallest(value: Any) -> Any:
    """Integers as 16 bits where they fit."""
    array = np.asarray(value)
    return array.astype(np.int16) if array.dtype == np.int32 and np.abs(array).max() < 2**15 else array


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.recurrent.contexts", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder that train.recurrent has finished")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="photos to learn from")
    parser.add_argument("--judges", type=Path, required=True, metavar="DIR", help="other photos")
    parser.add_argument("--most", type=int, default=64, help="photos to learn from (default 64)")
    parser.add_argument("--steps", type=int, default=STEPS)
    shipping.add_place(parser, codec.WEIGHTS.parent)
    parser.add_argument("--data", help="one line for the card: what it was trained on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
