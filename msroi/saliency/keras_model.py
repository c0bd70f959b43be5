"""The MS-ROI network in Keras: VGG16's convolutions, three more, class maps, global average pooling.

    picture -> block1 .. block3 -> block4, block5 -> msroi_conv1 .. 3 -> features (h, w, K)
                                                                          |
                          class maps CAM_c = sum_k w_kc f_k   <-----------+   (one set for objects, one for gaze)
                          logits z_c = mean(CAM_c) + b_c

Selimović, Hladnik 2018 (on Prakash et al. 2017). The mean of a class map plus the bias is exactly the
logit of global average pooling followed by a dense layer, so maps and class scores share one set of
weights. Needs the extra `keras`; runs on any Keras 3 backend. The package itself never
imports this module: what ships is its export to ONNX, and `load` reads that back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from msroi import extras, threads
from msroi.errors import OptionError, SaliencyError
from msroi.saliency import network as runtime
from msroi.saliency.architecture import (
    N_BEST,
    TRUNK_CHANNELS,
    VGG16_MEANS_BGR,
    VGG16_WIDTHS,
    Architecture,
)
from msroi.saliency.onnx_weights import float_weights

try:
    import keras
    from keras import layers, ops
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise extras.missing("the Keras network needs an extra; install it", "keras") from error

threads.bound_tensorflow()


def build_trunk() -> keras.Model:
    """VGG16's blocks 1 to 3: float (n, height, width, 3) RGB 0 to 255 to (n, height / 8, width / 8, 256).

    Normalises inside, so that no caller can forget it.
    """
    picture = keras.Input((None, None, 3), name="picture")
    x = Vgg16Input(name="vgg16_input")(picture)
    for block in (1, 2, 3):
        filters, n_convolutions = VGG16_WIDTHS[block - 1]
        for i in range(1, n_convolutions + 1):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv{i}")(x)
        x = layers.MaxPooling2D(2, 2, name=f"block{block}_pool")(x)
    return keras.Model(picture, x, name="trunk")


@keras.saving.register_keras_serializable("msroi")
class Vgg16Input(layers.Layer):
    """RGB 0 to 255 to what VGG16 was trained on: BGR less the means of ImageNet."""

    def call(self, picture: Any) -> Any:
        return ops.flip(picture, axis=-1) - ops.cast(ops.convert_to_tensor(VGG16_MEANS_BGR), picture.dtype)


def build_head(architecture: Architecture) -> keras.Model:
    """Block 4 to the class maps, from block 3's pooled features.

    Outputs by name: `features` (n, h, w, width), `object_maps` and `gaze_maps` (n, h, w, classes; the
    second only with gaze_maps), `logits` (n, classes), all float32.
    """
    trunk = keras.Input((None, None, TRUNK_CHANNELS), name="block3")
    x = trunk
    for block in (4, 5):
        for i in range(1, VGG16_WIDTHS[block - 1][1] + 1):
            x = _convolution(x, f"block{block}_conv{i}", architecture)
        if block == 4 or architecture.last_pool_stride == 2:
            x = layers.MaxPooling2D(2, 2, name=f"block{block}_pool")(x)
    for i in (1, 2, 3):
        x = _convolution(x, f"msroi_conv{i}", architecture)
    features = layers.Activation("linear", dtype="float32", name="features")(x)
    outputs = {"features": features}
    outputs["object_maps"] = _class_maps(architecture, "object_maps")(features)
    if architecture.gaze_maps:
        outputs["gaze_maps"] = _class_maps(architecture, "gaze_maps")(features)
    pooled = layers.GlobalAveragePooling2D(dtype="float32", name="gap")(outputs["object_maps"])
    outputs["logits"] = Bias(dtype="float32", name="logits")(pooled)
    return keras.Model(trunk, outputs, name="head")


def _convolution(x: Any, name: str, architecture: Architecture) -> Any:
    x = layers.Conv2D(
        architecture.width,
        3,
        padding="same",
        use_bias=not architecture.batch_norm,
        kernel_initializer="he_normal" if architecture.batch_norm else keras.initializers.TruncatedNormal(stddev=0.1),
        name=name,
    )(x)
    if architecture.batch_norm:
        x = layers.BatchNormalization(momentum=0.95, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _class_maps(architecture: Architecture, name: str) -> Any:
    return layers.Conv2D(architecture.n_classes, 1, use_bias=False, dtype="float32", name=name)


@keras.saving.register_keras_serializable("msroi")
class Bias(layers.Layer):
    """Adds one learned number to each class: b_c of the dense layer after global average pooling."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        return x + self.bias


def build(architecture: Architecture = Architecture()) -> keras.Model:
    """The whole network: float (n, height, width, 3) RGB 0 to 255, any size from 16, to `build_head`'s outputs."""
    trunk = build_trunk()
    return keras.Model(trunk.input, build_head(architecture)(trunk.output), name="ms_roi")


def load(name: str = runtime.DEFAULT_NETWORK, folder: Path | None = None) -> keras.Model:
    """The network that ships, in float and in Keras: `build`'s model with the weights of NAME.onnx.

    name: "ms-roi" or "ms-roi-labels". folder: where NAME.onnx and its card lie, by default the package's own. It has
    no batch normalisation, which the export folds into the convolutions. Its weights are those of the 8-bit file
    (each within half a step of what was trained); its activations are not rounded, so its class maps are near those of
    `msroi.saliency.network`, not equal. All layers can be trained further.
    Errors: OptionError for an unknown name, SaliencyError for a file missing or damaged, MissingExtraError without
    onnx.
    """
    folder = folder or runtime.WEIGHTS
    known = sorted(path.stem for path in folder.glob("*.onnx"))
    if name not in known:
        raise OptionError(f"network {name!r}: not in {folder}; there are {', '.join(known) or 'none'}")
    card = runtime.load(name, folder).card
    weights = float_weights((folder / f"{name}.onnx").read_bytes(), f"{name}.onnx")
    # The file takes RGB, VGG16's first layer BGR.
    weights["block1_conv1/kernel"] = weights["block1_conv1/kernel"][:, :, ::-1]
    model = build(replace(Architecture(**card["recipe"]["architecture"]), batch_norm=False))
    for layer in walk_layers(model):
        try:
            layer.set_weights([weights[f"{layer.name}/{weight.name}"] for weight in layer.weights])
        except (KeyError, ValueError) as error:
            raise SaliencyError(f"{name}.onnx: layer {layer.name} is not that of its card ({error})") from error
    return model


def best_class_map(class_maps: Any, probabilities: Any, n_best: int = N_BEST) -> Any:
    """M = sum over the `n_best` most probable classes of p_c CAM_c / sum p_c (MS-ROI; DESIGN section 6).

    class_maps: (n, h, w, classes); probabilities: (n, classes). Returns (n, h, w), before any sigmoid.
    """
    weights, classes = ops.top_k(probabilities, n_best)
    weights = weights / ops.sum(weights, axis=-1, keepdims=True)
    chosen = ops.sum(ops.one_hot(classes, class_maps.shape[-1], dtype="float32") * weights[..., None], axis=1)
    return ops.sum(class_maps * chosen[:, None, None, :], axis=-1)


def load_initial_layers(model: keras.Model, path: str | Path) -> list[str]:
    """Start `model` from layers trained on ImageNet, matched by VGG16's layer names.

    path: an .npz with `<layer>/kernel` (height, width, in, out) and `<layer>/bias` in any common spelling,
    or `keras.applications`' own `.h5` file of VGG16. Returns the names of the layers that were set; a layer
    of another shape (a narrower block 4, say) is left alone. Raises OptionError if the file holds none of VGG16's.
    """
    arrays = _read_layers(Path(path))
    if not any(name.startswith("block") for name in arrays):
        raise OptionError(f"{path}: holds no layer of this network; expected VGG16's names such as block1_conv1")
    loaded = []
    for layer in walk_layers(model):
        if f"{layer.name}/kernel" not in arrays:
            continue
        values = [arrays[f"{layer.name}/kernel"]] + ([arrays[f"{layer.name}/bias"]] if layer.use_bias else [])
        if all(v.shape == tuple(w.shape) for v, w in zip(values, layer.weights, strict=True)):
            layer.set_weights([np.asarray(v, dtype=np.float32) for v in values])
            loaded.append(layer.name)
    return loaded


def walk_layers(model: keras.Model) -> list[Any]:
    """All layers with weights, nested models opened, in the order of the network."""
    found: list[Any] = []
    for layer in model.layers:
        found += walk_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return [layer for layer in found if layer.weights]


def _read_layers(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".onnx":
        raise OptionError(f"{path}: an exported network; keras_model.load(NAME) reads those, this takes .npz and .h5")
    try:
        return _read_h5(path) if path.suffix in (".h5", ".hdf5") else _read_npz(path)
    except (OSError, ValueError) as error:
        raise OptionError(f"{path}: cannot be read as .npz or .h5 with layers ({error})") from error


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as stored:
        return _by_layer({name: stored[name] for name in stored.files})


def _read_h5(path: Path) -> dict[str, np.ndarray]:
    import h5py  # comes with Keras

    arrays: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: arrays.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None
        )
    return _by_layer(arrays)


def _by_layer(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`block1_conv1/block1_conv1_W_1:0`, `block1_conv1_kernel`, `block1_conv1/kernel` -> `block1_conv1/kernel`."""
    named = {}
    for name, value in arrays.items():
        layer = next((part for part in name.replace(".", "/").split("/") if part.startswith("block")), name)
        layer = "_".join(layer.split("_")[:2])
        named[f"{layer}/{'kernel' if value.ndim == 4 else 'bias'}"] = value
    return named
