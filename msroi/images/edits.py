"""What the options do to a read picture: a smaller one, one with less metadata."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from msroi.errors import OptionError
from msroi.images.colour import frozen, is_srgb
from msroi.images.picture import Picture
from msroi.metadata import Metadata, icc
from msroi.metadata.credit import credit as credited
from msroi.metadata.exif import Field, build
from msroi.metadata.gain_map import apple_headroom, gain_map_alone, map_behind, without_pictures
from msroi.metadata.model import exif_segment
from msroi.metadata.multi_picture import GAIN_MAP
from msroi.metadata.tiff import MAKER_NOTE, ORIENTATION, SHORT, UNDEFINED


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


def strip(metadata: Metadata, orientation: int, *, credit: bool = True) -> Metadata:
    """`--strip`: everything dropped but what shows the picture right, and artist and copyright.

    Without a profile other than sRGB the colours would be wrong, without an orientation other than 1 the picture would
    lie on its side, and an HDR gain map is pixels. credit: False for `strip_all`, which drops artist and copyright.
    What is no mere note on the picture (another picture, a film) goes with a notice.
    """
    profile = metadata.icc_profile
    keep_profile = profile is not None and not is_srgb(profile)
    gain_map = gain_map_alone(metadata)
    fields = credited(metadata) if credit else {}
    if orientation != 1:
        fields |= {ORIENTATION: Field(SHORT, 1, orientation.to_bytes(2, "big"))}
    notes = apple_headroom(metadata.exif) if gain_map.pictures else None
    details = {MAKER_NOTE: Field(UNDEFINED, len(notes), notes)} if notes else {}
    exif = (exif_segment(build(fields, details, order=">")),) if fields or details else ()
    profiles = tuple(s for s in metadata.segments if keep_profile and icc.is_part(s))
    return replace(
        gain_map,
        segments=(*exif, *gain_map.segments, *profiles),
        notices=(*gain_map.notices, *_stripped_notices(metadata)),
    )


def _stripped_notices(metadata: Metadata) -> tuple[str, ...]:
    notices = []
    gone = [picture.kind for picture in metadata.pictures if picture.kind != GAIN_MAP]
    if gone:
        kinds = ", ".join(sorted(set(gone)))
        notices.append(f"{len(gone)} further picture(s) dropped ({kinds}), as `strip` asks")
    n_behind = len(metadata.trailer) - map_behind(metadata.trailer)
    if n_behind:
        notices.append(f"{n_behind} bytes behind the picture dropped, as `strip` asks")
    return tuple(notices)
