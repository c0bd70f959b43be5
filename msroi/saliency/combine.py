"""The one place where all meets: a picture's map of its sources, the base and the boxes over it.

sources --kind's function or the user's map--> base --+
        --boxes, faces------------------------> areas -+--> Combined
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from msroi.arrays import Saliency
from msroi.images import Picture
from msroi.options import PixelBox
from msroi.saliency import boxes
from msroi.saliency.faces import find_faces
from msroi.saliency.kinds import NO_MAP, find_map
from msroi.saliency.own_map import user_map
from msroi.saliency.sources import Sources
from msroi.saliency.values import full_size


@dataclass(frozen=True, eq=False)
class Combined:
    """What was made of sources for one picture, in a small form: a large map need not lie in memory.

    height, width: of the upright picture. base: the map's values on a grid of their own, one number where it is flat.
    areas: boxes and faces over it, in pixels. notice: what the user should know of it, "" for nothing.
    """

    sources: Sources
    height: int
    width: int
    base: npt.NDArray[np.uint8] | npt.NDArray[np.floating] | float
    areas: tuple[PixelBox, ...] = ()
    notice: str = ""

    @property
    def is_flat(self) -> bool:
        """Whether the map says the same of every place."""
        return not isinstance(self.base, np.ndarray) and not self.areas

    def base_map(self) -> Saliency:
        """The base in full: float32 (height, width) in [0, 1], made anew; read-only where it is one value."""
        if isinstance(self.base, np.ndarray) and self.sources.own is not None:
            return user_map(self.base, self.height, self.width)
        return full_size(self.base, self.height, self.width)


def combine(sources: Sources, picture: Picture, focus_size: tuple[int, int] | None = None) -> Combined:
    """The map of an upright picture.

    The base is the user's own map or that of a kind; a network that is unsure, and a picture that was drawn, give a
    flat one, and a notice. Over it lie the boxes of the user and those of faces. A base of kind "none" gives way to
    boxes altogether: what is in a box matters, nothing else does.
    focus_size: (width, height) of the upright picture that the user's boxes are meant in, by default this one.
    Errors: SaliencyError for a face model that cannot be one, OptionError for a box outside of the picture.
    """
    width, height = picture.upright_size
    meant = focus_size or (width, height)
    areas = boxes.scaled(boxes.inside(sources.boxes, meant), meant, (width, height))
    if sources.face_model is not None:
        areas += find_faces(picture.upright, sources.face_model)
    own, notice = sources.own, ""
    base: npt.NDArray[np.uint8] | npt.NDArray[np.floating] | float
    if own is not None:
        own = own.reduced(height, width)
        sources, value = replace(sources, own=own), own.one_value
        base = own.values if value is None else value
    elif sources.kind == NO_MAP and areas:
        base = 0.0
    else:
        found = find_map(picture.upright, sources.kind, sources.quality)
        base, notice = found.values, found.notice
    return Combined(sources, height, width, base, tuple(areas), notice)
