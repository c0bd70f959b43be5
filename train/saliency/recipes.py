"""Recipes: everything that decides what a training run makes, by name.

`ms-roi-2018` has the paper's settings; classes are drawn by the square root of their size, as in the others.
`two-cores` is what a computer without a GPU trains in an hour and a half; it made the network that ships.
`two-cores-labels` is the same by Caltech-101's labels alone: nobody shows it a mask or where people look.
`full` is the same for a GPU: VGG16's own width, nothing frozen.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from msroi.errors import OptionError
from msroi.saliency.architecture import Architecture
from train.data.views import MS_ROI_2018, Augmentation


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms of the loss; a term whose weight is 0 is left out.

    classes: cross entropy with the labels. objects: BCE + soft IoU of the object map with human masks.
    gaze: KL of the normalised gaze map + BCE to density / max. random_classes: pushes the maps of five
    random classes to zero, or supervision hides all saliency in what the class maps share.
    teacher: KL to the teacher's class probabilities at temperature 2. hint: 1 - cosine to its features.
    """

    classes: float = 1.0
    objects: float = 3.0
    gaze: float = 1.0
    random_classes: float = 1.0
    teacher: float = 1.0
    hint: float = 2.0


@dataclass(frozen=True)
class Recipe:
    """One training run.

    side: pixels of the square training views. cached_views: views made of each photo before training,
    whose frozen features are stored (0: views are made and the trunk runs in every step).
    trunk: "frozen" or "trained". batch: photos a step with (labels, masks, fixations).
    steps: optimiser steps; learning_rate: peak, after warm-up, falling as a cosine unless constant.
    self_contained: runs without any data set, layers or teacher: on scikit-image's pictures, from random layers.
    """

    name: str
    architecture: Architecture
    augmentation: Augmentation
    losses: LossWeights
    side: int
    cached_views: dict[str, int]
    trunk: str
    batch: tuple[int, int, int]
    steps: int
    learning_rate: float
    cosine: bool = True
    weight_decay: float = 0.0
    mixed_precision: bool = True
    seed: int = 2018
    self_contained: bool = False

    def __post_init__(self) -> None:
        if self.trunk not in ("frozen", "trained"):
            raise OptionError(f"recipe {self.name}: trunk is {self.trunk!r}; must be frozen or trained")
        if self.cached_views and self.trunk != "frozen":
            raise OptionError(f"recipe {self.name}: features can only be stored while the trunk is frozen")

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for the model card."""
        return asdict(self)


LABELS_ONLY = LossWeights(objects=0, gaze=0, random_classes=0, teacher=0, hint=0)
LABELS_WITH_TEACHER = LossWeights(objects=0, gaze=0, random_classes=0)
"""A teacher of classes and features knows no map either: it makes up for the ImageNet layers that are missing."""

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="ms-roi-2018",
            architecture=Architecture(512, batch_norm=False, last_pool_stride=2, gaze_maps=False, supervised=False),
            augmentation=MS_ROI_2018,
            losses=LABELS_ONLY,
            side=224,
            cached_views={},
            trunk="trained",
            batch=(32, 0, 0),
            steps=100 * (7614 // 32),
            learning_rate=1e-4,
            cosine=False,
            mixed_precision=False,
        ),
        Recipe(
            name="two-cores",
            architecture=Architecture(256),
            augmentation=Augmentation(),
            losses=LossWeights(),
            side=160,
            cached_views={"caltech101": 3, "duts": 1, "msra10k": 1, "mit1003": 3, "eye-crowd": 3, "scenes": 3},
            trunk="frozen",
            batch=(28, 16, 12),
            steps=5000,
            learning_rate=2.5e-3,
            weight_decay=0.03,
        ),
        Recipe(
            name="two-cores-labels",
            architecture=Architecture(256, gaze_maps=False, supervised=False),
            augmentation=Augmentation(),
            losses=LABELS_WITH_TEACHER,
            side=160,
            cached_views={"caltech101": 3},
            trunk="frozen",
            batch=(56, 0, 0),
            steps=2500,
            learning_rate=2.5e-3,
            weight_decay=0.03,
        ),
        Recipe(
            name="full",
            architecture=Architecture(512),
            augmentation=Augmentation(),
            losses=LossWeights(),
            side=224,
            cached_views={},
            trunk="trained",
            batch=(64, 40, 24),
            steps=20_000,
            learning_rate=1e-3,
            weight_decay=0.03,
        ),
        Recipe(
            name="smoke",
            architecture=Architecture(16),
            augmentation=Augmentation(),
            losses=LossWeights(),
            side=64,
            cached_views={"caltech101": 1, "duts": 1, "mit1003": 1},
            trunk="frozen",
            batch=(6, 3, 3),
            steps=4,
            learning_rate=2.5e-3,
            mixed_precision=False,
            self_contained=True,
        ),
    )
}
"""`smoke` shows on a handful of photos that the program runs; what it makes is worth nothing."""


def find(name: str, **changes: Any) -> Recipe:
    """The recipe called `name`, with single fields changed; an unknown name lists the known ones."""
    if name not in RECIPES:
        raise OptionError(f"recipe {name!r}: unknown; the recipes are {', '.join(sorted(RECIPES))}")
    return replace(RECIPES[name], **{key: value for key, value in changes.items() if value is not None})
