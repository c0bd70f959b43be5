"""The search for the rdo encoder's tables: what it turns, and that it climbs."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from msroi.codecs.jpeg.rdo.tables import DEFAULT, PRESETS, F, Preset
from train.encoder import search
from train.encoder.search import from_vector, load, to_vector


@pytest.mark.parametrize("preset", [DEFAULT, PRESETS["ssim"], F], ids=["default", "ssim", "F"])
def test_a_preset_survives_as_a_vector(preset: Preset) -> None:
    """All fields, those that the search leaves alone as well."""

    def numbers(one: Preset) -> list[float]:
        shapes = [number for s in one.shapes for number in (s.gain, *s.knots, s.weight, s.bend, s.power)]
        others = [getattr(one, field.name) for field in dataclasses.fields(one) if field.name != "shapes"]
        return [*shapes, *(n for value in others for n in (value if isinstance(value, tuple) else (value,)))]

    assert numbers(from_vector(to_vector(preset), preset)) == pytest.approx(numbers(preset), abs=1e-12)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    from train.common.files import write_json

    preset = from_vector(to_vector(PRESETS["default"]))
    write_json(tmp_path / "best.json", {"preset": dataclasses.asdict(preset)})
    assert load(tmp_path / "best.json") == preset


def test_the_search_climbs_and_repeats() -> None:
    """An ellipsoid of 42 axes, as many as a preset has free parameters, whose lengths differ by 30: 60 generations."""
    pytest.importorskip("cmaes", reason="needs the keras extra")
    lengths = np.geomspace(1, 30, 42)
    start = np.random.default_rng(3).normal(size=42)

    def worth(vector: np.ndarray) -> float:
        return -float(np.sum(lengths * vector**2))

    first, again = (list(itertools.islice(search.means(start, 0.7, 1, worth), 60)) for _ in range(2))
    assert worth(first[-1][0]) > 0.1 * worth(start) and first[-1][1] < first[0][1]
    assert all(np.array_equal(one, two) for (one, _), (two, _) in zip(first, again, strict=True))
