"""The one value of a map: what was made, and what an encoder follows of it.

    base --curve of kind and codec--> boxes, faces --> followed
    base ---------------------------> boxes, faces --> made

What is made is what people are shown and what weighs scores; what is followed is what steered a file, and handed
back as a map it steers in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msroi.arrays import Saliency
from msroi.errors import SaliencyError
from msroi.images import Picture
from msroi.images.orientation import to_stored
from msroi.saliency.boxes import laid_over
from msroi.saliency.combine import Combined, combine
from msroi.saliency.sources import Sources
from msroi.saliency.values import flat_map


@dataclass(frozen=True, eq=False)
class Steering:
    """The map of one picture for one codec.

    combined: what was made. curve: the codec's name of what it follows of a kind's map, "" for the map as it is.
    Maps are made anew at each call, float32 in [0, 1]: nothing of a picture's size is held. It can be pickled.
    """

    combined: Combined
    curve: str = ""

    @classmethod
    def of(cls, saliency: npt.ArrayLike) -> Steering:
        """A map that is there, (height, width) as the upright picture, followed as it is. Errors: SaliencyError."""
        sources = Sources.of(saliency=np.asarray(saliency))
        assert sources.own is not None
        values, value = sources.own.values, sources.own.one_value
        return cls(Combined(sources, values.shape[0], values.shape[1], values if value is None else value))

    @property
    def upright_shape(self) -> tuple[int, int]:
        """(height, width) of the upright picture."""
        return self.combined.height, self.combined.width

    def check_fits(self, picture: Picture, who: str) -> None:
        """Errors: SaliencyError, which says who needs it, for a map that is not of the upright picture's size."""
        width, height = picture.upright_size
        if self.upright_shape != (height, width):
            raise SaliencyError(f"{who} needs a map of shape {(height, width)}, got one of shape {self.upright_shape}")

    @property
    def is_flat(self) -> bool:
        """Whether all matters alike: one value everywhere, which `followed` then is."""
        return self.combined.is_flat

    @property
    def identity(self) -> str:
        """Equal for equal maps of equal pictures, as they are followed."""
        return self.combined.sources.identity(self.curve)

    @property
    def notice(self) -> str:
        """What the user should know of the map, "" for nothing."""
        return self.combined.notice

    def made(self, orientation: int = 1) -> Saliency:
        """The map as it was made, with its boxes. orientation: EXIF's, of stored pixels to be aligned with.

        (height, width) of these; read-only where the map is flat.
        """
        return self._as_stored(laid_over(self.combined.base_map(), self.combined.areas), orientation)

    def followed(self, orientation: int = 1) -> Saliency:
        """What an encoder follows: boxes and the user's own map as they are, a kind's map through the curve.

        orientation and shape as in `made`. A flat map is followed as it is.
        """
        # Nothing is named on the way: a base that is done with must not lie in memory beside what comes after.
        return self._as_stored(laid_over(self._curved(), self.combined.areas), orientation)

    def _curved(self) -> Saliency:
        saliency, curve = self.combined.base_map(), self.combined.sources.curve(self.curve)
        if curve is None or not isinstance(self.combined.base, np.ndarray):
            return saliency
        return curve(saliency, out=saliency)

    def _as_stored(self, saliency: Saliency, orientation: int) -> Saliency:
        if orientation == 1:
            return saliency
        if not self.is_flat:
            return np.asarray(to_stored(saliency, orientation))
        height, width = saliency.shape
        return saliency if orientation < 5 else flat_map(width, height, float(saliency[0, 0]))


def steer(sources: Sources, picture: Picture, curve: str = "", focus_size: tuple[int, int] | None = None) -> Steering:
    """The map of a picture for a codec with that curve. Arguments and errors as in `combine`."""
    return Steering(combine(sources, picture, focus_size), curve)
