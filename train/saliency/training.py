"""A training run of the MS-ROI network, from its inputs to its folder. `python -m train.saliency` is the program.

photos -> views -> [frozen trunk + teacher, stored once] -> batches -> training model -> RUN/
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from msroi.saliency import keras_model
from msroi.saliency.architecture import N_BEST
from train.common import files, history
from train.common.command import say
from train.common.loop import Plan, Task, train
from train.common.optimisers import optimiser
from train.saliency import losses, measures, recipes, teacher
from train.saliency.features import fill, identity, plan
from train.saliency.googlenet import load_googlenet
from train.saliency.inputs import Inputs
from train.saliency.sources import FIXATIONS, MASK, LiveViews, Sampler, Source, StoredFeatures
from train.saliency.teacher import Teacher

SCORES = ("top1", "top5", "max_f", "mae", "cc")

PANELS = (
    history.Panel("loss", lambda row: {name: row[name] for name in row if name.endswith("loss")}, logarithmic=True),
    history.Panel("held-back photos", lambda row: {name: row[name] for name in SCORES if name in row}, limits=(0, 1)),
)


@dataclass
class Run:
    """A training run in its folder: the recipe, the data, the network and the model that trains it."""

    recipe: recipes.Recipe
    folder: Path
    source: Source
    class_names: list[str]
    trunk: keras.Model
    network: keras.Model
    trainer: keras.Model
    teacher: Teacher | None


def run(inputs: Inputs, every: int, minutes: float | None = None) -> None:
    """Train, from the last checkpoint on, and leave everything in the run's folder; minutes: as in `Plan`."""
    keras.utils.set_random_seed(inputs.recipe.seed)
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if inputs.recipe.mixed_precision else "float32")
    begun = prepare(inputs)
    if train(Training(begun, every), Plan(inputs.folder, inputs.recipe.as_dict(), inputs.recipe.steps, every, minutes)):
        finish(begun, inputs.validation)


def prepare(inputs: Inputs) -> Run:
    """Fill the store of features if the recipe has one, build the models."""
    recipe = inputs.recipe
    for name, members in inputs.samples.items():
        say(f"{name}: {len(members)} photos, {sum(s.held_back for s in members)} of them held back")
    trunk = keras_model.build_trunk()
    if inputs.init:
        say(f"started from {inputs.init}: {', '.join(keras_model.load_initial_layers(trunk, inputs.init))}")
    googlenet = load_googlenet(inputs.teacher) if inputs.teacher else None
    source = _source(inputs, trunk, googlenet)
    network = _network(recipe, trunk)
    if inputs.init:
        keras_model.load_initial_layers(network, inputs.init)
    trainer = losses.training_model(network, recipe.architecture, recipe.losses)
    adam = optimiser(recipe.learning_rate, recipe.steps, cosine=recipe.cosine, weight_decay=recipe.weight_decay)
    trainer.compile(optimizer=adam, **losses.compile_arguments(trainer.output, recipe.losses))
    return Run(recipe, inputs.folder, source, inputs.class_names, trunk, network, trainer, _teacher(recipe, source))


def _source(inputs: Inputs, trunk: Any, googlenet: Any) -> Source:
    recipe = inputs.recipe
    if recipe.cached_views:
        rows = plan(inputs.samples, recipe.cached_views)
        known = identity(rows, recipe, inputs.layers)
        return StoredFeatures(fill(inputs.features, rows, known, recipe, trunk, googlenet, say))
    cells = recipe.side // recipe.architecture.map_stride
    flat = [sample for members in inputs.samples.values() for sample in members]
    return LiveViews(flat, recipe.side, recipe.augmentation, googlenet, recipe.seed, cells)


def _network(recipe: recipes.Recipe, trunk: keras.Model) -> keras.Model:
    head = keras_model.build_head(recipe.architecture)
    if recipe.cached_views:
        return head
    trunk.trainable = recipe.trunk == "trained"
    return keras.Model(trunk.input, head(trunk.output), name="ms_roi")


def _teacher(recipe: recipes.Recipe, source: Source) -> Teacher | None:
    """The teacher's view of the classes, if the recipe listens to it."""
    if not recipe.losses.teacher:
        return None
    learned, top1 = teacher.fit(source, recipe.architecture.n_classes)
    say(f"teacher: top-1 {top1:.3f} on held-back photos")
    return learned


def make_batch(run: Run, indices: np.ndarray, step: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Inputs, targets and weights of one step."""
    arrays = run.source.read(indices, step)
    n, n_classes = len(indices), run.recipe.architecture.n_classes
    random = np.random.default_rng((run.recipe.seed, step, 5))
    drawn = np.argsort(random.random((n, n_classes)), axis=1)[:, :N_BEST].astype(np.int32)
    label, kind = run.source.label[indices], run.source.kind[indices]
    empty = np.zeros((n, 1, 1), np.float32)
    everywhere = np.ones(n, np.float32)
    targets: dict[str, Any] = {
        "logits": (np.maximum(label, 0).astype(np.int32)[:, None], _share(label >= 0)),
        "objects": (arrays["mask"], _share(kind == MASK)),
        "gaze": (arrays["density"], _share(kind == FIXATIONS)),
        "random_objects": (empty, everywhere),
        "random_gaze": (empty, everywhere),
    }
    if "hint" in arrays:
        targets["hint"] = (arrays["hint"], everywhere)
    if run.teacher is not None:
        targets["teacher"] = (run.teacher.logits(arrays["hint"]), everywhere)
    names = list(run.trainer.output)
    inputs = {run.network.input.name: arrays["x"], "random_classes": drawn}
    return inputs, {n: targets[n][0] for n in names}, {n: targets[n][1] for n in names}


def _share(present: np.ndarray) -> np.ndarray:
    """Weights that make a mean over the batch a mean over the photos that have the target."""
    return (present * (len(present) / max(1, present.sum()))).astype(np.float32)


class Training(Task):
    """The run as the loop sees it."""

    def __init__(self, run: Run, every: int) -> None:
        self.run, self.every, self.trainer = run, every, run.trainer
        self.sampler = Sampler(run.source, run.recipe.batch, run.recipe.seed)

    def batch(self, step: int) -> Any:
        return make_batch(self.run, self.sampler.draw(step), step)

    def learn(self, batch: Any) -> dict[str, float]:
        losses = self.trainer.train_on_batch(*batch, return_dict=True)
        self.trainer.reset_metrics()
        return {name: float(value) for name, value in losses.items()}

    def judge(self, done: int) -> dict[str, float]:
        return {} if done % (10 * self.every) and done != self.run.recipe.steps else scores(self.run)


def scores(run: Run) -> dict[str, float]:
    """On held-back photos."""
    return measures.of_network(run.network, run.trainer, run.source, run.recipe.architecture.n_classes)


def finish(run: Run, validation: int) -> None:
    """Weights by layer name, the learning curve, accuracy per class and confusion.

    validation: photos a class that were held back; the export must hold back the same.
    """
    arrays: dict[str, Any] = {}
    for layer in [*keras_model.walk_layers(run.trunk), *keras_model.walk_layers(run.trainer)]:
        for weight in layer.weights:
            arrays[f"{layer.name}/{weight.name}"] = np.asarray(keras.ops.convert_to_numpy(weight), np.float32)
    files.write_arrays(run.folder / "weights.npz", arrays)
    facts: dict[str, Any] = {
        "recipe": run.recipe.as_dict(),
        "classes": run.class_names,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    facts["views"] = len(run.source.label)
    facts["validation"] = validation
    facts["keras"] = f"{keras.__version__} on {keras.backend.backend()}"
    facts["scores"] = scores(run)
    files.write_json(run.folder / "run.json", facts)
    measures.write_per_class(run.folder, run.network, run.trainer, run.source, run.class_names)
    history.draw(run.folder, PANELS)
    say(f"done: {run.folder}: {json.dumps(facts['scores'])}")
