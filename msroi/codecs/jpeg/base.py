"""What all JPEG codecs share: their files are JPEG's, so whatever decodes one decodes all."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from msroi.errors import OptionError
from msroi.fields import Whole, declared

if TYPE_CHECKING:
    from msroi.images import Limits


class JpegCodec:
    """Decoding and facts, and what a codec is that says nothing else: see `msroi.codecs.contract.Codec`."""

    uses_map: ClassVar[bool] = False
    curve: ClassVar[str] = ""
    is_yardstick: ClassVar[bool] = False
    quality_options: ClassVar[tuple[str, ...]] = ()
    also_accepts: ClassVar[Mapping[str, tuple[object, ...]]] = {}

    def decode(self, data: bytes, limits: Limits | None = None) -> npt.NDArray[np.uint8]:
        """Upright pixels of a JPEG. Errors: ImageError."""
        from msroi.images import read

        return read(data, limits=limits).upright if limits else read(data).upright

    def facts(self, data: bytes) -> dict[str, Any]:
        """Size, sampling, process and tables of a JPEG, from its segments. Errors: ImageError."""
        from msroi.metadata import jpeg_facts

        return dataclasses.asdict(jpeg_facts(data))


def q_low() -> Any:
    """The option of all codecs that take a map for a range of qualities."""
    return declared(30, Whole(1, 100), "quality where the map is 0", group="map", metavar="N")


def q_high() -> Any:
    """The other end."""
    return declared(70, Whole(1, 100), "quality where the map is 1", group="map", metavar="N")


def check_order(low: int, high: int) -> None:
    """Errors: OptionError where the lower quality is the higher one."""
    if low > high:
        raise OptionError(
            f"q_low: got {low}, allowed: at most `q_high`, {high}; "
            "`q_low` is the quality where the map is 0, `q_high` where it is 1"
        )
