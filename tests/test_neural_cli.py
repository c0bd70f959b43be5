"""`msroi neural` as a user meets it, on small pictures and with an untrained network; the evaluation's own figures."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neural_made import UNTRAINED
from PIL import Image, ImageCms, PngImagePlugin

from msroi import extras, metrics
from msroi.benchmark import rows
from msroi.benchmark.encoders import ENCODERS
from msroi.benchmark.peers.neural import Neural
from msroi.benchmark.protocols import wang_2019_study
from msroi.benchmark.protocols.wang_2019 import Iterations
from msroi.benchmark.run import Request
from msroi.cli import main
from msroi.codecs import neural
from msroi.codecs.neural import Rate, attached, container
from msroi.codecs.neural.coding import encode
from msroi.codecs.neural.registry import file_facts
from msroi.errors import BitstreamError, ImageError, OptionError, TargetError
from msroi.images import Limits, read
from msroi.saliency.sources import Sources

CODEC = "recurrent"
COMMAND = [sys.executable, "-m", "msroi", "neural"]
XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6" dc:title="Stra\xc3\x9fe"/></x:xmpmeta>'
# As if the extra were not installed.
WITHOUT_KERAS = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("constriction", "keras", "tensorflow"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import importlib.util
known = importlib.util.find_spec
gone = ("constriction", "keras")
importlib.util.find_spec = lambda name, package=None: None if name in gone else known(name, package)
from msroi.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an untrained network."""
    pytest.importorskip("keras", reason="needs the keras extra")
    path = tmp_path_factory.mktemp("network") / "network.npz"
    UNTRAINED[CODEC](path, 0)
    return path


@pytest.fixture
def small(photo: np.ndarray) -> np.ndarray:
    """uint8 (48, 80, 3) of a photo."""
    return np.ascontiguousarray(photo[80:128, 120:200])


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Status, standard output and standard error of one command in this process."""
    status = main(["neural", *(str(word) for word in words)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith("\n")


def save(pixels: np.ndarray, path: str = "photo.png", **options: Any) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return Path(path)


# --- there and back ------------------------------------------------------------------------------


def test_a_picture_goes_there_and_back(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = save(small).read_bytes()
    status, out, err = run(capsys, "encode", "photo.png", "--weights", weights, "--iterations", 2)
    assert (status, err) == (0, "")
    head, line = out.splitlines()
    coded = Path("photo.msn").read_bytes()
    assert head.split() == ["file", "before", "coded", "bpp", "iterations", "seconds"]
    name, before, n_bytes, bpp, level = line.split(";")[0].split()[:5]
    assert (name, before, n_bytes) == ("photo.png", f"{len(photo):,}", f"{len(coded):,}")
    assert abs(float(bpp) - 8 * len(coded) / (48 * 80)) < 1e-4 and level == "2.00"
    assert Path("photo.png").read_bytes() == photo

    status, out, err = run(capsys, "decode", "photo.msn", "--weights", weights)
    assert (status, err) == (0, "")
    assert out.startswith("photo.msn: photo.decoded.png, 80 x 48, ")
    assert np.array_equal(pixels_of(Path("photo.decoded.png")), neural.decompress(coded, weights))
    assert {path.name for path in folder.iterdir()} == {"photo.png", "photo.msn", "photo.decoded.png"}


def test_the_command_line_and_the_library_make_the_same_file(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(small)
    saliency = np.zeros((48, 80), np.float32)
    saliency[10:30, 20:50] = 1
    np.save("map.npy", saliency)
    status, _, _ = run(capsys, "encode", "photo.png", "--weights", weights, "--map", "map.npy", "--bpp", 1)
    assert status == 0
    made = neural.compress(small, bpp=1, saliency=saliency, weights=weights)
    assert Path("photo.msn").read_bytes() == made
    assert 0.5 * 480 < len(made) <= 480
    assert made != neural.compress(small, bpp=1, map_kind="none", weights=weights)


def test_a_box_and_a_map_of_zeros_steer(folder: Path, small: np.ndarray, weights: Path) -> None:
    codec = neural.load(CODEC, weights)
    made = encode(codec, read(small), Sources.of(map_kind="none", focus=[(0, 0, 16, 16)]), 3)
    levels = file_facts(made.data, weights)["levels"]
    assert max(levels) > 3 > min(levels) and made.saliency is not None
    even = encode(codec, read(small), Sources.of(map_kind="none"), 3)
    assert even.saliency is None and file_facts(even.data)["levels"] == {3: 15}


def test_json_and_several_inputs(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in/deep").mkdir(parents=True)
    save(small, "in/a.png")
    save(small[..., 0], "in/deep/b.png")
    words = ("--weights", weights, "--map-kind", "none", "--json")
    status, out, err = run(capsys, "encode", "in", "-d", "out", "--size", "300", *words)
    assert (status, err) == (0, "")
    first, second = (json.loads(line) for line in out.splitlines())
    assert (first["output"], second["output"]) == ("out/a.msn", "out/deep/b.msn")
    assert first["output_bytes"] == Path("out/a.msn").stat().st_size <= 300
    assert first["map"] is None and first["codec"] == CODEC and 1 <= first["iterations"] <= 24
    status, out, err = run(capsys, "decode", "out", "-d", "back", "--weights", weights, "--json")
    assert (status, err) == (0, "")
    assert [json.loads(line)["output"] for line in out.splitlines()] == [
        "back/a.decoded.png",
        "back/deep/b.decoded.png",
    ]
    assert pixels_of(Path("back/deep/b.decoded.png")).shape == (48, 80)
    status, out, _ = run(capsys, "encode", "in", "-d", "more", *words, "--quiet")
    assert status == 0


def test_standard_streams(
    folder: Path,
    small: np.ndarray,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    save(small)
    words = ["--weights", str(weights)]
    coded = subprocess.run(
        [*COMMAND, "encode", "-", "--iterations", "1", *words],
        input=Path("photo.png").read_bytes(),
        capture_output=True,
    )
    assert coded.returncode == 0, coded.stderr
    assert container.read_header(coded.stdout).width == 80
    assert len(coded.stderr.splitlines()) == 2  # the table, and nothing that a library prints
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(coded.stdout)))
    assert main(["neural", "decode", "-", *words]) == 0
    captured = capsysbinary.readouterr()
    with Image.open(io.BytesIO(captured.out)) as image:
        assert image.size == (80, 48)
        assert np.array_equal(np.asarray(image), neural.decompress(coded.stdout, weights))
    assert captured.err.startswith(b"standard input: standard output, 80 x 48")


def test_the_beginning_of_a_file_is_a_coarser_picture(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = neural.compress(small, iterations=4, map_kind="none", weights=weights)
    Path("part.msn").write_bytes(data[: len(data) * 2 // 3])
    status, out, err = run(capsys, "decode", "part.msn", "--weights", weights)
    assert (status, out) == (3, "") and one_line(err) and "preview" in err
    status, out, _ = run(capsys, "decode", "part.msn", "--preview", "-o", "p.png", "--weights", weights)
    assert status == 0 and "a preview: 3 of 5 sections" in out
    two = neural.compress(small, iterations=2, map_kind="none", weights=weights)
    assert np.array_equal(pixels_of(Path("p.png")), neural.decompress(two, weights))


# --- metadata ------------------------------------------------------------------------------------


def with_metadata(pixels: np.ndarray) -> tuple[Path, bytes]:
    """A PNG that is to be turned, with profile, EXIF and XMP; and the profile."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    profile = profile[:16] + b"RGB " + profile[20:]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return save(pixels, exif=exif.tobytes(), icc_profile=profile, pnginfo=chunks), profile


def test_metadata_travel_and_the_picture_is_turned_once(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, profile = with_metadata(small)
    status, _, _ = run(capsys, "encode", path, "--weights", weights, "--iterations", 1)
    assert status == 0
    data = Path("photo.msn").read_bytes()
    header, sections = container.read(data)
    assert (header.width, header.height) == (48, 80)
    kinds = [section.kind for section in sections]
    assert kinds == [container.ALLOCATION, container.ICC, container.CODES, container.EXIF, container.XMP]
    run(capsys, "decode", "photo.msn", "--weights", weights)
    with Image.open("photo.decoded.png") as image:
        assert image.size == (48, 80)
        assert image.info["icc_profile"] == profile
        assert (image.getexif()[0x0112], image.getexif()[0x010F]) == (1, "Maker")
        assert image.info["XML:com.adobe.xmp"] == XMP.decode().replace('"6"', '"1"')
    picture = read("photo.decoded.png")
    assert picture.orientation == 1
    assert np.array_equal(picture.upright, neural.decompress(data, weights))


def test_stripped_files_hold_the_profile_alone(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, profile = with_metadata(small)
    run(capsys, "encode", path, "--weights", weights, "--iterations", 1, "--strip", "-o", "a.msn")
    run(capsys, "encode", path, "--weights", weights, "--iterations", 1, "-o", "b.msn")
    kinds = [section.kind for section in container.read(Path("a.msn").read_bytes())[1]]
    assert kinds == [container.ALLOCATION, container.ICC, container.CODES]
    status, _, _ = run(capsys, "decode", "b.msn", "--strip", "--weights", weights)
    assert status == 0
    with Image.open("b.decoded.png") as image:
        assert image.info["icc_profile"] == profile and not dict(image.getexif())


def test_sizes_count_metadata(folder: Path, small: np.ndarray, weights: Path) -> None:
    path, _ = with_metadata(small)
    codec = neural.load(CODEC, weights)
    sections, _ = attached.carried(read(path).metadata)
    budget = attached.n_bytes(sections) + 400
    made = encode(codec, read(path), Sources.of(map_kind="none"), Rate(n_bytes=budget))
    assert 0.9 * budget < len(made.data) <= budget
    with pytest.raises(TargetError, match="the metadata alone take"):
        encode(codec, read(path), Sources.of(map_kind="none"), Rate(n_bytes=100))
    bare = codec.start(read(read(path).upright)).encode(1)
    assert len(attached.attach(bare, sections)) - len(bare) == attached.n_bytes(sections)


@pytest.mark.parametrize("suffix", list(attached.FORMATS))
@pytest.mark.parametrize("grey", [False, True])
def test_every_format_keeps_every_pixel(suffix: str, grey: bool, small: np.ndarray) -> None:
    pixels = small[..., 1] if grey else small
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x0112] = 6
    sections = [container.Section(container.EXIF, exif.tobytes()[6:]), container.Section(container.XMP, XMP)]
    known = attached.attached(sections)
    with Image.open(io.BytesIO(attached.picture_file(pixels, known, suffix))) as image:
        found = np.asarray(image if not grey or image.mode == "L" else image.convert("L"))
        assert np.array_equal(found, pixels)
        if suffix in (".png", ".webp"):
            assert (image.getexif()[0x010F], image.getexif()[0x0112]) == ("Maker", 1)
    with pytest.raises(OptionError, match="written as"):
        attached.picture_file(pixels, {}, ".jpg")


# --- info ----------------------------------------------------------------------------------------


def test_info_tells_sections_levels_and_whose_network_it_is(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.msn").write_bytes(neural.compress(small, iterations=2, map_kind="none", weights=weights))
    status, out, err = run(capsys, "info", "a.msn", "--weights", weights)
    assert (status, err) == (0, "")
    assert "80 x 48 pixels, colour" in out and ", ours" in out and "levels" in out and "codes" in out
    status, out, _ = run(capsys, "info", "a.msn", "--weights", weights, "--json")
    facts = json.loads(out)
    assert facts["levels"] == {"2": 15} and facts["iterations"] == 2 and facts["whole"] and facts["network_is_ours"]
    assert facts["network"] == neural.load(CODEC, weights).network_sha256[:32]
    assert [section["name"] for section in facts["sections"]] == ["allocation", "codes", "codes"]
    assert facts["input_bytes"] == Path("a.msn").stat().st_size

    assert main(["info", "a.msn"]) == 3
    assert "msroi neural info" in capsys.readouterr().err

    Path("b.msn").write_bytes(Path("a.msn").read_bytes()[:-1])
    status, out, _ = run(capsys, "info", "b.msn", "--json")
    facts = json.loads(out)
    assert status == 0 and not facts["whole"] and len(facts["sections"]) == 2
    other = folder / "other.npz"
    UNTRAINED[CODEC](other, 1)
    status, out, _ = run(capsys, "info", "a.msn", "--weights", other)
    assert status == 0 and "another than ours" in out


# --- what goes wrong -----------------------------------------------------------------------------


def test_what_is_no_file_of_ours_is_refused(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(small)
    for verb in ("decode", "info"):
        status, out, err = run(capsys, verb, "photo.png", "--weights", weights)
        assert (status, out) == (3, "") and one_line(err)
        assert "photo.png: no file of an msroi neural codec" in err


def test_truncated_and_damaged_files_are_refused(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = neural.compress(small, iterations=2, map_kind="none", weights=weights)
    damaged = bytearray(data)
    damaged[-10] ^= 4
    for content in (data[:20], data[:-1], data + b"\0", bytes(damaged)):
        Path("a.msn").write_bytes(content)
        status, out, err = run(capsys, "decode", "a.msn", "--weights", weights)
        assert (status, out) == (3, "") and one_line(err) and err.startswith("msroi: a.msn: ")
        assert not Path("a.decoded.png").exists()


def test_a_wrong_network_is_named_by_both_hashes(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = folder / "other.npz"
    UNTRAINED[CODEC](other, 1)
    Path("a.msn").write_bytes(neural.compress(small, iterations=1, map_kind="none", weights=weights))
    status, out, err = run(capsys, "decode", "a.msn", "--weights", other)
    assert (status, out) == (3, "") and one_line(err)
    for path in (weights, other):
        assert neural.load(CODEC, path).network_sha256[:32] in err


def test_outputs_and_inputs_are_never_replaced(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(small)
    Path("photo.msn").write_bytes(b"mine")
    words = ("encode", "photo.png", "--weights", weights, "--iterations", 1)
    status, _, err = run(capsys, *words)
    assert status == 5 and one_line(err) and "exists already" in err
    assert Path("photo.msn").read_bytes() == b"mine"
    assert run(capsys, *words, "--overwrite")[0] == 0
    assert container.read(Path("photo.msn").read_bytes())
    status, _, err = run(capsys, "decode", "photo.msn", "-o", "photo.msn", "--weights", weights, "--overwrite")
    assert status == 2 and one_line(err)
    before = Path("photo.png").read_bytes()
    status, _, err = run(capsys, "encode", "photo.png", "-o", "photo.png", "--weights", weights, "--overwrite")
    assert status == 2 and Path("photo.png").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("encode", "photo.png", "--size", "30"), "target 30 bytes is below the smallest"),
        (("encode", "missing.png"), "missing.png: no such file"),
        (("encode", "photo.png", "--map", "missing.npy"), "missing.npy"),
        (("encode", "photo.png", "--limit-megapixels", "0.001"), "megapixels"),
        (("decode", "."), "no files .msn in this folder"),
    ],
)
def test_failures_take_one_line(
    folder: Path,
    small: np.ndarray,
    weights: Path,
    capsys: pytest.CaptureFixture[str],
    words: Sequence[str],
    told: str,
) -> None:
    save(small)
    status, out, err = run(capsys, *words, "--weights", weights)
    assert (status, out) == (4 if "target" in told else 3, "") and one_line(err) and told in err
    assert "--max-side" not in err  # which these verbs have not
    assert [path.name for path in folder.iterdir()] == ["photo.png"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "VERB"),
        (("encode",), "IN"),
        (("code", "a.png"), "encode"),
        (("encode", "a.png", "--iterations", "0"), "above 0"),
        (("encode", "a.png", "--iterations", "25"), "from 1 to 24"),
        (("encode", "a.png", "--iterations", "2", "--bpp", "1"), "not allowed with"),
        (("encode", "a.png", "--iteration", "2"), "did you mean --iterations?"),
        (("encode", "a.png", "-o", "a.jpg"), "another ending"),
        (("encode", "a.png", "b.png", "-o", "a.msn"), "several"),
        (("encode", "a.png", "--codec", "magic"), "recurrent"),
        (("decode", "a.msn", "-o", "a.jpg"), "another ending"),
        (("decode", "a.msn", "-o", "a.xyz"), ".png"),
        (("evaluate", "in"), "-d"),
        (("evaluate", "in", "-d", "out", "--levels", "30"), "from 1 to 24"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: Sequence[str], told: str
) -> None:
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "") and one_line(err) and told in err


@pytest.mark.parametrize("verb", ["encode", "decode", "info", "evaluate"])
def test_each_verb_has_help_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, verb, "--help")
    assert (status, err) == (0, "")
    assert f"msroi neural {verb}" in out.split("examples:")[1]


def test_a_network_that_is_missing_or_none_is_told(
    folder: Path, small: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(small)
    status, out, err = run(capsys, "encode", "photo.png", "--weights", "missing.npz")
    assert (status, out) == (3, "") and one_line(err) and "missing.npz" in err
    Path("bad.npz").write_bytes(b"no network")
    status, out, err = run(capsys, "encode", "photo.png", "--weights", "bad.npz")
    assert (status, out) == (3, "") and one_line(err) and "bad.npz" in err


def test_without_keras_one_line_says_what_to_install(folder: Path, small: np.ndarray, weights: Path) -> None:
    save(small)
    Path("a.msn").write_bytes(neural.compress(small, iterations=1, map_kind="none", weights=weights))

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", WITHOUT_KERAS, "neural", *words, "--weights", str(weights)],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    for words in (("encode", "photo.png"), ("decode", "a.msn"), ("evaluate", ".", "-d", "out")):
        done = command(*words)
        assert (done.returncode, done.stdout) == (1, "")
        assert one_line(done.stderr) and extras.install_command("keras") in done.stderr
    Path("b.msn").write_bytes(neural.compress(small, iterations=3, focus=[(0, 0, 16, 16)], weights=weights))
    for name in ("a.msn", "b.msn"):
        done = command("info", name)
        assert (done.returncode, done.stderr) == (0, "") and ", ours" in done.stdout
        assert ("in the mean" in done.stdout) == (name == "a.msn")  # uneven levels take the range coder
    assert {path.name for path in folder.iterdir()} == {"photo.png", "a.msn", "b.msn"}


def test_hostile_headers_cost_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = container.Header(CODEC, 65_000, 65_000, False, bytes(16))
    data = container.write(header, [container.Section(container.ALLOCATION, b"\x01")])
    Path("a.msn").write_bytes(data)
    status, _, err = run(capsys, "info", "a.msn")
    assert status == 3 and one_line(err) and "megapixels" in err
    with pytest.raises(ImageError):
        file_facts(data, limits=Limits())
    with pytest.raises(BitstreamError):
        file_facts(b"")


# --- in the benchmark ----------------------------------------------------------------------------


def test_levels_are_targets(small: np.ndarray) -> None:
    assert (Iterations(iterations=6).name, Iterations(iterations=2.5).name) == ("K6", "K2.5")
    assert Iterations(iterations=6).budget(small) == 6 * 15 * 4
    request = Request([], Path(), others=[Iterations(iterations=k) for k in (2, 4)], bpp=[0.5], encoders=["recurrent"])
    assert [target.name for target in request.targets] == ["K2", "K4", "0.5bpp"]
    with pytest.raises(OptionError):
        Iterations(iterations=25)


def test_an_encoder_without_its_network_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("keras", reason="needs the keras extra")
    encoder = ENCODERS["recurrent"]
    assert isinstance(encoder, Neural)
    assert "missing.npz" in encoder.with_weights(tmp_path / "missing.npz").missing()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert extras.install_command("keras") in encoder.with_weights(None).missing()


def test_evaluate_leaves_tables_curves_and_goes_on(
    folder: Path, photo: np.ndarray, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in").mkdir()
    Path("maps").mkdir()
    save(photo[:64, 64:160], "in/one.png")
    save(photo[100:164, 128:224], "in/two.png")
    ramp = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))
    for name in ("one", "two"):
        save(ramp, f"maps/{name}.png")
    words = ["evaluate", "in", "-d", "out", "--maps", "maps", "--weights", weights, "--levels", 2, 3, "--bpp", 1.5]
    words += ["--caps", 0, 2, 3, 4, 30, "--cap-level", 3, "--cap-pictures", 1]
    status, out, err = run(capsys, *words)
    assert (status, err) == (0, "")
    for title in ("Rate and distortion", "constant map", "most salient boxes", "caps over 24", "Correlation of scores"):
        assert title in out and title in Path("out/tables.md").read_text()
    found = {(row["image"], row["target"], row["encoder"]): row for row in rows.read_rows(Path("out/rows.csv"))}
    for name in ("one", "two"):
        for level in (2, 3):
            row = found[name, f"K{level}", "recurrent-constant"]
            data = Path("out", row["file"]).read_bytes()
            assert file_facts(data)["levels"] == {level: 24} and row["settings"] == f"iterations={level}.0000"
        row = found[name, "1.5bpp", "recurrent"]
        assert 0.9 * row["target_bytes"] < row["bytes"] <= row["target_bytes"]
        data = Path("out", row["file"]).read_bytes()
        shown = pixels_of(Path("out", row["file"]).with_suffix(".decoded.png"))
        assert np.array_equal(shown, neural.decompress(data, weights))
    with Path("out/regions.csv").open() as file:
        regions = {(row["image"], row["encoder"]): row for row in csv.DictReader(file)}
    assert ("one", "recurrent") in regions and ("two", "recurrent-constant") in regions
    with Path("out/caps.csv").open() as file:
        caps = list(csv.DictReader(file))
    assert [row["cap"] for row in caps] == ["0", "2", "3", "4"]
    assert [float(row["level_reached"]) for row in caps] == [0, 2, 3, 3]
    assert json.loads(Path("out/study.json").read_text())["cap_pictures"] == ["one"]
    for name in ("curves.svg", "caps.svg", "index.html", "summary.json"):
        assert Path("out", name).stat().st_size > 1000

    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.suffix in (".csv", ".svg", ".msn")}
    status, out, _ = run(capsys, *words, "--json")
    assert status == 0 and json.loads(out)["n_images"] == 2
    assert {path: path.read_bytes() for path in before} == before


def test_boxes_lie_where_the_map_is_and_not_over_each_other() -> None:
    saliency = np.zeros((80, 120), np.float32)
    saliency[30:40, 50:60] = 1
    saliency[60:80, 0:30] = 0.1
    boxes = wang_2019_study.salient_boxes(saliency)
    x, y, w, h = boxes[0]
    assert (w, h) == (30, 20) and x <= 50 and x + w >= 60 and y <= 30 and y + h >= 40
    assert boxes[1] == (0, 60, 30, 20)
    covered = np.zeros((80, 120), int)
    for x, y, w, h in boxes:
        covered[y : y + h, x : x + w] += 1
    assert len(boxes) == 3 and covered.max() == 1
    assert wang_2019_study.salient_boxes(np.full((80, 120), 0.5, np.float32)) == []


def test_scores_inside_and_outside_of_boxes(photo: np.ndarray) -> None:
    worse = photo.copy()
    worse[20:60, 40:100] = np.clip(worse[20:60, 40:100].astype(int) + 30, 0, 255)
    inside = wang_2019_study.region_scores(photo, worse, [(40, 20, 60, 40)])
    reference, candidate = (np.ascontiguousarray(p[20:60, 40:100]) for p in (photo, worse))
    assert inside["psnr_inside"] == metrics.psnr_db(reference, candidate)
    assert inside["ms_ssim_inside"] == metrics.ms_ssim(reference, candidate)
    assert inside["psnr_outside"] == np.inf and inside["ssim_outside"] > 0.99
