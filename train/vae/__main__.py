"""Train the autoencoder: `python -m train.vae --output RUN --recipe NAME --data FOLDER=SHARE ...`.

    photos -> one packed file -> patches and gammas -> the network, with noise for rounding -> RUN/

The loss is bits per pixel + lambda(gamma) * squared error, at a gamma of its own for each patch, over some patches for
each cell. Photos of the first folder are held back: at times the network, its weights averaged, codes them whole at
five gammas, and is set beside `rdo`'s files of the same photos at as many bits, so that a run that is stuck is seen.

RUN holds the checkpoint (a killed run goes on from it when the same command is given again), the averaged network as
`weights.npz`, `history.jsonl`, the learning curve, and the packed photos.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from msroi.codecs.neural.weights import import_keras
from train.common import command
from train.vae import recipes
from train.vae.recipes import RECIPES


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(options: argparse.Namespace) -> None:
    """Train, from the last checkpoint on, and leave everything in the run's folder."""
    recipe = recipes.find(options.recipe, steps=options.steps, learning_rate=options.learning_rate)
    import_keras()
    from train.vae import training

    training.run(recipe, options)


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.vae", __doc__)
    parser.add_argument("--output", type=Path, required=True, metavar="RUN", help="folder of the run; resumed")
    parser.add_argument("--recipe", default="base", help=f"one of {', '.join(sorted(RECIPES))}")
    parser.add_argument("--data", nargs="+", required=True, metavar="FOLDER=SHARE", help="folders of photos")
    parser.add_argument("--packed", type=Path, metavar="FOLDER", help="where the photos are packed (RUN/packed)")
    parser.add_argument("--held-back", type=int, default=8, metavar="N", help="photos of the first folder that judge")
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument("--learning-rate", type=float, help="instead of the recipe's")
    parser.add_argument("--every", type=int, default=250, help="steps between reports and checkpoints")
    parser.add_argument("--judge-every", type=int, default=1000, help="steps between judgements, a multiple of these")
    parser.add_argument("--minutes", type=float, help="stop after so many; the same command goes on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
