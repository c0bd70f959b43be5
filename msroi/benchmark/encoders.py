"""Every encoder that the benchmark knows; `ENCODERS` is the table.

To add one, write a class with `start` and a face in a file of `msroi/benchmark/peers/` and add its line to the table:
search, scores, report and command line know nothing else of it.
"""

from __future__ import annotations

from msroi.benchmark.encoder import Coder, Encoder, Face
from msroi.benchmark.peers.heic import Heic
from msroi.benchmark.peers.jpeg2000 import Jpeg2000
from msroi.benchmark.peers.jpegli import Jpegli
from msroi.benchmark.peers.mozjpeg import MozJpeg
from msroi.benchmark.peers.neural import neural_encoders
from msroi.benchmark.peers.ours import Msroi, TwoPass, other_codecs
from msroi.benchmark.peers.pillow import PillowEncoder

__all__ = ["DEFAULT_ENCODERS", "ENCODERS", "YARDSTICK", "Coder", "Encoder", "Face", "face_of"]

# Half steps: libwebp's quality is a real number.
_HALVES = [step / 2 for step in range(201)]

_ALL: tuple[Encoder, ...] = (
    PillowEncoder("pillow", "JPEG", ".jpg", {}, Face("plain JPEG", 0, "solid", "circle")),
    PillowEncoder(
        *("pillow-progressive", "JPEG", ".jpg", {"optimize": True, "progressive": True}),
        Face("plain JPEG, optimised, progressive", 0, "dashed", "ring"),
    ),
    TwoPass("two-pass", "map", Face("ours: the paper’s method", 2, "dashed", "triangle", rank=1)),
    Msroi("rdo", "rdo", "map", Face("ours: JPEG that follows a map", 1, "solid", "circle", rank=4)),
    Msroi("rdo-constant", "rdo", "", Face("ours: JPEG without a map", 1, "dashed", "square", rank=2)),
    Msroi("rdo-masks", "rdo", "mask", Face("ours: JPEG that follows the masks", 2, "solid", "diamond", rank=3)),
    MozJpeg(),
    Jpegli(),
    Jpeg2000(),
    PillowEncoder(
        *("webp", "WEBP", ".webp", {"method": 6}),
        Face("not JPEG", 6, "solid", "down"),
        feature="webp",
        settings=_HALVES,
        sampling="4:2:0",
    ),
    PillowEncoder(
        *("avif", "AVIF", ".avif", {"speed": 6, "subsampling": "4:2:0", "max_threads": 1}),
        Face("not JPEG", 7, "solid", "circle"),
        feature="avif",
        settings=range(101),
        sampling="4:2:0",
    ),
    Heic(),
    # By name only.
    Msroi("rdo-no-guard", "rdo", "map", Face("ours: JPEG that follows a map, unguarded"), guard=False),
    Msroi("rdo-masks-no-guard", "rdo", "mask", Face("ours: JPEG that follows the masks, unguarded"), guard=False),
    Msroi("rdo-constant-psnr", "rdo", "", Face("ours: JPEG without a map, for PSNR"), tune="psnr"),
    Msroi("rdo-constant-ssim", "rdo", "", Face("ours: JPEG without a map, for SSIM"), tune="ssim"),
    Msroi(
        *("rdo-masks-psnr", "rdo", "mask"),
        Face("ours: JPEG that follows the masks, for PSNR, unguarded"),
        tune="psnr",
        guard=False,
    ),
    # Seconds a file.
    *neural_encoders(),
)

# The one table: name on the command line -> encoder.
ENCODERS: dict[str, Encoder] = {encoder.name: encoder for encoder in _ALL}
ENCODERS |= {encoder.name: encoder for encoder in other_codecs(tuple(ENCODERS))}

# What runs where nothing is asked for; `rdo-masks` where there are masks.
DEFAULT_ENCODERS = tuple(ENCODERS)[: tuple(ENCODERS).index("heic") + 1]

# The yardstick: its bytes are the budget of a target that is a quality.
YARDSTICK = "pillow"


def face_of(name: str) -> Face:
    """How people are shown an encoder of that name; one of a command line is its name alone."""
    return ENCODERS[name].face if name in ENCODERS else Face()
