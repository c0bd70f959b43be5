"""Distortions as losses: squared error, SI-SSIM, MS-SSIM, as functions that gradients pass through.

SSIM as `msroi.metrics` defines it: luma, a Gaussian window of deviation 1.5 over 11 pixels, borders mirrored. Tests
hold these against it. Structural ones come in units of squared errors, so that one lambda serves all; the factors
are the squared error of plain JPEG at quality 50 on Kodak (32.174 dB: 39.4) over what it lacks of SSIM 1 there (.0858)
and of MS-SSIM 1 (.0115).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from msroi.codecs.neural.vae.layers import mirrored
from msroi.errors import OptionError
from msroi.metrics.similarity import K1, K2, MS_SSIM_EXPONENTS

RADIUS = 5
SSIM_UNIT = 39.4 / 0.0858
MS_SSIM_UNIT = 39.4 / 0.0115
C1, C2 = (255 * K1) ** 2, (255 * K2) ** 2
LEAST = 1e-3
"""Of a scale's mean: below it MS-SSIM's power has no useful slope."""

_OFFSETS = np.arange(-RADIUS, RADIUS + 1)
_TAPS = np.exp(-0.5 * (_OFFSETS / 1.5) ** 2)
_TAPS /= _TAPS.sum()

DISTORTIONS = ("mse", "si-ssim", "ms-ssim")


def luma(pictures: Any) -> Any:
    """(n, h, w, 1) in levels from -127.5 to 127.5, of pictures from -.5 to .5; BT.601."""
    weights = ops.convert_to_tensor(np.array([[0.299], [0.587], [0.114]], np.float32)[None, None] * 255)
    return ops.conv(pictures, weights, padding="valid")


def blurred(x: Any) -> Any:
    """The Gaussian window's means of (n, h, w, 1), borders mirrored."""
    taps = _TAPS.astype(np.float32)
    x = mirrored(x, RADIUS)
    x = ops.conv(x, ops.convert_to_tensor(taps.reshape(-1, 1, 1, 1)), padding="valid")
    return ops.conv(x, ops.convert_to_tensor(taps.reshape(1, -1, 1, 1)), padding="valid")


def ssim_maps(x: Any, y: Any) -> tuple[Any, Any]:
    """(SSIM, contrast and structure alone) of each pixel, for lumas as `luma` makes them."""
    n = ops.shape(x)[0]
    blurs = blurred(ops.concatenate([x, y, x * x + y * y, x * y], 0))
    mean_x, mean_y, squares, product = blurs[:n], blurs[n : 2 * n], blurs[2 * n : 3 * n], blurs[3 * n :]
    both = ops.square(mean_x) + ops.square(mean_y)
    contrast = (2 * (product - mean_x * mean_y) + C2) / (squares - both + C2)
    bright_x, bright_y = mean_x + 127.5, mean_y + 127.5
    light = (2 * bright_x * bright_y + C1) / (ops.square(bright_x) + ops.square(bright_y) + C1)
    return light * contrast, contrast


def cell_similarity(first: Any, second: Any) -> Any:
    """SSIM of each cell of 8 x 8 pixels, (n, h / 8, w / 8, 1)."""
    return ops.average_pool(ssim_maps(luma(first), luma(second))[0], 8, 8)


def ms_ssim(first: Any, second: Any) -> Any:
    """(n): MS-SSIM, Wang 2003; five scales, whatever the size, of sides that are multiples of 16 from 80 on."""
    x, y = luma(first), luma(second)
    product: Any = 1.0
    for scale, exponent in enumerate(MS_SSIM_EXPONENTS):
        if scale:
            x, y = ops.average_pool(x, 2, 2), ops.average_pool(y, 2, 2)
        whole, contrast = ssim_maps(x, y)
        last = scale == len(MS_SSIM_EXPONENTS) - 1
        mean = ops.mean(whole if last else contrast, axis=(1, 2, 3))
        product = product * ops.maximum(mean, LEAST) ** exponent
    return product


def cells_of(name: str, share: float, decoded: Any, pictures: Any, saliency: Any = None) -> Any:
    """(n, h / 8, w / 8, 1): what is weighed against bits, in squared levels.

    name: one of DISTORTIONS. share: of the structural part beside the squared error. saliency: (n, h / 8, w / 8, 1),
    each cell's weight in SI-SSIM, of any mean above 0; None weighs all alike, which is SSIM.
    Errors: OptionError for an unknown name.
    """
    if name not in DISTORTIONS:
        raise OptionError(f"distortion {name!r}: unknown; there are {', '.join(DISTORTIONS)}")
    squares = ops.mean(ops.square(255 * (decoded - pictures)), axis=-1, keepdims=True)
    error = ops.average_pool(squares, 8, 8)
    if name == "mse":
        return error
    if name == "ms-ssim":
        lacking = (1 - ms_ssim(decoded, pictures))[:, None, None, None]
        return (1 - share) * error + share * MS_SSIM_UNIT * lacking
    lacking = 1 - cell_similarity(decoded, pictures)
    if saliency is not None:
        lacking = lacking * saliency / (ops.mean(saliency, axis=(1, 2, 3), keepdims=True) + 1e-6)
    return (1 - share) * error + share * SSIM_UNIT * lacking
