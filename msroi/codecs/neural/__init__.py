"""Neural codecs that spend their bytes by the same maps as the JPEG path: `compress` and `decompress`.

    data = msroi.codecs.neural.compress("photo.jpg", bpp=0.25)    # a whole file; `container` describes it
    pixels = msroi.codecs.neural.decompress(data)    # uint8 (height, width[, 3])

Names are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msroi.codecs.neural.coding import Rate, compress
    from msroi.codecs.neural.contract import NeuralCodec
    from msroi.codecs.neural.registry import CODECS, decompress, decompress_preview, file_facts, load

_HOMES = {
    "CODECS": "registry",
    "NeuralCodec": "contract",
    "Rate": "coding",
    "compress": "coding",
    "decompress": "registry",
    "decompress_preview": "registry",
    "file_facts": "registry",
    "load": "registry",
}

__all__ = ["CODECS", "NeuralCodec", "Rate", "compress", "decompress", "decompress_preview", "file_facts", "load"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'msroi.codecs.neural' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"msroi.codecs.neural.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
