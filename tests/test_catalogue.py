"""The one table of scores: a line of it is found wherever scores are shown, and costs an earlier run nothing else."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from guide import added, block, tables_written
from PIL import Image

import msroi
from msroi import cli
from msroi.benchmark import rows, summary
from msroi.benchmark.run import Request, run
from msroi.metrics import METRICS, Metric, Scores, mse, psnr_db, score
from msroi.report import Candidate, comparison_page

QUALITIES = (20, 40, 60, 75, 90)


@pytest.fixture
def gmsd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Metric]:
    """CONTRIBUTING's metric, which has no weighted form, added to the table as a program of one's own adds it."""
    added("METRICS[", "guided_metric", tmp_path, monkeypatch)
    assert tables_written(block("METRICS[")) == ["METRICS"]
    yield METRICS["gmsd"]
    del METRICS["gmsd"]


@pytest.fixture
def files(tmp_path: Path, photo: np.ndarray) -> list[str]:
    """A picture and two files of it, of which the second is nearer."""
    folder = tmp_path / "files"
    folder.mkdir()
    names = [str(folder / name) for name in ("photo.png", "poor.jpg", "good.jpg")]
    Image.fromarray(photo).save(names[0])
    for name, quality in zip(names[1:], (20, 90), strict=True):
        Image.fromarray(photo).save(name, quality=quality)
    return names


@pytest.fixture
def pictures(tmp_path: Path, photo: np.ndarray) -> list[tuple[Path, Path]]:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, part in (("a.png", photo[:96, :128]), ("b.png", photo[96:192, :128])):
        Image.fromarray(part).save(folder / name)
    return [(path, path.relative_to(folder)) for path in sorted(folder.iterdir())]


def test_a_metric_of_the_guide_is_found_by_compare(
    gmsd: Metric, files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert cli.main(["compare", *files, "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    assert cli.main(["compare", *files, "--json"]) == 0
    poor, good = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert poor["gmsd"] > 2 * good["gmsd"] > 0 and "weighted_gmsd" not in poor and poor["weighted_ssim"] < 1
    assert poor["gmsd"] == msroi.compare(*files[:2]).gmsd
    assert re.search(r"MS-SSIM +GMSD", printed) and f"{poor['gmsd']:.4f}" in printed and "wGMSD" not in printed
    # One row of the page, in which the second is marked as the better.
    (row,) = re.findall(r'<tr><th scope="row">GMSD.*?</tr>', page.read_text("utf-8"), flags=re.S)
    assert f"<td>{poor['gmsd']:.4f}</td>" in row and f'<td class="best">{good["gmsd"]:.4f}' in row


def test_a_metric_of_the_guide_is_found_by_the_benchmark(
    gmsd: Metric, pictures: list[tuple[Path, Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["--encoders", "pillow", "rdo-constant", "--no-ssimulacra2", "--threads", "1", "--qualities"]
    assert cli.main(["benchmark", str(pictures[0][0].parent), "-d", str(out), *words, *map(str, QUALITIES)]) == 0
    printed = capsys.readouterr().out
    made = [row for row in rows.read_rows(out / rows.FILE) if row["status"] == rows.OK]
    assert len(made) == 20 and all(0 < row["gmsd"] < 0.3 for row in made)
    found = json.loads((out / "summary.json").read_text())
    assert all("gmsd" in mean for mean in found["means"])
    (entry,) = [
        c for c in found["comparisons"] if (c["metric"], c["encoder"], c["target"]) == ("gmsd", "rdo-constant", "Q40")
    ]
    assert entry["mean_difference"] < 0 and entry["wins"] == 2
    (rate,) = [b for b in found["bd_rates"] if (b["metric"], b["encoder"]) == ("gmsd", "rdo-constant")]
    assert rate["mean_percent"] < 0
    assert "GMSD" in printed.split("BD-rate")[0] and "GMSD" in printed.split("BD-rate")[1]
    page = (out / "index.html").read_text("utf-8")
    for part in ("verdict", "bd-rates", "means", "curves"):
        section = page[page.index(f'id="{part}"') :].split("</section>")[0]
        assert "GMSD" in section, part
    assert '"key":"gmsd","label":"GMSD"' in page


def test_a_new_column_is_made_alone(
    pictures: list[tuple[Path, Path]], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Files and times of the earlier run stay; the scores that it had stay; the new one is that of a whole run."""
    out = tmp_path / "out"

    def made() -> dict[tuple[str, str, str], rows.Row]:
        run(Request(pictures, out, ("pillow", "webp"), (40, 80), ssimulacra2=False))
        return {rows.key_of(row): row for row in rows.read_rows(out / rows.FILE)}

    before = made()
    stamps = {key: (out / row["file"]).stat().st_mtime_ns for key, row in before.items()}
    request.getfixturevalue("gmsd")
    after = made()
    assert stamps == {key: (out / row["file"]).stat().st_mtime_ns for key, row in after.items()}
    assert {key: {c: v for c, v in row.items() if c != "gmsd"} for key, row in after.items()} == before
    with Image.open(out / after["a", "Q40", "webp"]["file"]) as image:
        pixels = np.asarray(image.convert("RGB"))
    with Image.open(pictures[0][0]) as image:
        expected = score(np.asarray(image), pixels).gmsd
    assert after["a", "Q40", "webp"]["gmsd"] == pytest.approx(expected, abs=1e-6)
    assert {mean["target"] for mean in summary.write_summary(out)["means"] if "gmsd" in mean} == {"Q40", "Q80"}


@pytest.mark.parametrize("kill", [False, True], ids=["column", "killed while it was made"])
def test_scores_that_an_earlier_run_lacks_are_made(
    kill: bool, pictures: list[tuple[Path, Path]], tmp_path: Path
) -> None:
    """A column that rows.csv has not, and cells that a killed run had not come to."""
    out = tmp_path / "out"
    request = Request(pictures, out, ("pillow",), (50,), ssimulacra2=False)
    run(request)
    whole = rows.read_rows(out / rows.FILE)
    with (out / rows.FILE).open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    for line in cells:
        if kill:
            line["psnr_hvs_m"] = rows.PENDING
        else:
            del line["psnr_hvs_m"]
    with (out / rows.FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, cells[0])
        writer.writeheader()
        writer.writerows(cells)
    assert {rows.pending(row) for row in rows.read_rows(out / rows.FILE)} == {("psnr_hvs_m",)}
    run(request)
    assert rows.read_rows(out / rows.FILE) == whole


def test_a_file_that_no_longer_decodes_is_a_failed_row(
    gmsd: Metric, pictures: list[tuple[Path, Path]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    del METRICS["gmsd"]
    run(Request(pictures[:1], out, ("pillow",), (50,), ssimulacra2=False))
    (row,) = rows.read_rows(out / rows.FILE)
    (out / row["file"]).write_bytes(b"\0" * row["bytes"])
    METRICS["gmsd"] = gmsd
    run(Request(pictures[:1], out, ("pillow",), (50,), ssimulacra2=False))
    (row,) = rows.read_rows(out / rows.FILE)
    assert row["status"] == rows.FAILED and row["message"] and row["gmsd"] is None
    run(Request(pictures[:1], out, ("pillow",), (50,), ssimulacra2=False))
    assert rows.read_rows(out / rows.FILE)[0]["status"] == rows.OK


def test_a_metric_without_weighted_form_has_no_weighted_row(photo: np.ndarray, gmsd: Metric) -> None:
    weights = np.ones(photo.shape[:2], np.float32)
    scores = score(photo, np.ascontiguousarray(photo[:, ::-1]), weights)
    page = comparison_page("t", photo, [Candidate("c", _jpeg(photo), 9, scores)], weights)
    assert page.count('<th scope="row">GMSD') == 1 and page.count('<th scope="row">SSIM') == 2
    assert scores.weighted_ssim is not None and not hasattr(scores, "weighted_gmsd")


def _jpeg(photo: np.ndarray) -> bytes:
    return msroi.compress(photo, quality=30, method="plain").data


def test_lines_of_the_table_are_whole() -> None:
    assert all(key == metric.key for key, metric in METRICS.items())
    for metric in METRICS.values():
        assert (metric.label and not metric.repeats) or metric.repeats in METRICS
        assert metric.higher_is_better or not metric.saturates
        assert (metric.module == "") == (metric.install == "")
    names = [name for m in METRICS.values() for name in (m.name, m.weighted_name)]
    assert len(set(names)) == len(names)
    with pytest.raises(dataclasses.FrozenInstanceError):
        METRICS["mse"].digits = 3  # type: ignore[misc]


def test_scores_are_the_functions_of_their_names(photo: np.ndarray) -> None:
    other = photo // 2 * 2
    scores = score(photo, other)
    assert isinstance(scores, Scores) and scores.mse == mse(photo, other) and scores.psnr_db == psnr_db(photo, other)
    assert scores == score(photo, other) and hash(scores) == hash(score(photo, other))
    with pytest.raises(AttributeError, match="no score 'psnr'; there are mse, psnr_db, ssim, ms_ssim"):
        scores.psnr  # noqa: B018
    with pytest.raises(dataclasses.FrozenInstanceError):
        scores.mse = 0


def test_a_metric_whose_package_is_absent_is_left_out(
    gmsd: Metric, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = dataclasses.replace(gmsd, module="no_such_package", install="pip install no-such-package")
    monkeypatch.setitem(METRICS, "gmsd", absent)
    assert absent.missing() == "not installed: pip install no-such-package"
    assert "gmsd" not in msroi.compare(*files[:2]).as_dict()


def test_small_pictures_lack_what_needs_blocks(photo: np.ndarray) -> None:
    from msroi.metrics import Pair
    from msroi.metrics.catalogue import measured

    small = measured(Pair(photo[:7, :9], photo[1:8, :9]), [METRICS["psnr_hvs_m"], METRICS["psnr"]])
    assert small["psnr_hvs_m"] is None and small["psnr"] is not None
