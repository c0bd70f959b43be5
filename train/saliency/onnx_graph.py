"""The MS-ROI network as an ONNX graph, written node by node from weights by layer name.

The network is a chain of convolutions, so its graph is a page; a converter would bring a dependency and
say less. Batch normalisation is folded into the convolution before it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from msroi.errors import OptionError
from msroi.saliency.architecture import VGG16_MEANS_BGR, VGG16_WIDTHS, Architecture

OPSET = 17
BATCH_NORM_EPSILON = 1e-3
"""Keras's default."""

CLASS_MAP_NODES = ("object_maps", "gaze_maps")
LAST_CONVOLUTION = "msroi_conv3"
LAST_FEATURES = "features"


def folded(weights: Mapping[str, np.ndarray], layer: str) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (out, in, height, width) and bias (out,) of a convolution, its batch normalisation folded in."""
    try:
        kernel = np.asarray(weights[f"{layer}/kernel"], np.float64).transpose(3, 2, 0, 1)
    except KeyError:
        raise OptionError(f"the weights hold no layer {layer}; train with this version's train.saliency") from None
    bias = np.asarray(weights.get(f"{layer}/bias", np.zeros(kernel.shape[0])), np.float64)
    if f"{layer}_bn/gamma" in weights:
        gamma, beta, mean, variance = (
            np.asarray(weights[f"{layer}_bn/{name}"], np.float64)
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        gain = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        kernel, bias = kernel * gain[:, None, None, None], beta + (bias - mean) * gain
    return kernel.astype(np.float32), bias.astype(np.float32)


def build_graph(weights: Mapping[str, np.ndarray], architecture: Architecture) -> onnx.ModelProto:
    """The graph: uint8 `picture` (1, height, width, 3) RGB to `object_maps`, `gaze_maps` and `logits`.

    Maps are float (1, classes, height / stride, width / stride), logits float (1, classes).
    """
    graph = _Graph(weights)
    x = graph.add("Transpose", [graph.add("Cast", ["picture"], to=TensorProto.FLOAT)], perm=[0, 3, 1, 2])
    means = graph.constant("means", np.array(VGG16_MEANS_BGR[::-1], np.float32).reshape(1, 3, 1, 1))
    x = graph.add("Sub", [x, means])
    for block, (_, n_convolutions) in enumerate(VGG16_WIDTHS, 1):
        for i in range(1, n_convolutions + 1):
            x = graph.convolution(x, f"block{block}_conv{i}", bgr_input=(block, i) == (1, 1))
        if block < 5 or architecture.last_pool_stride == 2:
            x = graph.add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    for i in (1, 2, 3):
        x = graph.convolution(x, f"msroi_conv{i}")
    outputs = ["object_maps"] + (["gaze_maps"] if architecture.gaze_maps else [])
    for name in outputs:
        kernel, _ = folded(weights, name)
        graph.add("Conv", [x, graph.constant(f"{name}_kernel", kernel)], output=name)
    pooled = graph.add("ReduceMean", ["object_maps"], axes=[2, 3], keepdims=0)
    graph.add("Add", [pooled, graph.constant("class_bias", weights["logits/bias"])], output="logits")
    return graph.model([*outputs, "logits"])


class _Graph:
    """Nodes and constants as they are added; each tensor is named after its node."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def add(self, operation: str, inputs: list[str], output: str | None = None, **attributes: object) -> str:
        output = output or f"{operation.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [output], name=output, **attributes))
        return output

    def convolution(self, x: str, layer: str, bgr_input: bool = False) -> str:
        kernel, bias = folded(self.weights, layer)
        if bgr_input:
            kernel = kernel[:, ::-1]  # VGG16 was trained on BGR; the picture stays RGB
        constants = [self.constant(f"{layer}_kernel", kernel), self.constant(f"{layer}_bias", bias)]
        sums = self.add("Conv", [x, *constants], output=layer, pads=[1, 1, 1, 1])
        return self.add("Relu", [sums], output=LAST_FEATURES if layer == LAST_CONVOLUTION else None)

    def model(self, outputs: list[str]) -> onnx.ModelProto:
        picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, "height", "width", 3])
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "ms_roi", [picture], results, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="msroi")
        model.ir_version = 8
        return onnx.shape_inference.infer_shapes(model)
