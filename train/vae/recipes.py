"""Recipes: everything that decides what a training run of the autoencoder makes, by name."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from msroi.errors import OptionError
from msroi.options import MapKind


@dataclass(frozen=True)
class Recipe:
    """One training run.

    preset: the network. steps: of the whole run. cycle: steps until the learning rate, falling as a cosine, starts
    again from four fifths of its peak, for twice as long; 0: one fall over all steps; None: constant. learning_rate:
    the peak. side, batch: pixels of a patch, patches a step; over the last `late` of the steps patches have twice the
    side, a quarter as many. maps: share of the patches whose gamma varies over them. rounding_from: the step from which
    the decoder is taught with rounded latents; the rate is always taught with noise. average: momentum of the weights'
    average. clip_norm: of all gradients together. evening: power of lambda that a patch's loss is divided by, so that
    coarse and fine settings teach alike. distortion: `mse`, `si-ssim` or `ms-ssim`; mixed: the share of it beside the
    squared error's. saliency: the kind of map that weighs SI-SSIM. gamma: the only one that is trained;
    None: all. eager: without compiling the step, which takes as long as a hundred small ones.
    """

    name: str
    preset: str = "base"
    steps: int = 75_000
    cycle: int | None = 5_000
    learning_rate: float = 1.2e-3
    side: int = 128
    batch: int = 8
    late: float = 0.25
    maps: float = 0.3
    rounding_from: int = 2_500
    average: float = 0.998
    clip_norm: float = 20.0
    evening: float = 0.25
    distortion: str = "mse"
    mixed: float = 0.5
    saliency: MapKind = "none"
    gamma: float | None = None
    eager: bool = False
    seed: int = 2023

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for checkpoints and the model card."""
        return json.loads(json.dumps(asdict(self)))


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("base"),
        Recipe("small", "small", steps=15_000),
        Recipe(
            "song",
            "full",
            steps=500_000,
            cycle=None,
            learning_rate=1e-4,
            side=256,
            late=0.0,
            maps=0.0,
            rounding_from=500_000,
            average=0.9999,
            distortion="si-ssim",
            saliency="grad-cam",
        ),
        Recipe(
            "smoke", "small", steps=2, cycle=0, side=64, batch=2, late=0.0, rounding_from=1, average=0.5, eager=True
        ),
    )
}
"""`song`: the paper's network, loss, batch and learning rate, for COCO's photos and a GPU; its steps are our guess.
`base`: what two cores train in hours and days; after 5,000, 15,000, 35,000 and 75,000 steps the learning rate is at its
end. `small`: a third of it, for trials. `smoke`: that the program runs."""


def find(name: str, **changes: Any) -> Recipe:
    """The recipe called `name`, with single fields changed where they are given; an unknown name lists the known."""
    if name not in RECIPES:
        raise OptionError(f"recipe {name!r}: unknown; the recipes are {', '.join(sorted(RECIPES))}")
    return replace(RECIPES[name], **{key: value for key, value in changes.items() if value is not None})
