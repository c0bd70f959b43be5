"""Rows of a file are those of the whole picture, whatever sampling it has and wherever they are cut."""

from __future__ import annotations

import files_made as made
import numpy as np
import pytest

from msroi.codecs.jpeg import plain, rows


@pytest.mark.parametrize("sampling", ["4:2:0", "4:2:2", "4:4:4", "grey"])
@pytest.mark.parametrize("size", [(203, 150), (16, 16), (5, 3)])
def test_rows_are_those_of_the_whole_picture(sampling: str, size: tuple[int, int]) -> None:
    pixels = made.picture(*size)
    options = {"quality": 60, "progressive": True}
    if sampling == "grey":
        data = made.encoded(np.ascontiguousarray(pixels[..., 0]), **options)
    else:
        data = made.encoded(pixels, subsampling=sampling, **options)
    whole, part = plain.decode(data), rows.Rows(data)
    for top in range(0, size[0], 7):
        assert np.array_equal(part[top : top + 23], whole[top : top + 23])
    assert np.array_equal(part[:], whole)
    assert np.array_equal(np.asarray(rows.decoded(data)), whole)


def test_a_large_picture_comes_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = made.encoded(made.picture(40, 56))
    monkeypatch.setattr(rows, "_LARGE", 40 * 56 - 1)
    part = rows.decoded(data)
    assert isinstance(part, rows.Rows) and np.array_equal(part[3:39], plain.decode(data)[3:39])
