"""GoogLeNet in Keras: the teacher. Used in training only; nothing of it ships.

Szegedy et al., CVPR 2015, with BVLC's weights. Caffe's habits matter: pooling windows round up,
response normalisation averages over channels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

MEANS_BGR = (104.0, 117.0, 123.0)
FEATURE_CHANNELS = 1024
FEATURE_STRIDE = 32


def load_googlenet(path: Path) -> keras.Model:
    """float (n, height, width, 3) RGB 0 to 255 to inception 5b's (n, height / 32, width / 32, 1024).

    path: an .npz of Caffe's layer names with `/kernel` (height, width, in, out) and `/bias`.
    """
    with np.load(path) as stored:
        weights = {name: stored[name].astype(np.float32) for name in stored.files}
    picture = keras.Input((None, None, 3))
    x = CaffeInput()(picture)
    x = _convolution(weights, "conv1/7x7_s2", x, stride=2)
    x = ResponseNormalisation()(_pool(x))
    x = _convolution(weights, "conv2/3x3_reduce", x)
    x = ResponseNormalisation()(_convolution(weights, "conv2/3x3", x))
    x = _pool(x)
    for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        if name in ("4a", "5a"):
            x = _pool(x)
        x = _inception(weights, f"inception_{name}", x)
    return keras.Model(picture, x, name="googlenet")


class CaffeInput(layers.Layer):
    """RGB 0 to 255 to BGR less Caffe's means."""

    def call(self, picture: Any) -> Any:
        return ops.flip(picture, axis=-1) - ops.cast(ops.convert_to_tensor(MEANS_BGR), picture.dtype)


class ResponseNormalisation(layers.Layer):
    """Caffe's LRN over five channels: x / (1 + alpha / 5 * sum x^2)^beta, alpha 1e-4, beta 0.75."""

    def call(self, x: Any) -> Any:
        squares = ops.pad(ops.square(ops.cast(x, "float32")), ((0, 0), (0, 0), (0, 0), (2, 2)))
        n = x.shape[-1]
        total = sum(squares[..., i : i + n] for i in range(5))
        return ops.cast(ops.cast(x, "float32") / ops.power(1 + 2e-5 * total, 0.75), x.dtype)


def _pool(x: Any) -> Any:
    # After a ReLU zeros never win, so zero padding at the far sides is Caffe's rounding up.
    return layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))


def _convolution(weights: dict[str, np.ndarray], name: str, x: Any, stride: int = 1) -> Any:
    kernel = weights[f"{name}/kernel"]
    pad = kernel.shape[0] // 2
    layer = layers.Conv2D(kernel.shape[3], kernel.shape[0], stride, activation="relu", name=name.replace("/", "_"))
    y = layer(layers.ZeroPadding2D(pad)(x) if pad else x)
    layer.set_weights([kernel, weights[f"{name}/bias"]])
    return y


def _inception(weights: dict[str, np.ndarray], name: str, x: Any) -> Any:
    pooled = layers.MaxPooling2D(3, 1)(layers.ZeroPadding2D(1)(x))
    return layers.Concatenate()(
        [
            _convolution(weights, f"{name}/1x1", x),
            _convolution(weights, f"{name}/3x3", _convolution(weights, f"{name}/3x3_reduce", x)),
            _convolution(weights, f"{name}/5x5", _convolution(weights, f"{name}/5x5_reduce", x)),
            _convolution(weights, f"{name}/pool_proj", pooled),
        ]
    )
