"""The pages that verbs write and open: names without folders, the first sentence, --open, -d."""

from __future__ import annotations

import html
import json
import webbrowser
from pathlib import Path

import numpy as np
import pytest
from benchmark_made import make_benchmark
from browser import Browser, Document
from PIL import Image

from msroi.benchmark.page import write_page
from msroi.cli import main
from msroi.cli.pages import short_names


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, with a blank in its name, in a folder that nobody is to know."""
    place = tmp_path / "secret place" / "my photos"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    return place


def save(path: Path, pixels: np.ndarray, quality: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=quality)
    return path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


class Shelf:
    """Stands where the system's browsers stand, and notes what it is to open."""

    def __init__(self, opens: bool = True) -> None:
        self.opens = opens
        self.opened: list[str] = []

    def open(self, url: str) -> bool:
        self.opened.append(url)
        return self.opens


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    found = Shelf()
    monkeypatch.setattr(webbrowser, "get", lambda: found)
    return found


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["/a/b/photo.png", "/a/b/ours.jpg"], ["photo.png", "ours.jpg"]),
        (
            ["x/photo.jpg", "/z/plain/photo.jpg", "/z/ours/photo.jpg"],
            ["x/photo.jpg", "plain/photo.jpg", "ours/photo.jpg"],
        ),
        (["photo.jpg", "ours/photo.jpg"], ["photo.jpg", "ours/photo.jpg"]),
        (["/a/1/x/p.jpg", "/a/2/x/p.jpg", "q.jpg"], ["1/x/p.jpg", "2/x/p.jpg", "q.jpg"]),
        (["a.jpg", "a.jpg"], ["a.jpg", "a.jpg"]),
        (["standard input", "/"], ["standard input", "/"]),
    ],
)
def test_names_are_short_and_tell_apart(names: list[str], expected: list[str]) -> None:
    assert short_names(names) == expected


def test_compare_page_knows_no_folder(folder: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    reference = save(folder / "a.png", photo[:100, :150])
    ours, tiff = save(folder / "b.jpg", photo[:100, :150]), save(folder / "c.tif", photo[:100, :150])
    own_map = save(folder / "eyes.png", photo[:100, :150, 0])
    page = folder / "page.html"
    assert run(capsys, "compare", reference, ours, tiff, "--map", own_map, "--html", page)[0] == 0
    text = page.read_text(encoding="utf-8")
    assert Document(text).text["title"] == ["Compared with a.png"]
    assert "c.tif: no browser opens every TIFF" in text and "the map eyes.png" in text
    assert "secret" not in text and "my photos" not in text
    assert run(capsys, "compare", reference, ours, "--html", page, "--overwrite")[0] == 0
    assert "secret" not in page.read_text(encoding="utf-8")


def test_demo_page_knows_no_folder(folder: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "demo", "-d", folder / "trial", "--image", save(folder / "mine.jpg", photo))[0] == 0
    text = (folder / "trial" / "index.html").read_text(encoding="utf-8")
    assert Document(text).text["title"] == ["msroi demo: mine.jpg"]
    assert "secret" not in text and "my photos" not in text
    assert "secret" not in (folder / "trial" / "scores.txt").read_text(encoding="utf-8")


def test_benchmark_page_knows_no_folder(folder: Path) -> None:
    made = make_benchmark(folder / "out")
    run_facts = json.loads((made / "run.json").read_text(encoding="utf-8"))
    run_facts["command"] = (
        f"msroi benchmark '{folder}/photos' -d /elsewhere/out --against 'x=/opt/x/enc {{input}} {{output}}'"
    )
    run_facts["settings"]["masks"] = str(folder / "masks")
    for entry in run_facts["images"]:
        entry["path"] = str(folder / "photos" / "gone.png")
    (folder / "photos").mkdir()
    (folder / "photos" / "gone.png").write_bytes(b"no picture")
    (made / "run.json").write_text(json.dumps(run_facts), encoding="utf-8")
    text = write_page(made).read_text(encoding="utf-8")
    assert "msroi benchmark photos -d out --against 'x=enc {input} {output}'" in html.unescape(text)
    assert "gone.png: " in text and "<bdi>masks</bdi>" in text
    for word in ("secret", "my photos", "elsewhere", "/opt/x"):
        assert word not in text


# --- the demo's first sentence -------------------------------------------------------------------


def test_demo_opens_on_the_face_and_says_why(
    folder: Path, browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "demo")[0] == 0
    page = (folder / "msroi-demo" / "index.html").read_text(encoding="utf-8")
    plain, ours = ((folder / "msroi-demo" / name).stat().st_size for name in ("plain.jpg", "msroi.jpg"))
    (lead,) = [words for words in Document(page).text["p"] if "on disk" in words]
    assert lead.startswith(f"Same size on disk (plain JPEG {plain:,} bytes, ours {ours:,}): look at the eyes")
    assert "% less error there" in lead
    browser.resize(1280, 900)
    browser.open(page, tmp_path)
    assert browser.run("return document.getElementById('tag-zoom').textContent") == "200 %"
    # Both eyes are in view, the divider between them.
    layers, stage, divider = (browser.box(name) for name in ("layers", "stage", "divider"))
    left, right = (layers["left"] + 2 * x for x in (203, 244))
    assert stage["left"] < left < divider["left"] < right < stage["right"]
    assert stage["top"] < layers["top"] + 2 * 102 < stage["bottom"]
    assert browser.errors() == []


def test_demo_of_a_photo_opens_where_ours_is_better(
    folder: Path, photo: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "demo", "--image", save(folder / "mine.png", photo))[0] == 0
    page = Document((folder / "msroi-demo" / "index.html").read_text(encoding="utf-8"))
    (viewer,) = (attributes for attributes in page.all("section") if attributes.get("id") == "viewer")
    x, y = int(float(viewer["data-look-x"] or -1)), int(float(viewer["data-look-y"] or -1))
    around = np.s_[max(0, y - 16) : y + 16, max(0, x - 16) : x + 16]
    errors = []
    for name in ("plain.jpg", "msroi.jpg"):
        with Image.open(folder / "msroi-demo" / name) as picture:
            errors.append(np.square(np.asarray(picture)[around].astype(float) - photo[around]).mean())
    assert errors[1] < 0.9 * errors[0]
    assert any("look at the middle of this view" in words for words in page.text["p"])


def test_demo_says_nothing_that_is_not_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "black.png", np.zeros((64, 64, 3), np.uint8))
    status, out, _ = run(capsys, "demo", "--image", "black.png")
    assert status == 0 and "nan" not in out
    page = Document((folder / "msroi-demo" / "index.html").read_text(encoding="utf-8"))
    assert any("hard to tell apart" in words for words in page.text["p"])


def test_demo_takes_one_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "demo", "one", "-d", "two")
    assert (status, out) == (2, "") and err.count("\n") == 1 and "leave one out" in err
    assert list(folder.iterdir()) == []


# --- --open --------------------------------------------------------------------------------------


def test_pages_are_opened(folder: Path, photo: np.ndarray, shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    save(folder / "a b.png", photo[:64, :64])
    assert run(capsys, "demo", "--image", "a b.png", "--open")[0] == 0
    words = ["compare", "a b.png", "a b.png", "--no-map", "--html", "page #1.html", "--open"]
    assert run(capsys, *words)[0] == 0
    places = [folder / "msroi-demo" / "index.html", folder / "page #1.html"]
    assert shelf.opened == [place.resolve().as_uri() for place in places]


@pytest.mark.parametrize("trouble", ["none", "refuses", "terminal"])
def test_where_there_is_no_browser_the_path_is_told(
    folder: Path, photo: np.ndarray, trouble: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent() -> None:
        raise webbrowser.Error("could not locate runnable browser")

    found = {"none": absent, "refuses": lambda: Shelf(False), "terminal": lambda: webbrowser.GenericBrowser("false")}
    monkeypatch.setattr(webbrowser, "get", found[trouble])
    monkeypatch.delenv("BROWSER", raising=False)
    save(folder / "a.png", photo[:64, :64])
    status, out, err = run(capsys, "compare", "a.png", "a.png", "--no-map", "--html", "page.html", "--open", "--json")
    assert status == 0 and json.loads(out)["identical"] is True
    assert err == f"msroi: no browser found; open {(folder / 'page.html').resolve()} in one\n"


def test_open_wants_a_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "compare", "a.png", "b.png", "--open")
    assert status == 2 and "--html PAGE" in err
