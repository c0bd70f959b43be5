"""SSIMULACRA2: the score, by the package of that name; and its distance, for choosing between two files of one picture.

The distance is made of pixels alone, in some hundredths of the score's time:

    sRGB --> linear light, halved again and again --> LMS, cube roots --> X, Y, B --> three maps --> weighted sum

The maps, of each plane at each scale: structure that is lost (1 - SSIM), edges that are new, edges that are gone; of
each the mean and the fourth norm. SSIMULACRA2 is a falling curve of the sum. Of its 108 weights the 25 above .05
count, which leaves its values as they are to .1.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import cv2
import numpy as np

from msroi.arrays import Floats, Pixels

# Weights of SSIMULACRA2 2.1 (libjxl, tools/ssimulacra2.cc) above .05, by number of halvings and plane: of the mean and
# the fourth norm of lost structure, new edges, gone edges.
WEIGHTS: dict[tuple[int, int], tuple[float, float, float, float, float, float]] = {
    (0, 1): (0, 7.466890328078848, 0, 0, 0, 17.445833984131262),
    (1, 0): (0, 1.1041726426657346, 0, 0, 0, 0),
    (1, 1): (0, 6.683678146179332, 0, 0, 0, 1.027889937768264),
    (2, 0): (0, 1.8422455520539298, 0, 11.441172603757666, 0, 0),
    (2, 1): (225.20515300849274, 19.213238186143016, 0, 0, 0, 0),
    (3, 0): (0, 1.8787594979546387, 0, 10.94906990605142, 0, 0),
    (3, 1): (176.39317598450694, 24.43300999870476, 0, 0.28520802612117757, 0, 0),
    (3, 2): (0, 8.826982764996862, 0, 23.19243343998926, 0, 0),
    (4, 0): (0, 0, 0.9677937080626833, 0.9981766977854967, 0, 0),
    (4, 1): (0, 34.77906344483772, 0, 44.835625328877896, 0, 0),
    (4, 2): (95.1080498811086, 0, 0.9863978034400682, 171.2667255897307, 0.9834382792465353, 0.9807858872435379),
}

# Halved no further than to this side.
SMALLEST = 8

# JPEG XL's XYB, as SSIMULACRA2 has it: linear RGB to LMS, the bias before the cube root, scale and offset of X, Y, B.
_LMS = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
    ],
    np.float32,
)
_BIAS = np.float32(0.0037930732552754493)

# SSIM's window and the constant of its second factor.
_SIDE, _SIGMA, _C2 = 11, 1.5, np.float32(0.0009)


def _linear_light() -> Floats:
    """Linear light of sRGB's 256 levels."""
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_light()


def ssimulacra2_score(reference: Pixels, decoded: Pixels) -> float:
    """SSIMULACRA2 by the package of that name, on sRGB pixels, at least 8 x 8. Source: Sneyers, Cloudinary 2022."""
    from PIL import Image
    from ssimulacra2 import compute_ssimulacra2

    files = []
    for pixels in (reference, decoded):
        files.append(io.BytesIO())
        Image.fromarray(pixels).save(files[-1], "PNG", compress_level=0)
    return float(compute_ssimulacra2(*files))


def ssimulacra2_distance(reference: Pixels, decoded: Pixels) -> float:
    """The weighted sum, 0 for equal pictures; the lower, the higher SSIMULACRA2.

    Both: uint8 (height, width, 3), of one shape.
    """
    total = 0.0
    for halvings, (one, other) in enumerate(zip(_scales(reference), _scales(decoded), strict=True)):
        first, second = _xyb(one), _xyb(other)
        for plane in range(3):
            if (halvings, plane) in WEIGHTS:
                total += float(np.dot(WEIGHTS[halvings, plane], _norms(first[plane], second[plane])))
    return total


def _scales(pixels: Pixels) -> Iterator[Floats]:
    """Linear light, as it is and halved up to as often as WEIGHTS goes."""
    light = _LINEAR[pixels]
    yield light
    for _ in range(max(halvings for halvings, _ in WEIGHTS)):
        height, width = (n // 2 for n in light.shape[:2])
        if min(height, width) < SMALLEST:
            return
        light = cv2.resize(light[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
        yield np.asarray(light, np.float32)


def _xyb(light: Floats) -> list[Floats]:
    planes = cv2.split(cv2.transform(light, _LMS))
    root = np.cbrt(_BIAS)
    long, medium, short = (np.cbrt(plane + _BIAS) - root for plane in planes)
    x, y = (long - medium) / 2, (long + medium) / 2
    return [14 * x + np.float32(0.42), y + np.float32(0.01), short - y + np.float32(0.55)]


def _norms(first: Floats, second: Floats) -> list[float]:
    """Mean and fourth norm of the three maps of a plane."""
    mean, other = _blurred(first), _blurred(second)
    covariance = _blurred(first * second) - mean * other
    variances = _blurred(first * first) - mean * mean + _blurred(second * second) - other * other
    lost = np.maximum(0, 1 - (1 - (mean - other) ** 2) * (2 * covariance + _C2) / (variances + _C2))
    edges = (1 + np.abs(second - other)) / (1 + np.abs(first - mean)) - 1
    result = []
    for values in (lost, np.maximum(0, edges), np.maximum(0, -edges)):
        square = values * values
        result += [values.mean(dtype=np.float64), np.mean(square * square, dtype=np.float64) ** 0.25]
    return result


def _blurred(plane: Floats) -> Floats:
    """Rows are reflected at the border; beyond left and right lie zeros, as SSIMULACRA2 has it."""
    n = _SIDE // 2
    wide = cv2.copyMakeBorder(plane, 0, 0, n, n, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.GaussianBlur(wide, (_SIDE, _SIDE), _SIGMA, borderType=cv2.BORDER_REFLECT)[:, n:-n])
