"""What the variational autoencoders share: rates, rounding in use, any size, weights by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from msroi.arrays import Floats, Pixels
from msroi.codecs.neural.vae.gamma import MIDDLE, Weighting

LEAST_SCALE = 0.05
"""Of a latent's distribution, in steps: a zero costs then nothing that can be measured."""

MOST_LOG_SCALE = 9.0

DEVIATION = math.pi / math.sqrt(3)
"""Of a logistic distribution of scale 1."""

Coder = Callable[[str, Any, Any, Any, Any], Any]
"""code(name, y or None, mean, scale, mask or None) -> the value of the latent that the decoder will have."""


class Autoencoder(keras.Model):
    """A network that codes pictures through `forward`.

    Pictures: float (n, height, width, 3), sides multiples of `stride`, pixel values / 255 - .5. gamma: float (n, height
    / 8, width / 8, 1), `gamma.position` of each cell.
    """

    stride: int
    weighting: Weighting
    _layers_are_built = False

    def forward(self, code: Coder, pictures: Any, gamma: Any) -> Any:
        """The pictures as decoded; everything that is coded passes through `code`."""
        raise NotImplementedError

    def latents(self) -> list[tuple[str, int, int]]:
        """(name, stride, channels) of everything that is coded, in its order."""
        raise NotImplementedError

    def multiplications(self) -> float:
        """Multiplications for a pixel, of encoder and decoder together."""
        raise NotImplementedError

    def build(self, input_shape: Any = None) -> None:
        """Give all layers their weights."""
        if not self._layers_are_built:
            self._layers_are_built = self.built = True
            side = 2 * self.stride
            self.call([np.zeros((1, side, side, 3), np.float32), np.zeros((1, side // 8, side // 8, 1), np.float32)])

    def call(self, inputs: Sequence[Any]) -> tuple[Any, Any]:
        """(picture as decoded, estimated bits of each picture) with rounding, for [pictures, gamma]."""
        bits: list[Any] = []

        def code(name: str, y: Any, mean: Any, scale: Any, mask: Any) -> Any:
            symbol = ops.round(y - mean)
            bits.append(bits_of(symbol, scale, mask))
            return symbol + mean

        pictures, gamma = inputs
        decoded = self.forward(code, pictures, gamma)
        return decoded, sum(bits)

    def padded(self, pixels: Pixels) -> Floats:
        """(1, height, width, 3) of a colour picture of any size, mirrored up to multiples of the stride."""
        height, width, _ = pixels.shape
        more = ((0, -height % self.stride), (0, -width % self.stride), (0, 0))
        levels = np.pad(pixels, more, mode="symmetric").astype(np.float32)
        return np.asarray(levels[None] / 255 - 0.5, np.float32)

    def evaluate_pixels(self, pictures: np.ndarray, gamma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`call` on arrays: the pictures as decoded, their estimated bits."""
        decoded, bits = self.predict_on_batch([pictures, gamma])
        return np.asarray(decoded), np.asarray(bits)

    def named_weights(self) -> Iterator[tuple[str, Any]]:
        """(name, variable) of every weight; names do not depend on Keras's counters."""
        self.build()
        for variable in self.weights:
            yield variable.path.partition("/")[2], variable

    def assign(self, weights: Mapping[str, Any]) -> None:
        """Take the weights from a mapping by name."""
        for name, variable in self.named_weights():
            variable.assign(np.asarray(weights[name], np.float32))


def scale_of(log_scale: Any) -> Any:
    """The scale of a logistic distribution, in steps."""
    return ops.exp(ops.minimum(log_scale, MOST_LOG_SCALE)) + LEAST_SCALE


def bits_of(difference: Any, scale: Any, mask: Any = None) -> Any:
    """Bits of each picture: of an interval of one step around `difference` from the mean; where mask is 0, none.

    sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), which stays exact far from the mean.
    """
    size = ops.absolute(difference)
    above, below = (0.5 - size) / scale, (-0.5 - size) / scale
    nats = ops.softplus(-above) + ops.softplus(below) - ops.log(-ops.expm1(-1 / scale))
    if mask is not None:
        nats = nats * mask
    return ops.sum(nats, axis=(1, 2, 3)) / math.log(2)


def constant_gamma(n: int, height: int, width: int, gamma: float = MIDDLE) -> np.ndarray:
    """A constant gamma as the network takes it, for n pictures."""
    return np.full((n, height // 8, width // 8, 1), math.log2(gamma / MIDDLE) / 3, np.float32)
