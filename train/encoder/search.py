"""Finds the rdo encoder's tables and weights: CMA-ES over a preset on crops of lossless photos.

    python -m train.encoder.search CID22/training OUT.json --check CLIC [--pictures 20] [--qualities 30 50 80]
                                   [--generations 60] [--floors -0.4 0.8 0.7 0.7] [--start OUT.json]

Objective, to be made large: with s the mean per cent of bytes saved at equal score by PSNR, SSIM, MS-SSIM and
SSIMULACRA2 against preset F (train/encoder/worth.py), min(s - floors) + mean(s) / 4. The floors say what a
metric must gain, or may lose, before the others count. Hansen, "The CMA Evolution Strategy: A Tutorial",
arXiv:1604.00772, by the package cmaes, with its default constants. At the end the set found is measured on the pictures
of --check, which had no part in it. Pictures that are reported on are never looked at.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from msroi import extras
from msroi.codecs.jpeg.rdo.tables import DEFAULT, F, Preset, Shape
from train.common import command
from train.common.files import write_json
from train.encoder.worth import Bench, pictures

Vector = npt.NDArray[np.float64]


def to_vector(preset: Preset) -> Vector:
    """Free parameters, each so that a step of 1 is a small change; bends, powers and gains must be above 0."""
    values: list[float] = []
    for index, shape in enumerate(preset.shapes):
        knots = [k for i, k in enumerate(shape.knots) if index or i != 1]
        values += [20 * k for k in knots] + [20 * math.log(shape.bend), 20 * math.log(shape.power)]
        if index:
            values += [20 * math.log(shape.gain), 20 * math.log(shape.weight)]
    values += [40 * preset.fine, 40 * preset.coarse, 20 * math.log(preset.price)]
    values += [10 * preset.feedback, 10 * preset.feedback_floor, 5 * preset.blank]
    values += [5 * math.log(preset.fine_floor), 5 * math.log(preset.coarse_floor)]
    values += [20 * preset.fine_offset, 20 * preset.coarse_offset]
    return np.array(values + [20 * step for step in preset.steps])


def from_vector(vector: Vector, start: Preset = DEFAULT) -> Preset:
    """The inverse of to_vector; values out of their range are brought into it. What is not free is `start`'s."""
    v = iter(vector.tolist())
    shapes = []
    for index in range(3):
        knots = [next(v) / 20 for _ in range(7 if index else 6)]
        if index == 0:
            knots.insert(1, 0.0)
        bend, power = math.exp(next(v) / 20), math.exp(next(v) / 20)
        gain, weight = (math.exp(next(v) / 20), math.exp(next(v) / 20)) if index else (1.0, 1.0)
        shapes.append(Shape(gain, tuple(knots), weight, bend, power))
    fine, coarse, price = max(next(v), 0) / 40, max(next(v), 0) / 40, math.exp(next(v) / 20)
    feedback, floor, blank = max(next(v), 0) / 10, max(next(v), 1) / 10, min(max(next(v) / 5, 0), 1)
    floors, offsets = [math.exp(next(v) / 5) for _ in range(2)], [max(next(v), 0) / 20 for _ in range(2)]
    steps = tuple(min(max(x / 20, 0.05), 0.8) for x in v)
    return Preset(
        shapes=(shapes[0], shapes[1], shapes[2]),
        fine=fine,
        coarse=coarse,
        price=price,
        feedback=feedback,
        feedback_floor=floor,
        blank=blank,
        fine_floor=floors[0],
        coarse_floor=floors[1],
        fine_offset=offsets[0],
        coarse_offset=offsets[1],
        texture=start.texture,
        steps=steps,
    )


def load(path: Path) -> Preset:
    """A preset that `main` wrote."""
    values = json.loads(path.read_text())["preset"]
    shapes = [Shape(**{**s, "knots": tuple(s["knots"])}) for s in values.pop("shapes")]
    values["steps"] = tuple(values["steps"])
    return Preset(shapes=(shapes[0], shapes[1], shapes[2]), **values)


def means(start: Vector, sigma: float, seed: int, worth: Callable[[Vector], float]) -> Iterator[tuple[Vector, float]]:
    """After each generation of CMA-ES its mean and how far its candidates lay from the last one, as a root mean square.

    worth: of a candidate; more is better. The same seed and worth give the same means. Without end.
    Errors: MissingExtraError without cmaes.
    """
    try:
        from cmaes import CMA
    except ImportError as error:
        raise extras.missing("cmaes is not installed", "keras") from error
    search = CMA(mean=start, sigma=sigma, seed=seed)
    while True:
        candidates = [search.ask() for _ in range(search.population_size)]
        step = float(np.sqrt(np.mean((np.array(candidates) - search.mean) ** 2)))
        search.tell([(candidate, -worth(candidate)) for candidate in candidates])
        yield search.mean.copy(), step


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(arguments: argparse.Namespace) -> None:
    """Search, write the best set after every generation, check it at the end."""
    start = load(arguments.start) if arguments.start else DEFAULT
    qualities = tuple(arguments.qualities)
    bench = Bench(pictures(arguments.folder, count=arguments.pictures), qualities, F)
    floors = np.array(arguments.floors)

    def worth(vector: Vector) -> tuple[float, Vector]:
        saved = bench.savings(from_vector(vector, start)).mean(axis=0)
        return float(np.min(saved - floors) + saved.mean() / 4), saved

    print("start", *worth(to_vector(start)), flush=True)
    generations = means(to_vector(start), arguments.sigma, arguments.seed, lambda vector: worth(vector)[0])
    began = time.perf_counter()
    for generation, (mean, step) in enumerate(itertools.islice(generations, arguments.generations)):
        value, saved = worth(mean)
        seconds, began = time.perf_counter() - began, time.perf_counter()
        print(f"{generation} {value:.3f} {saved.round(2)} step {step:.2f} {seconds:.0f} s", flush=True)
        record = {
            "preset": dataclasses.asdict(from_vector(mean, start)),
            "saved": saved.tolist(),
            "generation": generation,
        }
        write_json(arguments.out, record)
    if arguments.check:
        check = Bench(pictures(arguments.check), qualities, F)
        print("check", check.savings(load(arguments.out)).mean(axis=0).round(2), flush=True)


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.encoder.search", __doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--check", type=Path, default=None)
    parser.add_argument("--pictures", type=int, default=20)
    parser.add_argument("--qualities", type=int, nargs="+", default=[30, 50, 80])
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--floors", type=float, nargs=4, default=[-0.4, 0.8, 0.7, 0.7])
    parser.add_argument("--start", type=Path, default=None)
    parser.add_argument("--sigma", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
