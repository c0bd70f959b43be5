"""The network at work: a picture to bits, and bits to a picture. The one module of the codec that runs Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from msroi.arrays import Pixels
from msroi.codecs.neural.contract import Progress
from msroi.codecs.neural.recurrent.allocation import CELL, Levels
from msroi.codecs.neural.recurrent.context import BITS, Bits
from msroi.codecs.neural.recurrent.network import Architecture, Network
from msroi.errors import SaliencyError


class Stepper:
    """One network, ready to be stepped. arrays: its weights by name and its `width`."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        try:
            self._network = Network(Architecture(float(arrays["width"])))
            self._network.assign(arrays)
        except (KeyError, ValueError) as error:
            raise SaliencyError(f"the network's file does not fit the recurrent codec ({error})") from error
        self._encoder, self._decoder = self._network.stepper(False), self._network.stepper(True)

    def analyse(self, pixels: Pixels, levels: Levels, progress: Progress | None = None) -> Bits:
        """Bits of uint8 (rows x 16, columns x 16, 3): int8 (iterations, rows, columns, 32), 0 where a cell is silent.

        levels: (rows, columns), iterations of each cell; as many iterations are made as the highest.
        """
        target = pixels[None].astype(np.float32) / 255 - 0.5
        height, width = pixels.shape[:2]
        network, n = self._network, int(levels.max())
        enter = network.blank(network.encoder_states, 1, height, width)
        leave = network.blank(network.decoder_states, 1, height, width)
        bits = np.zeros((n, height // CELL, width // CELL, BITS), np.int8)
        picture = np.zeros_like(target)
        for t in range(n):
            sent, *enter = self._encoder.predict_on_batch([target - picture, *enter])
            bits[t] = np.where(sent[0] > 0, 1, -1) * (levels > t)[..., None]
            if t + 1 < n:
                added, *leave = self._decoder.predict_on_batch([bits[t][None].astype(np.float32), *leave])
                picture = picture + added
            if progress is not None:
                progress((t + 1) / n)
        return bits

    def synthesise(self, bits: Bits) -> Pixels:
        """The picture of the bits of some iterations: uint8 (rows x 16, columns x 16, 3)."""
        _, rows, columns, _ = bits.shape
        network = self._network
        leave = network.blank(network.decoder_states, 1, rows * CELL, columns * CELL)
        picture = np.zeros((1, rows * CELL, columns * CELL, 3), np.float32)
        for one in bits:
            added, *leave = self._decoder.predict_on_batch([one[None].astype(np.float32), *leave])
            picture = picture + added
        return np.floor((picture[0] + 0.5).clip(0, 1) * 255 + 0.5).astype(np.uint8)
