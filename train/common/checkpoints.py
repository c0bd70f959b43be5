"""A training run's state in one file, from which a killed run goes on: weights, optimiser, step and recipe."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msroi.errors import OptionError
from train.common.files import write_arrays

if TYPE_CHECKING:
    import keras

FILE = "checkpoint.npz"


def save(folder: Path, trainer: keras.Model, step: int, recipe: dict[str, Any]) -> None:
    """Write the state after `step` steps into the run's folder; the file is replaced as a whole."""
    import keras

    arrays = {f"{i:04d}": np.asarray(keras.ops.convert_to_numpy(v)) for i, v in enumerate(_variables(trainer))}
    facts: dict[str, Any] = {"step": step, "recipe": json.dumps(recipe)}
    write_arrays(folder / FILE, facts | arrays)


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

    Errors: OptionError for a checkpoint of another recipe or of another network.
    """
    check(folder, recipe)
    path = folder / FILE
    if not path.exists():
        return 0
    trainer.optimizer.build(trainer.trainable_variables)
    variables = _variables(trainer)
    with np.load(path) as stored:
        names = [f"{i:04d}" for i in range(len(variables))]
        if {"step", "recipe", *names} != set(stored.files):
            n_stored = len(stored.files) - 2
            raise OptionError(
                f"{path}: holds {n_stored} arrays, the network and its optimiser have {len(variables)}: another "
                "version wrote it; give another --output or remove it"
            )
        for name, variable in zip(names, variables, strict=True):
            if stored[name].shape != tuple(variable.shape):
                raise OptionError(f"{path}: is of a network of another shape; give another --output or remove it")
        for name, variable in zip(names, variables, strict=True):
            variable.assign(stored[name])
        return int(stored["step"])


def _variables(trainer: keras.Model) -> list[Any]:
    return [*trainer.variables, *trainer.optimizer.variables]
