"""Heat map and overlay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from msroi.errors import ImageError, OptionError, SaliencyError
from msroi.saliency.pictures import heat_map, jet_table, overlay


def test_table_is_matplotlibs_jet() -> None:
    expected = matplotlib.colormaps["jet"](np.arange(256), bytes=True)[:, :3].astype(int)
    # Matplotlib truncates where we round.
    assert np.abs(jet_table().astype(int) - expected).max() <= 1


def test_colours_run_from_dark_blue_to_dark_red() -> None:
    heat = heat_map(np.array([[0.0, 0.5, 1.0]], np.float32))
    assert heat.dtype == np.uint8 and heat.shape == (1, 3, 3)
    assert heat[0, 0].tolist() == [0, 0, 128]
    assert heat[0, 2].tolist() == [128, 0, 0]
    red, green, blue = heat[0, 1].tolist()
    assert green == 255 and 100 < red < 150 and 100 < blue < 150


def test_every_level_has_its_colour() -> None:
    levels = np.linspace(0, 1, 256)[None, :]
    np.testing.assert_array_equal(heat_map(levels)[0], jet_table())
    # Pure blue is held for five levels; nothing else repeats.
    assert len({tuple(colour) for colour in jet_table().tolist()}) == 252


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, bool])
def test_kinds_of_numbers(dtype: type) -> None:
    heat = heat_map(np.array([[0, 1], [1, 0]], dtype=dtype))
    assert heat[0, 0].tolist() == [0, 0, 128] and heat[0, 1].tolist() == [128, 0, 0]


def test_uint8_counts_to_255() -> None:
    values = np.array([[0, 255], [128, 1]], np.uint8)
    assert np.array_equal(heat_map(values), heat_map(values / 255))
    assert np.array_equal(heat_map(values), jet_table()[values])


def test_rounding_above_one_is_forgiven() -> None:
    assert heat_map([[np.float32(1.0000002), np.float32(-1e-7)]]).tolist() == [[[128, 0, 0], [0, 0, 128]]]


def test_overlay_blends_by_strength(photo: np.ndarray) -> None:
    saliency = np.linspace(0, 1, photo.shape[1], dtype=np.float32)[None, :].repeat(photo.shape[0], axis=0)
    np.testing.assert_array_equal(overlay(photo, saliency, strength=0), photo)
    np.testing.assert_array_equal(overlay(photo, saliency, strength=1), heat_map(saliency))
    expected = 0.7 * photo + 0.3 * heat_map(saliency)
    blended = overlay(photo, saliency, strength=0.3)
    assert blended.dtype == np.uint8 and blended.shape == photo.shape
    assert np.abs(blended - expected).max() <= 0.501


def test_overlay_of_grey_is_the_overlay_of_equal_channels(photo: np.ndarray) -> None:
    saliency = np.full(photo.shape[:2], 0.25)
    grey = photo[..., 1]
    np.testing.assert_array_equal(overlay(grey, saliency), overlay(np.stack([grey] * 3, axis=2), saliency))


def test_a_photo_may_be_anything_that_is_read(photo: np.ndarray, tmp_path: Path) -> None:
    saliency = np.linspace(0, 1, photo.shape[0] * photo.shape[1]).reshape(photo.shape[:2])
    wanted = overlay(photo, saliency)
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(photo).copy()).save(path, exif=exif)
    opaque = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    for image in (path, str(path), path.read_bytes(), Image.open(path), opaque):
        np.testing.assert_array_equal(overlay(image, saliency), wanted)


def test_inputs_stay_as_they_are(photo: np.ndarray) -> None:
    saliency = np.full(photo.shape[:2], 0.5)
    pixels = photo.copy()
    pixels.flags.writeable = saliency.flags.writeable = False
    overlay(pixels[:, ::-1], saliency)
    np.testing.assert_array_equal(pixels, photo)


@pytest.mark.parametrize(
    ("saliency", "words"),
    [
        (np.zeros((2, 2, 1)), "(height, width)"),
        (np.zeros(4), "(height, width)"),
        (np.zeros((0, 4)), "(height, width)"),
        (np.array([["a"]]), "float in [0, 1]"),
        ([[1], [2, 3]], "rows of one length"),
        (np.array([[0.5, np.nan]]), "not numbers (NaN)"),
        (np.array([[0.5, np.inf]]), "spans 0.5 to inf; scale it"),
        (np.array([[-0.1, 0.5]]), "spans -0.1 to 0.5"),
        (np.array([[0, 255]]), "uint8 or bool, this one is int64"),
    ],
)
def test_maps_that_cannot_be_shown(saliency: np.ndarray, words: str) -> None:
    with pytest.raises(SaliencyError) as caught:
        heat_map(saliency)
    assert words in str(caught.value)


def test_overlays_that_cannot_be_made(photo: np.ndarray) -> None:
    saliency = np.zeros(photo.shape[:2])
    with pytest.raises(SaliencyError, match="384x255, but the image is 384x256"):
        overlay(photo, saliency[:-1])
    with pytest.raises(OptionError, match="float64"):
        overlay(photo / 255, saliency)
    with pytest.raises(ImageError, match="no such file"):
        overlay("missing.png", saliency)
    for strength in (-0.1, 1.1, float("nan"), "x"):
        with pytest.raises(OptionError, match=r"strength: got .*, allowed: a number from 0 to 1"):
            overlay(photo, saliency, strength=strength)


def test_no_plotting_library_is_loaded() -> None:
    program = (
        "import sys, msroi.saliency.pictures as p; p.heat_map([[0.5]]); "
        "sys.exit(','.join(m for m in ('matplotlib', 'skimage', 'scipy') if m in sys.modules) or None)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
