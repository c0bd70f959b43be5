"""What all JPEG codecs share: their files are JPEG's, so whatever decodes one decodes all."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from msroi.images import Limits


class JpegCodec:
    """Decoding and facts, see `msroi.codecs.contract.Codec`."""

    def decode(self, data: bytes, limits: Limits | None = None) -> npt.NDArray[np.uint8]:
        """Upright pixels of a JPEG. Errors: ImageError."""
        from msroi.images import read

        return read(data, limits=limits).upright if limits else read(data).upright

    def facts(self, data: bytes) -> dict[str, Any]:
        """Size, sampling, process and tables of a JPEG, from its segments. Errors: ImageError."""
        from msroi.metadata import jpeg_facts

        return dataclasses.asdict(jpeg_facts(data))
