"""All figures of one picture against its reference, as `msroi.compare` hands them back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from msroi.metrics.catalogue import METRICS, compared
from msroi.metrics.pair import Pair
from msroi.metrics.similarity import ms_ssim_scales


@dataclass(frozen=True, init=False, repr=False)
class Scores:
    """What `score` measured, each figure an attribute: mse, psnr_db, ssim, ms_ssim, and what the table has besides.

    mse and psnr_db are over all samples; psnr_db is infinite for identical pictures. weighted_mse, weighted_psnr_db,
    weighted_ssim, weighted_ms_ssim: the same by the weights, None where none were given.
    ms_ssim_scales says on how many of the five scales MS-SSIM stands: fewer under 176 pixels a side.
    """

    ms_ssim_scales: int
    _figures: tuple[tuple[str, float | None], ...]

    if TYPE_CHECKING:  # what has always been there is a number to type checkers, too; what is added is Any
        mse: float
        psnr_db: float
        ssim: float
        ms_ssim: float
        weighted_mse: float | None
        weighted_psnr_db: float | None
        weighted_ssim: float | None
        weighted_ms_ssim: float | None

    def __init__(self, *, ms_ssim_scales: int, **figures: float | None) -> None:
        """figures: by `Metric.name` and `Metric.weighted_name`."""
        object.__setattr__(self, "ms_ssim_scales", ms_ssim_scales)
        object.__setattr__(self, "_figures", tuple(figures.items()))

    def __getattr__(self, name: str) -> Any:
        # Nothing of Python's own: while one is unpickled, there are no figures yet.
        if not name.startswith("_"):
            figures = dict(self._figures)
            if name in figures:
                return figures[name]
            if any(name == metric.weighted_name for metric in METRICS.values() if metric.weighted):
                return None
            raise AttributeError(f"no score {name!r}; there are {', '.join(figures)}")
        raise AttributeError(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name, _ in self._figures)]

    def __repr__(self) -> str:
        return f"Scores({', '.join(f'{name}={value!r}' for name, value in self._all().items())})"

    def get(self, name: str) -> float | None:
        """The figure of that name, None where there is none."""
        return dict(self._figures).get(name)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, which knows no infinity: an infinite PSNR becomes None."""
        return {
            name: None if isinstance(value, float) and math.isinf(value) else value
            for name, value in self._all().items()
        }

    def _all(self) -> dict[str, Any]:
        plain = {name: value for name, value in self._figures if not name.startswith("weighted_")}
        return {**plain, "ms_ssim_scales": self.ms_ssim_scales, **dict(self._figures)}


def score(reference: npt.ArrayLike, candidate: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Scores:
    """All figures of one picture against its reference, each as the function of its name gives it.

    weights and errors as in `mse`.
    """
    pair = Pair(reference, candidate, weights)
    metrics = compared()
    figures = {metric.name: metric.value(pair) for metric in metrics}
    for metric in metrics:
        if metric.weighted is not None:
            figures[metric.weighted_name] = metric.weighted_value(pair)
    return Scores(ms_ssim_scales=ms_ssim_scales(*pair.reference.shape[:2]), **figures)
