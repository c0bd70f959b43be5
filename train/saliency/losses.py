"""The training model and the terms of its loss (DESIGN section 6), on any Keras backend.

Every term gives one number a photo; photos without the target have weight 0.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from msroi.saliency.architecture import N_BEST, Architecture
from msroi.saliency.keras_model import best_class_map
from train.saliency.googlenet import FEATURE_CHANNELS
from train.saliency.recipes import LossWeights

TEMPERATURE = 2.0


def training_model(network: keras.Model, architecture: Architecture, losses: LossWeights) -> keras.Model:
    """`network` with what the loss looks at: logits, maps before the sigmoid, maps of five random classes.

    Inputs: the network's own, and `random_classes` int (n, 5). The object map is taught on a grid twice as
    fine as its own, after the same bilinear enlargement that its users see.
    """
    outputs = network(network.input) if not isinstance(network.output, dict) else network.output
    random_classes = keras.Input((N_BEST,), dtype="int32", name="random_classes")
    result = {"logits": outputs["logits"]}
    if losses.teacher:
        result["teacher"] = Output(name="teacher")(outputs["logits"])
    if losses.hint:
        result["hint"] = _hint(outputs["features"], architecture)
    if architecture.supervised:
        sets = ["object_maps"] + (["gaze_maps"] if architecture.gaze_maps else [])
        for name in sets:
            kind = name.split("_")[0].replace("object", "objects")
            best, random = ReadOut(name=f"{kind}_read_out")([outputs[name], outputs["logits"], random_classes])
            result[kind] = Output(enlarged=kind == "objects", name=kind)(best)
            if losses.random_classes:
                result[f"random_{kind}"] = Output(name=f"random_{kind}")(random)
    return keras.Model([network.input, random_classes], result, name="training")


@keras.saving.register_keras_serializable("msroi")
class ReadOut(layers.Layer):
    """[class maps, logits, random classes] to the map of the five best classes and of five random ones.

    Both before the sigmoid, after its two learned numbers: scale * M + offset. The weights of the five
    are constants to the maps: supervision shapes what each class shows, not which class wins.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(dtype="float32", **options)

    def build(self, shapes: Any) -> None:
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.offset = self.add_weight(shape=(), initializer=keras.initializers.Constant(-1.0), name="offset")

    def call(self, inputs: Any) -> Any:
        class_maps, logits, random_classes = inputs
        probabilities = ops.stop_gradient(ops.softmax(logits))
        best = best_class_map(class_maps, probabilities)
        weights = ops.top_k(probabilities, N_BEST)[0]
        weights = weights / ops.sum(weights, axis=-1, keepdims=True)
        picked = ops.sum(
            ops.one_hot(random_classes, class_maps.shape[-1], dtype="float32") * weights[..., None], axis=1
        )
        random = ops.sum(class_maps * picked[:, None, None, :], axis=-1)
        return [self.scale * best + self.offset, self.scale * random + self.offset]

    def compute_output_shape(self, shapes: Any) -> Any:
        return [shapes[0][:-1], shapes[0][:-1]]


def enlarge(x: Any) -> Any:
    """(n, h, w) to (n, 2h, 2w), bilinear with half-pixel centres: repeated, then smoothed by (1, 2, 1) / 4."""
    for axis in (1, 2):
        x = ops.repeat(x, 2, axis=axis)
        first, last = ops.take(x, [0], axis=axis), ops.take(x, [-1], axis=axis)
        before = ops.concatenate([first, x[:, :-1] if axis == 1 else x[:, :, :-1]], axis=axis)
        after = ops.concatenate([x[:, 1:] if axis == 1 else x[:, :, 1:], last], axis=axis)
        x = 0.5 * x + 0.25 * (before + after)
    return x


@keras.saving.register_keras_serializable("msroi")
class Output(layers.Layer):
    """Gives an output of the model its name; `enlarged` doubles its grid first."""

    def __init__(self, enlarged: bool = False, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        self.enlarged = enlarged

    def call(self, x: Any) -> Any:
        return enlarge(x) if self.enlarged else x

    def compute_output_shape(self, shape: Any) -> Any:
        return tuple(2 * n if self.enlarged and n and i else n for i, n in enumerate(shape))


def _hint(features: Any, architecture: Architecture) -> Any:
    pooled = layers.AveragePooling2D(32 // architecture.map_stride, dtype="float32")(features)
    return layers.Conv2D(FEATURE_CHANNELS, 1, use_bias=False, dtype="float32", name="hint")(pooled)


def cross_entropy(label: Any, logits: Any) -> Any:
    """label: int (n, 1)."""
    return keras.losses.sparse_categorical_crossentropy(label[:, 0], logits, from_logits=True)


def distillation(teacher_logits: Any, logits: Any) -> Any:
    """KL of the class probabilities at temperature 2, times its square (Hinton, Vinyals, Dean 2015)."""
    target = ops.softmax(teacher_logits / TEMPERATURE)
    logarithm = ops.log_softmax(logits / TEMPERATURE)
    entropy = ops.sum(target * ops.log(target + 1e-9), axis=-1)
    return TEMPERATURE**2 * (entropy - ops.sum(target * logarithm, axis=-1))


def feature_hint(target: Any, features: Any) -> Any:
    """1 - cosine, the mean over cells."""
    cosine = ops.sum(ops.normalize(target, axis=-1) * ops.normalize(features, axis=-1), axis=-1)
    return 1 - ops.mean(cosine, axis=(1, 2))


def object_mask(mask: Any, logits: Any) -> Any:
    """BCE + soft IoU against a mask in [0, 1]."""
    p = ops.sigmoid(logits)
    both = ops.sum(p * mask, axis=(1, 2))
    either = ops.sum(p + mask - p * mask, axis=(1, 2))
    return _bce(mask, logits) + 1 - (both + 1e-3) / (either + 1e-3)


def gaze_density(density: Any, logits: Any) -> Any:
    """KL of the normalised map to the density of fixations + BCE to density / max."""
    p = ops.sigmoid(logits)
    share = p / ops.sum(p, axis=(1, 2), keepdims=True)
    divergence = ops.sum(density * (ops.log(density + 1e-7) - ops.log(share + 1e-7)), axis=(1, 2))
    peak = ops.max(density, axis=(1, 2), keepdims=True) + 1e-7
    return divergence + _bce(density / peak, logits)


def nothing(zero: Any, logits: Any) -> Any:
    """BCE to an empty map."""
    return ops.mean(ops.softplus(logits), axis=(1, 2)) + 0 * ops.mean(zero, axis=-1)


def _bce(target: Any, logits: Any) -> Any:
    return ops.mean(ops.softplus(logits) - target * logits, axis=(1, 2))


def compile_arguments(outputs: dict[str, Any], weights: LossWeights) -> dict[str, Any]:
    """`loss` and `loss_weights` for the outputs that the model has."""
    table = {
        "logits": (cross_entropy, weights.classes),
        "teacher": (distillation, weights.teacher),
        "hint": (feature_hint, weights.hint),
        "objects": (object_mask, weights.objects),
        "gaze": (gaze_density, weights.gaze),
        "random_objects": (nothing, weights.random_classes),
        "random_gaze": (nothing, weights.random_classes),
    }
    return {
        "loss": {name: table[name][0] for name in outputs},
        "loss_weights": {name: table[name][1] for name in outputs},
    }
