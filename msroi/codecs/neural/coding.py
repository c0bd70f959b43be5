"""From any image to a neural codec's file: reading, the map, the codec, the metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi.codecs.neural import attached
from msroi.codecs.neural.allocation import softened
from msroi.codecs.neural.contract import NeuralCodec, Rate, Saliency, load
from msroi.errors import TargetError, about
from msroi.images import Limits, Picture, read
from msroi.images import strip as stripped

if TYPE_CHECKING:
    from msroi.options import Box, MapKind
    from msroi.saliency.hints import Hints


@dataclass(frozen=True, eq=False)
class Encoded:
    """A file, and how it came about.

    saliency: float32 (height, width), the map that was followed, upright; None where none was. map_identity: "" without
    one. notices: what the user should know, each one line.
    """

    data: bytes
    saliency: Saliency | None
    map_identity: str
    notices: tuple[str, ...]


def compress(
    image: Any,
    *,
    level: float | None = None,
    bpp: float | None = None,
    n_bytes: int | None = None,
    codec: str = "recurrent",
    weights: Path | None = None,
    map_kind: MapKind = "ms-roi",
    saliency: Any = None,
    focus: Sequence[Box | str] | str = (),
    strip: bool = False,
    limits: Limits = Limits(),
    name: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> bytes:
    """Code a picture with a neural codec that spends its bytes where people look.

    image: path, bytes, binary file, PIL image, or uint8 array (height, width[, 3 or 4]).
    level, bpp, n_bytes: what may be spent on the whole file, exactly one of them, see `msroi.codecs.neural.Rate`.
    codec: a name from `msroi.codecs.neural.CODECS`. weights: a network's file instead of the one that ships.
    map_kind, saliency, focus: the network's map by name, "none" for no map; a map of one's own instead (array of any
        size, path, or name of a kind); boxes x, y, width, height in pixels of the upright picture that matter as well.
    strip: leave out all metadata but artist, copyright and a profile other than sRGB.
    limits, name: of the input, as in `msroi.read`. progress: told the share that is done, 0 to 1.
    Errors: ImageError, SaliencyError, OptionError, TargetError for a rate that cannot be reached, MissingExtraError
    without Keras; each with the input's name in front.
    """
    from msroi.options import boxes
    from msroi.saliency.hints import Hints

    rate = Rate(level, bpp, n_bytes)
    coder = load(codec, weights)
    picture = read(image, name=name, limits=limits)
    return encode(
        coder, picture, Hints(saliency, map_kind, boxes("focus", focus)), rate, strip=strip, progress=progress
    ).data


def encode(
    coder: NeuralCodec,
    picture: Picture,
    hints: Hints,
    rate: Rate,
    *,
    strip: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Encoded:
    """Code a picture that has been read. strip, progress and errors as in `compress`."""
    metadata = stripped(picture.metadata, 1) if strip else picture.metadata
    sections, notices = attached.carried(metadata)
    notices = (*picture.notices, *metadata.notices, *notices)
    with about(picture.source.name):
        steering, identity, notice = _steering(hints, picture)
        width, height = picture.upright_size
        own = _without(rate, height, width, attached.n_bytes(sections)) if sections else rate
        data = coder.compress(picture.upright, steering, own, progress=progress)
    notices = (*notices, notice) if notice else notices
    return Encoded(attached.attach(data, sections), steering, identity, notices)


def _steering(hints: Hints, picture: Picture) -> tuple[Saliency | None, str, str]:
    """The map to follow, None for none, its identity and a notice."""
    from msroi.saliency.hints import followed, steer
    from msroi.saliency.kinds import NO_MAP

    kind = hints.saliency if isinstance(hints.saliency, str) else hints.kind if hints.saliency is None else ""
    if kind == NO_MAP and not hints.focus and hints.face_model is None:
        return None, "", ""
    found = steer(hints, picture)
    soft = followed(found.saliency, hints, lambda saliency, kind: softened(saliency))
    return soft, found.identity, found.notice


def _without(rate: Rate, height: int, width: int, n_bytes: int) -> Rate:
    """What is left of a rate for the picture alone. Errors: TargetError where that is nothing."""
    budget = rate.budget(height, width)
    if budget is None:
        return rate
    if budget <= n_bytes:
        raise TargetError(f"target {budget} bytes: the metadata alone take {n_bytes}; leave them out with --strip")
    return Rate(n_bytes=budget - n_bytes)
