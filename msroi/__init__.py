"""msroi: ordinary JPEG files that spend their bytes where people look.

    result = msroi.compress("photo.jpg", quality=75)     # bytes, map and report
    result.save("photo.msroi.jpg")
    saliency = msroi.saliency_map("photo.jpg")           # float32 (height, width), 0 to 1
    scores = msroi.compare("photo.jpg", "photo.msroi.jpg", saliency)

Names are loaded when they are first used, so that `import msroi` stays light.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from msroi.errors import (
    BitstreamError,
    ImageError,
    InputMissingError,
    MissingExtraError,
    MsroiError,
    OptionError,
    OutputError,
    OutputExistsError,
    SaliencyError,
    TargetError,
)
from msroi.version import __version__

if TYPE_CHECKING:
    from msroi.comparison import compare
    from msroi.images import Limits, Picture, read
    from msroi.metrics import Scores
    from msroi.pipeline import Report, Result, compress
    from msroi.saliency import heat_map, overlay, saliency_map
    from msroi.settings import Settings

# What is logged goes nowhere until the program that uses msroi says where.
logging.getLogger("msroi").addHandler(logging.NullHandler())

_HOMES = {
    "Limits": "images",
    "Picture": "images",
    "Report": "pipeline",
    "Result": "pipeline",
    "Scores": "metrics",
    "Settings": "settings",
    "compare": "comparison",
    "compress": "pipeline",
    "heat_map": "saliency",
    "overlay": "saliency",
    "read": "images",
    "saliency_map": "saliency",
}

__all__ = [
    "BitstreamError",
    "ImageError",
    "InputMissingError",
    "Limits",
    "MissingExtraError",
    "MsroiError",
    "OptionError",
    "OutputError",
    "OutputExistsError",
    "Picture",
    "Report",
    "Result",
    "SaliencyError",
    "Scores",
    "Settings",
    "TargetError",
    "__version__",
    "compare",
    "compress",
    "heat_map",
    "overlay",
    "read",
    "saliency_map",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'msroi' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"msroi.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
