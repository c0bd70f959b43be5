"""A training run's state in one file, from which a killed run goes on: weights, optimiser, step and recipe."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msroi.errors import OptionError

if TYPE_CHECKING:
    import keras

FILE = "checkpoint.npz"


def save(folder: Path, trainer: keras.Model, step: int, recipe: dict[str, Any]) -> None:
    """Write the state after `step` steps into the run's folder; the file is replaced as a whole."""
    import keras

    arrays = {f"{i:04d}": np.asarray(keras.ops.convert_to_numpy(v)) for i, v in enumerate(_variables(trainer))}
    temporary = folder / "checkpoint.part.npz"
    facts: dict[str, Any] = {"step": step, "recipe": json.dumps(recipe)}
    np.savez(temporary, **(facts | arrays))
    temporary.replace(folder / FILE)


def check(folder: Path, recipe: dict[str, Any]) -> None:
    """Errors: OptionError where the run's folder holds a checkpoint of another recipe, or one that is damaged."""
    path = folder / FILE
    if not path.exists():
        return
    try:
        with np.load(path) as stored:
            same = str(stored["recipe"]) == json.dumps(recipe)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise OptionError(f"{path}: cannot be read ({error}); remove it") from error
    if not same:
        raise OptionError(f"{path}: was made by another recipe; give another --output or remove it")


def restore(folder: Path, trainer: keras.Model, recipe: dict[str, Any]) -> int:
    """Load the state that lies in the run's folder; the step to go on from, 0 without one.

    Errors: OptionError for a checkpoint of another recipe.
    """
    check(folder, recipe)
    path = folder / FILE
    if not path.exists():
        return 0
    trainer.optimizer.build(trainer.trainable_variables)
    with np.load(path) as stored:
        for i, variable in enumerate(_variables(trainer)):
            variable.assign(stored[f"{i:04d}"])
        return int(stored["step"])


def _variables(trainer: keras.Model) -> list[Any]:
    return [*trainer.variables, *trainer.optimizer.variables]
