"""Where on the curve of rate and distortion a session codes: what a setting means in steps and in lambda."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from msroi.codecs.jpeg.rdo import costs
from msroi.search.secant import GROWTH

# A setting t in [0, 1] stands for the table scale s = COARSEST (FINEST / COARSEST)^t. At COARSEST all steps
# are 255 and blocks are blank, at FINEST all are 1.
COARSEST, FINEST = 400.0, 0.3

# A file's size goes with about the -.75th power of s (tables and lambda) and the -.18th of lambda alone
# (measured on CID22): where tables stay and the setting moves, lambda takes this power of the difference.
LAMBDA_POWER = 0.75 / 0.18


@dataclass(frozen=True)
class OperatingPoint:
    """scale: of the tables, where it is settled; None: by the setting. shift: added to settings, so that other weights
    leave sizes where they were. prices: of symbols, for each component, where they are known from settings nearby."""

    scale: float | None = None
    shift: float = 0.0
    prices: tuple[costs.Prices, ...] | None = None

    def shifted(self, n_bytes: float, wanted: float) -> OperatingPoint:
        """The point at which files that had `n_bytes` have the bytes wanted."""
        return replace(self, shift=self.shift + setting_between(n_bytes, wanted))

    def scale_at(self, setting: float) -> float:
        """The table scale of a setting, moved by the shift."""
        return self.scale or exact_scale(setting + self.shift)

    def lambda_at(self, setting: float, price: float) -> float:
        """Lambda at a setting; price: lambda / s^2."""
        return lambda_at(setting + self.shift, self.scale_at(setting), price)


def setting_between(n_bytes: float, wanted: float) -> float:
    """What to add to a setting for files of `wanted` bytes in place of `n_bytes`."""
    return math.log(wanted / n_bytes) / GROWTH


def exact_scale(setting: float) -> float:
    """The table scale s that a setting stands for."""
    return COARSEST * math.exp(setting * math.log(FINEST / COARSEST))


def lambda_at(setting: float, scale: float, price: float) -> float:
    """Lambda that gives tables of another scale the size that the setting stands for; price: lambda / s^2."""
    exact = exact_scale(setting)
    return price * scale * scale * math.pow(exact / scale, LAMBDA_POWER)
