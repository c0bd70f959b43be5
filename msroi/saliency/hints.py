"""From everything that is known about a photo to the one map that steers an encoder: `combined`."""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from msroi.errors import ImageError, OptionError, SaliencyError
from msroi.images import Picture, read
from msroi.options import Box, PercentBox, PixelBox, boxes, one_of
from msroi.saliency.faces import checked_model, find_faces, model_identity
from msroi.saliency.kinds import (
    DEFAULT_KIND,
    DEFAULT_QUALITY,
    KINDS,
    MAP_VERSION,
    NO_MAP,
    QUALITIES,
    Found,
    find_map,
    flat_map,
    network_name,
    steering,
)
from msroi.saliency.network import network_hash
from msroi.saliency.values import map_values

BOX_EDGE = 0.01
"""Width of a box's soft edge (one sigma), as a fraction of the picture's shorter side."""

_ROWS = 64  # so many at a time


@dataclass(frozen=True)
class Hints:
    """What a map is made from.

    saliency: None (the network's map of `kind`), an array of any size with values in [0, 1] (or uint8, bool), the
    path of a picture or .npy file with such an array, or the name of a kind. quality: of the network's map, a
    name from `QUALITIES`. focus: boxes x, y, width, height in pixels of the upright picture, or in percent of it, as
    `msroi.options.boxes` takes them. face_model: path of YuNet's ONNX file, whose faces count as boxes, or None.
    """

    saliency: Any = None
    kind: str = DEFAULT_KIND
    focus: Sequence[Box] | PercentBox | str = ()
    quality: str = DEFAULT_QUALITY
    face_model: str | os.PathLike[str] | None = None

    @property
    def given(self) -> bool:
        """Whether the user asked for more than a kind of map."""
        return self.saliency is not None or bool(boxes("focus", self.focus)) or self.face_model is not None


class Steering(NamedTuple):
    """The map that steers an encoder, its identity, and what the user should know of it ("" for nothing)."""

    saliency: np.ndarray
    identity: str
    notice: str


def resolve(saliency: Any, kind: str, focus: Any, picture: Picture) -> tuple[np.ndarray, str]:
    """Map and identity of a picture's own size and of the default quality: `steer` for those who need no more."""
    return steer(Hints(saliency, kind, focus), picture)[:2]


def steer(hints: Hints, picture: Picture) -> Steering:
    """The map that steers the encoder and its identity: `combined` and `identity`."""
    found = combined(hints, picture)
    return Steering(found.saliency, identity(hints, picture), found.notice)


def combined(hints: Hints, picture: Picture, focus_size: tuple[int, int] | None = None) -> Found:
    """The map that steers the encoder, of the upright picture. The one place where all meets.

    The base is the user's own map or the network's; a network that is unsure, and a picture that was drawn, give a
    flat one, and a notice. Over it lie the boxes of the user and those of faces: at each pixel the larger value
    counts. A base of kind "none" gives way to boxes altogether: what is in a box matters, nothing else does.
    focus_size: (width, height) of the upright picture that the user's boxes are meant in, by default this one.
    Raises SaliencyError for a map or a face model that cannot be one, OptionError for a box outside of the picture.
    """
    width, height = picture.upright_size
    saliency, kind = _one_source(hints.saliency, hints.kind)
    one_of("map_quality", hints.quality, tuple(QUALITIES))
    meant = focus_size or (width, height)
    areas = _scaled(_inside(boxes("focus", hints.focus), meant), meant, (width, height))
    face_model = checked_model(hints.face_model)
    if face_model is not None:
        areas += find_faces(picture.upright, face_model)
    if saliency is not None:
        base = Found(functools.partial(user_map, saliency, height, width))
    elif kind == NO_MAP and areas:
        base = Found(functools.partial(flat_map, height, width, 0))
    else:
        base = find_map(picture.upright, kind, hints.quality)
    return replace(base, make=functools.partial(_with_boxes, base.make, areas)) if areas else base


def followed(
    saliency: np.ndarray, hints: Hints, curve: Callable[[np.ndarray, str], np.ndarray] | None = None
) -> np.ndarray:
    """What an encoder follows of a combined map: the user's own as it is, the network's through a curve.

    curve: of a map and the name of its kind; by default the contrast that the JPEG encoders follow, which takes the
    place of the map.
    """
    own, kind = _one_source(hints.saliency, hints.kind)
    if own is not None:
        return saliency
    return steering(saliency, kind, in_place=True) if curve is None else curve(saliency, kind)


def identity(hints: Hints, picture: Picture) -> str:
    """A string that is equal for equal maps of equal pictures, and goes into the digest of the request.

    Boxes count as they are given, wherever they lie: the reduced picture that a request with boxes made is known by
    the same request.
    """
    return identity_at(hints, *picture.upright_size)


def identity_at(hints: Hints, width: int, height: int) -> str:
    """`identity` for a picture of this upright size, which is all that it takes. The network is not loaded."""
    saliency, kind = _one_source(hints.saliency, hints.kind)
    areas = set(boxes("focus", hints.focus))
    shares = sorted(area for area in areas if isinstance(area, PercentBox))
    pixels = sorted(area for area in areas if not isinstance(area, PercentBox))
    face_model = checked_model(hints.face_model)
    if saliency is not None:
        base = f"map:{hashlib.sha256(user_map(saliency, height, width).data).hexdigest()[:16]}"
    else:
        name = network_name(kind)
        base = kind if name is None else f"{kind}:{network_hash(name)[:16]}:{MAP_VERSION}"
        if name is not None and hints.quality != DEFAULT_QUALITY:
            base += f":{one_of('map_quality', hints.quality, tuple(QUALITIES))}"
    base += f"+focus:{pixels}" if pixels else ""
    base += f"+focus:{' '.join(map(str, shares))}" if shares else ""
    return base if face_model is None else f"{base}+faces:{model_identity(face_model)}"


def is_own(saliency: Any) -> bool:
    """Whether this is a map of the user's own, not None or the name of a kind."""
    return saliency is not None and not (isinstance(saliency, str) and saliency in KINDS)


def _one_source(saliency: Any, kind: Any) -> tuple[Any, str]:
    """The user's map and the kind, one of which counts."""
    if saliency is not None and not is_own(saliency):
        saliency, kind = None, saliency
    return saliency, one_of("map_kind", kind, tuple(KINDS))


def user_map(saliency: Any, height: int, width: int) -> np.ndarray:
    """The user's own map over a picture of `height` x `width`: float32, in [0, 1].

    A map of zeros, or of any one value, says that nothing matters more than anything else.
    Raises SaliencyError for a wrong number of dimensions, NaN, or values outside [0, 1].
    """
    values = _own_values(saliency)
    reducing = values.shape[0] > height and values.shape[1] > width
    resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA if reducing else cv2.INTER_LINEAR)
    return np.clip(resized, 0.0, 1.0, out=resized)


def small_user_map(saliency: Any, height: int, width: int) -> np.ndarray:
    """What `user_map` makes the map of any number of times: read and checked once, and no larger than it has to be."""
    values = _own_values(saliency)
    return user_map(values, height, width) if values.size > height * width else values


def _own_values(saliency: Any) -> np.ndarray:
    if isinstance(saliency, (str, os.PathLike)):
        return map_values(_read_map(Path(saliency)), str(saliency))
    return map_values(saliency)


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


def _inside(areas: list[Box], size: tuple[int, int]) -> list[PixelBox]:
    """The boxes in pixels. Errors: OptionError for one that leaves the picture of `size` (width, height)."""
    width, height = size
    found = [area.in_pixels(width, height) if isinstance(area, PercentBox) else area for area in areas]
    for x, y, w, h in found:
        if w < 1 or h < 1 or x < 0 or y < 0 or x + w > width or y + h > height:
            raise OptionError(f"focus {x},{y},{w},{h}: the box leaves the picture, which has {width} x {height} pixels")
    return found


def _scaled(areas: list[PixelBox], before: tuple[int, int], after: tuple[int, int]) -> list[PixelBox]:
    """Boxes in pixels of a picture of size `before`, in pixels of the same at size `after`: (width, height)."""
    if before == after:
        return areas
    horizontal, vertical = after[0] / before[0], after[1] / before[1]
    scaled = []
    for x, y, width, height in areas:
        left, top = math.floor(x * horizontal), math.floor(y * vertical)
        right, bottom = math.ceil((x + width) * horizontal), math.ceil((y + height) * vertical)
        scaled.append((left, top, right - left, bottom - top))
    return scaled


def _with_boxes(make: Callable[[], np.ndarray], areas: Sequence[PixelBox]) -> np.ndarray:
    """The map that is made, and over it the boxes."""
    saliency = make()
    boxed = _boxes(areas, *saliency.shape)
    return np.maximum(saliency, boxed, out=boxed)


def _boxes(areas: Sequence[PixelBox], height: int, width: int) -> np.ndarray:
    inside = np.zeros((height, width), np.float32)
    for x, y, w, h in areas:
        inside[y : y + h, x : x + w] = 1
    sigma = BOX_EDGE * min(height, width)
    if sigma < 0.5:
        return inside
    # Rows far from every edge are like their neighbours: of such a run one is blurred, and the rest are copies of it.
    like = np.arange(height)
    reach = math.ceil(4 * sigma) + 1  # of OpenCV's window for floats
    edges = sorted({0, height, *(edge for _, y, _, h in areas for edge in (y, y + h))})
    for first, last in itertools.pairwise(edges):
        like[first + reach : max(first, last - reach)] = first + reach
    rows, places = np.unique(like, return_inverse=True)
    blurred = cv2.GaussianBlur(inside[rows], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    for top in range(0, height, _ROWS):
        own = inside[top : top + _ROWS]
        # The larger of both: a soft edge outside, the whole box itself.
        np.maximum(own, blurred[places[top : top + _ROWS]], out=own)
    return inside
