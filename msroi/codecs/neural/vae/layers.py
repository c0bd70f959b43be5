"""The layers of the variational autoencoder: plain convolutions and leaky ReLU, for NumPy or ONNX Runtime to follow."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from msroi.codecs.neural.vae.lapped import HALF

SLOPE = 0.1
"""Of the leaky ReLU below 0."""

SLOWNESS = 0.1
"""How fast a linear layer that starts as a good transform learns, against the others."""


def activate(x: Any) -> Any:
    """Leaky ReLU, by a maximum: TensorFlow 2.21, compiled and without gradients, joins its own with convolution and sum
    before it and then forgets the slope, and what was coded came out with 10 % more bits."""
    return ops.maximum(x, SLOPE * x)


def cells(x: Any, size: int) -> Any:
    """(n, h, w, c) to (n, h / size, w / size, size * size * c)."""
    _, height, width, channels = ops.shape(x)
    x = ops.reshape(x, (-1, height // size, size, width // size, size, channels))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height // size, width // size, size**2 * channels))


def pixels_of(x: Any, size: int) -> Any:
    """The inverse of `cells`."""
    _, height, width, channels = ops.shape(x)
    x = ops.reshape(x, (-1, height, width, size, size, channels // size**2))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height * size, width * size, channels // size**2))


def mirrored(x: Any, by: int = HALF) -> Any:
    """With `by` pixels more on each side, mirrored."""
    x = ops.concatenate([ops.flip(x[:, :by], 1), x, ops.flip(x[:, -by:], 1)], 1)
    return ops.concatenate([ops.flip(x[:, :, :by], 2), x, ops.flip(x[:, :, -by:], 2)], 2)


def conv(filters: int, kernel: int, name: str, stride: int = 1, **options: Any) -> layers.Conv2D:
    """A convolution of equal size; `zero=True` starts it at 0."""
    if options.pop("zero", False):
        options["kernel_initializer"] = "zeros"
    return layers.Conv2D(filters, kernel, strides=stride, padding="same", name=name, **options)


class Bottleneck(layers.Layer):
    """x + 1 x 1 to x's channels of (3 x 3 of (1 x 1 to half the channels, and what gamma adds)); at first x itself."""

    def __init__(self, channels: int, name: str) -> None:
        super().__init__(name=name)
        self.narrow = conv(channels // 2, 1, "narrow")
        self.steered = conv(channels // 2, 1, "gamma", use_bias=False)
        self.middle = conv(channels // 2, 3, "middle")
        self.widen = conv(channels, 1, "widen", zero=True)

    def build(self, x_shape: Any, steering_shape: Any) -> None:
        half = (*x_shape[:-1], self.narrow.filters)
        self.narrow.build(x_shape)
        self.steered.build(steering_shape)
        self.middle.build(half)
        self.widen.build(half)
        self.built = True

    def call(self, x: Any, steering: Any) -> Any:
        inner = activate(self.narrow(x) + self.steered(steering))
        return x + self.widen(activate(self.middle(inner)))


class Transform(layers.Layer):
    """A matrix over the channels that starts as a known one and learns slowly."""

    def __init__(self, start: np.ndarray, name: str) -> None:
        super().__init__(name=name)
        self.start = np.asarray(start, np.float32)[None, None]

    def build(self, x_shape: Any) -> None:
        known = keras.initializers.Constant(self.start)
        self.first = self.add_weight(shape=self.start.shape, initializer=known, trainable=False, name="first")
        self.learnt = self.add_weight(shape=self.start.shape, initializer="zeros", name="learnt")

    def call(self, x: Any) -> Any:
        kernel = self.first + SLOWNESS * self.learnt
        return ops.conv(x, ops.cast(kernel, x.dtype), padding="valid")


class Lapped(layers.Layer):
    """`lapped.filtered` (pixels to blocks of 192) or, with `inverse`, `lapped.unfiltered`, as a layer that learns."""

    def __init__(self, matrix: np.ndarray, inverse: bool, name: str) -> None:
        super().__init__(name=name)
        self.borders, self.inverse = Transform(matrix, "borders"), inverse

    def build(self, x_shape: Any) -> None:
        self.borders.build((None, None, None, self.borders.start.shape[2]))

    def call(self, x: Any) -> Any:
        pixels = pixels_of(x, 2 * HALF) if self.inverse else x
        crossed = pixels_of(self.borders(cells(mirrored(pixels), 2 * HALF)), 2 * HALF)
        inner = crossed[:, HALF:-HALF, HALF:-HALF]
        return inner if self.inverse else cells(inner, 2 * HALF)
