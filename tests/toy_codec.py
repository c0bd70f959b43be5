"""CONTRIBUTING's neural codec: a DCT, a range coder, and a quantiser's step as its knob. The guide's text is the code.

That the contract is no codec's own is held by this one, which goes through all of tests/test_neural_contract.py.
`register` writes the two lines that the block writes, `unregister` takes them away again: they are away at first.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import guide
import numpy as np

from msroi.codecs.neural import container, registry

if TYPE_CHECKING:
    Toy: Any
    usual_sizes: Any

exec(compile(guide.block("NeuralCodec"), "CONTRIBUTING.md", "exec"))

NUMBER, WHERE = container.CODEC_IDS.pop("toy"), registry.CODECS.pop("toy")


def untrained(path: Path, seed: int) -> None:
    """Write a table to `path`: larger for lower frequencies, not the same for two seeds."""
    frequency = 1 + np.add.outer(np.arange(8), np.arange(8)).ravel()
    spread = 2400 // frequency**2 + np.random.default_rng(seed).integers(40, 60, 64)
    np.savez(path, spread=spread)


def register() -> None:
    """What makes the codec known everywhere."""
    container.CODEC_IDS["toy"] = NUMBER
    registry.CODECS["toy"] = WHERE


def unregister() -> None:
    """Take it away again."""
    del container.CODEC_IDS["toy"], registry.CODECS["toy"]
