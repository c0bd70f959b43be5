"""Recipes: everything that decides what a training run of the recurrent codec makes, by name."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from msroi.errors import OptionError


@dataclass(frozen=True)
class Recipe:
    """One training run.

    width: share of the published widths. side: pixels of a patch. batch: patches a step. unrolled: iterations of a
    segment. longer: share of the batches that go on to a second segment, and of those to a third. stopped: share of
    the patches whose cells stop at random. steps: segments trained. learning_rate: peak, after warm-up, falling as
    a cosine unless constant.
    """

    name: str
    width: float
    steps: int
    learning_rate: float
    side: int = 32
    batch: int = 32
    unrolled: int = 8
    longer: tuple[float, float] = (0.25, 0.5)
    stopped: float = 0.4
    cosine: bool = True
    mixed_precision: bool = True
    seed: int = 2019

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for the model card."""
        return json.loads(json.dumps(asdict(self)))


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "wang-2019",
            1.0,
            steps=200 * 1562,
            learning_rate=5e-4,
            unrolled=24,
            longer=(0, 0),
            stopped=0,
            cosine=False,
            mixed_precision=False,
        ),
        Recipe("two-cores", 0.25, steps=6000, learning_rate=2e-3),
        Recipe("full", 0.25, steps=60_000, learning_rate=1e-3, batch=64, side=64),
        Recipe("smoke", 1 / 16, steps=4, learning_rate=1e-3, batch=4, unrolled=2, mixed_precision=False),
    )
}
"""`wang-2019`: the published width and CIFAR-100's pictures (`--cifar100`). `two-cores`: what a computer without a GPU
trains in about an hour, which made the network that ships. `full`: for a GPU. `smoke`: that the program runs."""


def find(name: str, **changes: Any) -> Recipe:
    """The recipe called `name`, with single fields changed where they are given; an unknown name lists the known."""
    if name not in RECIPES:
        raise OptionError(f"recipe {name!r}: unknown; the recipes are {', '.join(sorted(RECIPES))}")
    return replace(RECIPES[name], **{key: value for key, value in changes.items() if value})
