"""From everything that is known about a photo to the one map that steers an encoder.

The base is the network's map, or the user's own. Boxes are laid over it: at each pixel the larger value
counts. A base of kind "none" gives way to boxes altogether: what is in a box matters, nothing else does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from msroi.errors import ImageError, OptionError, SaliencyError
from msroi.images import Picture, read
from msroi.saliency.kinds import KINDS, NO_MAP, flat_map, make_map
from msroi.saliency.network import load

Box = tuple[int, int, int, int]
BOX_EDGE = 0.01
"""Width of a box's soft edge (one sigma), as a fraction of the picture's shorter side."""


def resolve(saliency: Any, kind: str, focus: Sequence[Box], picture: Picture) -> tuple[np.ndarray, str]:
    """The map that steers the encoder and its identity.

    saliency: None (the network's map of `kind`), an array of any size with values in [0, 1] (or uint8, bool),
    the path of a picture or .npy file with such an array, or the name of a kind. focus: boxes x, y, width,
    height in pixels of the upright picture. Returns float32 (height, width) in [0, 1], upright, and a string
    that is equal for equal maps: it goes into the digest of the request.
    Raises SaliencyError for a map that cannot be one, OptionError for a box outside of the picture.
    """
    width, height = picture.upright_size
    if isinstance(saliency, str) and saliency in KINDS:
        saliency, kind = None, saliency
    boxes = [_checked(box, width, height) for box in focus]
    if saliency is not None:
        base = user_map(saliency, height, width)
        identity = f"map:{hashlib.sha256(base.tobytes()).hexdigest()[:16]}"
    elif kind == NO_MAP and boxes:
        base, identity = flat_map(height, width, 0), NO_MAP
    else:
        base = make_map(picture.upright, kind)
        identity = kind if kind == NO_MAP else f"{kind}:{load().sha256[:16]}"
    if not boxes:
        return base, identity
    return np.maximum(base, _boxes(boxes, height, width)), f"{identity}+focus:{sorted(boxes)}"


def user_map(saliency: Any, height: int, width: int) -> np.ndarray:
    """The user's own map over a picture of `height` x `width`: float32, in [0, 1].

    A map of zeros, or of any one value, says that nothing matters more than anything else.
    Raises SaliencyError for a wrong number of dimensions, NaN, or values outside [0, 1].
    """
    if isinstance(saliency, (str, os.PathLike)):
        values, name = _read_map(Path(saliency)), str(saliency)
    else:
        values, name = np.asarray(saliency), "saliency"
    if values.ndim != 2 or 0 in values.shape:
        raise SaliencyError(f"{name}: a map must have the shape (height, width), this one has {values.shape}")
    if values.dtype == np.uint8:
        values = values.astype(np.float32) / 255
    elif values.dtype == np.bool_ or np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float32)
    else:
        raise SaliencyError(f"{name}: a map must be float in [0, 1], uint8 or bool, this one is {values.dtype}")
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):  # also when either is NaN
        raise SaliencyError(f"{name}: a map must lie in [0, 1], this one spans {low:g} to {high:g}; scale it")
    reducing = values.shape[0] > height and values.shape[1] > width
    resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA if reducing else cv2.INTER_LINEAR)
    return np.clip(resized, 0.0, 1.0)


def _read_map(path: Path) -> np.ndarray:
    if path.suffix.lower() == ".npy":
        try:
            return np.asarray(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise SaliencyError(f"{path}: cannot be read as a .npy file; save the map with numpy.save") from error
    try:
        pixels = read(path).upright
    except ImageError as error:
        kinds = ", ".join(KINDS)
        raise SaliencyError(f"{error}; a map is a picture, a .npy file or one of the kinds {kinds}") from error
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels


def _checked(box: Sequence[int], width: int, height: int) -> Box:
    if len(box) != 4:
        raise OptionError(f"focus {tuple(box)}: a box is x,y,width,height")
    x, y, w, h = (int(value) for value in box)
    if w < 1 or h < 1 or x < 0 or y < 0 or x + w > width or y + h > height:
        raise OptionError(f"focus {x},{y},{w},{h}: the box leaves the picture, which has {width} x {height} pixels")
    return x, y, w, h


def _boxes(boxes: Sequence[Box], height: int, width: int) -> np.ndarray:
    inside = np.zeros((height, width), np.float32)
    for x, y, w, h in boxes:
        inside[y : y + h, x : x + w] = 1
    sigma = BOX_EDGE * min(height, width)
    if sigma < 0.5:
        return inside
    # The larger of both: a soft edge outside, the whole box itself.
    return np.maximum(inside, cv2.GaussianBlur(inside, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))
