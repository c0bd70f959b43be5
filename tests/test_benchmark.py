"""The benchmark: encoders matched alike, rows that a kill cannot spoil, statistics against their definitions."""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from guide import added, block, tables_written
from PIL import Image
from skimage import data as samples

from msroi import cli, metrics
from msroi.benchmark import inputs, rows, statistics, summary
from msroi.benchmark.encoders import DEFAULT_ENCODERS, ENCODERS
from msroi.benchmark.measuring import Measuring, Plan, Task
from msroi.benchmark.peers.command import CommandEncoder
from msroi.benchmark.peers.jpegli import Jpegli
from msroi.benchmark.peers.mozjpeg import MozJpeg
from msroi.benchmark.run import Request, run
from msroi.benchmark.subject import Subject
from msroi.benchmark.targets import Files, Target, reach
from msroi.codecs.jpeg import plain
from msroi.errors import MsroiError, OptionError, SaliencyError, TargetError
from msroi.images import Limits, read
from msroi.metrics import METRICS
from msroi.metrics.psnr_hvs_m import _MASKING, _SENSITIVITY, psnr_hvs_m
from msroi.metrics.similarity import worst
from msroi.search.session import Session

ROOT = Path(__file__).parents[1]
# Fast encoders of which one follows a map.
FEW = ("pillow", "two-pass", "rdo")
# All scores but the slowest.
FAST = tuple(metric for metric in METRICS.values() if not metric.module)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, photo: np.ndarray) -> Path:
    """Three small photos, one of them grey and of odd sides, and a file that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(photo[40:136, 60:188]).save(folder / "astronaut.png")
    Image.fromarray(samples.coffee()[100:180, 200:312]).save(folder / "coffee.png")
    Image.fromarray(samples.camera()[60:141, 200:307]).save(folder / "grey.png")
    (folder / "torn.jpg").write_bytes((b"\xff\xd8\xff\xe0" + b"no picture") * 5)
    return folder


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    folder = tmp_path_factory.mktemp("masks")
    for path in sorted(pictures.glob("*.png")):
        with Image.open(path) as image:
            mask = np.zeros(image.size[::-1], np.uint8)
        mask[20:60, 30:90] = 255
        Image.fromarray(mask).save(folder / path.name)
    return folder


def found(folder: Path, pattern: str = "*") -> list[tuple[Path, Path]]:
    return [(path, path.relative_to(folder)) for path in sorted(folder.glob(pattern))]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, pictures: Path, masks: Path) -> Path:
    """A finished run at five rates, with masks."""
    out = tmp_path_factory.mktemp("finished") / "out"
    encoders = (*FEW, "rdo-masks")
    rates = (1.0, 1.5, 2.0, 3.0, 4.0)
    run(Request(found(pictures), out, encoders, bpp=rates, masks=masks, ssimulacra2=False, threads=2))
    return out


def finished_rows(out: Path) -> dict[tuple[str, str, str], rows.Row]:
    """Those with a file."""
    return {rows.key_of(row): row for row in rows.read_rows(out / rows.FILE) if row["status"] == rows.OK}


def without_times(row: rows.Row) -> dict[str, Any]:
    return {column: value for column, value in row.items() if column not in rows.TIMES}


# --- the run ----------------------------------------------------------------------------------------


def test_rows_are_whole(finished: Path) -> None:
    found_rows = rows.read_rows(finished / rows.FILE)
    assert len(found_rows) == 3 * 5 * 4 + 1
    for row in found_rows[:-1]:
        assert row["status"] == rows.OK
        data = (finished / row["file"]).read_bytes()
        assert len(data) == row["bytes"] <= row["target_bytes"]
        assert row["target_bytes"] == int(float(row["target"].removesuffix("bpp")) * row["width"] * row["height"] / 8)
        assert row["size_difference_percent"] == round(100 * (row["bytes"] / row["target_bytes"] - 1), 6)
        original = _original(finished, row)
        decoded = plain.decode(data)
        assert row["psnr"] == round(metrics.psnr_db(original, decoded), 6)
        similarity = metrics.ssim_map(original, decoded)
        assert row["ssim"] == pytest.approx(similarity.mean(), abs=1e-6)
        assert row["worst_ssim"] <= row["ssim"] and row["si_ssim"] is not None
        inside = np.zeros(original.shape[:2], bool)
        inside[20:60, 30:90] = True
        assert row["ssim_inside"] == pytest.approx(similarity[inside].mean(), abs=1e-6)
        assert row["psnr_outside"] == pytest.approx(metrics.psnr_db(original, decoded, ~inside), abs=1e-6)
        assert row["psnr_weighted"] is None and row["ssimulacra2"] is None
    assert found_rows[-1]["image"] == "torn" and found_rows[-1]["status"] == rows.UNREADABLE
    assert "torn.jpg" in found_rows[-1]["message"]
    order = [(row["image"], row["target"], row["encoder"]) for row in found_rows[:-1]]
    assert order == list(
        itertools.product(
            ("astronaut", "coffee", "grey"), ("1bpp", "1.5bpp", "2bpp", "3bpp", "4bpp"), (*FEW, "rdo-masks")
        )
    )


def _original(out: Path, row: rows.Row) -> np.ndarray:
    facts = json.loads((out / "run.json").read_text())
    (path,) = [image["path"] for image in facts["images"] if image["name"] == row["image"]]
    return np.asarray(read(path).upright)


def test_the_folder_holds_what_is_promised(finished: Path) -> None:
    assert {"rows.csv", "run.json", "summary.json", "index.html", "files", "maps", "masks"} <= {
        path.name for path in finished.iterdir()
    }
    with Image.open(finished / "maps" / "grey.png") as image:
        assert image.mode == "L" and image.size == (107, 81)
    with Image.open(finished / "masks" / "coffee.png") as image:
        assert np.asarray(image)[30, 50] == 255


def test_the_summary_says_what_the_rows_say(finished: Path) -> None:
    result = json.loads((finished / "summary.json").read_text())
    own = [row for row in rows.read_rows(finished / rows.FILE) if row["status"] == rows.OK]

    def values(target: str, encoder: str, metric: str) -> np.ndarray:
        return np.array([row[metric] for row in own if (row["target"], row["encoder"]) == (target, encoder)])

    (mean,) = [m for m in result["means"] if (m["target"], m["encoder"]) == ("2bpp", "rdo")]
    assert mean["n"] == 3 and mean["psnr"] == pytest.approx(values("2bpp", "rdo", "psnr").mean(), abs=1e-6)
    names = {"target": "2bpp", "metric": "mse", "encoder": "rdo", "against": "pillow"}
    (entry,) = [c for c in result["comparisons"] if names.items() <= c.items()]
    differences = values("2bpp", "rdo", "mse") - values("2bpp", "pillow", "mse")
    assert entry["mean_difference"] == pytest.approx(differences.mean(), abs=1e-5)
    assert entry["low"] <= entry["mean_difference"] <= entry["high"]
    # Less error is a win, and the worst picture is the one that gained the least.
    assert entry["wins"] == int((differences < 0).sum()) and entry["losses"] == int((differences > 0).sum())
    assert entry["worst"][0]["difference"] == pytest.approx(differences.max(), abs=1e-5)
    assert {(b["encoder"], b["against"]) for b in result["bd_rates"]} >= {("rdo", "pillow"), ("two-pass", "rdo")}
    assert result["unreadable"][0]["image"] == "torn" and result["n_images"] == 3
    assert result["made"]["weights"].startswith("human masks") and result["anova"] == []
    (correlation,) = result["correlations"]
    assert correlation["n"] == len(own) and 0.5 < correlation["srocc"] <= 1
    assert summary.write_summary(finished) == result


def test_rdo_beats_plain_and_its_own_bytes_are_those_of_compress(finished: Path) -> None:
    import msroi

    result = json.loads((finished / "summary.json").read_text())
    for entry in result["bd_rates"]:
        if (entry["encoder"], entry["against"], entry["metric"]) == ("rdo", "pillow", "ssim"):
            assert entry["mean_percent"] < -3 and entry["n"] == 3
    (row,) = [r for r in rows.read_rows(finished / rows.FILE) if rows.key_of(r) == ("coffee", "2bpp", "rdo")]
    original = _original(finished, row)
    mark = len(msroi.compress(original, bpp=2.0).data) - row["bytes"]
    assert abs(mark) < 0.02 * row["bytes"]  # the whole file holds our mark as well


def test_the_same_rows_every_time(tmp_path: Path, pictures: Path) -> None:
    made = []
    for threads in (1, 3):
        out = tmp_path / str(threads)
        run(Request(found(pictures, "c*.png"), out, FEW, qualities=(30, 80), ssimulacra2=False, threads=threads))
        made.append([without_times(row) for row in rows.read_rows(out / rows.FILE)])
    assert made[0] == made[1] and len(made[0]) == 6
    plain_rows = [row for row in made[0] if row["encoder"] == "pillow"]
    assert all(row["bytes"] == row["target_bytes"] for row in plain_rows)
    assert [row["settings"] for row in plain_rows] == ["quality=30 4:2:0 baseline", "quality=80 4:2:0 baseline"]


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, pictures: Path) -> None:
    out = tmp_path / "out"
    words = ["benchmark", str(pictures), "-d", str(out), "--encoders", *FEW, "--no-ssimulacra2", "--threads", "1"]
    command = [sys.executable, "-m", "msroi", *words, "--quiet"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(finished_rows(out)) < 8 and time.monotonic() < deadline:
        time.sleep(0.005)
    workers = _children(process.pid)
    process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()
    before = finished_rows(out)
    assert 8 <= len(before) < 36
    with (out / rows.FILE).open("a") as file:
        file.write("coffee,112,80,Q30,cut off in the mi")
    assert subprocess.run(command, env=environment).returncode == 1  # torn.jpg
    after = finished_rows(out)
    assert len(after) == 36
    # Their times are the first run's: nothing was made again.
    assert all(after[key] == row for key, row in before.items())
    whole = tmp_path / "whole"
    run(Request(found(pictures), whole, FEW, ssimulacra2=False))
    expected = {key: without_times(row) for key, row in finished_rows(whole).items()}
    assert {key: without_times(row) for key, row in after.items()} == expected
    assert not [worker for worker in workers if _is_running(worker)]


def _children(pid: int) -> list[int]:
    """Of a process, where the system tells."""
    place = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in place.read_text().split()] if place.exists() else []


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_only_what_changed_is_made_again(tmp_path: Path, photo: np.ndarray) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name, part in (("a", photo[:64, :64]), ("b", photo[64:128, :64])):
        Image.fromarray(part).save(folder / f"{name}.png")

    def made_again(encoders: tuple[str, ...]) -> set[tuple[str, str]]:
        before = {rows.key_of(row): row["file"] for row in rows.read_rows(out / rows.FILE)}
        stamps = {key: (out / file).stat().st_mtime_ns for key, file in before.items()}
        run(Request(found(folder), out, encoders, qualities=(50,), ssimulacra2=False))
        now = {rows.key_of(row): (out / row["file"]).stat().st_mtime_ns for row in rows.read_rows(out / rows.FILE)}
        return {(key[0], key[2]) for key, stamp in now.items() if stamps.get(key) != stamp}

    assert made_again(("pillow",)) == {("a", "pillow"), ("b", "pillow")}
    assert made_again(("pillow", "webp")) == {("a", "webp"), ("b", "webp")}
    Image.fromarray(photo[:64, 64:128]).save(folder / "a.png")
    assert made_again(("pillow", "webp")) == {("a", "pillow"), ("a", "webp")}
    (out / "files" / "webp" / "b.Q50.webp").write_bytes(b"short")
    assert made_again(("pillow", "webp")) == {("b", "webp")}


# --- encoders and targets ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(ENCODERS))
@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
def test_every_encoder_makes_the_largest_file_that_fits(name: str, grey: bool, photo: np.ndarray) -> None:
    encoder = ENCODERS[name]
    if encoder.missing():
        pytest.skip(encoder.missing())
    pixels = np.ascontiguousarray(photo[20:151, 60:257, 0] if grey else photo[20:151, 60:257])
    subject = Subject(read(pixels), mask=inputs.centred(131, 197))
    target = Target(quality=50)
    files = Files(encoder.begin(subject), 0.0)
    made = reach(encoder, files, target, "size", pixels)
    budget = target.budget(pixels)
    assert 0.8 * budget <= len(made.match.data) <= budget and made.seconds > 0
    decoded = encoder.decode(made.match.data)
    assert decoded.dtype == np.uint8 and decoded.shape[:2] == (131, 197)
    like = decoded if decoded.ndim == pixels.ndim else decoded[..., 0]
    assert metrics.psnr_db(pixels, np.ascontiguousarray(like)) > 24
    assert encoder.version() and "=" in encoder.describe(made.match.setting, made.match.data)
    facts = encoder.facts(made.match.data)
    assert (facts["width"], facts["height"]) == (197, 131)
    with pytest.raises(MsroiError, match="at most 196 a side"):
        encoder.decode(made.match.data, Limits(max_side=196))
    with pytest.raises(TargetError, match=r"its smallest file has \d+ bytes, the budget is 30"):
        reach(encoder, files, Target(bpp=30 * 8 / pixels.shape[0] / pixels.shape[1]), "size", pixels)


def test_files_are_made_once_for_all_targets(photo: np.ndarray) -> None:
    pixels = photo[:96, :96]
    coder = ENCODERS["webp"].begin(Subject(read(pixels)))
    asked: list[float] = []

    class Counting(Session):
        knob = coder.knob

        def encode(self, setting: float) -> bytes:
            asked.append(setting)
            data: bytes = coder.encode(setting)
            return data

    files = Files(Counting(), 0.0)
    n_probes = sum(
        reach(ENCODERS["webp"], files, Target(quality=quality), "size", pixels).match.n_probes
        for quality in (40, 50, 60, 70)
    )
    assert len(asked) == len(set(asked)) < n_probes


def test_equal_quality_in_fewer_bytes(tmp_path: Path, pictures: Path) -> None:
    result = run(
        Request(found(pictures, "astro*"), tmp_path / "out", ("pillow", "rdo-constant"), (50,), matching="quality")
    )
    own = {row["encoder"]: row for row in rows.read_rows(tmp_path / "out" / rows.FILE)}
    assert own["rdo-constant"]["bytes"] < 0.95 * own["pillow"]["bytes"]
    assert own["rdo-constant"]["psnr"] >= own["pillow"]["psnr"] and own["rdo-constant"]["ssim"] >= own["pillow"]["ssim"]
    (entry,) = [c for c in result["comparisons"] if c["metric"] == "bytes"]
    assert entry["wins"] == 1 and entry["mean_difference"] < 0


def test_quality_numbers_where_there_are(photo: np.ndarray) -> None:
    subject = Subject(read(photo[:64, :64]))
    webp, rdo = (ENCODERS[name] for name in ("webp", "rdo-constant"))
    made = reach(webp, Files(webp.begin(subject), 0.0), Target(quality=37), "number", subject.pixels)
    assert made.match.setting == 37
    with pytest.raises(TargetError, match="no scale of quality numbers"):
        reach(rdo, Files(rdo.begin(subject), 0.0), Target(quality=37), "number", subject.pixels)


def test_absent_encoders_are_rows(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MozJpeg, "module", "no_such_module")
    monkeypatch.setattr(Jpegli, "_module", staticmethod(lambda: ""))
    names = ("pillow", "mozjpeg", "jpegli", "rdo-masks")
    result = run(Request(found(pictures, "c*.png"), tmp_path / "out", names, qualities=(50,), ssimulacra2=False))
    status = {row["encoder"]: row["status"] for row in rows.read_rows(tmp_path / "out" / rows.FILE)}
    assert status == {"pillow": "ok", "mozjpeg": "absent", "jpegli": "absent", "rdo-masks": "absent"}
    install = {encoder["name"]: encoder["install"] for encoder in result["encoders"]}
    assert 'pip install "pyvips[binary]"' in install["mozjpeg"] and "pip install ajpegli" in install["jpegli"]
    assert "--masks" in install["rdo-masks"] and install["pillow"] == ""
    assert {entry["encoder"] for entry in result["statuses"]} == {"mozjpeg", "jpegli", "rdo-masks"}


def test_the_encoder_of_the_contributing_guide(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a module of one's own it is in the rows, the summary, the tables and the page, with what it says of itself."""
    assert len(block("ENCODERS[").splitlines()) < 40 and tables_written(block("ENCODERS[")) == ["ENCODERS"]
    monkeypatch.setitem(ENCODERS, "tiff-jpeg", None)  # gone again after the test
    added("ENCODERS[", "guided_encoder", tmp_path, monkeypatch)
    if ENCODERS["tiff-jpeg"].missing():
        pytest.skip(ENCODERS["tiff-jpeg"].missing())
    out = tmp_path / "out"
    words = ["-d", str(out), "--encoders", "pillow", "tiff-jpeg", "--bpp", "3", "4", "--threads", "1"]
    assert cli.main(["benchmark", str(pictures / "coffee.png"), *words, "--no-ssimulacra2"]) == 0
    assert "tiff-jpeg" in capsys.readouterr().out
    row = rows.read_rows(out / rows.FILE)[1]
    assert row.ok and row.settings.startswith("quality=") and row["psnr"] > 30 and row.file.endswith(".tif")
    result = json.loads((out / "summary.json").read_text())
    assert ("tiff-jpeg", "pillow") in {(c["encoder"], c["against"]) for c in result["comparisons"]}
    page = (out / "index.html").read_text("utf-8")
    assert page.count('<span class="note">JPEG in another container</span>') >= 2
    assert '<button type="button" class="button series" data-encoder="tiff-jpeg"' in page


def test_encoders_have_faces_of_their_own() -> None:
    """What each is stands beside its name, and no two lines of a chart look alike."""
    faces = [encoder.face for encoder in ENCODERS.values()]
    assert all(face.meaning for face in faces)
    assert all(encoder.face.meaning.startswith("ours") == encoder.ours for encoder in ENCODERS.values())
    drawn = [(face.colour, face.dash, face.marker) for face in faces if face.colour is not None]
    assert len(set(drawn)) == len(drawn) >= 14
    assert all(
        ENCODERS[name].face.colour is not None for name in (*DEFAULT_ENCODERS, "recurrent", "recurrent-constant")
    )


def test_an_encoder_that_raises_anything_is_a_row(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: MozJpeg, *what: object) -> None:
        raise ZeroDivisionError("by\nnothing")

    monkeypatch.setattr(MozJpeg, "start", fail)
    (entry,), _ = inputs.survey(found(pictures, "c*.png"))
    plan = Plan(tmp_path, {"coffee": entry}, {"Q50": Target(quality=50)}, (), "size", FAST)
    (row,) = Measuring(plan)(Task("coffee", "mozjpeg", ("Q50",)))
    assert row["status"] == "failed" and row["message"] == "ZeroDivisionError: by nothing"


# --- command lines ----------------------------------------------------------------------------------

SAVE = "import sys; from PIL import Image; Image.open(sys.argv[1]).save(sys.argv[2], quality=int(sys.argv[3]))"


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A program that codes: IN OUT Q."""
    script = tmp_path / "a coder.py"
    script.write_text(SAVE)
    return f"'{sys.executable}' '{script}'"


def test_command_lines_beside_the_others(tmp_path: Path, pictures: Path, program: str) -> None:
    against = (
        f"mine={program} {{input}} {{output.webp}} {{q:60:90}}",
        f"broken='{sys.executable}' -c 'raise SystemExit(\"no such luck\")' {{input}} {{output}} {{q}}",
        f"empty='{sys.executable}' -c pass {{input}} {{output}}",
        "gone=no-such-program {input} {output}",
    )
    out = tmp_path / "out"
    run(Request(found(pictures, "c*.png"), out, ("webp",), bpp=(4,), against=against, ssimulacra2=False))
    own = {row["encoder"]: row for row in rows.read_rows(out / rows.FILE)}
    assert own["mine"]["status"] == "ok" and re.fullmatch(r"q=\d\d", own["mine"]["settings"])
    assert own["mine"]["file"].endswith("coffee.4bpp.webp") and own["mine"]["psnr"] > 30
    assert own["broken"]["status"] == "failed" and own["broken"]["message"].endswith("status 1: no such luck")
    assert own["empty"]["status"] == "failed" and "wrote no output.jpg" in own["empty"]["message"]
    assert own["gone"]["status"] == "absent" and "no-such-program" in own["gone"]["message"]


def test_a_decoder_of_its_own(tmp_path: Path, photo: np.ndarray, program: str) -> None:
    subject = Subject(read(photo[:64, :80]))
    encoder = CommandEncoder(
        f"both={program} {{input.bmp}} {{output.jpg}} 90 && {program} {{output.jpg}} {{decoded}} 1"
    )
    data = encoder.begin(subject).encode(None)
    assert np.array_equal(encoder.decode(data), plain.decode(plain.encode(subject.pixels, 90)))
    assert encoder.describe(None, data) == "" and not encoder.has_quality_numbers


def test_commands_know_their_scale() -> None:
    assert CommandEncoder("a=x {input} {output} {q}").has_quality_numbers
    upside_down = CommandEncoder("a=x {input} {output} {q:63:0}")
    assert upside_down.settings[0] == 63 and upside_down.settings[-1] == 0 and len(upside_down.settings) == 64
    for template in (
        "no equals sign",
        "rdo=x {input} {output}",
        "a/b=x {input} {output}",
        "a=x {input}",
        "a=x '{input} {output}",
        "a=x {input} {output} &&",
        "a=x {input} {output.a} {output.b}",
        "a=x {input.xyz} {output}",
        "a=x {input} {output} {q} {q:1:2}",
        "a=",
    ):
        with pytest.raises(OptionError, match="--against"):
            CommandEncoder(template)


# --- what is given ----------------------------------------------------------------------------------


def test_masks_that_do_not_fit_end_it_before_it_begins(tmp_path: Path, pictures: Path, masks: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    out = tmp_path / "out"
    for path in masks.iterdir():
        (wrong / path.name).write_bytes(path.read_bytes())
    Image.new("L", (10, 10)).save(wrong / "grey.png")
    with pytest.raises(SaliencyError, match=r"grey\.png: a mask of 10 x 10 pixels for a picture of 107 x 81"):
        run(Request(found(pictures), out, FEW, masks=wrong))
    (wrong / "grey.png").unlink()
    with pytest.raises(OptionError, match=r"no mask for grey\.png"):
        run(Request(found(pictures), out, FEW, masks=wrong))
    with pytest.raises(OptionError, match="no such folder"):
        run(Request(found(pictures), out, FEW, masks=tmp_path / "nowhere"))
    with pytest.raises(OptionError, match=r"no map for coffee\.png"):
        run(Request(found(pictures, "c*.png"), out, FEW, maps=tmp_path))
    fixations = tmp_path / "fixations.json"
    for content, message in (
        ("{", "cannot be read"),
        ("[]", "give"),
        ("{}", r"none for coffee\.png"),
        ('{"coffee.png": {"fixations": [[1, 2, 3]]}}', "no list of"),
        ('{"coffee.png": {"size": [112, 80], "fixations": [[500, 2]]}}', "none lies inside"),
    ):
        fixations.write_text(content)
        with pytest.raises((OptionError, SaliencyError), match=message):
            run(Request(found(pictures, "c*.png"), out, FEW, fixations=fixations))
    assert not out.exists()


def test_fixations_and_maps(tmp_path: Path, pictures: Path) -> None:
    """Fixations are in pixels of the size that their file names; a map of one value is no map."""
    fixations = tmp_path / "fixations.json"
    entry = {"size": [224, 160], "fixations": [[40.0, 120.0], [44, 118], [-3, 5]]}
    fixations.write_text(json.dumps({"coffee.png": entry}))
    maps = tmp_path / "maps"
    maps.mkdir()
    np.save(maps / "coffee.npy", np.full((4, 4), 0.5, np.float32))
    out = tmp_path / "out"
    result = run(
        Request(
            found(pictures, "c*.png"), out, ("rdo", "rdo-constant"), (50,), fixations=fixations, maps=maps,
            ssimulacra2=False,
        )
    )  # fmt: skip
    first, second = rows.read_rows(out / rows.FILE)
    assert (out / first["file"]).read_bytes() == (out / second["file"]).read_bytes()
    assert result["made"]["weights"] == "human fixations (fixations.json)"
    density = inputs.density([(20 / 112, 60 / 80), (22 / 112, 59 / 80)], 80, 112)
    assert np.unravel_index(density.argmax(), density.shape)[1] in (20, 21, 22)
    original, decoded = _original(out, first), plain.decode((out / first["file"]).read_bytes())
    assert first["psnr_weighted"] == pytest.approx(metrics.psnr_db(original, decoded, density), abs=1e-5)
    assert first["ssim_weighted"] == pytest.approx(metrics.ssim(original, decoded, density), abs=1e-5)
    assert first["si_ssim"] == pytest.approx(metrics.si_ssim(original, decoded, density), abs=1e-5)
    assert first["psnr_inside"] is None


def test_names_are_unique_and_plain() -> None:
    places = [Path("a/x.png"), Path("b/x.png"), Path("y.1.jpg"), Path("Ü z?.png"), Path("a_x_png.png")]
    names = inputs.unique_names(places)
    assert names == ["a_x_png", "b_x_png", "y_1", "Ü_z_", "a_x_png-2"]


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(OptionError, match="holds other things"):
        run(Request(found(pictures, "c*.png"), tmp_path, ("pillow",)))


def test_requests_that_make_no_sense(tmp_path: Path) -> None:
    for message, options in (
        ("not both", {"qualities": [50], "bpp": [1.0]}),
        ("qualities", {"qualities": [0]}),
        ("bpp", {"bpp": [math.nan]}),
        ("encoders", {"encoders": ["nonesuch"]}),
        ("protocol", {"protocol": "nonesuch"}),
        ("--qualities", {"bpp": [1.0], "matching": "number"}),
        ("two command lines", {"against": ["a=x {input} {output}", "a=y {input} {output}"]}),
    ):
        with pytest.raises(OptionError, match=message):
            Request([], tmp_path, **options)  # type: ignore[arg-type]
    assert set(DEFAULT_ENCODERS) - set(Request([], tmp_path).chosen) == {"rdo-masks"}


# --- scores and statistics --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "step", "expected"),
    # psnr_hvsm 0.3.0 (psnr_hvs_hvsm of luma / 255, whole blocks), November 2026.
    [("astronaut", 24, 33.3767263451706), ("coffee", 60, 24.299608434841623), ("camera", 12, 37.526093882317)],
)
def test_psnr_hvs_m_against_another_program(name: str, step: int, expected: float) -> None:
    pixels = np.ascontiguousarray(getattr(samples, name)()[60:200, 90:300])
    coarse = np.minimum(pixels.astype(int) // step * step + step // 2, 255).astype(np.uint8)
    assert psnr_hvs_m(pixels, coarse) == pytest.approx(expected, abs=1e-9)
    assert psnr_hvs_m(pixels, pixels) == math.inf


def test_psnr_hvs_m_against_its_definition() -> None:
    """Block by block and coefficient by coefficient, on odd sizes, flat blocks among them."""
    from scipy.fft import dctn

    generator = np.random.default_rng(1)
    first = generator.integers(0, 256, (21, 35), np.uint8)
    first[:8, :8] = 90
    second = np.clip(first + generator.normal(0, 30, first.shape), 0, 255).astype(np.uint8)

    def spread(values: np.ndarray) -> float:
        return float(np.var(values, ddof=1) * values.size)

    def masking(block: np.ndarray, coefficients: np.ndarray) -> float:
        energy = sum(coefficients[k, m] ** 2 * _MASKING[k, m] for k in range(8) for m in range(8) if (k, m) != (0, 0))
        parts = sum(spread(block[i : i + 4, j : j + 4]) for i in (0, 4) for j in (0, 4))
        return math.sqrt(energy * (parts / spread(block) if spread(block) else 0)) / 32

    total, count = 0.0, 0
    for top, left in itertools.product(range(0, 16, 8), range(0, 32, 8)):
        a, b = (p[top : top + 8, left : left + 8].astype(float) for p in (first, second))
        a_dct, b_dct = dctn(a, norm="ortho"), dctn(b, norm="ortho")
        mask = max(masking(a, a_dct), masking(b, b_dct))
        for k, m in itertools.product(range(8), range(8)):
            error = abs(a_dct[k, m] - b_dct[k, m])
            if (k, m) != (0, 0):
                error = max(0.0, error - mask / _MASKING[k, m])
            total += (error * _SENSITIVITY[k, m]) ** 2
            count += 1
    assert psnr_hvs_m(first, second) == pytest.approx(10 * math.log10(255**2 / (total / count)), abs=1e-9)
    with pytest.raises(ValueError, match="8 x 8"):
        psnr_hvs_m(first[:7], second[:7])


def test_worst_is_the_mean_of_the_lowest_values() -> None:
    similarity = np.random.default_rng(2).uniform(-1, 1, (37, 23))
    lowest = sorted(similarity.ravel())[: int(0.05 * similarity.size)]
    assert worst(similarity) == pytest.approx(np.mean(lowest))
    assert worst(np.array([[0.25]])) == 0.25


def test_bd_rate_of_curves_that_are_known() -> None:
    rates, scores = np.array([0.25, 0.5, 1.0, 2.0]), np.array([30.0, 33.0, 36.0, 39.0])
    # The same scores for a tenth more bytes everywhere.
    percent, low, high = statistics.bd_rate(1.1 * rates, scores, rates, scores) or (0, 0, 0)
    assert percent == pytest.approx(10) and (low, high) == pytest.approx((0.25, 2.0))
    # 3 dB for each doubling, which PCHIP draws as a straight line; half the rate for all scores from 33 to 39 that
    # both reach.
    percent, low, high = statistics.bd_rate(rates, scores + 3, rates, scores) or (0, 0, 0)
    assert percent == pytest.approx(-50) and (low, high) == pytest.approx((0.5, 2.0))
    # In any order; a point that is worse than a smaller one is left out.
    more_rates, more_scores = np.array([2.0, 0.7, 0.25, 1.0, 0.5]), np.array([39.0, 32.5, 30.0, 36.0, 33.0])
    result = statistics.bd_rate(more_rates, more_scores, rates, scores)
    assert result is not None and result[0] == pytest.approx(0, abs=1e-9)
    assert statistics.bd_rate(rates, scores + 20, rates, scores) is None
    assert statistics.bd_rate(rates[:3], scores[:3], rates, scores) is None


def test_bd_rate_against_an_integral_by_hand() -> None:
    """Curves that bend: the mean over scores of the difference of PCHIP's log rates, by the trapezium rule."""
    from scipy.interpolate import PchipInterpolator

    rates = [np.array([0.2, 0.5, 0.9, 1.6, 2.2]), np.array([0.25, 0.4, 0.8, 1.5])]
    scores = [np.array([28.0, 33.0, 35.0, 38.5, 39.0]), np.array([27.0, 31.0, 35.5, 38.0])]
    grid = np.linspace(28, 38, 200_001)
    logs = [PchipInterpolator(s, np.log(r))(grid) for r, s in zip(rates, scores, strict=True)]
    difference = logs[0] - logs[1]
    expected = 100 * (np.exp(np.mean((difference[1:] + difference[:-1]) / 2)) - 1)
    result = statistics.bd_rate(rates[0], scores[0], rates[1], scores[1])
    assert result is not None and result[0] == pytest.approx(expected, abs=1e-6)


def test_paired_test_against_all_signs() -> None:
    differences = np.array([0.9, -0.2, 1.7, 0.4, 2.2, -0.6, 1.1, 3.0])
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1
    observed = min(ranks[differences > 0].sum(), ranks[differences < 0].sum())
    sums = [sum(r for r, up in zip(ranks, signs, strict=True) if up) for signs in itertools.product((0, 1), repeat=8)]
    expected = sum(min(s, ranks.sum() - s) <= observed for s in sums) / len(sums)
    assert statistics.paired_test(differences) == pytest.approx(expected)
    assert statistics.paired_test(np.append(differences, [0.0, 0.0])) == pytest.approx(expected)
    assert statistics.paired_test([0.0, 0.0]) == 1


def test_bootstrap_interval() -> None:
    values = np.random.default_rng(3).normal(0.5, 1, 40)
    low, high = statistics.bootstrap_interval(values)
    assert (low, high) == statistics.bootstrap_interval(values)
    # Means of many resamples are nearly normal: 1.96 standard errors on both sides.
    error = values.std() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)
    assert statistics.bootstrap_interval([0.7]) == pytest.approx((0.7, 0.7))


def test_anova_against_its_definition() -> None:
    groups = [np.array([1.0, 2.0, 4.0]), np.array([2.0, 5.0, 6.0, 9.0]), np.array([7.0, 8.0])]
    whole = np.concatenate(groups)
    between = sum(len(g) * (g.mean() - whole.mean()) ** 2 for g in groups) / 2
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (len(whole) - 3)
    result = statistics.anova(groups)
    assert result is not None and result[0] == pytest.approx(between / within) and 0 < result[1] < 1
    assert statistics.anova([[1.0, 1.0], [2.0, 2.0]]) is None and statistics.anova([[1.0, 2.0]]) is None


def test_correlations_against_their_definitions() -> None:
    x = np.array([0.1, 0.4, 0.2, 0.9, 0.7])
    y = np.array([0.2, 0.3, 0.1, 0.8, 0.9])
    result = statistics.correlations(x, y)
    assert result is not None
    rank = [np.argsort(np.argsort(v)).astype(float) for v in (x, y)]
    assert result["srocc"] == pytest.approx(np.corrcoef(*rank)[0, 1])
    signs = [np.sign((x[i] - x[j]) * (y[i] - y[j])) for i, j in itertools.combinations(range(5), 2)]
    assert result["krocc"] == pytest.approx(np.mean(signs))
    assert result["plcc"] == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert result["rmse"] == pytest.approx(math.sqrt(np.mean((x - y) ** 2)))
    assert statistics.correlations(x, np.ones(5)) is None


def test_rows_survive_their_file(tmp_path: Path) -> None:
    row = rows.make_row(image='a "b", c', width=3, psnr=math.inf, ssim=0.12345678, message="two\nlines", status="ok")
    path = tmp_path / rows.FILE
    path.write_text(rows.to_text([row, row]) + rows.to_text([row], header=False)[:-9])
    first, second = rows.read_rows(path)
    assert first == second == row | {"ssim": 0.123457, "message": "two lines"}
    path.write_text(path.read_text().replace("0.123457", "many", 1))
    assert rows.read_rows(path) == [second]
    with pytest.raises(OptionError, match="line 2: ssim is 'many', not a number"):
        rows.read_rows(path, strict=True)
    path.write_text("other,columns\n1,2\n")
    assert rows.read_rows(path) == [] and rows.read_rows(tmp_path / "nowhere") == []
    assert rows.columns()[0] == "image" and rows.columns()[-1] == "file" and set(METRICS) < set(rows.columns())


# --- the command ------------------------------------------------------------------------------------


def test_the_paper_s_protocol(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = [str(pictures), "-d", str(out), "--protocol", "ms-roi-2018", "--no-ssimulacra2", "--threads", "2"]
    assert cli.main(["benchmark", *words]) == 1
    printed, errors = capsys.readouterr()
    assert "Table 1: single pictures, Q30" in printed and "Table 4: means" in printed and "q_final=" in printed
    assert "analysis of variance" in printed and str(out / "index.html") in printed
    assert "torn.jpg" in errors
    result = json.loads((out / "summary.json").read_text())
    assert [entry["target"] for entry in result["q_final"]] == ["Q30", "Q50", "Q70"]
    own = rows.read_rows(out / rows.FILE)
    groups = [
        [row["psnr"] for row in own if row["target"] == "Q50" and row["encoder"] == name]
        for name in ("pillow", "two-pass")
    ]
    expected = statistics.anova(groups)
    (entry,) = [a for a in result["anova"] if a["target"] == "Q50" and a["metric"] == "psnr"]
    assert expected is not None and entry["f"] == pytest.approx(expected[0], rel=1e-4)


def test_rates_and_json(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = ["--protocol", "rate-distortion", "--encoders", "pillow", "webp", "--no-ssimulacra2", "--json"]
    assert cli.main(["benchmark", str(pictures / "coffee.png"), "-d", str(out), "--threads", "1", *words]) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["targets"]) >= 10 and result["targets"][0] == "0.25bpp" and result["targets"][-1] == "1.5bpp"
    # So small a picture cannot be coded at the lowest rates, and its rows say how near it came.
    statuses = [row["status"] for row in rows.read_rows(out / rows.FILE)]
    assert "unreachable" in statuses and "ok" in statuses
    (status,) = [entry for entry in result["statuses"] if entry["encoder"] == "pillow"]
    assert "its smallest file has" in status["message"]
    assert result["made"]["command"].startswith("msroi benchmark ") and result["encoders"][0]["name"] == "pillow"


def test_masks_below_the_folder_are_no_pictures(
    tmp_path: Path, pictures: Path, masks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    for name, source in (("image", pictures), ("mask", masks)):
        (folder / name).mkdir(parents=True)
        for path in source.glob("*.png"):
            (folder / name / path.name).write_bytes(path.read_bytes())
    out = folder / "out"
    words = ["--masks", str(folder / "mask"), "--encoders", "pillow", "rdo-masks", "--qualities", "50"]
    words += ["--pictures", "2", "--no-ssimulacra2"]
    for _ in range(2):  # the second time with its own outputs in the folder
        assert cli.main(["benchmark", str(folder), "-d", str(out), *words]) == 0
        printed = capsys.readouterr().out
        assert "SSIM outside not worse" in printed and "human masks" in printed
        assert {row["image"] for row in rows.read_rows(out / rows.FILE)} == {"astronaut", "coffee"}


def test_wrong_usage_is_one_line(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["-d", str(tmp_path / "out")]
    for words, message, status in (
        ([str(pictures)], "required: -d/--directory", 2),
        ([str(tmp_path), *out], "no picture files", 3),
        ([str(pictures), *out, "--encoders", "nonesuch"], "invalid choice", 2),
        ([str(pictures), *out, "--qualities", "101"], "not a whole number", 2),
        ([str(pictures), *out, "--masks", str(tmp_path / "nowhere")], "no such folder", 2),
        ([str(pictures), *out, "--against", "rubbish"], "give 'NAME=command", 2),
        ([str(pictures / "torn.jpg"), *out], "torn.jpg", 3),
    ):
        assert cli.main(["benchmark", *words]) == status
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
