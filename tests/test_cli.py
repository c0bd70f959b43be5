"""The command line as a user meets it: `main(argv)` in process, the real command where a process matters."""

from __future__ import annotations

import argparse
import inspect
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from msroi import extras
from msroi.cli import VERBS, main
from msroi.cli.arguments import box, n_bytes, real_number
from msroi.cli.demo import PHOTO
from msroi.cli.output import as_json, escape, failure
from msroi.errors import ImageError, OptionError
from msroi.fields import Real
from msroi.images import Limits
from msroi.pipeline import compress
from msroi.work.inputs import Input, expand
from msroi.work.outputs import beside, plan_outputs

COMMAND = [sys.executable, "-m", "msroi"]
# Most of what is tested here does not hang on the network's map.
FAST = ["--map-kind", "none"]


def save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def load(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Status, standard output and standard error of one command in this process."""
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith("\n")


# --- options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [("120000", 120_000), ("120k", 120_000), ("1.5M", 1_500_000), ("2.3k", 2_300), ("7kB", 7_000), ("1B", 1)],
)
def test_sizes_are_decimal(text: str, value: int) -> None:
    assert n_bytes(text) == value


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5.2", "12 apples", "1,5M", "1G", "nan", "inf", "1e5", "9" * 40])
def test_what_is_no_size_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "compress", "a.png", f"--size={text}")
    assert (status, out) == (2, "")
    assert one_line(err) and "120k" in err


def test_boxes() -> None:
    assert box("120,80,200,150") == (120, 80, 200, 150)
    assert box(" 0, 0, 1, 1") == (0, 0, 1, 1)


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,5", "1,2,0,4", "-1,2,3,4", "a,b,c,d", "1.5,2,3,4"])
def test_what_is_no_box_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "compress", "a.png", f"--focus={text}")
    assert status == 2
    assert one_line(err) and "box" in err


def test_numbers_are_held_to_their_option_by_the_parser() -> None:
    percentage = real_number(Real(0, 100, unit="%"))
    assert percentage("5") == percentage("5%") == 5.0
    bits = real_number(Real(0, 1_000, above=True))
    assert bits("1000") == 1000
    with pytest.raises(argparse.ArgumentTypeError, match="'2000' is not a number above 0 up to 1000"):
        bits("2000")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bpp", "2000"], "argument --bpp: '2000' is not"),
        (["--method", "plain", "--tune", "psnr"], "msroi: --tune: got 'psnr'"),
        (["--method", "rdo", "--levels", "3"], "msroi: --levels: got 3"),
        (["--q-low", "70", "--q-high", "30"], "msroi: --q-low: got 70, allowed: at most --q-high, 30; --q-low is"),
        (["--focus", "0,0,999,2"], "msroi: a.bmp: --focus 0,0,999,2: the box leaves"),
    ],
)
def test_what_is_refused_is_called_as_it_was_given(
    words: list[str], said: str, folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.bmp", small)
    status, _, err = run(capsys, "compress", "a.bmp", *words)
    assert status == 2
    assert said in err
    assert "_" not in err and "`" not in err


@pytest.mark.parametrize(
    "words",
    [
        ["--quality", "0"],
        ["--quality", "101"],
        ["--quality", "high"],
        ["--bpp", "0"],
        ["--bpp", "nan"],
        ["--min-savings", "101"],
        ["--threads", "0"],
        ["--levels", "0"],
        ["--method", "magic"],
        ["--chroma", "411"],
        ["--map-kind", "faces"],
        ["--quality", "50", "--size", "10k"],
        ["--size", "10k", "--bpp", "1"],
        ["--size", "10k", "--match", "quality"],
        ["-o", "a.jpg", "-d", "b"],
        ["-o", "a.png"],
        ["--map", "m.png", "--map-kind", "gaze"],
        ["--map-quality", "best"],
        ["--qual", "50"],
        ["-o", "-", "--save-map"],
        ["--method", "plain", "--save-overlay"],
        ["--q-low", "70", "--q-high", "30"],
        ["--method", "plain", "--levels", "3"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    words: list[str], folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.bmp", small)
    status, out, err = run(capsys, "compress", "a.bmp", *words)
    assert status == 2
    assert out == ""
    assert one_line(err) and err.startswith("msroi")
    assert [path.name for path in folder.iterdir()] == ["a.bmp"]


def test_a_target_too_small_is_told_with_an_option_that_this_verb_has(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.bmp", small)
    status, _, err = run(capsys, "compress", "a.bmp", "--size", "10", *FAST)
    assert status == 4
    assert "raise it or make the picture smaller (--max-side)" in err


def test_json_has_names_of_files_as_they_are(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "`size`.bmp", small)
    status, out, _ = run(capsys, "compress", "`size`.bmp", "--json", "--method", "plain")
    assert status == 0
    told = json.loads(out)
    assert (told["input"], told["output"]) == ("`size`.bmp", "`size`.msroi.jpg")
    assert Path(told["output"]).exists()


def test_unknown_options_name_what_they_resemble(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "compress", "a.png", "--strip-pgs")
    assert status == 2
    assert "--strip-pgs" in err and "did you mean --strip-gps" in err


def test_unknown_verbs_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "shrink", "a.png")
    assert status == 2
    assert one_line(err) and "shrink" in err and "compress" in err


def test_no_verb_shows_the_help_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys)
    assert (status, out) == (2, "")
    assert "compress" in err


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, verb, "--help")
    assert (status, err) == (0, "")
    assert f"msroi {verb}" in out.split("examples:")[1]


def test_help_is_grouped_by_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "compress", "--help")
    places = [out.index(f"\n{name}") for name in ("targets", "map", "encoder", "metadata", "output", "running")]
    assert places == sorted(places)


def test_help_names_the_defaults_of_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "compress", "--help")
    helps = out[out.index("\ntargets:") :]
    parameters = inspect.signature(compress).parameters
    for name in ("quality", "method", "q_low", "q_high", "levels", "map_kind", "chroma", "min_savings"):
        option = f"--{name.replace('_', '-')} "
        text = " ".join(helps[helps.index(option) :].split("\n  -")[0].split())
        default = parameters[name].default
        assert re.search(rf"default {default:g}\b" if isinstance(default, float) else rf"default {default}\b", text)
    for text in (f"{Limits().max_megapixels:g}", f"{Limits().max_side}", f"{Limits().max_bytes // 10**6}M"):
        assert f"default {text}" in " ".join(helps.split())


# --- start -------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_version_and_help_load_nothing_heavy(word: str) -> None:
    code = (
        "import sys; from msroi.cli import main; status = main(sys.argv[1:]); "
        "heavy = {'numpy', 'PIL', 'cv2', 'rich', 'onnxruntime', 'skimage', 'scipy', 'matplotlib', 'keras'}; "
        "sys.exit(status or ' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "msroi" in done.stdout


# --- inputs ------------------------------------------------------------------------------------


def test_folders_are_walked_in_order_without_hidden_files_and_our_outputs(folder: Path) -> None:
    for name in (
        "b.png", "a.JPG", "c.txt", ".hidden.png", "a.msroi.jpg", "a.map.png", "a.overlay.png", "a.heat.png",
        "sub/z.webp", "sub/deeper/y.tif", ".thumbs/t.png", "out/b.jpg",
    ):  # fmt: skip
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "in" / name).touch()
    inputs, problems = expand(["in"], Path("in/out"))
    assert [str(item.relative) for item in inputs] == ["a.JPG", "b.png", "sub/z.webp", "sub/deeper/y.tif"]
    assert inputs[0].name == "in/a.JPG"
    assert problems == []


def test_an_input_given_twice_is_taken_once(folder: Path) -> None:
    (folder / "a.png").touch()
    inputs, _ = expand(["a.png", "./a.png", "."])
    assert [item.name for item in inputs] == ["a.png"]


def test_what_is_not_there_is_a_problem_and_not_the_end(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "a.png").touch()
    inputs, problems = expand(["missing.png", "empty", "a.png"])
    assert [item.name for item in inputs] == ["a.png"]
    assert [name for name, _ in problems] == ["missing.png", "empty"]


def test_a_loop_of_links_ends(folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "a.png").touch()
    (folder / "in" / "loop").symlink_to(folder / "in")
    assert len(expand(["in"])[0]) == 1


def make_input(path: str) -> Input:
    return Input(path, Path(path), Path(Path(path).name))


def test_outputs_that_would_meet_keep_their_suffix() -> None:
    inputs = [make_input(name) for name in ("a.png", "a.jpg", "b.png")]
    outputs = plan_outputs(inputs, lambda item, with_suffix: beside(item, ".x", with_suffix=with_suffix))
    assert [str(path) for path in outputs] == ["a.png.x", "a.jpg.x", "b.x"]


def test_outputs_that_still_meet_are_refused() -> None:
    inputs = [make_input("x/a.png"), make_input("y/a.png")]
    with pytest.raises(OptionError, match=r"y/a\.png.*x/a\.png"):
        plan_outputs(inputs, lambda item, with_suffix: Path("out") / item.relative)


# --- words -------------------------------------------------------------------------------------


def test_names_cannot_command_the_terminal() -> None:
    assert escape("a\nb\x1b[31m\udcff.png") == r"a\nb\x1b[31m\udcff.png"
    assert escape("Bild à la carte 10.30\u202fAM.png") == "Bild à la carte 10.30\u202fAM.png"


def test_json_knows_no_infinity() -> None:
    record = {"psnr_db": float("inf"), "list": [float("nan"), 1.5], "path": Path("a")}
    assert json.loads(as_json(record)) == {"psnr_db": None, "list": [None, 1.5], "path": "a"}


def test_each_failure_has_a_status_of_its_own(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.png", small)
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "there.jpg").write_bytes(b"something else")
    for words, status, name in (
        (["bad.png"], 3, "ImageError"),
        (["none.png"], 3, "InputMissingError"),
        (["a.png", "--size", "100"], 4, "TargetError"),
        (["a.png", "-o", "there.jpg"], 5, "OutputExistsError"),
        (["a.png", "-d", "bad.png/below"], 5, "OutputError"),
        (["a.png", "--map", "bad.png"], 3, "SaliencyError"),
        (["a.png", "--focus", "100,0,90,10"], 2, "OptionError"),
        (["a.png", "bad.png", "--size", "100", "-d", "mixed"], 1, "TargetError"),
    ):
        found, out, _ = run(capsys, "compress", *words, "--json", *(FAST if "--map" not in words else []))
        record = json.loads(out.splitlines()[0])
        assert (found, record["error_class"]) == (status, name)
        assert (record["schema"], record["verb"], record["status"]) == (1, "compress", "failed")
        assert record["exit_status"] == status or status == 1


def test_failures_name_the_input_once() -> None:
    assert failure(ImageError("a.png: damaged"), "a.png") == "a.png: damaged"
    assert failure(ImageError("damaged"), "a.png") == "a.png: damaged"
    assert failure(FileNotFoundError(2, "No such file or directory", "a.png"), "a.png").startswith("a.png: No such")
    assert "--debug" in failure(RuntimeError("what\never"), "a.png")
    assert "\n" not in failure(RuntimeError("what\never"), "a.png")


# --- compress ----------------------------------------------------------------------------------


def test_compress_writes_beside_the_input_and_never_touches_it(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    before = save(folder / "a.png", small).read_bytes()
    status, out, err = run(capsys, "compress", "a.png", *FAST)
    assert (status, err) == (0, "")
    data = (folder / "a.msroi.jpg").read_bytes()
    assert Image.open(io.BytesIO(data)).size == (144, 96)
    assert (folder / "a.png").read_bytes() == before
    share = 100 * (1 - len(data) / len(before))
    assert out == f"a.png  {len(before) / 1000:.1f} kB -> {len(data) / 1000:.1f} kB, {share:.0f} % smaller\n"

    again = run(capsys, "compress", "a.png", "--quality", 40, *FAST)
    assert again[:2] == (5, "")
    assert one_line(again[2]) and again[2].startswith("msroi: a.png: a.msroi.jpg: exists") and "--overwrite" in again[2]
    assert run(capsys, "compress", "a.png", "--overwrite", "--quiet", *FAST) == (0, "", "")
    assert (folder / "a.msroi.jpg").read_bytes() == data


def test_compress_says_the_same_in_json(folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "a.png", small)
    (folder / "bad.png").write_bytes(b"no picture")
    status, out, err = run(capsys, "compress", "a.png", "bad.png", "--quality", 60, "-d", "out", "--json", *FAST)
    assert status == 3
    good, bad = (json.loads(line) for line in out.splitlines())
    result = compress(small, quality=60, map_kind="none")
    assert (folder / "out" / "a.jpg").read_bytes() == result.data
    assert good["input"] == "a.png" and good["output"] == str(Path("out/a.jpg"))
    assert good["output_bytes"] == len(result.data)
    assert good["plain_bytes"] == result.report.plain_bytes >= good["coded_bytes"]
    assert good["quality"] == 60 and good["kept_original"] is False
    assert bad["input"] == "bad.png" and bad["error_class"] == "ImageError" and bad["error"].startswith("bad.png: ")
    assert err.splitlines()[0] == "msroi: " + bad["error"]
    assert err.splitlines()[1] == "msroi: 1 of 2 inputs failed"


def test_options_reach_the_library(folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "a.png", small)
    words = "--quality 40 --q-low 20 --q-high 80 --levels 3 --max-side 100 --strip --threads 1 --focus 10,10,50,40"
    status, _, _ = run(capsys, "compress", "a.png", "--method", "two-pass", *words.split(), *FAST)
    assert status == 0
    expected = compress(
        small, method="two-pass", quality=40, q_low=20, q_high=80, levels=3, max_side=100, strip=True,
        focus=[(10, 10, 50, 40)], map_kind="none",
    )  # fmt: skip
    assert (folder / "a.msroi.jpg").read_bytes() == expected.data


@pytest.mark.parametrize(("words", "limit"), [("--size 3k", 3_000), ("--bpp 1.5", int(1.5 * 96 * 144 / 8))])
def test_size_targets_hold_for_the_whole_file(
    words: str, limit: int, folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.png", small)
    assert run(capsys, "compress", "a.png", *words.split(), *FAST)[0] == 0
    assert 0.8 * limit < (folder / "a.msroi.jpg").stat().st_size <= limit


def test_a_target_out_of_reach_says_how_near_it_came(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.png", small)
    status, out, err = run(capsys, "compress", "a.png", "--size", "100", *FAST)
    assert (status, out) == (4, "")
    assert one_line(err) and re.match(r"msroi: a\.png: target 100 bytes .* \(\d+ bytes\)", err)
    assert [path.name for path in folder.iterdir()] == ["a.png"]


def test_a_folder_finishes_the_good_ones_with_its_structure(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "in" / "a.png", small)
    save(folder / "in" / "deep" / "b.JPEG", small, quality=95)
    (folder / "in" / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    save(folder / "in" / "c.msroi.jpg", small)
    status, out, err = run(capsys, "compress", "in", "-d", "in/out", *FAST)
    assert status == 3
    made = sorted(str(path.relative_to(folder / "in" / "out")) for path in (folder / "in" / "out").rglob("*.*"))
    assert made == ["a.jpg", str(Path("deep/b.JPEG"))]
    assert len(err.splitlines()) == 2 and "1 of 3 inputs failed" in err
    assert len(out.splitlines()) == 3 and out.splitlines()[-1].startswith("2 photos")


def test_an_original_that_is_kept_is_written_and_said(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    original = save(folder / "a.jpg", small, quality=20).read_bytes()
    # Not rdo: it would find the values of the original and code them in fewer bytes.
    status, out, _ = run(capsys, "compress", "a.jpg", "-d", "out", "--quality", 90, "--method", "plain")
    assert status == 0
    assert len((folder / "out" / "a.jpg").read_bytes()) <= len(original)
    assert "the picture itself as it was" in out or "kept as it was" in out


def test_names_that_would_meet_keep_their_suffix(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.png", small)
    save(folder / "a.jpg", small, quality=95)
    assert run(capsys, "compress", ".", *FAST)[0] == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["a.jpg", "a.jpg.msroi.jpg", "a.png", "a.png.msroi.jpg"]


@pytest.mark.parametrize(
    "words",
    [
        ["a.jpg", "-d", "."],
        ["a.jpg", "-o", "a.jpg", "--overwrite"],
        ["a.jpg", "-o", "./a.jpg", "--overwrite"],
        ["a.jpg", "-o", "link.jpg", "--overwrite"],
        ["x/a.png", "a.jpg", "-d", ".", "--overwrite"],
        ["x/a.png", "y/a.png", "-d", "out"],
        ["a.jpg", "x/a.png", "-o", "out.jpg"],
        ["x", "-o", "out.jpg"],
        ["a.jpg", "-o", "x"],
        ["a.jpg", "-o", "nowhere/out.jpg"],
        ["a.jpg", "-d", "x/a.png"],
        ["-", "a.jpg"],
        ["missing.jpg"],
        ["empty"],
    ],
)
def test_what_cannot_be_written_is_refused_and_no_input_is_lost(
    words: list[str], folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.jpg", small, quality=95)
    save(folder / "x" / "a.png", small)
    save(folder / "y" / "a.png", small)
    (folder / "empty").mkdir()
    (folder / "link.jpg").symlink_to("a.jpg")
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    status, out, err = run(capsys, "compress", *words, *FAST)
    assert status in (2, 3, 5)
    assert out == "" and one_line(err)
    assert {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()} == before


def test_maps_stand_beside_the_output_upright(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored turned: upright it is 96 wide and 144 high
    save(folder / "a.jpg", small, quality=95, exif=exif)
    words = "--focus 0,0,48,72 --save-map --save-overlay -d out"
    assert run(capsys, "compress", "a.jpg", *words.split(), *FAST)[0] == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["a.jpg", "a.map.png", "a.overlay.png"]
    saliency = load(folder / "out" / "a.map.png")
    assert saliency.shape == (144, 96) and saliency.dtype == np.uint8
    assert saliency[:72, :48].min() == 255 and saliency[80:].max() < 20
    assert load(folder / "out" / "a.overlay.png").shape == (144, 96, 3)


def test_our_own_file_comes_back_as_it_is(folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "a.png", small)
    run(capsys, "compress", "a.png", *FAST)
    status, out, _ = run(capsys, "compress", "a.msroi.jpg", "-o", "b.jpg", *FAST)
    assert status == 0 and "already made" in out
    assert (folder / "b.jpg").read_bytes() == (folder / "a.msroi.jpg").read_bytes()


def test_our_own_file_is_not_copied_beside_itself(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.png", small)
    run(capsys, "compress", "a.png", *FAST)
    status, out, _ = run(capsys, "compress", "a.msroi.jpg", "--json", *FAST)
    assert status == 0 and json.loads(out)["output"] == "a.msroi.jpg"
    assert sorted(path.name for path in folder.iterdir()) == ["a.msroi.jpg", "a.png"]


def test_a_name_with_odd_letters_stays_one_line(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "a\n\x1b[31mé [bold].png"
    save(folder / name, small)
    status, out, _ = run(capsys, "compress", name, *FAST)
    assert status == 0
    assert one_line(out) and "\x1b" not in out and r"a\n\x1b[31mé [bold].png" in out


def test_an_unexpected_error_is_one_line_with_a_hint(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(folder / "a.png", small)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("an accident")

    monkeypatch.setattr("msroi.pipeline.compress", fail)
    status, out, err = run(capsys, "compress", "a.png")
    assert (status, out) == (1, "")
    assert one_line(err) and "an accident" in err and "--debug" in err
    assert "Traceback" in run(capsys, "compress", "a.png", "--debug")[2]


# --- streams and signals: the real command ------------------------------------------------------


def test_a_pipe_in_and_out(small: np.ndarray) -> None:
    file = io.BytesIO()
    Image.fromarray(small).save(file, "PNG")
    done = subprocess.run(
        [*COMMAND, "compress", "-", "--json", "--strip", *FAST], input=file.getvalue(), capture_output=True, timeout=60
    )
    assert done.returncode == 0
    assert done.stdout == compress(file.getvalue(), map_kind="none", strip=True).data
    record = json.loads(done.stderr)
    assert record["input"] == "standard input" and record["output_bytes"] == len(done.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupt_leaves_nothing_partial(tmp_path: Path, photo: np.ndarray) -> None:
    n_pictures = 40
    for place in range(n_pictures):
        save(tmp_path / "in" / f"{place:02}.bmp", np.tile(photo, (4, 4, 1)))
    words = [*COMMAND, "compress", str(tmp_path / "in"), "-d", str(tmp_path / "out"), "--json", *FAST]

    def hear_interrupts() -> None:
        # What a shell starts in the background ignores them, and so would its children.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=hear_interrupts) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()  # the first is done, the second under way
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        done = 1 + len(process.stdout.readlines())
        error = process.stderr.read()
    assert process.returncode == 130
    assert error == b"msroi: interrupted\n"
    made = list((tmp_path / "out").iterdir())
    assert done <= len(made) <= done + 1 < n_pictures
    for path in made:
        assert path.suffix == ".jpg"
        assert load(path).shape == (1024, 1536, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a signal")
def test_a_process_that_is_told_to_end_says_so_and_leaves_nothing_partial(tmp_path: Path, photo: np.ndarray) -> None:
    """Told in the middle of a write, before the file is on the disk."""
    save(tmp_path / "a.bmp", photo)
    code = (
        "import os, signal, sys; from msroi.cli import main; "
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGTERM); sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", code, "compress", str(tmp_path), *FAST]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "msroi: terminated\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bmp"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupt_before_the_command_begins_is_no_traceback() -> None:
    """The first import after the package's own is where this one comes."""
    code = (
        "import os, signal, sys, runpy\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'msroi.cli': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.argv = ['msroi', 'info']\n"
        "runpy.run_module('msroi', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and done.returncode in (-signal.SIGINT, 130)


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes them")
@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("compress - <&-", 3, "standard input: is closed; pipe a picture into it"),
        ("compress - >&- <a.png", 5, "standard output: is closed; use -o FILE"),
        ("compress a.png -o - >&-", 5, "standard output: is closed; use -o FILE"),
        ("compress a.png -o y.jpg <&- >&-", 0, ""),
        ("compress a.png -o y.jpg <&- >&- 2>&-", 0, ""),
        ("compress none.png 2>&-", 3, ""),
        ("info a.png >&-", 0, ""),
    ],
)
def test_closed_standard_streams(line: str, status: int, said: str, folder: Path, small: np.ndarray) -> None:
    save(folder / "a.png", small)
    words = f"{shlex.join(COMMAND)} {line}" + (" --map-kind none" if line[0] == "c" else "")
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert done.stderr == (f"msroi: {said}\n" if said else "")
    assert (folder / "y.jpg").is_file() == ("y.jpg" in line)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_a_folder_is_passed_over(folder: Path, small: np.ndarray) -> None:
    save(folder / "a.png", small)
    os.mkfifo(folder / "x.jpg")
    inputs, problems = expand(["."])
    assert ([item.name for item in inputs], problems) == (["a.png"], [])


def test_a_reader_that_leaves_is_no_error_on_the_screen(tmp_path: Path, small: np.ndarray) -> None:
    for place in range(3):
        save(tmp_path / f"{place}.png", small)
    with subprocess.Popen([*COMMAND, "info", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


# --- map ---------------------------------------------------------------------------------------


def test_map_writes_all_forms_as_large_as_the_upright_picture(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    save(folder / "a.jpg", small, quality=95, exif=exif)
    words = "--grey --heat --overlay --npy --map-kind none --focus 0,0,48,72"
    status, out, err = run(capsys, "map", "a.jpg", *words.split())
    assert (status, err) == (0, "") and "96 x 144" in out
    values = np.load(folder / "a.map.npy")
    assert values.shape == (144, 96) and values.dtype == np.float32
    assert values[:72, :48].min() == 1 and values[-1, -1] == 0
    grey = load(folder / "a.map.png")
    assert np.array_equal(grey, np.rint(values * 255).astype(np.uint8))
    for name in ("a.heat.png", "a.overlay.png"):
        assert load(folder / name).shape == (144, 96, 3)
    assert run(capsys, "map", "a.jpg", "--map-kind", "none")[0] == 5  # a.map.png exists


def test_map_of_the_network_is_that_of_the_library(
    folder: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    from msroi import saliency_map

    save(folder / "a.png", photo)
    status, out, _ = run(capsys, "map", "a.png", "--npy", "-o", "m.npy", "--json")
    assert status == 0
    record = json.loads(out)
    assert record["outputs"] == {"npy": "m.npy"} and (record["width"], record["height"]) == (384, 256)
    assert np.array_equal(np.load(folder / "m.npy"), saliency_map(photo))


@pytest.mark.parametrize("words", [["--heat", "--npy", "-o", "m.png"], ["-o", "m.jpg"], ["--npy", "-o", "m.png"]])
def test_map_refuses_a_name_that_does_not_fit(
    words: list[str], folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "a.png", small)
    status, out, err = run(capsys, "map", "a.png", *words)
    assert (status, out) == (2, "") and one_line(err)


# --- compare -----------------------------------------------------------------------------------


def test_compare_prints_the_scores_of_the_library(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    from msroi import compare

    save(folder / "a.png", small)
    save(folder / "b.jpg", small, quality=50)
    np.save(folder / "m.npy", np.linspace(0, 1, 96, dtype=np.float32)[:, None].repeat(144, axis=1))
    status, out, _ = run(capsys, "compare", "a.png", "b.jpg", "a.png", "--map", "m.npy", "--json")
    assert status == 0
    first, second = (json.loads(line) for line in out.splitlines())
    scores = compare("a.png", "b.jpg", "m.npy").as_dict()
    assert {name: first[name] for name in scores} == scores
    assert first["input_bytes"] == (folder / "b.jpg").stat().st_size
    assert first["bits_per_pixel"] == pytest.approx(8 * first["input_bytes"] / (96 * 144), abs=1e-6)
    assert second["identical"] is True and second["psnr_db"] is None and second["weighted_ssim"] == 1

    status, out, _ = run(capsys, "compare", "a.png", "b.jpg", "a.png", "--map", "m.npy")
    assert status == 0
    lines = out.splitlines()
    assert len(lines) == 6 and lines[-2].startswith("w: weighted by the map m.npy")
    assert f"{first['psnr_db']:.2f}" in lines[2] and f"{first['weighted_ssim']:.4f}" in lines[2]
    assert "inf" in lines[3] and "MS-SSIM stands on" in lines[-1]
    assert out == re.sub(r"[ \t]+\n", "\n", out)


def test_compare_says_whose_map_weighs(folder: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "a.png", photo)
    save(folder / "b.jpg", photo, quality=50)
    _, out, _ = run(capsys, "compare", "a.png", "b.jpg")
    assert "msroi's own map of a.png" in out and "favour its files" in out
    _, out, _ = run(capsys, "compare", "a.png", "b.jpg", "--no-map")
    assert "wPSNR" not in out and "weighted" not in out


def test_compare_finishes_what_fits(folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "a.png", small)
    save(folder / "b.jpg", small)
    save(folder / "narrow.jpg", small[:, :100])
    status, out, err = run(capsys, "compare", "a.png", "b.jpg", "narrow.jpg", "missing.jpg", "--no-map")
    assert status == 3
    assert "b.jpg" in out and "narrow.jpg" not in out
    assert "narrow.jpg: 100 x 96 pixels" in err and "144 x 96" in err and "missing.jpg: no such" in err
    assert "2 of 3 inputs failed" in err


def test_compare_takes_grey_against_colour_and_turned_files(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    grey = small.mean(axis=2).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    save(folder / "grey.png", grey)
    save(folder / "colour.png", np.repeat(grey[..., None], 3, axis=2))
    save(folder / "turned.jpg", np.rot90(grey), quality=100, exif=exif)
    status, out, _ = run(capsys, "compare", "colour.png", "grey.png", "turned.jpg", "--no-map", "--json")
    assert status == 0
    first, second = (json.loads(line) for line in out.splitlines())
    assert first["mse"] == 0
    assert second["psnr_db"] > 45


def test_compare_writes_a_page(folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "a.png", small)
    save(folder / "<b>.jpg", small, quality=50)
    words = ["compare", "a.png", "<b>.jpg", "--html", "page.html", "--focus", "0,0,40,40", "--map-kind", "none"]
    assert run(capsys, *words)[0] == 0
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;.jpg" in page and "<b>.jpg" not in page and "data:image/jpeg;base64," in page
    assert run(capsys, *words)[0] == 5
    assert run(capsys, *words, "--overwrite")[0] == 0
    status, _, err = run(capsys, "compare", "a.png", "<b>.jpg", "--no-map", "--html", "a.png", "--overwrite")
    assert status == 5 and "never replaced" in err


# --- demo --------------------------------------------------------------------------------------


def test_demo_writes_everything_and_only_over_its_own(
    folder: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder / "mine.png", photo)
    status, out, err = run(capsys, "demo", "trial", "--image", "mine.png")
    assert (status, err) == (0, "")
    made = {path.name for path in (folder / "trial").iterdir()}
    assert made == {
        "original.png", "plain.jpg", "msroi.jpg", "map.png", "heat.png", "overlay.png", "index.html", "scores.txt",
        "scores.json",
    }  # fmt: skip
    assert "plain.jpg" in out and "msroi.jpg" in out and "index.html" in out
    assert np.array_equal(load(folder / "trial" / "original.png"), photo)
    sizes = {load(folder / "trial" / name).shape[:2] for name in made if name.endswith(("png", "jpg"))}
    assert sizes == {(256, 384)}
    record = json.loads((folder / "trial" / "scores.json").read_text())
    plain, ours = record["scores"]
    assert ours["input_bytes"] <= plain["input_bytes"] == (folder / "trial" / "plain.jpg").stat().st_size
    page = (folder / "trial" / "index.html").read_text(encoding="utf-8")
    assert page.startswith("<!") and not re.search(r'(src|href)="http', page)

    assert run(capsys, "demo", "trial", "--image", "mine.png", "--quiet") == (0, "", "")
    (folder / "trial" / "scores.json").write_text("{}")
    status, out, err = run(capsys, "demo", "trial", "--image", "mine.png")
    assert (status, out) == (5, "") and one_line(err) and "--overwrite" in err


def test_demo_has_a_photo_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "demo", "--json", "--quality", 30)
    assert status == 0
    record = json.loads(out)
    assert record["output"] == "msroi-demo" and record["report"]["quality"] == 30
    assert (folder / "msroi-demo" / "index.html").is_file()


def test_demo_photo_has_the_pixels_of_scikit_image() -> None:
    from skimage.data import astronaut

    with Image.open(PHOTO) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), astronaut())


WITHOUT_EXTRAS = """
import sys
for name in ("skimage", "scipy", "matplotlib", "networkx", "keras", "onnx"):
    sys.modules[name] = None
from msroi.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run_without_extras(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", WITHOUT_EXTRAS, *words], capture_output=True, text=True)


def test_what_extras_bring_is_not_needed_for_the_main_jobs(folder: Path, photo: np.ndarray) -> None:
    Image.fromarray(photo).save("photo.png")
    for words in (
        ("demo", "--quality", "30"), ("compress", "photo.png"), ("map", "photo.png", "--heat"),
        ("compare", "photo.png", "photo.msroi.jpg", "--html", "page.html"), ("info",),
    ):  # fmt: skip
        done = run_without_extras(*words)
        assert done.returncode == 0, done.stderr


def test_benchmark_without_its_extra_says_so_before_it_measures(folder: Path, photo: np.ndarray) -> None:
    Image.fromarray(photo).save("photo.png")
    done = run_without_extras("benchmark", "photo.png", "-d", "out", "--encoders", "pillow")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "scipy" in done.stderr and extras.install_command("benchmark") in done.stderr
    assert not (folder / "out").exists()


def test_demo_never_replaces_the_photo(folder: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    before = save(folder / "original.png", photo).read_bytes()
    status, _, err = run(capsys, "demo", ".", "--image", "original.png", "--overwrite")
    assert status == 5 and "never replaced" in err
    assert [path.name for path in folder.iterdir()] == ["original.png"]
    assert (folder / "original.png").read_bytes() == before


# --- info --------------------------------------------------------------------------------------


def test_info_names_versions_and_networks(capsys: pytest.CaptureFixture[str]) -> None:
    import msroi
    from msroi.saliency import network_facts

    status, out, _ = run(capsys, "info")
    assert status == 0
    assert re.search(rf"^msroi +{re.escape(msroi.__version__)}$", out, re.MULTILINE)
    assert re.search(rf"^numpy +{re.escape(np.__version__)}$", out, re.MULTILINE)
    record = json.loads(run(capsys, "info", "--json")[1])
    assert record["packages"]["numpy"] == np.__version__
    for network in network_facts():
        assert network["sha256"] in out
        assert network["sha256"] in [one["sha256"] for one in record["networks"]]


def test_info_of_a_jpeg(folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "a.jpg", small, quality=83, progressive=True, subsampling="4:2:2", comment=b"hello")
    status, out, _ = run(capsys, "info", "a.jpg")
    assert status == 0
    for words in ("progressive", "144 x 96", "4:2:2", "83", "COM 5 hello", "quantisation table 1"):
        assert words in out, words
    record = json.loads(run(capsys, "info", "a.jpg", "--json")[1])
    assert (record["format"], record["width"], record["height"]) == ("JPEG", 144, 96)
    assert record["estimated_quality"] == 83 and record["quality_is_exact"] is True
    assert [len(table["steps"]) for table in record["quantisation_tables"]] == [64, 64]


def test_info_of_other_files(folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "a.png", small)
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "c.txt").write_text("words")
    status, out, err = run(capsys, "info", "a.png", "b.jpg", "c.txt", "--json")
    assert status == 3
    records = [json.loads(line) for line in out.splitlines()]
    assert records[0]["format"] == "PNG" and (records[0]["width"], records[0]["height"]) == (144, 96)
    assert [record["input"] for record in records] == ["a.png", "b.jpg", "c.txt"]
    assert len(err.splitlines()) == 3 and "2 of 3 inputs failed" in err


def test_all_verbs_speak_the_words_of_the_page_on_json(
    folder: Path, small: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    """`docs/json.md` lists the names and in which verbs they stand; these are the verbs that need no Keras."""
    save(folder / "a.png", small)
    save(folder / "b.jpg", small, quality=40)
    page = (Path(__file__).parents[1] / "docs" / "json.md").read_text(encoding="utf-8")
    where = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            names, verbs, _ = line.strip("| ").split(" | ")
            where |= dict.fromkeys(re.findall(r"`(\w+)`", names), verbs)
    runs = {
        "compress": ["compress", "a.png", "-o", "c.jpg", "--match", "quality", *FAST],
        "map": ["map", "a.png", "-o", "m.png", *FAST],
        "compare": ["compare", "a.png", "b.jpg", "--focus", "10%,10%,50%,50%", *FAST],
        "info": ["info", "b.jpg"],
        "demo": ["demo", "-d", "trial", "--image", "a.png"],
        "benchmark": ["benchmark", "b.jpg", "-d", "out", "--encoders", "pillow", "--qualities", "50"],
    }
    for verb, words in runs.items():
        status, out, _ = run(capsys, *words, "--json")
        record = json.loads(out)
        assert (status, record["schema"], record["verb"], record["status"]) == (0, 1, verb, "done")
        expected = {name for name, verbs in where.items() if re.search(rf"\b({verb}|all)\b", verbs)}
        assert expected - {"reason"} <= set(record), f"{verb} lacks {expected - set(record)}"
        outdated = {"file", "bytes", "n_bytes", "source_bytes", "folder", "files", "weights", "map_identity", "photo"}
        assert not outdated & set(record)


# --- bad files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["compress", "map", "info"])
def test_no_damaged_file_gets_past_one_line(
    verb: str, folder: Path, shared_data: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = shared_data("robust", "damaged")
    place = ["-d", "out"] if verb != "info" else []
    kind = FAST if verb != "info" else []
    status, out, err = run(capsys, verb, damaged, "--json", "--limit-megapixels", 20, *place, *kind)
    assert status == 3
    records = [json.loads(line) for line in out.splitlines()]
    lines = err.splitlines()
    failed = [record for record in records if "error" in record]
    assert len(lines) == len(failed) + 1 and lines[-1] == f"msroi: {len(failed)} of {len(records)} inputs failed"
    assert not any("should not happen" in line for line in lines)
    assert all(line.startswith(f"msroi: {record['input']}: ") for line, record in zip(lines, failed, strict=False))
    n_files = len(list((folder / "out").rglob("*.*"))) if place else len(records) - len(failed)
    assert n_files == len(records) - len(failed)


def test_a_missing_file_is_named_as_it_was_given(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    status, out, _ = run(capsys, "compress", "a: b.jpg", "--json")
    assert status == 3
    assert json.loads(out)["input"] == "a: b.jpg"


def test_pictures_beside_any_name_of_a_jpeg(
    capsys: pytest.CaptureFixture[str], folder: Path, small: np.ndarray
) -> None:
    save(folder / "a.png", small)
    status, _, _ = run(capsys, "compress", "a.png", "--save-map", "-o", "g.JPG")
    assert status == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "g.JPG", "g.map.png"]


def test_baseline_counts_for_the_original_too(
    capsys: pytest.CaptureFixture[str], folder: Path, small: np.ndarray
) -> None:
    save(folder / "a.jpg", small, quality=50, progressive=True)
    status, _, _ = run(capsys, "compress", "a.jpg", "--quality", 97, "--baseline", "-o", "b.jpg", *FAST)
    assert status == 0
    with Image.open(folder / "b.jpg") as image:
        assert "progressive" not in image.info
