"""The networks that ship, read back into Keras: the maps of ONNX Runtime, and one line for what cannot be read."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from skimage import data

keras = pytest.importorskip("keras", reason="needs the keras extra")

from msroi.errors import OptionError, SaliencyError  # noqa: E402
from msroi.saliency import keras_model, network, read_outs  # noqa: E402
from msroi.saliency.onnx_weights import float_weights  # noqa: E402

CORRELATIONS = {"ms-roi": 0.999, "ms-roi-labels": 0.99}
"""Least correlation of the maps. Weights are the same; the file rounds activations to 8 bits and Keras does not.

Measured on astronaut, coffee, chelsea and rocket: .9996 to .99999, and .9969 to .99995 for the network without learned
sigmoids, whose maps are stretched to 0 to 1 with their noise. Over 220 photos the trained float weights gave .9996
(docs/network/README.md)."""


@pytest.fixture(scope="module", params=sorted(CORRELATIONS))
def loaded(request: pytest.FixtureRequest) -> tuple[str, keras.Model]:
    return request.param, keras_model.load(request.param)


@pytest.mark.parametrize("photo_of", [data.astronaut, data.coffee, data.chelsea])
def test_the_map_is_that_of_the_file(loaded: tuple[str, keras.Model], photo_of: object) -> None:
    name, model = loaded
    shipped = network.load(name)
    seen = shipped.see(photo_of())  # type: ignore[operator]
    expected = shipped.look(seen)
    found = {key: np.asarray(value)[0] for key, value in model.predict_on_batch(seen[None].astype(np.float32)).items()}
    maps = {key: found[key].transpose(2, 0, 1) for key in found if key.endswith("_maps")}
    evidence = network.Evidence(maps["object_maps"], maps.get("gaze_maps"), found["logits"])
    assert (evidence.gaze_maps is None) == (expected.gaze_maps is None)
    assert evidence.logits.argmax() == expected.logits.argmax()
    ours, theirs = (read_outs.coarse_map(name, [one], shipped.card) for one in (evidence, expected))
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] >= CORRELATIONS[name]


def test_it_can_be_trained_further(loaded: tuple[str, keras.Model]) -> None:
    _, model = loaded
    assert len(model.trainable_variables) == len(model.variables) > 30


def test_an_unknown_network_is_named_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"network 'vgg': not in .*; there are ms-roi, ms-roi-labels"):
        keras_model.load("vgg")


def test_a_damaged_file_is_no_network(tmp_path: Path) -> None:
    for path in network.WEIGHTS.glob("ms-roi.*"):
        shutil.copy(path, tmp_path)
    with (tmp_path / "ms-roi.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(SaliencyError, match="damaged"):
        keras_model.load("ms-roi", tmp_path)
    with pytest.raises(SaliencyError, match=r"x\.onnx: no network of convolutions"):
        float_weights(b"\x08\x08no network", "x.onnx")


def test_initial_layers_from_an_exported_network_say_what_reads_it(tmp_path: Path) -> None:
    model = keras_model.build_trunk()
    with pytest.raises(OptionError, match=r"ms-roi\.onnx: an exported network; keras_model\.load\(NAME\) reads those"):
        keras_model.load_initial_layers(model, network.WEIGHTS / "ms-roi.onnx")
    (tmp_path / "layers.npz").write_bytes(b"no archive")
    with pytest.raises(OptionError, match=r"layers\.npz: cannot be read as \.npz or \.h5"):
        keras_model.load_initial_layers(model, tmp_path / "layers.npz")
    with pytest.raises(OptionError, match=r"missing\.h5: cannot be read"):
        keras_model.load_initial_layers(model, tmp_path / "missing.h5")
