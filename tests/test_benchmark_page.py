"""The benchmark's page: read as HTML everywhere, and used in a real browser where one is installed."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark_made import COLUMNS, HOSTILE, IMAGES, TARGETS, make_benchmark, picture
from browser import Browser, Document, displays_in_print
from PIL import Image

from msroi.benchmark.encoders import ENCODERS, Encoder, Face
from msroi.benchmark.page import curves, make_page, write_page
from msroi.benchmark.page.curves import Style, styles_of
from msroi.benchmark.page.measures import and_join, measure_named, percent
from msroi.benchmark.page.results import FEWEST_IMAGES, Results, read_results
from msroi.benchmark.rows import Row
from msroi.errors import OptionError
from msroi.report.document import resource

HEAD = b"image,target,encoder,status,bytes,file\n"
RIGHT, END, TAB = "\ue014", "\ue010", "\ue004"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark's folder with its page."""
    out = make_benchmark(tmp_path_factory.mktemp("benchmark"))
    assert write_page(out) == out / "index.html"
    return out


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture(scope="module")
def page(made: Path) -> str:
    return (made / "index.html").read_text("utf-8")


@pytest.fixture(scope="module")
def results(made: Path) -> Results:
    return read_results(made)


def data_of(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.S)
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def pictures_of(page: str) -> list[bytes]:
    found = re.findall(r'<script type="text/plain" id="picture-\d+">data:image/\w+;base64,([^<]*)</script>', page)
    return [base64.b64decode(text) for text in found]


def change_rows(out: Path, change: Any) -> None:
    with (out / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        change(row)
    with (out / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), encoding="utf-8")


def row_of(results: Results, image: str, target: str, encoder: str) -> Row:
    found = results.row(image, target, encoder)
    assert found is not None
    return found


# --- the page as a document -----------------------------------------------------------------------


def test_page_is_well_formed(page: str) -> None:
    document = Document(page)
    assert page.startswith("<!doctype html>") and document.all("html")[0]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in document.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in document.tags:
        for reference in ("aria-labelledby", "aria-describedby", "for"):
            assert attributes.get(reference) is None or attributes[reference] in ids
    for link in document.all("a"):
        assert (link["href"] or "").removeprefix("#") in ids
    parts = [section.get("id") for section in document.all("section")]
    assert parts[0] == "verdict" and {"curves", "bd-rates", "images", "viewer", "rows", "encoders"} <= set(parts)


def test_page_is_accessible(page: str) -> None:
    """Tables have captions and headers, controls have names, what scrolls can be reached."""
    document = Document(page)
    assert len(document.all("caption")) == len(document.all("table"))
    for header in document.all("th"):
        assert header.get("scope") in ("row", "col", "colgroup")
    for attributes in (a for tag, a in document.tags if a.get("class") == "scroll"):
        assert attributes.get("tabindex") == "0" and (attributes.get("aria-label") or attributes.get("aria-labelledby"))
    for drawing in document.all("svg"):
        assert drawing.get("aria-hidden") == "true" or drawing.get("aria-label")
    labels = re.findall(r"<label[^>]*>((?:(?!</label>).)*)<select", page, flags=re.S)
    assert len(labels) == page.count("<select") > 3
    for label in labels:
        assert re.sub(r"<[^>]*>", "", label).strip(), f"a label without words: {label}"


def test_page_reaches_for_nothing_outside(page: str) -> None:
    document = Document(page)
    bare = re.sub(r"data:image/[^<\"]*", "", page)
    assert "http:" not in bare.replace("http://www.w3.org/2000/svg", "") and "https:" not in bare
    assert "@import" not in page and "url(" not in page
    for _, attributes in document.tags:
        for name in ("src", "href", "srcset", "action"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    policy = next(m["content"] for m in document.all("meta") if "http-equiv" in m)
    assert policy is not None and "default-src 'none'" in policy and "unsafe" not in policy


def test_names_and_messages_are_escaped(page: str) -> None:
    """An image, an encoder, a command and its message hold markup: none of it becomes markup."""
    document = Document(page)
    programs = [script for script in document.all("script") if "type" not in script]
    assert len(programs) == 1 and "<script>alert" not in page
    assert HOSTILE in data_of(page)["images"] and HOSTILE in data_of(page)["encoders"]
    assert any(HOSTILE in text for text in document.text["bdi"])


def test_same_input_same_page(made: Path, page: str) -> None:
    assert make_page(read_results(made)) == page


# --- figures --------------------------------------------------------------------------------------


def test_rows_in_the_page_are_the_rows(page: str, made: Path) -> None:
    data = data_of(page)
    keys = [measure["key"] for measure in data["measures"]]
    found = {(data["images"][r[0]], data["targets"][r[1]], data["encoders"][r[2]]): r for r in data["rows"]}
    n_checked = 0
    with (made / "rows.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["status"] in ("absent", "unreadable"):
                continue
            shown = found.pop((row["image"], row["target"], row["encoder"]))
            for key, value in zip(keys, shown[4:], strict=True):
                assert value == (float(row[key]) if row[key] else None)
                n_checked += 1
            assert bool(shown[3]) == (row["status"] != "ok")
    assert found == {} and n_checked > 1000


def test_verdict_says_what_the_rows_say(page: str, results: Results) -> None:
    """Mean difference, images won and lost of every cell of the first panel, from the rows again."""
    panel = page[page.index('<div class="panel" data-encoder="rdo" data-target="Q50">') :]
    panel = panel[: panel.index("</table>")]
    cells = re.findall(
        r'data-encoder="rdo" data-against="(\w+)" data-target="Q50" data-measure="(\w+)">.*?</span>(?=[+−0])([+−.\d]+)<'
        r".*?</svg>(\d+)\u2009:\u2009(\d+)<",
        panel,
    )
    assert len(cells) >= 4 * 11
    for against, key, mean, won, lost in cells:
        measure = measure_named(key)
        differences = [value for _, value in results.differences("rdo", against, "Q50", measure)]
        assert mean == measure.difference(float(np.mean(differences)))
        assert (int(won), int(lost)) == (sum(d > 0 for d in differences), sum(d < 0 for d in differences))


def test_losing_figures_are_shown(copied: Path) -> None:
    """Ours made worse than plain everywhere: the page says so, in words and in each cell."""
    summary = json.loads((copied / "summary.json").read_text())
    for entry in summary["comparisons"]:
        if entry["encoder"] == "rdo" and entry["against"] == "pillow":
            sign = 1 if entry["metric"] == "mse" else -1
            entry |= {"mean_difference": sign * 0.5, "low": sign * 0.6, "high": sign * 0.4, "wins": 0, "losses": 6}
    (copied / "summary.json").write_text(json.dumps(summary))
    found = make_page(read_results(copied))
    assert re.search(r"Against <bdi>pillow</bdi>: .{0,40}▼\u00a0worse</strong> in all \d+ measures", found)
    assert found.count('<td role="cell" class="worse">') >= 11 * len(TARGETS)


def test_few_images_give_no_verdict(results: Results) -> None:
    """The encoder that coded one image has an interval of no width: no win is claimed from it."""
    lone = [c for c in results.comparisons.values() if c.against == HOSTILE]
    assert lone and all(c.n < FEWEST_IMAGES and c.verdict == "unclear" for c in lone)


def test_encoder_that_followed_the_masks_is_not_praised_for_it(copied: Path) -> None:
    def rename(row: dict[str, str]) -> None:
        if row["encoder"] == "same":
            row["encoder"] = "rdo-masks"

    change_rows(copied, rename)
    path = copied / "summary.json"
    path.write_text(path.read_text("utf-8").replace('"same"', '"rdo-masks"'), encoding="utf-8")
    found = make_page(read_results(copied))
    assert "followed the very masks" in found
    (sentence,) = re.findall(r"<li>(Against [^:]*<bdi>rdo-masks</bdi>: .*?)</li>", found[: found.index("</ul>\n<div")])
    assert "inside" not in sentence and "outside" not in sentence


def test_an_encoder_is_shown_by_its_own_face(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meaning, colour and rank come from the encoder's class: nothing else of the page knows its name."""

    class Same(Encoder):
        name = "same"
        ours = True
        face = Face("ours: as any other <b>", 6, "dotted", "down", rank=9)

    assert styles_of(read_results(copied))["same"].marker != "down"
    monkeypatch.setitem(ENCODERS, "same", Same())
    found = read_results(copied)
    assert found.ours[0] == found.headline_encoder == "same"
    assert styles_of(found)["same"] == Style(6, "dotted", "down", ours=True)
    page = make_page(found)
    assert page.count('<span class="note">ours: as any other &lt;b&gt;</span>') > 2
    assert '<svg class="swatch c6 dotted ours"' in page


def test_what_is_missing_is_said(page: str) -> None:
    text = re.sub(r"<[^>]*>", "", page[: page.index('id="data"')])
    assert "Not measured, because absent: heic (pip install pillow-heif)" in text
    assert "1 image could not be read" in text and "broken.png: not an image" in text
    assert "5 unreachable" in text or "jpeg2000: unreachable" in text
    assert "lacks images: 5 failed of 6" in text
    assert "human fixations (a ramp)" in text and "never the weight of a headline" in text


def test_means_mark_the_best_of_equal_counts(page: str) -> None:
    """The encoder that coded one easy image has the best mean and no mark."""
    panel = page[page.index('<div class="panel" data-target="Q50">') :]
    lines = re.findall(
        r"<tr><th scope=\"row\"><bdi>(.*?)</bdi></th><td>(\d+)</td>(.*?)</tr>", panel.split("</table>")[0]
    )
    marked = {name: (int(n), "top-value" in cells) for name, n, cells in lines}
    assert any(best for _, best in marked.values())
    assert all(n == 6 for n, best in marked.values() if best)


def test_protocol_figures(page: str) -> None:
    text = re.sub(r"<[^>]*>", " ", page[page.index('id="protocol"') :].split("</section>")[0])
    assert "12.5" in text and "0.00031" in text and "52.25" in text and "SI-SSIM with SSIM" in text


def test_how_figures_are_written() -> None:
    psnr, mse = measure_named("psnr"), measure_named("mse")
    assert psnr.figure(33.456) == "33.46" and psnr.figure(float("inf")) == "∞" and psnr.figure(None) == "–"
    assert psnr.difference(-0.125) == "−0.12" and psnr.difference(0.001) == "0.00"
    assert psnr.difference(float("-inf")) == "−∞" and psnr.difference(float("nan")) == "–"
    assert psnr.gain(1.0) == 1 and mse.gain(1.0) == -1
    assert percent(-4.256) == "−4.3 %" and percent(None) == "–"
    assert [and_join(list("abc"[:n])) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_identical_pictures(copied: Path) -> None:
    """A PSNR of infinity is a figure, and no difference can be taken with it."""

    def perfect(row: dict[str, str]) -> None:
        if row["encoder"] == "rdo" and row["image"] == "first":
            row["psnr"], row["mse"] = "inf", "0"

    change_rows(copied, perfect)
    results = read_results(copied)
    assert len(results.differences("rdo", "pillow", "Q50", measure_named("psnr"))) == len(IMAGES) - 1
    data = data_of(make_page(results))
    place = 4 + [measure["key"] for measure in data["measures"]].index("psnr")
    assert "inf" in {row[place] for row in data["rows"]}


# --- curves ---------------------------------------------------------------------------------------


def test_curves_have_a_point_a_target(page: str, results: Results) -> None:
    charts = page[page.index('<div class="charts" data-kind="values">') :].split("</figure>")
    first = charts[0]
    assert "PSNR, dB against bits per pixel" in first
    for name in ("pillow", "rdo", "webp"):
        group = first[first.index(f'data-encoder="{name}"') :].split('<g class="series')[0]
        titles = re.findall(r"<title>(.*?)</title>", group)
        assert len(titles) == len(TARGETS)
        value = results.mean_figure(name, "Q50", "psnr")
        bpp = results.mean_figure(name, "Q50", "bpp")
        assert value is not None and bpp is not None
        assert f"{name} at Q50: {value:.2f} dB at {bpp:.3f} bits per pixel" in titles


def test_curve_of_fewer_images_is_hollow(page: str) -> None:
    """jpeg2000 missed Q30 on five of six images."""
    chart = page[page.index('<div class="charts" data-kind="values">') :].split("</figure>")[0]
    group = chart[chart.index('data-encoder="jpeg2000"') :].split('<g class="series')[0]
    assert re.findall(r'<g><path class="(\w+)"', group) == ["hollow", "mark", "mark", "mark"]


@pytest.mark.parametrize("values", [[0.0, 1.4], [33.1, 33.2], [0.9123, 0.9991], [-1e-5, 2e-5], [5.0], [-3.0, 250000.0]])
def test_axes_hold_their_values(values: list[float]) -> None:
    axis = curves._Axis.around(values, 300, 10, 5)
    assert axis.low <= min(values) and axis.high >= max(values)
    assert 2 <= len(axis.ticks) <= 8 and len({axis.label(tick) for tick in axis.ticks}) == len(axis.ticks)
    assert axis.at(axis.low) == 300 and axis.at(axis.high) == pytest.approx(10)
    for tick in axis.ticks:
        assert float(axis.label(tick).replace("−", "-")) == pytest.approx(tick, abs=1e-9 * abs(axis.high))


def test_one_target_has_no_curves(copied: Path) -> None:
    with (copied / "rows.csv").open(encoding="utf-8", newline="") as file:
        kept = [row for row in csv.DictReader(file) if row["target"] in ("Q50", "")]
    with (copied / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(kept)
    change_json(copied / "summary.json", targets=["Q50"], bd_rates=[], anova=[], q_final=[], correlations=[])
    found = make_page(read_results(copied))
    assert 'id="curves"' not in found and 'href="#curves"' not in found and 'id="bd-rates"' not in found
    assert 'id="verdict"' in found and 'id="protocol"' not in found


def simulated(colour: np.ndarray, matrix: list[list[float]]) -> np.ndarray:
    """Lab of an sRGB colour as seen with a colour deficiency. Matrices: Machado, Oliveira, Fernandes 2009."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(np.maximum(xyz / np.array([0.9505, 1.0, 1.089]), 1e-6))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_colours_stay_apart_for_colour_blind_readers() -> None:
    """Any two of the eight, in the light and in the dark: at least 20 apart in Lab; marks and dashes come on top."""
    deficiencies = {
        "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    }
    style = resource("msroi.benchmark.page", "page.css")
    values = re.findall(r"--c(\d): #(\w{6});", style)
    assert [int(place) for place, _ in values] == [*range(8), *range(8)]
    colours = [np.array([int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)]) for _, text in values]
    for theme in (colours[:8], colours[8:]):
        for name, matrix in deficiencies.items():
            seen = [simulated(colour, matrix) for colour in theme]
            for i in range(8):
                for j in range(i):
                    distance = float(np.linalg.norm(seen[i] - seen[j]))
                    assert distance > 20, f"c{j} and c{i}, {name}: {distance:.1f}"


def test_styles_differ(results: Results) -> None:
    styles = list(curves.styles_of(results).values())
    assert len({(style.colour, style.dash, style.marker) for style in styles}) == len(styles)


# --- pictures -------------------------------------------------------------------------------------


def test_pictures_are_the_coded_bytes(page: str, results: Results) -> None:
    data, pictures = data_of(page), pictures_of(page)
    assert "All 6 images at all 4 targets are in this page" in page
    for index, image in enumerate(IMAGES):
        album = data["albums"][image]
        reference = np.asarray(Image.open(io.BytesIO(pictures[album["reference"]])).convert("RGB"))
        np.testing.assert_array_equal(reference, picture(index))
        for target in TARGETS:
            for encoder, place in album["targets"][target].items():
                row = row_of(results, image, target, encoder)
                coded = (results.folder / row.file).read_bytes()
                if encoder == "jpeg2000":
                    shown, true = (Image.open(io.BytesIO(d)).convert("RGB") for d in (pictures[place], coded))
                    np.testing.assert_array_equal(np.asarray(shown), np.asarray(true))
                else:
                    assert pictures[place] == coded
        assert (album["map"] is None) == (album["mask"] is None) == (image == HOSTILE)


def test_limit_keeps_the_most_telling(made: Path, results: Results) -> None:
    """Under a limit the worst image of a headline comparison is in, and the page says what is."""
    page = make_page(results, max_megabytes=0.06)
    data = data_of(page)
    assert 0 < sum(map(len, pictures_of(page))) < 60_000
    worst = {
        results.differences("rdo", other, "Q50", measure_named("psnr_weighted"))[0][0]
        for other in ("pillow", "webp", "jpeg2000", "same")
    }
    assert next(iter(data["albums"])) in worst and 1 <= len(data["albums"]) < 6
    text = re.sub(r"<[^>]*>", "", page)
    assert f"{len(data['albums'])} of 6 images are in this page" in text and "of at most 0.06 MB" in text
    assert "5 worst and the 5 best of rdo against each of pillow" in text and "in PSNR weighted at Q50" in text


def test_no_pictures_when_none_are_wanted(results: Results) -> None:
    page = make_page(results, max_megabytes=0)
    assert pictures_of(page) == [] and "No picture is in this page" in page
    Document(page)


def test_missing_and_damaged_pictures_are_told(copied: Path) -> None:
    (copied / "references" / "0.png").unlink()
    (copied / "references" / "1.png").write_bytes(b"no picture")
    for path in (copied / "files" / "0").iterdir():
        if path.name.startswith("2."):
            path.write_bytes(b"\xff\xd8 damaged")
    shutil.rmtree(copied / "files" / "2")
    (copied / "maps" / "first.png").write_bytes(b"")
    page = make_page(read_results(copied))
    data = data_of(page)
    assert data["albums"]["first"]["reference"] is None and data["albums"]["first"]["map"] is None
    assert data["albums"]["second"]["reference"] is None
    assert "pillow" not in data["albums"]["third"]["targets"]["Q50"]
    assert "first: its original is not where the run read it" in page and "cannot be shown" in page


def test_files_elsewhere_are_not_read(copied: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    shutil.copy(copied / "files" / "0" / "0.Q50.jpg", secret)

    def lead_away(row: dict[str, str]) -> None:
        if row["encoder"] == "pillow":
            row["file"] = "../secret.jpg" if row["target"] == "Q50" else str(secret)

    change_rows(copied, lead_away)
    albums = data_of(make_page(read_results(copied)))["albums"]
    assert all("pillow" not in files for album in albums.values() for files in album["targets"].values())


def test_jpeg_originals_are_embedded_as_they_are(copied: Path) -> None:
    path = copied / "references" / "0.jpg"
    Image.fromarray(picture(0)).save(path, quality=97)
    run = json.loads((copied / "run.json").read_text("utf-8"))
    run["images"][0]["path"] = str(path)
    (copied / "run.json").write_text(json.dumps(run), encoding="utf-8")
    page = make_page(read_results(copied))
    shown = Image.open(io.BytesIO(pictures_of(page)[data_of(page)["albums"]["first"]["reference"]]))
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(Image.open(path)))
    assert shown.format == "JPEG"


# --- what goes in ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.csv", None, "no such file"),
        ("rows.csv", b"image,target\nfirst,Q50\n", "lacks the column encoder"),
        ("rows.csv", b"image,target,encoder,status,bytes,file\nfirst,Q50\n", "line 2: not as many fields"),
        (
            "rows.csv",
            b"image,target,encoder,status,bytes,file\nfirst,Q50,a,ok,many,f\n",
            "bytes is 'many', not a number",
        ),
        ("rows.csv", b'image,target,encoder,status,bytes,file\n"first', "cannot be read as CSV"),
        ("summary.json", b"{", "cannot be read as JSON"),
        ("summary.json", b"[]", "holds no JSON object"),
        ("run.json", None, "msroi benchmark FOLDER -d"),
    ],
)
def test_what_is_no_benchmark(copied: Path, name: str, content: bytes | None, message: str) -> None:
    if content is None:
        (copied / name).unlink()
    else:
        (copied / name).write_bytes(content)
    with pytest.raises(OptionError, match=message):
        write_page(copied)


def test_limit_is_checked(made: Path) -> None:
    for value in (-1, float("nan"), float("inf")):
        with pytest.raises(OptionError, match="max_megabytes"):
            write_page(made, max_megabytes=value)


def test_nothing_measured(copied: Path) -> None:
    """Every encode failed: a page all the same, which says so."""

    def fail(row: dict[str, str]) -> None:
        row |= dict.fromkeys(COLUMNS[COLUMNS.index("bytes") :], "") | {"status": "failed", "message": "no"}

    change_rows(copied, fail)
    change_json(copied / "summary.json", means=[], comparisons=[], bd_rates=[])
    page = make_page(read_results(copied))
    Document(page)
    assert "there is nothing to compare" in page and "Encodes without a result" in page
    assert "Made no file: <bdi>pillow</bdi> (failed in all 24 tries: no)" in page


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture
def opened(browser: Browser, made: Path) -> Iterator[Browser]:
    browser.resize(1200, 900)
    browser.call("POST", "/url", {"url": (made / "index.html").as_uri()})
    wait_for_pictures(browser)
    yield browser
    assert browser.errors() == []


def wait_for_pictures(browser: Browser) -> None:
    browser.run("await Promise.all([...document.images].filter(i => i.src).map(i => i.decode()))")


def choose(browser: Browser, element: str, value: str) -> None:
    browser.run(
        "const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('change'))",
        element,
        value,
    )
    wait_for_pictures(browser)


def text_of(browser: Browser, selector: str) -> str:
    return str(browser.run("return document.querySelector(arguments[0]).textContent", selector))


def table_rows(browser: Browser) -> list[list[str]]:
    found = browser.run(
        "return [...document.querySelectorAll('#rows-table tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
    )
    assert isinstance(found, list)
    return found


def divider(browser: Browser) -> int:
    return int(browser.run("return document.getElementById('grip').getAttribute('aria-valuenow')"))


def test_slider_moves(opened: Browser) -> None:
    opened.run("document.getElementById('stage').scrollIntoView({block: 'center'})")
    grip, shown = opened.box("grip"), opened.box("layers")
    y = grip["top"] + 22
    opened.drag((grip["left"] + 22, y), (shown["left"] + 0.8 * shown["width"], y))
    assert divider(opened) == pytest.approx(80, abs=1)
    opened.run("document.getElementById('grip').focus()")
    opened.press(RIGHT, RIGHT)
    assert divider(opened) == pytest.approx(82, abs=1)


def test_viewer_obeys_the_keyboard(opened: Browser) -> None:
    opened.run("document.getElementById('stage').focus()")
    image = opened.run("return document.getElementById('album').value")
    opened.press("n")
    assert opened.run("return document.getElementById('album').value") != image
    opened.press("p")
    assert opened.run("return document.getElementById('album').value") == image
    opened.press("t")
    assert opened.run("return document.getElementById('shot').value") == "Q70"
    opened.press("l")
    assert divider(opened) == 100
    opened.press("l", "r")
    assert divider(opened) == 0
    left = opened.run("return document.getElementById('left').value")
    opened.press("x")
    assert opened.run("return document.getElementById('right').value") == left
    opened.press("m")
    assert opened.run("return document.getElementById('layer-map').hidden") is False
    opened.press("m", "+")
    assert opened.run("return document.getElementById('layer-map').hidden") is True
    assert text_of(opened, "#tag-zoom") == "400 %"


def test_scores_under_the_viewer_are_those_of_the_rows(opened: Browser, results: Results) -> None:
    choose(opened, "album", "second")
    choose(opened, "shot", "Q30")
    choose(opened, "right", "jpeg2000")
    cells = opened.run(
        "return [...document.querySelectorAll('#shown-scores tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
    )
    row = row_of(results, "second", "Q30", "jpeg2000")
    assert cells[1][0] == "jpeg2000" and cells[1][1] == f"{row.figures['bytes']:,.0f}"
    assert measure_named("psnr").figure(row.figures["psnr"]) in cells[1]
    assert text_of(opened, "#tag-right") == f"jpeg2000, {row.figures['bytes']:,.0f} bytes"


def test_difference_is_amplified(opened: Browser, results: Results) -> None:
    """At 100 % a pixel of the screen is gain times |left - right|."""
    choose(opened, "album", "first")
    choose(opened, "left", "original")
    choose(opened, "right", "pillow")
    opened.run(
        "document.querySelector('[data-zoom=\"1\"]').click(); document.getElementById('mode-difference').click()"
    )
    choose(opened, "gain", "4")
    opened.run("document.getElementById('stage').scrollIntoView({block: 'center'})")
    box = opened.box("layers")
    top, left = round(box["top"]), round(box["left"])
    shown = opened.screenshot()[top + 40 : top + 55, left + 60 : left + 100].astype(int)
    coded = Image.open(results.folder / row_of(results, "first", "Q50", "pillow").file)
    expected = 4 * np.abs(np.asarray(coded).astype(int) - picture(0).astype(int))[40:55, 60:100]
    np.testing.assert_allclose(shown, np.minimum(expected, 255), atol=4)
    assert expected.max() > 20


def test_rows_sort_by_any_column(opened: Browser, results: Results) -> None:
    heads = opened.run("return document.querySelectorAll('#rows-table thead button').length")
    assert heads == 2 + len(data_of((results.folder / "index.html").read_text("utf-8"))["measures"])
    press = "document.querySelectorAll('#rows-table thead button')[arguments[0]].click()"
    for column in range(2, heads):
        opened.run(press, column)
        values = [row[column] for row in table_rows(opened) if len(row) == heads]
        numbers = [float(value.replace(",", "").replace("−", "-")) for value in values if value != "–"]
        assert numbers == sorted(numbers) and len(numbers) > 20
    opened.run(press, heads - 1)
    sorts = opened.run("return [...document.querySelectorAll('#rows-table th[aria-sort]')].map(t => t.ariaSort)")
    assert sorts[-1] == "descending" and set(sorts[:-1]) == {"none"}
    opened.run("document.querySelector('#rows-table thead button').focus()")
    opened.press("\ue007")
    assert opened.run("return document.activeElement.closest('th').ariaSort") == "ascending"


def test_rows_are_filtered(opened: Browser) -> None:
    assert {row[0] for row in table_rows(opened)} == set(IMAGES)
    choose(opened, "rows-encoder", "webp")
    assert {row[1] for row in table_rows(opened)} == {"webp"} and len(table_rows(opened)) == len(IMAGES)
    choose(opened, "rows-target", "all")
    assert len(table_rows(opened)) == len(IMAGES) * len(TARGETS)
    opened.run("const s = document.getElementById('rows-search'); s.value = 'FIF'; s.dispatchEvent(new Event('input'))")
    assert {row[0] for row in table_rows(opened)} == {"fifth"} and text_of(opened, "#rows-count") == "4 rows"


def test_rows_of_one_measure_have_a_column_an_encoder(opened: Browser, results: Results) -> None:
    choose(opened, "rows-view", "PSNR, dB")
    row = next(row for row in table_rows(opened) if row[0] == "third")
    figures = [row_of(results, "third", "Q50", name).figures["psnr"] for name in ("pillow", "rdo", "webp")]
    assert [value.removeprefix("best ") for value in row[2:5]] == [
        measure_named("psnr").figure(value) for value in figures
    ]
    assert sum(value.startswith("best ") for value in row[2:]) == 1


def test_verdict_opens_its_images(opened: Browser, results: Results) -> None:
    opened.run("document.querySelector('#verdict [data-target=\"Q70\"].button').click()")
    shown = opened.run(
        "return [...document.querySelectorAll('#verdict .panel')].filter(p => !p.hidden).map(p => p.dataset.target)"
    )
    assert shown == ["Q70"]
    opened.run("document.querySelector('#verdict .panel:not([hidden]) [data-against=webp][data-measure=ssim]').click()")
    worst = results.differences("rdo", "webp", "Q70", measure_named("ssim"))
    assert text_of(opened, "#comparison tbody th") == worst[0][0]
    assert text_of(opened, "#comparison tbody td") == measure_named("ssim").difference(worst[0][1])
    opened.run("document.querySelector('#comparison .look').click()")
    wait_for_pictures(opened)
    names = [opened.run(f"return document.getElementById('{n}').value") for n in ("album", "shot", "left", "right")]
    assert names == [worst[0][0], "Q70", "rdo", "webp"]


def test_legend_switches_encoders_off(opened: Browser) -> None:
    displays = (
        "return [...document.querySelectorAll('.charts[data-kind=values] g.series')]"
        ".filter(g => g.dataset.encoder === 'webp').map(g => getComputedStyle(g).display)"
    )
    assert set(opened.run(displays)) == {"inline"}
    opened.run("document.querySelector('.legend [data-encoder=webp]').click()")
    assert set(opened.run(displays)) == {"none"}
    opened.run("document.getElementById('all-series').click()")
    assert set(opened.run(displays)) == {"inline"}
    opened.run("document.querySelector('[data-curves=gaps]').click()")
    hidden = opened.run("return [...document.querySelectorAll('.charts')].map(c => c.hidden)")
    assert hidden == [True, False]


def test_everything_is_reached_with_the_tabulator(opened: Browser) -> None:
    opened.run("document.querySelector('h1').tabIndex = -1; document.querySelector('h1').focus()")
    reached = []
    for _ in range(16):
        opened.press(TAB)
        reached.append(opened.run("const e = document.activeElement; return e.id || e.className || e.tagName"))
    assert reached[0] == "A" and "verdict-encoder" in reached and "button" in reached


def test_narrow_screen_scrolls_down_only(browser: Browser, made: Path) -> None:
    browser.resize(400, 800, mobile=True)
    browser.call("POST", "/url", {"url": (made / "index.html").as_uri()})
    wait_for_pictures(browser)
    assert browser.run("return document.documentElement.scrollWidth") == 400
    assert browser.box("stage")["width"] > 330
    # Each figure of the verdict names its measure there, in letters that can be read.
    measure = "const m = document.querySelector('#verdict .panel:not([hidden]) .measure');"
    assert browser.run(f"{measure} return getComputedStyle(m).display") == "block"
    assert browser.run(f"{measure} return parseFloat(getComputedStyle(m).fontSize)") >= 11
    assert browser.errors() == []


def test_prints_without_controls(opened: Browser) -> None:
    displays = displays_in_print(opened, [".controls", "#viewer", ".contents", ".verdict", ".charts", "#rows-table"])
    assert displays[:3] == ["none"] * 3 and "none" not in displays[3:]
    assert base64.b64decode(opened.call("POST", "/print", {})).startswith(b"%PDF")
