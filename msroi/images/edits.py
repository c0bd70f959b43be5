"""What the options do to a read picture: a smaller one, one with less metadata."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from msroi.errors import OptionError
from msroi.images.colour import frozen, is_srgb
from msroi.images.picture import Picture
from msroi.metadata import Metadata, icc
from msroi.metadata.foreign import with_exif_orientation
from msroi.metadata.gain_map import without_pictures


def resize_to_max_side(picture: Picture, max_side: int) -> Picture:
    """`--max-side`: the longer side brought down to `max_side` pixels (Lanczos), never up.

    The metadata stay, EXIF's note of the size at capture included; further pictures of a multi-picture
    file, which fit the old size only, are dropped with a notice.
    Errors: OptionError unless `max_side` is a whole number above 0.
    """
    if isinstance(max_side, bool) or not isinstance(max_side, int | np.integer) or max_side < 1:
        raise OptionError(f"max side is {max_side!r}; it must be a whole number of pixels above 0")
    height, width = picture.pixels.shape[:2]
    longest = max(height, width)
    if longest <= max_side:
        return picture
    size = tuple(max(1, (2 * side * int(max_side) + longest) // (2 * longest)) for side in (width, height))
    smaller = Image.fromarray(picture.pixels).resize((size[0], size[1]), Image.Resampling.LANCZOS)
    metadata, notices = without_pictures(picture.metadata)
    return replace(
        picture,
        pixels=frozen(np.asarray(smaller)),
        metadata=metadata,
        notices=(*picture.notices, *notices),
        as_decoded=False,
    )


def strip(metadata: Metadata, orientation: int) -> Metadata:
    """`--strip`: everything dropped but a profile other than sRGB and, unless it is 1, the orientation.

    Without the profile the colours would be wrong, without the orientation the picture would lie on its side.
    What is no mere note on the picture (a gain map, a film) goes with a notice.
    """
    profile = metadata.icc_profile
    keep_profile = profile is not None and not is_srgb(profile)
    segments = tuple(s for s in metadata.segments if keep_profile and icc.is_part(s))
    stripped = Metadata(segments, notices=_stripped_notices(metadata))
    return with_exif_orientation(stripped, orientation) if orientation != 1 else stripped


def _stripped_notices(metadata: Metadata) -> tuple[str, ...]:
    notices = []
    if metadata.pictures:
        kinds = ", ".join(sorted({picture.kind for picture in metadata.pictures}))
        notices.append(f"{len(metadata.pictures)} further picture(s) dropped ({kinds}), as --strip asks")
    if metadata.trailer:
        notices.append(f"{len(metadata.trailer)} bytes behind the picture dropped, as --strip asks")
    return tuple(notices)
