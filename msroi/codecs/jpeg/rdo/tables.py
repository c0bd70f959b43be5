"""Shapes of quantisation tables and weights: what the rdo encoder knows about eyes.

Everything hangs on the radial frequency r = sqrt(u^2 + v^2) of a coefficient, u and v from 0 to 7. For
component c at table scale s:

    step      T_c(r) = round(s g_c exp(t_c(r))), t_c linear between knots at KNOTS
    weight    w_c(r) = a_c (1 + b_c r)^(-2 p_c)
    masking   m_b(r) = high_b + (low_b - high_b) blend(r), blend(r) = 1 / (1 + (r / 3)^4)
              high_b = o_h + (1 + v / f_h)^-h, v the AC energy of the luma block / 64
              low_b = o_l + (1 + v4 / f_l)^-l, v4 the local variance of luma reduced four times
    price     lambda = k s^2

Steps and weights of chroma are those of 4:2:0; `Preset.shapes_for` has those of fuller sampling. The figures
were found on CID22 and CLIC pictures, none on the sets that are reported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from msroi.arrays import Floats

# Row and column of each zigzag index: ITU-T T.81, figure A.6.
ZIGZAG = tuple(
    sorted(
        ((row, column) for row in range(8) for column in range(8)),
        key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]),
    )
)
RADIUS = np.array([math.hypot(row, column) for row, column in ZIGZAG])

# Where the logarithm of a step is given; 9.9 is the corner of a block.
KNOTS = (0.0, 1.0, 2.0, 3.5, 5.0, 7.0, 9.9)

# A sample of chroma in 4:4:4 shows in one pixel, in 4:2:0 in four: steps may be longer and errors weigh less.
# Equal errors a pixel would be a factor of 2; on CID22 this one leaves more PSNR and SSIMULACRA2 at equal bytes.
FULL_STEP = 1.5

# Masking passes from the coarse to the fine kind around this radius.
BLEND = (1 / (1 + (RADIUS / 3) ** 4)).astype(np.float32)


@dataclass(frozen=True)
class Shape:
    """One component. gain: g; knots: t at KNOTS; weight, bend, power: a, b, p."""

    gain: float
    knots: tuple[float, ...]
    weight: float
    bend: float
    power: float

    def table(self, scale: float) -> npt.NDArray[np.uint16]:
        """Steps in zigzag order, 1 to 255 as every decoder takes them."""
        steps = scale * self.gain * np.exp(np.interp(RADIUS, KNOTS, self.knots))
        whole: npt.NDArray[np.uint16] = np.clip(np.floor(steps + 0.5), 1, 255).astype(np.uint16)
        return whole

    def weights(self) -> Floats:
        """Weight of the squared error at each zigzag index."""
        return (self.weight * (1 + self.bend * RADIUS) ** (-2 * self.power)).astype(np.float32)


@dataclass(frozen=True)
class Preset:
    """A full set. Of masking fine, coarse: h and l, their floors f and offsets o; price: k; shapes of Y, Cb, Cr.

    texture: how many times a faint texture that was flattened weighs at most (`adaptive_quantisation.texture_floor`).
    steps: lengths of the gradient steps of chroma's downsampling.
    """

    shapes: tuple[Shape, Shape, Shape]
    fine: float = 0.463
    coarse: float = 0.5
    price: float = 0.0366
    feedback: float = 0.0
    feedback_floor: float = 1.0
    fine_floor: float = 57.0
    coarse_floor: float = 30.0
    fine_offset: float = 0.0
    coarse_offset: float = 0.0
    blank: float = 0.5
    texture: float = 1.0
    steps: tuple[float, ...] = (0.35, 0.35)

    def shapes_for(self, sampling: tuple[int, int]) -> tuple[Shape, Shape, Shape]:
        """Shapes of Y, Cb, Cr where luma has the factors `sampling` (horizontal, vertical), chroma 1, 1."""
        step = FULL_STEP ** (1 - math.log2(sampling[0] * sampling[1]) / 2)
        luma, *chroma = self.shapes
        blue, red = (replace(s, gain=s.gain * step, weight=s.weight / (step * step)) for s in chroma)
        return luma, blue, red


F = Preset(
    shapes=(
        Shape(1.0, (-0.219, 0.0, 0.558, 0.609, 0.781, 0.981, 0.836), 1.0, 0.514, 0.913),
        Shape(1.405, (-0.735, 0.0, 0.339, 0.523, 0.709, 0.993, 1.065), 0.613, 0.489, 0.875),
        Shape(1.566, (-0.620, 0.0, -0.086, 0.592, 0.716, 0.984, 1.198), 0.646, 0.538, 0.918),
    ),
)

# Found by train/encoder/search.py on 20 pictures of CID22's training part at Q 30, 50 and 80. Against F, bytes saved at
# equal PSNR, SSIM, MS-SSIM and SSIMULACRA2: -.5, .9, 1.4, .7 % on CLIC, which had no part in it.
DEFAULT = Preset(
    shapes=(
        Shape(1.0, (-0.134, 0.0, 0.684, 0.698, 0.835, 0.785, 0.831), 1.0, 0.535, 0.854),
        Shape(1.606, (-0.68, 0.007, 0.343, 0.692, 0.886, 0.982, 1.19), 0.754, 0.537, 0.838),
        Shape(1.778, (-0.541, -0.021, -0.067, 0.546, 0.704, 0.98, 1.372), 0.604, 0.464, 0.925),
    ),
    fine=1.022,
    coarse=0.715,
    price=0.0511,
    feedback=0.763,
    feedback_floor=0.732,
    fine_floor=69.9,
    coarse_floor=56.6,
    fine_offset=0.474,
    coarse_offset=0.349,
    blank=0.501,
    texture=8.0,
    steps=(0.32, 0.512),
)

# An earlier set of that search, leaning to structure: more masking, coarser chroma. PSNR falls by .3 dB, SSIMULACRA2
# a little.
SSIM = Preset(
    shapes=(
        Shape(1.0, (-0.265, 0.0, 0.555, 0.622, 0.771, 0.922, 0.798), 1.0, 0.517, 0.924),
        Shape(1.747, (-0.757, -0.105, 0.323, 0.651, 0.768, 0.963, 1.117), 0.646, 0.473, 0.878),
        Shape(2.296, (-0.686, -0.021, -0.013, 0.561, 0.732, 1.005, 1.255), 0.49, 0.519, 0.963),
    ),
    fine=0.5,
    coarse=0.5,
    price=0.0406,
    feedback=0.7,
    feedback_floor=1.353,
    blank=0.8,
    steps=(0.442, 0.485),
)

_FLAT = (-0.1, 0.0, 0.02, 0.06, 0.1, 0.16, 0.2)
_RISING = (-0.1, 0.0, 0.09, 0.27, 0.45, 0.72, 0.9)

# For PSNR alone: no masking, and the weights that errors of Y, Cb and Cr have in RGB. A chroma sample of
# 4:2:0 shows in four pixels, less in fine detail, which the triangle filter blurs.
PSNR = Preset(
    shapes=(
        Shape(1.0, _FLAT, 1.0, 0.1, 0.0),
        Shape(0.576, _RISING, 4.34, 0.1, 1.2),
        Shape(0.66, _RISING, 3.3, 0.1, 1.2),
    ),
    fine=0.05,
    coarse=0.05,
    price=0.12,
    feedback=0.0,
    steps=(0.6, 0.3, 0.5),
)


def toward(preset: Preset, other: Preset, share: float) -> Preset:
    """A preset between two: their figures' means, those of gains, weights and price in logarithms."""

    def mean(a: float, b: float) -> float:
        return (1 - share) * a + share * b

    def log_mean(a: float, b: float) -> float:
        return math.exp(mean(math.log(a), math.log(b)))

    luma, blue, red = (
        replace(
            a,
            gain=log_mean(a.gain, b.gain),
            knots=tuple(mean(*pair) for pair in zip(a.knots, b.knots, strict=True)),
            weight=log_mean(a.weight, b.weight),
            power=mean(a.power, b.power),
        )
        for a, b in zip(preset.shapes, other.shapes, strict=True)
    )
    return replace(
        preset,
        shapes=(luma, blue, red),
        fine=mean(preset.fine, other.fine),
        coarse=mean(preset.coarse, other.coarse),
        price=log_mean(preset.price, other.price),
        feedback=mean(preset.feedback, other.feedback),
    )


def _for_luma(preset: Preset) -> Preset:
    """Luma's fine detail counts more and chroma less."""
    luma, *chroma = preset.shapes
    blue, red = (replace(c, gain=1.3 * c.gain, weight=c.weight / 1.3**2) for c in chroma)
    return replace(preset, shapes=(replace(luma, power=0.6 * luma.power), blue, red))


PRESETS: dict[str, Preset] = {"default": DEFAULT, "psnr": PSNR, "ssim": SSIM}

# Compromises for few bytes at plain JPEG's PSNR and SSIM, by which of them is the harder to reach. SSIMULACRA2
# is less than the default's, but above plain's.
FOR_FEWEST: dict[str, Preset] = {"psnr": toward(DEFAULT, PSNR, 0.5), "ssim": _for_luma(DEFAULT)}
