"""Grad-CAM of any Keras model that classifies pictures.

    pictures -> ... -> features (n, h, w, K) -> ... -> scores (n, classes)
                            |    <- gradients of the class's score, their means are the features' weights
                            v
                       sum of weight * feature -> ReLU -> map

For a network that ends in global average pooling and one dense layer, as MS-ROI's does, the weights are the
dense layer's own up to 1 / (h w), so the map is the class activation map after ReLU, up to scale. Source:
Selvaraju et al. 2017, Grad-CAM, section 3. Needs the extra `keras` and Keras on TensorFlow.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from msroi import extras, threads
from msroi.errors import MissingExtraError, OptionError
from msroi.saliency.activation_maps import stretched
from msroi.saliency.values import full_size

try:
    import keras
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise extras.missing("Grad-CAM needs an extra; install it", "keras") from error

threads.bound_tensorflow()


def grad_cam(model: keras.Model, picture: np.ndarray, class_index: int | None = None, layer: str | None = None) -> Any:
    """Where `model` sees a class: float32 (height, width) in [0, 1].

    model: one input (n, height, width, channels), one output (n, classes); scores before a final softmax count.
    picture: (height, width, channels), prepared as the model wants it. class_index: the class, by default the best.
    layer: whose output, (n, h, w, K), is looked at, by default the last such; a nested model is one layer. A model
    that sees nothing for the class gives a flat map of 0.5.
    Errors: OptionError for a model, layer or class that does not fit, MissingExtraError without TensorFlow.
    """
    picture = np.asarray(picture, np.float32)
    if picture.ndim != 3:
        raise OptionError(f"picture: got the shape {picture.shape}, allowed: (height, width, channels)")
    coarse = gradient_map(model, picture, class_index, layer)
    return full_size(stretched(coarse), *picture.shape[:2])


def gradient_map(
    model: keras.Model, picture: np.ndarray, class_index: int | None = None, layer: str | None = None
) -> np.ndarray:
    """`grad_cam` on the grid of the layer, after ReLU and before any scaling: float64 (h, w), at least 0."""
    if keras.backend.backend() != "tensorflow":
        raise MissingExtraError(
            f"Grad-CAM needs Keras on TensorFlow, not on {keras.backend.backend()}; KERAS_BACKEND=tensorflow"
        )
    import tensorflow

    spatial = _layer(model, layer)
    with _before_softmax(model) as scores:
        both = keras.Model(model.inputs, [spatial.output, scores])
        x = tensorflow.constant(np.asarray(picture, np.float32)[None])
        with tensorflow.GradientTape() as tape:
            tape.watch(x)  # so that frozen layers are followed, too
            features, found = both(x, training=False)
            score = found[0, _class(found, class_index)]
        gradients = tape.gradient(score, features)
    if gradients is None:
        raise OptionError(f"layer {spatial.name!r}: the model's scores do not depend on it")
    weights = np.asarray(gradients, np.float64)[0].mean(axis=(0, 1))
    return np.maximum(np.asarray(features, np.float64)[0] @ weights, 0)


def _layer(model: keras.Model, name: str | None) -> Any:
    """The layer called `name`, or the last one with a picture-like output."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        ends = f"{len(model.inputs)} inputs and {len(model.outputs)} outputs"
        raise OptionError(f"model {model.name!r}: has {ends}; give one with one of each")
    layers = [one for one in model.layers if not isinstance(one, keras.layers.InputLayer)]
    spatial = [one for one in layers if len(getattr(one.output, "shape", ())) == 4]
    found = [one for one in spatial if name in (None, one.name)]
    if not found:
        known = ", ".join(one.name for one in spatial) or "none"
        raise OptionError(f"layer {name!r}: is no layer with an output (n, h, w, channels); the model has {known}")
    return found[-1]


def _class(scores: Any, index: int | None) -> int:
    if scores.shape.rank != 2:
        raise OptionError(f"model: its output has the shape {tuple(scores.shape)}; it must be (n, classes)")
    n_classes = int(scores.shape[1])
    if index is None:
        return int(np.argmax(np.asarray(scores)[0]))
    if not 0 <= index < n_classes:
        raise OptionError(f"class_index: got {index}, allowed: a whole number from 0 to {n_classes - 1}")
    return int(index)


@contextlib.contextmanager
def _before_softmax(model: keras.Model) -> Iterator[Any]:
    """The model's scores, a softmax at the end left out; the model is as before afterwards."""
    last = model.layers[-1]
    activation = getattr(last, "activation", None)
    if isinstance(last, keras.layers.Softmax) or (
        isinstance(last, keras.layers.Activation) and activation is keras.activations.softmax
    ):
        yield last.input
    elif activation is keras.activations.softmax:
        last.activation = keras.activations.linear
        try:
            yield model.outputs[0]
        finally:
            last.activation = activation
    else:
        yield model.outputs[0]
