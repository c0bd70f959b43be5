"""Train the MS-ROI network: `python -m train.saliency --recipe NAME --caltech101 DIR ... --output RUN`.

    options -> train.saliency.inputs: all that is given is looked at -> train.saliency.training: the run -> RUN/

RUN holds the checkpoint (a killed run goes on from it when the same command is given again), the weights
by layer name, `history.jsonl`, the learning curve as a picture, accuracy per class and the confusion
matrix as CSV. `python -m train.saliency.export RUN` makes a network as it ships. `--recipe smoke` needs no more than
--output.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from msroi.codecs.neural.weights import import_keras
from train.common import command
from train.data import datasets
from train.saliency import inputs, recipes


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(options: argparse.Namespace) -> None:
    """Errors: InputsError with a line for each thing that is wrong with what was given."""
    gathered, problems = inputs.gather(options)
    if gathered is None:
        raise command.InputsError(problems)
    import_keras()
    from train.saliency import training

    training.run(gathered, options.every, options.minutes)


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.saliency", __doc__)
    parser.add_argument("--recipe", default="two-cores", help=f"one of {', '.join(sorted(recipes.RECIPES))}")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="RUN", help="folder of the run; resumed if it exists"
    )
    parser.add_argument("--caltech101", type=Path, metavar="DIR", help="101_ObjectCategories")
    for name in datasets.READERS:
        parser.add_argument(
            f"--{name}", type=Path, metavar="DIR", help=(datasets.READERS[name].__doc__ or "").split("\n")[0]
        )
    parser.add_argument("--leave-out", type=Path, metavar="JSON", help="names of EyeCrowd photos kept for reports")
    parser.add_argument(
        "--init", type=Path, metavar="FILE", help="layers trained on ImageNet: .npz or keras.applications' .h5"
    )
    parser.add_argument("--teacher", type=Path, metavar="NPZ", help="GoogLeNet's layers")
    parser.add_argument("--features", type=Path, metavar="DIR", help="where features are stored (default RUN/features)")
    parser.add_argument("--validation", type=int, default=15, help="photos a class held back (default 15, the paper's)")
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument("--every", type=int, default=100, help="steps between reports and checkpoints")
    parser.add_argument("--minutes", type=float, help="stop after so many; the same command goes on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
