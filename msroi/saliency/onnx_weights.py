"""The float weights of an exported network, by layer, read out of its ONNX file, of 8 or 32 bits.

8 bits: (whole number - zero point) * step, a step for each filter --> float32
"""

from __future__ import annotations

from typing import Any

import numpy as np

from msroi import extras
from msroi.errors import SaliencyError


def float_weights(data: bytes, name: str) -> dict[str, np.ndarray]:
    """`<layer>/kernel` float32 (height, width, in, out) and `<layer>/bias` (out,) of each convolution of a network.

    data: the ONNX file, as train/saliency/export.py writes it. name: what errors call it. Kernels are as the file has
    them: the first takes RGB. `logits/bias` is the one number a class that is added to its map's mean.
    Errors: MissingExtraError without onnx, SaliencyError for a file that is no such network.
    """
    try:
        import onnx
    except ImportError as error:
        raise extras.missing("reading a network's weights needs onnx", "keras") from error
    try:
        graph = onnx.load_model_from_string(data).graph
        constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
        constants |= {
            node.output[0]: _restored(*(constants[part] for part in node.input))
            for node in graph.node
            if node.op_type == "DequantizeLinear" and node.input[0] in constants
        }
        return _by_layer(graph, constants)
    except Exception as error:  # protobuf's own classes differ between its versions
        raise SaliencyError(f"{name}: no network of convolutions as train.saliency.export writes ({error})") from error


def _by_layer(graph: Any, constants: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    weights = {}
    for node in graph.node:
        if node.op_type == "Conv":
            weights[f"{node.name}/kernel"] = constants[node.input[1]].transpose(2, 3, 1, 0)
            if len(node.input) > 2:
                weights[f"{node.name}/bias"] = constants[node.input[2]]
    (logits,) = (node for node in graph.node if "logits" in node.output)
    weights["logits/bias"] = constants[logits.input[1]]
    return weights


def _restored(whole: np.ndarray, step: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """Numbers of a quantised tensor; steps and zero points are one for all, or one for each entry of the first axis."""
    shape = (-1,) + (1,) * (whole.ndim - 1) if np.size(step) > 1 else ()
    difference = whole.astype(np.float64) - np.reshape(zero.astype(np.float64), shape)
    return np.asarray(difference * np.reshape(step.astype(np.float64), shape), np.float32)
