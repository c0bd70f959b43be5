"""Option values: sizes and boxes in all their forms, names as types, and what a type checker makes of the API."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import msroi
from msroi import options
from msroi.errors import OptionError
from msroi.options import PercentBox, box, boxes, n_bytes, whole_number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (500_000, 500_000), (500_000.0, 500_000), ("500KB", 500_000), ("500 K", 500_000), ("500kb", 500_000),
        ("500 kB", 500_000), ("500KiB", 512_000), ("500ki", 512_000), ("1.5M", 1_500_000), ("1.5m", 1_500_000),
        ("2MiB", 2_097_152), ("120000", 120_000), ("7B", 7), (" 0.5 MB ", 500_000),
    ],
)  # fmt: skip
def test_sizes_in_all_their_forms(value: object, expected: int) -> None:
    assert n_bytes("size", value) == expected


@pytest.mark.parametrize(
    "value", ["", "0", "1G", "1,5M", "12 apples", "k", "1e5", 0, -1, 1.5, True, None, b"1k", "9" * 40]
)
def test_what_is_no_size(value: object) -> None:
    with pytest.raises(OptionError, match=r"^size: got "):
        n_bytes("size", value)


def test_whole_numbers_may_be_written_as_floats() -> None:
    assert whole_number("quality", 75.0, 1, 100) == 75
    assert type(whole_number("quality", np.float64(75), 1, 100)) is int
    for value in (75.5, float("nan"), float("inf"), "75", True):
        with pytest.raises(OptionError, match="quality"):
            whole_number("quality", value, 1, 100)


def test_boxes_in_all_their_forms() -> None:
    pixels, percent = (120, 80, 200, 150), PercentBox(40, 30, 20, 20)
    assert box("focus", "120,80,200,150") == box("focus", list(pixels)) == pixels
    assert box("focus", " 40%, 30%, 20%, 20% ") == percent and str(percent) == "40%,30%,20%,20%"
    assert boxes("focus", pixels) == boxes("focus", [pixels]) == boxes("focus", np.array(pixels)) == [pixels]
    assert boxes("focus", "40%,30%,20%,20%") == [percent]
    assert boxes("focus", [pixels, "40%,30%,20%,20%", percent]) == [pixels, percent, percent]
    assert boxes("focus", ()) == []


@pytest.mark.parametrize(
    "value",
    ["40%,30,20%,20", "40%,30%,20%", "90%,0%,20%,20%", "0%,0%,0%,5%", "-1%,0%,5%,5%", "1,2,3", (1, 2, 3),
     (1.5, 2, 3, 4), [(1, 2, 3)], 7, b"1,2,3,4", "1,2,0,4", [None]],
)  # fmt: skip
def test_what_is_no_box(value: object) -> None:
    with pytest.raises(OptionError, match=r"focus: .*box"):
        boxes("focus", value)


def test_a_box_in_percent_lies_where_it_says_whatever_the_size() -> None:
    assert PercentBox(40, 30, 20, 20).in_pixels(1000, 500) == (400, 150, 200, 100)
    assert PercentBox(0, 0, 100, 100).in_pixels(7, 3) == (0, 0, 7, 3)
    for width in range(1, 40):
        left, top, w, h = PercentBox(99.5, 99.5, 0.5, 0.5).in_pixels(width, 1)
        assert (left, top, w, h) == (width - 1, 0, 1, 1)


def test_the_library_takes_what_the_command_line_takes() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (80, 160, 3), np.uint8)
    usual: dict[str, Any] = {"map_kind": "none"}
    in_pixels = msroi.compress(picture, quality=60.0, size=None, focus=(64, 24, 32, 16), **usual)  # type: ignore[arg-type]
    in_percent = msroi.compress(picture, quality=60, focus="40%,30%,20%,20%", **usual)
    assert in_pixels.saliency is not None and in_percent.saliency is not None
    assert np.array_equal(in_pixels.saliency, in_percent.saliency) and in_percent.saliency[24:40, 64:96].min() == 1
    assert in_pixels.report.map_identity != in_percent.report.map_identity
    limited = msroi.compress(picture, size="9 KB", **usual)
    assert limited.report.target_bytes == 9_000 >= limited.report.output_bytes == len(limited.data)
    again = msroi.compress(in_percent.data, quality=60, focus="40%,30%,20%,20%", **usual)
    assert again.data == in_percent.data and again.report.reason == "already made by this request"


def test_equal_quality_has_figures_for_what_was_wanted_and_reached() -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    noise = np.random.default_rng(2).integers(0, 40, (64, 64), np.uint8)
    report = msroi.compress(np.maximum(ramp[None, :] // 2, noise), match="quality", map_kind="none").report
    assert report.target_bytes is None
    assert report.target_psnr_db is not None and report.reached_psnr_db is not None
    assert report.target_ssim is not None and report.reached_ssim is not None
    assert 20 < report.target_psnr_db <= report.reached_psnr_db and 0.5 < report.target_ssim <= report.reached_ssim <= 1
    assert set(report.seconds_by_stage) == {"read", "prepare", "map", "encode"}
    assert sum(report.seconds_by_stage.values()) == pytest.approx(report.seconds)


def test_results_go_into_open_files() -> None:
    result = msroi.compress(np.zeros((16, 16), np.uint8), map_kind="none")
    file = io.BytesIO()
    result.save(file)
    assert file.getvalue() == result.data


def test_the_library_logs_and_is_silent_unless_asked(caplog: pytest.LogCaptureFixture) -> None:
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("msroi").handlers)
    with caplog.at_level(logging.INFO, "msroi"):
        msroi.compress(np.zeros((16, 16), np.uint8), map_kind="none", name="black")
    assert [(record.name, record.levelname) for record in caplog.records] == [("msroi", "INFO")]
    assert caplog.records[0].getMessage().startswith("black: ")


def test_the_types_of_names_are_those_of_the_tables() -> None:
    from msroi.cli import compress as verb
    from msroi.cli.arguments import VerbParser
    from msroi.codecs.jpeg import CODECS
    from msroi.pipeline import MATCHES
    from msroi.saliency import KINDS, QUALITIES

    assert get_args(options.Method) == tuple(CODECS)
    assert get_args(options.Match) == MATCHES
    assert get_args(options.MapKind) == tuple(KINDS)
    assert get_args(options.MapQuality) == tuple(QUALITIES)
    parser = VerbParser()
    verb.add_arguments(parser)
    choices = {action.dest: action.choices for action in parser._actions}
    assert get_args(options.Chroma) == tuple(choices["chroma"] or ()) and get_args(options.Tune) == tuple(
        choices["tune"] or ()
    )


GOOD = """
import io
import msroi

result = msroi.compress("a.jpg", quality=60, method="rdo", match="quality", map_kind="gaze", map_quality="high")
result.save(io.BytesIO())
result = msroi.compress(b"", size="500 KB", chroma="444", tune="ssim", focus=["40%,30%,20%,20%", (1, 2, 3, 4)])
n_bytes: int = result.report.output_bytes
target: int | None = result.report.target_bytes
scores: msroi.Scores = msroi.compare("a.jpg", "b.jpg", msroi.saliency_map("a.jpg", "gaze", "high"))
"""


def test_a_type_checker_takes_good_calls_and_refuses_unknown_names(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    bad = {name: f'import msroi\nmsroi.compress("a.jpg", {name}="best")\n' for name in (
        "method", "match", "map_kind", "map_quality", "chroma", "tune",
    )}  # fmt: skip
    (tmp_path / "good.py").write_text(GOOD)
    for name, code in bad.items():
        (tmp_path / f"bad_{name}.py").write_text(code)
    root = Path(msroi.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--ignore-missing-imports",
         "--config-file=", "--no-error-summary", "."],
        cwd=tmp_path, env={"MYPYPATH": str(root), "PATH": "", "MYPY_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True, text=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert not [line for line in lines if line.startswith("good.py")], done.stdout + done.stderr
    assert sorted(line.split(":")[0] for line in lines if "error" in line) == sorted(f"bad_{name}.py" for name in bad)
