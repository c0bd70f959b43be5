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
import sys
from pathlib import Path

from msroi.codecs.neural.weights import import_keras
from train.common import command
from train.recurrent import recipes
from train.recurrent.recipes import RECIPES


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(options: argparse.Namespace) -> None:
    """Train, from the last checkpoint on, and leave everything in the run's folder."""
    recipe = recipes.find(options.recipe, steps=options.steps, width=options.width)
    import_keras()
    from train.recurrent import training

    training.run(recipe, options)


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.recurrent", __doc__)
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
    parser.add_argument("--minutes", type=float, help="stop after so many; the same command goes on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
