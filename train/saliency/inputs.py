"""What a training run is given, looked at before its first second: nothing here loads Keras, which takes some itself.

All that is wrong is told at once, a line each.
"""

from __future__ import annotations

import argparse
import importlib.util
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from msroi import extras
from msroi.errors import MsroiError
from msroi.saliency.architecture import VGG16_WIDTHS
from train.common import checkpoints
from train.data import datasets
from train.data.datasets import Sample
from train.saliency import features, recipes
from train.saliency.recipes import Recipe

LIBRARIES = ("keras", "matplotlib")
TRUNK_LAYERS = [f"block{b}_conv{i}" for b in (1, 2, 3) for i in range(1, VGG16_WIDTHS[b - 1][1] + 1)]
TEACHER_LAYERS = ("conv1/7x7_s2", "conv2/3x3", "inception_5b/1x1")
Samples = dict[str, list[Sample]]


@dataclass(frozen=True)
class Inputs:
    """A run that can begin. samples: by data set; init, teacher: files with layers; features: where they are stored.

    validation: photos a class that are held back.
    """

    recipe: Recipe
    folder: Path
    features: Path
    samples: Samples
    class_names: list[str]
    init: Path | None
    teacher: Path | None
    validation: int

    @property
    def layers(self) -> list[Path]:
        """The files whose layers features go through."""
        return [path for path in (self.init, self.teacher) if path]


def gather(options: argparse.Namespace) -> tuple[Inputs | None, list[str]]:
    """The inputs that the command line names, or None and what is wrong with it, a line each."""
    problems: list[str] = []
    recipe = _told(problems, lambda: recipes.find(options.recipe, steps=options.steps))
    if recipe is None:
        return None, problems
    own_pictures = recipe.self_contained and not any(_folders(options).values())
    if recipe.self_contained and options.teacher is None:
        recipe = replace(recipe, losses=replace(recipe.losses, teacher=0, hint=0))
    problems += [*_wrong_options(options), *_wrong_layers(recipe, options)]
    if not own_pictures:
        problems += _wrong_folders(recipe, options)
    if problems:  # lists of photos that cannot be read would only say it again
        return None, problems
    read = _told(problems, lambda: _own_pictures(options.output) if own_pictures else _read(options, problems))
    if read is None or problems:
        return None, problems
    samples, names = read
    if own_pictures:
        recipe = replace(recipe, architecture=replace(recipe.architecture, n_classes=len(names)))
    store = options.features or options.output / "features"
    inputs = Inputs(recipe, options.output, store, samples, names, options.init, options.teacher, options.validation)
    problems += [*_too_few(inputs), *_other_runs(inputs)]
    if problems:
        return None, problems
    _told(problems, lambda: options.output.mkdir(parents=True, exist_ok=True))
    return (None if problems else inputs), problems


def _told(problems: list[str], read: Callable[[], Any]) -> Any:
    """What `read` gives; None, and a line more, where it cannot."""
    try:
        return read()
    except MsroiError as error:
        problems.append(str(error))
    except (OSError, KeyError, ValueError, AttributeError, IndexError) as error:
        problems.append(" ".join(f"cannot be read as its authors publish it ({error!r})".split()))
    return None


def _folders(options: argparse.Namespace) -> dict[str, Path | None]:
    names = ["caltech101", *datasets.READERS]
    return {name: getattr(options, name.replace("-", "_")) for name in names}


def _wrong_options(options: argparse.Namespace) -> Iterator[str]:
    for name in LIBRARIES:
        if importlib.util.find_spec(name) is None:
            yield str(extras.missing(f"{name} is not installed", "keras"))
    for name, least in (("steps", 1), ("every", 1), ("validation", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            yield f"--{name} {value}: must be at least {least}"
    for path in (options.output, options.features):
        if path is not None and path.exists() and not path.is_dir():
            yield f"{path}: is a file; name a folder"


def _wrong_layers(recipe: Recipe, options: argparse.Namespace) -> Iterator[str]:
    """Of --init and --teacher: missing where the recipe needs them, or without the layers that are taken."""
    if options.init is None and recipe.trunk == "frozen" and not recipe.self_contained:
        yield f"recipe {recipe.name}: freezes blocks 1 to 3, so it needs their layers; give --init FILE"
    if options.teacher is None and (recipe.losses.teacher or recipe.losses.hint):
        yield f"recipe {recipe.name}: learns from a teacher; give --teacher googlenet.npz"
    wanted = {"init": TRUNK_LAYERS if recipe.trunk == "frozen" else TRUNK_LAYERS[:1], "teacher": TEACHER_LAYERS}
    for option, layers in wanted.items():
        path = getattr(options, option)
        if path is None:
            continue
        try:
            names = _names_in(path)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            yield f"--{option} {path}: cannot be read as layers ({error})"
            continue
        missing = [layer for layer in layers if not any(layer in name for name in names)]
        if missing:
            yield f"--{option} {path}: holds no layer {', '.join(missing)}"


def _names_in(path: Path) -> list[str]:
    if path.suffix in (".h5", ".hdf5"):
        import h5py  # comes with Keras

        found: list[str] = []
        with h5py.File(path) as file:
            file.visit(found.append)
        return found
    with np.load(path) as stored:
        return list(stored.files)


def _wrong_folders(recipe: Recipe, options: argparse.Namespace) -> Iterator[str]:
    """Of the data sets: folders that are not there, and none that has what the recipe takes."""
    folders = _folders(options)
    for name, folder in folders.items():
        if folder is not None and not folder.is_dir():
            yield f"--{name} {folder}: no such folder; give the folder of the data set"
    if options.leave_out is not None and not options.leave_out.is_file():
        yield f"--leave-out {options.leave_out}: no such file"
    kinds = {
        "labels": (recipe.batch[0], ["caltech101"]),
        "masks": (recipe.batch[1], ["duts", "msra10k"]),
        "fixations": (recipe.batch[2], ["mit1003", "eye-crowd", "scenes"]),
    }
    for what, (size, names) in kinds.items():
        if size and not any(folders[name] for name in names):
            yield f"recipe {recipe.name}: takes {size} photos with {what} a step; give --{' or --'.join(names)} DIR"
    if folders["caltech101"] is None and not recipe.batch[0]:
        yield "--caltech101: its classes are the network's; give --caltech101 DIR"


def _read(options: argparse.Namespace, problems: list[str]) -> tuple[Samples, list[str]] | None:
    """All samples by data set, and Caltech-101's class names."""
    samples: Samples = {}
    names: list[str] = []
    left_out = _told(problems, lambda: datasets.read_names(options.leave_out)) if options.leave_out else []
    for name, folder in _folders(options).items():
        if folder is None:
            continue
        n_before = len(problems)
        if name == "caltech101":
            read = _told(problems, lambda folder=folder: datasets.caltech101(folder, options.validation))  # type: ignore[misc]
            samples[name], names = read or ([], [])
        elif name == "eye-crowd":
            samples[name] = _told(problems, lambda folder=folder: datasets.eye_crowd(folder, left_out)) or []  # type: ignore[misc]
        else:
            samples[name] = _told(problems, lambda f=folder, n=name: datasets.READERS[n](f)) or []  # type: ignore[misc]
        if name != "caltech101":
            samples[name] = datasets.hold_back(samples[name])
        problems[n_before:] = [f"--{name}: {line}" for line in problems[n_before:]]
    return samples, names


def _own_pictures(folder: Path) -> tuple[Samples, list[str]]:
    if importlib.util.find_spec("skimage") is None:
        raise extras.missing("the recipe's pictures come with scikit-image, which is not installed", "keras")
    return datasets.scikit_images(folder / "pictures")


def _too_few(inputs: Inputs) -> Iterator[str]:
    """What a step could not be drawn from."""
    everyone = [sample for members in inputs.samples.values() for sample in members]
    free = [sample for sample in everyone if not sample.held_back]
    labelled = {sample.label for sample in everyone if sample.label >= 0}
    starved = labelled - {sample.label for sample in free}
    if starved:
        yield (
            f"--caltech101: {len(starved)} of {len(labelled)} classes have no photo left to train on, "
            f"for --validation holds back {inputs.validation} of each; give fewer"
        )
    for size, name, has in (
        (inputs.recipe.batch[1], "masks", lambda sample: sample.mask is not None),
        (inputs.recipe.batch[2], "fixations", lambda sample: sample.fixations is not None),
    ):
        if size and not any(has(sample) for sample in free):
            yield f"recipe {inputs.recipe.name}: takes {size} photos with {name} a step and none were found"


def _other_runs(inputs: Inputs) -> list[str]:
    """What an earlier run left in the folders, if it was another one."""
    problems: list[str] = []
    _told(problems, lambda: checkpoints.check(inputs.folder, inputs.recipe.as_dict()))
    if inputs.recipe.cached_views:
        rows = features.plan(inputs.samples, inputs.recipe.cached_views)
        _told(problems, lambda: features.filled(inputs.features, features.identity(rows, inputs.recipe, inputs.layers)))
    return problems
