"""What a map is made from, parsed once: a kind of map or the user's own, boxes, faces."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msroi.options import Box, PercentBox, boxes, one_of
from msroi.saliency import boxes as areas
from msroi.saliency import faces, own_map
from msroi.saliency.curves import Curve
from msroi.saliency.kind import DEFAULT_QUALITY, QUALITIES, fingerprint
from msroi.saliency.kinds import DEFAULT_KIND, KINDS, NO_MAP, kind_of
from msroi.saliency.own_map import OwnMap


@dataclass(frozen=True)
class Sources:
    """What a map is made from; `of` makes one of what a user gave.

    kind: a name from `KINDS`, which counts where `own` is None. quality: of the network's map, a name from
    `QUALITIES`. own: the user's own map. boxes: in pixels or percent of the upright picture. face_model: path of
    YuNet's ONNX file, whose faces count as boxes. Equal sources make equal maps. It can be pickled.
    """

    kind: str = DEFAULT_KIND
    quality: str = DEFAULT_QUALITY
    own: OwnMap | None = None
    boxes: tuple[Box, ...] = ()
    face_model: str | None = None

    @classmethod
    def of(
        cls,
        *,
        saliency: Any = None,
        map_kind: str = DEFAULT_KIND,
        map_quality: str = DEFAULT_QUALITY,
        focus: Sequence[Box | str] | PercentBox | str = (),
        face_model: str | os.PathLike[str] | None = None,
    ) -> Sources:
        """Sources by the names of `msroi.compress`'s options, checked but for the picture's size.

        saliency: None for the network's map of `map_kind`; a map of the user's own, an array of any size with values
        in [0, 1] (or uint8, bool) or the path of a picture or .npy file, which is read now; or the name of a kind.
        focus: boxes as `msroi.options.boxes` takes them. Errors: OptionError, SaliencyError.
        """
        if isinstance(saliency, str) and saliency in KINDS:
            saliency, map_kind = None, saliency
        return cls(
            one_of("map_kind", map_kind, tuple(KINDS)),
            one_of("map_quality", map_quality, tuple(QUALITIES)),
            saliency if saliency is None or isinstance(saliency, OwnMap) else OwnMap.of(saliency),
            tuple(boxes("focus", focus)),
            faces.checked_model(face_model),
        )

    @property
    def has_boxes(self) -> bool:
        """Whether boxes or faces are to be laid over the map."""
        return bool(self.boxes) or self.face_model is not None

    @property
    def given(self) -> bool:
        """Whether the user asked for more than a kind of map."""
        return self.own is not None or self.has_boxes

    @property
    def steers(self) -> bool:
        """Whether anything may matter more than anything else."""
        return self.given or self.kind != NO_MAP

    @property
    def name(self) -> str:
        """What reports call the map: a kind, "own", or "boxes" where they alone steer."""
        if self.own is not None:
            return "own"
        return "boxes" if self.kind == NO_MAP and self.has_boxes else self.kind

    def curve(self, name: str) -> Curve | None:
        """What stands behind a codec's name of a curve; None where the map is followed as it is."""
        return None if self.own is not None else kind_of(self.kind).curves.get(name)

    def identity(self, curve: str = "") -> str:
        """Equal for equal maps of equal pictures, as they are followed through the curve of that name; "": as made.

        It goes into the digest of a request. It knows the network, the versions and constants of what makes the map,
        and the user's map by its values. Boxes count as they were given, wherever they lie: the reduced picture that a
        request with boxes made is known by the same request. No network is loaded.
        """
        if self.own is not None:
            base = f"map:{self.own.digest}:{own_map.VERSION}"
        elif self.kind == NO_MAP:
            base = NO_MAP
        else:
            base = kind_of(self.kind).identity(self.kind, self.quality, curve)
        if not self.has_boxes:
            return base
        pixels = sorted({area for area in self.boxes if not isinstance(area, PercentBox)})
        shares = sorted({area for area in self.boxes if isinstance(area, PercentBox)})
        base += f"+focus:{pixels}" if pixels else ""
        base += f"+focus:{' '.join(map(str, shares))}" if shares else ""
        facts: list[Any] = [areas.BOX_EDGE]
        if self.face_model is not None:
            base += f"+faces:{faces.model_identity(self.face_model)}"
            facts += [faces.LONGEST_SIDE, faces.SCORE, faces.OVERLAP, faces.MOST]
        return f"{base}:{areas.VERSION}-{fingerprint(*facts)}"
