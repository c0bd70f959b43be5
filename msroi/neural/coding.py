"""From any image to a neural codec's file: reading, the map, the codec."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msroi.errors import MsroiError
from msroi.images import Limits, read
from msroi.neural.contract import Rate, load


def compress(
    image: Any,
    *,
    level: float | None = None,
    bpp: float | None = None,
    n_bytes: int | None = None,
    codec: str = "recurrent",
    weights: Path | None = None,
    map_kind: str = "ms-roi",
    saliency: Any = None,
    limits: Limits = Limits(),
    name: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> bytes:
    """Code a picture with a neural codec that spends its bytes where people look.

    image: path, bytes, binary file, PIL image, or uint8 array (height, width[, 3 or 4]); its metadata are left out.
    level, bpp, n_bytes: what may be spent, exactly one of them, see `msroi.neural.Rate`.
    codec: a name from `msroi.neural.CODECS`. weights: a network's file instead of the one that ships.
    map_kind, saliency: the network's map by name, "none" for no map; a map of one's own instead (array of any size,
        path, or name of a kind).
    limits, name: of the input, as in `msroi.read`. progress: told the share that is done, 0 to 1.
    Errors: ImageError, SaliencyError, OptionError, TargetError for a rate that cannot be reached, MissingExtraError
    without Keras; each with the input's name in front.
    """
    from msroi.saliency.hints import Hints, combined, followed
    from msroi.saliency.kinds import NO_MAP

    rate = Rate(level, bpp, n_bytes)
    coder = load(codec, weights)
    picture = read(image, name=name, limits=limits)
    hints = Hints(saliency, map_kind)
    plain = saliency == NO_MAP if isinstance(saliency, str) else saliency is None and map_kind == NO_MAP
    try:
        steering = None if plain else followed(combined(hints, picture).saliency, hints)
        return coder.compress(picture.upright, steering, rate, progress=progress)
    except MsroiError as error:
        raise type(error)(f"{picture.source.name}: {error}") from error.__cause__
