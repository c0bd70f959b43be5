"""What is coded and scored: one picture with its map, its mask and its fixations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats, Pixels
from msroi.images import Picture
from msroi.saliency.combine import Combined, combine
from msroi.saliency.curves import CONTRAST
from msroi.saliency.sources import Sources
from msroi.saliency.steering import Steering

# A mask's edge is softened by this share of the longer side before an encoder follows it (DESIGN 12: blurs
# from .01 to .06 differ little).
MASK_BLUR = 0.03


@dataclass
class Subject:
    """One upright picture and what is known of it; all maps are float32 (height, width), aligned with it.

    mask: where a person drew the object, 0 to 1. fixations: their density, largest value 1. own_map: a map that
    was given for the encoders, 0 to 1. Each may be None. mask_is_soft: the mask needs no softening.
    threads: how many an encoder may use.
    """

    picture: Picture
    mask: Floats | None = None
    fixations: Floats | None = None
    own_map: Floats | None = None
    mask_is_soft: bool = False
    threads: int = 1

    @property
    def pixels(self) -> Pixels:
        """uint8 (height, width[, 3])."""
        return self.picture.pixels

    @cached_property
    def _combined(self) -> Combined:
        return combine(Sources.of(saliency=self.own_map), self.picture)

    def steering(self, curve: str) -> Steering:
        """The map that drives the encoders that follow one, as given or the network's, for those with this curve."""
        return Steering(self._combined, curve)

    @cached_property
    def saliency(self) -> Floats:
        """What the JPEG encoders follow of it."""
        return self.steering(CONTRAST).followed()

    @cached_property
    def soft_mask(self) -> Floats:
        """The mask as a map for an encoder."""
        assert self.mask is not None
        if self.mask_is_soft:
            return self.mask
        sigma = MASK_BLUR * max(self.mask.shape)
        return np.asarray(cv2.GaussianBlur(self.mask, (0, 0), sigma), np.float32)

    @property
    def inside(self) -> npt.NDArray[np.bool_] | None:
        """Where the mask is over a half; None without a mask, or where that is everywhere or nowhere."""
        if self.mask is None:
            return None
        inside = self.mask > 0.5
        return inside if inside.any() and not inside.all() else None

    @property
    def importance(self) -> Floats | None:
        """What SI-SSIM weighs by: fixations, else the mask, else the map of the encoders; None for all zeros."""
        for weights in (self.fixations, self.mask):
            if weights is not None:
                return weights if weights.any() else None
        return self.saliency if self.saliency.any() else None
