"""Make a network as it ships: `python -m train.saliency.export RUN --caltech101 DIR --output DIR --name ms-roi`.

    RUN/weights.npz -> ONNX in float -> static 8-bit, calibrated on training photos -> NAME.onnx + NAME.json

Convolutions and poolings run in 8 bits; the last feature map, the class maps and the logits are float.
Accuracy is measured on the exported file, on the validation photos, as msroi runs it. Weights take 7 bits:
then sums cannot saturate on processors without VNNI, and every processor computes the same integers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from msroi.errors import OptionError
from msroi.saliency import network as runtime
from msroi.saliency.architecture import Architecture
from train.common import command, shipping
from train.data import datasets
from train.data.folders import spread
from train.data.views import read_photo
from train.saliency import measures
from train.saliency.onnx_graph import CLASS_MAP_NODES, LAST_CONVOLUTION, LAST_FEATURES, build_graph

N_CALIBRATION = 96

FIGURES = (
    shipping.Figure("top-1 of validation photos", lambda card: card["accuracy"]["top1"]),
    shipping.Figure("top-5", lambda card: card["accuracy"]["top5"]),
    shipping.Figure("validation photos", lambda card: card["accuracy"]["photos"]),
    shipping.Figure("max-F of held-back masks", lambda card: card["scores_in_training"]["max_f"]),
    shipping.Figure("MAE of held-back masks", lambda card: card["scores_in_training"]["mae"], higher_is_better=False),
    shipping.Figure("CC of held-back fixations", lambda card: card["scores_in_training"]["cc"]),
)


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), export, argv)


def export(options: argparse.Namespace) -> None:
    """Write NAME.onnx and NAME.json into the output folder, or in the place of what ships."""
    with shipping.place(options, options.name, FIGURES) as folder:
        _export(options, folder)


def _export(options: argparse.Namespace, folder: Path) -> None:
    try:
        facts = json.loads((options.run / "run.json").read_text())
        architecture = Architecture(**facts["recipe"]["architecture"])
        with np.load(options.run / "weights.npz") as stored:
            weights = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OptionError(f"{options.run}: no finished run of train.saliency ({error})") from error
    path = folder / f"{options.name}.onnx"
    side = options.side or facts["recipe"]["side"]
    samples, classes = datasets.caltech101(options.caltech101, facts["validation"])
    training = [sample.path for sample in samples if not sample.held_back]
    if options.masks:
        masked = datasets.hold_back(datasets.duts(options.masks))
        training += [sample.path for sample in masked if not sample.held_back]
    float_model = build_graph(weights, architecture)
    if options.float:
        onnx.save(float_model, path)
    else:
        quantise(float_model, path, spread(training, N_CALIBRATION), side)
    card = _card(options, facts, architecture, weights, path)
    _write_card(path, card)
    held_back = [sample for sample in samples if sample.held_back]
    card["accuracy"] = measures.of_exported(runtime.load(options.name, folder), held_back)
    card["classes"] = classes
    _write_card(path, card)
    print(json.dumps({key: card[key] for key in ("file", "n_bytes", "sha256", "accuracy")}))


def quantise(model: onnx.ModelProto, path: Path, photos: Sequence[Path], side: int) -> None:
    """Static 8-bit quantisation in QDQ form, per channel, ranges seen on `photos`.

    Errors: OptionError without photos.
    """
    if not photos:
        raise OptionError("no training photos to calibrate on")
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Photos(CalibrationDataReader):
        def __init__(self) -> None:
            self.waiting = iter(photos)

        def get_next(self) -> dict[str, np.ndarray] | None:
            photo = next(self.waiting, None)
            return (
                None if photo is None else {"picture": runtime.network_input(read_photo(photo)[..., ::-1], side)[None]}
            )

    logging.getLogger().setLevel(logging.ERROR)  # it warns of preparations that a chain of convolutions does not need
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx.save(model, Path(folder) / "float.onnx")
        quantize_static(
            str(Path(folder) / "float.onnx"),
            str(path),
            Photos(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Relu", "MaxPool"],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=[*CLASS_MAP_NODES, LAST_FEATURES],
            extra_options={"CalibMovingAverage": True},
        )
    _unround(path, LAST_CONVOLUTION)


def _unround(path: Path, tensor: str) -> None:
    """Take out the rounding to 8 bits behind `tensor`: what follows sees the sums themselves, in float."""
    model = onnx.load(path)
    by_input = {node.input[0]: node for node in model.graph.node}
    rounding = by_input[tensor]
    restoring = by_input[rounding.output[0]]
    for node in model.graph.node:
        node.input[:] = [tensor if name == restoring.output[0] else name for name in node.input]
    model.graph.node.remove(rounding)
    model.graph.node.remove(restoring)
    used = {name for node in model.graph.node for name in node.input}
    for constant in [c for c in model.graph.initializer if c.name not in used]:
        model.graph.initializer.remove(constant)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _card(
    options: argparse.Namespace, facts: dict[str, Any], architecture: Architecture, weights: Any, path: Path
) -> dict[str, Any]:
    data = path.read_bytes()
    read_out = {
        name: {key: float(weights[f"{name}_read_out/{key}"]) for key in ("scale", "offset")}
        for name in ("objects", "gaze")
        if f"{name}_read_out/scale" in weights
    }
    return {
        "name": options.name,
        "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "n_bytes": len(data),
        "bits": 32 if options.float else 8,
        "input_side": options.side or facts["recipe"]["side"],
        "read_out": read_out,
        "architecture": "VGG16 convolutions, three added, global average pooling, 102 classes",
        "recipe": facts["recipe"],
        "trained": facts["date"],
        "trained_with": facts["keras"],
        "scores_in_training": facts["scores"],
        "data": options.data or "see recipe",
        "split": f"Caltech-101: the last {facts['validation']} photos of each class held back",
        "licence": "Apache-2.0; blocks 1 to 3 are VGG16's (Simonyan, Zisserman 2014), CC BY 4.0",
    }


def _write_card(path: Path, card: dict[str, Any]) -> None:
    path.with_suffix(".json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.saliency.export", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder that train.saliency has finished")
    parser.add_argument("--caltech101", type=Path, required=True, metavar="DIR", help="for calibration and accuracy")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="DUTS-TR, more photos for calibration")
    parser.add_argument("--name", default=runtime.DEFAULT_NETWORK)
    parser.add_argument("--side", type=int, help="input of about side^2 pixels (default: as in training)")
    shipping.add_place(parser, runtime.WEIGHTS)
    parser.add_argument("--data", help="one line for the card: what it was trained on")
    parser.add_argument("--float", action="store_true", help="leave the network in 32 bits")
    return parser


if __name__ == "__main__":
    sys.exit(main())
