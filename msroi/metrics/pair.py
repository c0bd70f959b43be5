"""Two pictures, what they are weighed by, and what several scores need of them, made once."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from msroi.arrays import FloatArray, checked_weights, given_weights, pictures_alike
from msroi.metrics.error import squared_error
from msroi.metrics.similarity import ScaleMeans, all_scales, ssim_map


class Regions(Protocol):
    """What is known of a picture beside its pixels; arrays (height, width), None for what is not known."""

    @property
    def inside(self) -> npt.NDArray[np.bool_] | None:
        """What a person marked; neither everywhere nor nowhere."""

    @property
    def fixations(self) -> npt.NDArray[np.float32] | None:
        """Density of where people looked, 0 and more."""

    @property
    def importance(self) -> npt.NDArray[np.float32] | None:
        """What SI-SSIM weighs by, 0 and more."""


class Pair:
    """A picture, its reference, and what weighs their difference.

    reference, candidate: uint8 (height, width[, 3]) of one shape. weights: None, or (height, width) numbers of 0 and
    more, by which the weighted form of a metric averages. regions: what the metrics of regions stand on, None for none.
    Errors: ImageError for pictures of unlike shape or not uint8, SaliencyError and OptionError for unusable weights.
    """

    def __init__(
        self,
        reference: npt.ArrayLike,
        candidate: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        regions: Regions | None = None,
    ) -> None:
        self.reference, self.candidate = pictures_alike(reference, candidate)
        self.weights = given_weights(weights, self.reference)
        self.regions = regions

    @cached_property
    def squared_error(self) -> float:
        """`mse`."""
        return squared_error(self.reference, self.candidate, None)

    @cached_property
    def weighted_squared_error(self) -> float:
        """`mse` by the weights."""
        return squared_error(self.reference, self.candidate, self.weights)

    @cached_property
    def scales(self) -> list[ScaleMeans]:
        """SSIM's means on all scales, plain and weighted at once."""
        return all_scales(self.reference, self.candidate, self.weights)

    @cached_property
    def similarity(self) -> FloatArray:
        """`ssim_map`: float64 (height, width)."""
        return ssim_map(self.reference, self.candidate)

    def region(self, name: str) -> npt.NDArray[Any] | None:
        """What weighs the pixels of "inside", "outside" or "fixations"; None where that is not known."""
        if self.regions is None:
            return None
        if name == "fixations":
            return self.regions.fixations
        inside = self.regions.inside
        return inside if inside is None or name == "inside" else ~inside

    def error_in(self, weights: npt.NDArray[Any]) -> float:
        """`mse` by other weights."""
        return squared_error(self.reference, self.candidate, checked_weights(weights, self.reference))
