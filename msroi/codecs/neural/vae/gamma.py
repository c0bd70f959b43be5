"""Gamma, the knob of the variational autoencoder: how much an error weighs against a bit.

    loss = bits per pixel + lambda(gamma) * mean squared error (pixel values 0 to 255)

Song and others give gamma the range 32 to 2048 and let lambda be proportional to it (power 1, as in `PUBLISHED`): one
network then covers about .3 to 1.6 bits per pixel on Kodak's pictures, and a busy picture cannot reach .25, a plain one
not 1. Here lambda grows as gamma to the power 1.5, a range of 512, so that every picture reaches these rates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msroi.errors import OptionError

LOWEST, HIGHEST = 32.0, 2048.0
MIDDLE = 256.0
"""Geometric mean of the range."""


@dataclass(frozen=True)
class Weighting:
    """lambda = middle * (gamma / 256)^power, for squared errors of pixel values from 0 to 255."""

    middle: float = 0.0077
    power: float = 1.5

    def of(self, gamma: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """lambda of each gamma."""
        return (self.middle * (np.asarray(gamma, np.float64) / MIDDLE) ** self.power).astype(np.float32)


PUBLISHED = Weighting(0.068, 1.0)
"""Song and others, Duan et al.: gamma times the error of pixels from -1 to 1, beside nats per value (3 a pixel)."""


def checked(gamma: float) -> float:
    """Errors: OptionError where gamma is out of range."""
    if not LOWEST <= gamma <= HIGHEST:
        raise OptionError(f"gamma {gamma:g}: must be from {LOWEST:g} (the smallest file) to {HIGHEST:g} (the largest)")
    return float(gamma)


def position(gamma: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """What networks are told: -1 at 32, 0 at 256, 1 at 2048."""
    return (np.log2(np.asarray(gamma, np.float64) / MIDDLE) / 3).astype(np.float32)
