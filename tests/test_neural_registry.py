"""A neural codec that is a module and two lines: the verbs, the benchmark and the files' facts have it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("constriction", reason="needs the keras extra")

import guide
import toy_codec
from neural_made import picture
from PIL import Image

from msroi.benchmark import rows
from msroi.codecs.neural import attached, container, weights
from msroi.codecs.neural.coding import Rising
from msroi.codecs.neural.container import Section
from msroi.codecs.neural.recurrent.codec import Recurrent
from msroi.errors import SaliencyError
from msroi.images import read

# As a program of somebody's who has a codec of his own.
PROGRAM = """
import sys
from pathlib import Path
import guide
import toy_codec
toy_codec.register()
toy_codec.Toy.shipped = Path("toy.npz")
if __name__ == "__main__":
    from msroi.cli import main
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def program(folder: Path) -> list[str]:
    """The command that runs msroi with the toy, in a folder with one picture."""
    Path("program.py").write_text(PROGRAM, encoding="utf-8")
    toy_codec.untrained(Path("toy.npz"), 0)
    Path("in").mkdir()
    Image.fromarray(picture(48, 80)).save("in/photo.png")
    return [sys.executable, "program.py"]


def run(program: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(toy_codec.__file__).parent), *sys.path])
    return subprocess.run([*program, *words], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})


def test_the_verbs_have_it(program: list[str]) -> None:
    words = ["neural", "encode", "in/photo.png", "--codec", "toy", "--map-kind", "none", "-o", "a.msn"]
    done = run(program, *words, "--step", "24", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads(done.stdout)
    assert record["codec"] == "toy" and record["step"] == 24
    done = run(program, *words, "--bpp", "2", "--overwrite")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[:6] == ["file", "before", "coded", "bpp", "step", "seconds"]
    assert 0.95 * 960 < Path("a.msn").stat().st_size <= 960
    done = run(program, "neural", "info", "a.msn")
    assert (done.returncode, done.stderr) == (0, "")
    assert "codec     toy\n" in done.stdout and "\nstep      " in done.stdout
    done = run(program, "neural", "decode", "a.msn")
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open("a.decoded.png") as image:
        assert image.size == (80, 48)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--codec", "toy", "--iterations", "3"], "--iterations: not of the codec toy; its knob is --step"),
        (["--step", "3"], "--step: not of the codec recurrent; its knob is --iterations"),
        (["--codec", "toy", "--step", "3"], "step: got 3.0, allowed: 8 to 128"),
        (["--codec", "toy", "--step", "16", "--size", "300"], "not allowed with"),
    ],
)
def test_another_codecs_knob_is_wrong_usage(program: list[str], words: list[str], told: str) -> None:
    done = run(program, "neural", "encode", "in/photo.png", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr and done.stderr.count("\n") == 1


def test_the_benchmark_has_it(program: list[str]) -> None:
    words = ["benchmark", "in", "-d", "out", "--bpp", "2", "--encoders", "pillow", "toy-constant"]
    done = run(program, *words, "--quiet")
    assert done.returncode == 0, done.stderr
    found = {row["encoder"]: row for row in rows.read_rows(Path("out/rows.csv"))}
    assert found["toy-constant"]["status"] == rows.OK
    assert 0.95 * 960 < found["toy-constant"]["bytes"] <= 960
    assert found["toy-constant"]["settings"].startswith("step=")
    assert "neural codec without a map" in Path("out/index.html").read_text(encoding="utf-8")


def test_a_verb_imports_its_own_parser_alone() -> None:
    code = """
import sys
from msroi.cli import main
main(["neural", "info", "missing.msn"])
print(sorted(name for name in sys.modules if name.startswith("msroi.cli.neural_")), "keras" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "['msroi.cli.neural_info', 'msroi.cli.neural_options'] False\n"


# What all codecs share


def test_networks_stay_built_and_the_oldest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_kept", type(weights._kept)())
    files = []
    for seed in range(weights.KEPT + 1):
        toy_codec.untrained(tmp_path / f"{seed}.npz", seed)
        files.append(weights.NetworkFile.read(tmp_path / f"{seed}.npz"))
    first = weights.built(toy_codec.usual_sizes, files[0])
    others = [weights.built(toy_codec.usual_sizes, file) for file in files[1:-1]]
    again = weights.NetworkFile.read(tmp_path / "0.npz")  # the same weights, read once more
    assert weights.built(toy_codec.usual_sizes, again) is first
    weights.built(toy_codec.usual_sizes, files[-1])
    assert len(weights._kept) == weights.KEPT
    assert weights.built(toy_codec.usual_sizes, files[0]) is first
    assert weights.built(toy_codec.usual_sizes, files[1]) is not others[0]  # the one that was unused the longest


def test_a_file_of_weights_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    toy_codec.untrained(path, 0)
    first = toy_codec.Toy(path).network
    assert toy_codec.Toy(path).network is first
    toy_codec.untrained(path, 1)
    os.utime(path, ns=(0, 0))
    second = toy_codec.Toy(path).network
    assert second.sha256 != first.sha256 and second.data == path.read_bytes()
    path.with_suffix(".json").write_text(json.dumps({"sha256": first.sha256}), encoding="utf-8")
    weights.forget()
    with pytest.raises(SaliencyError, match=r"network\.npz: damaged"):
        _ = toy_codec.Toy(path).network
    path.unlink()
    with pytest.raises(SaliencyError, match=r"network\.npz: the network is missing"):
        _ = toy_codec.Toy(path).network


def test_another_codecs_network_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", gain=np.zeros(3))
    with pytest.raises(SaliencyError, match=r"other\.npz: the network of another codec, it has no .*spread"):
        toy_codec.Toy(tmp_path / "other.npz").start(read(picture(8, 8))).encode(16)
    with pytest.raises(SaliencyError, match="context"):
        _ = Recurrent(tmp_path / "other.npz").context


def test_the_profile_stands_before_the_first_codes_and_nowhere_else() -> None:
    icc, exif = Section(container.ICC, b"profile"), Section(container.EXIF, b"exif")
    allocation, label, codes = (
        Section(kind, b"1") for kind in (container.ALLOCATION, container.LABEL, container.CODES)
    )
    for own, expected in (
        ([codes, codes], [icc, codes, codes, exif]),
        ([allocation, codes, codes], [allocation, icc, codes, codes, exif]),
        ([label, allocation, codes], [label, allocation, icc, codes, exif]),
        ([codes, label], [icc, codes, label, exif]),
    ):
        file = container.write(container.Header("vae", 5, 5, False, bytes(16)), own)
        assert container.read(attached.attach(file, [icc, exif]))[1] == expected


def test_shares_of_many_files_rise_once() -> None:
    told: list[float] = []
    rising = Rising(told.append, 0.5)
    for _ in range(3):
        for share in (0, 0.5, 1):
            rising(share)
    rising.end()
    assert told == [0, 0.25, 0.5, 0.5, 0.625, 0.75, 0.75, 0.8125, 0.875, 1]


def test_the_codec_of_the_guide_is_a_module_and_two_lines() -> None:
    code = guide.block("NeuralCodec")
    assert guide.tables_written(code) == ["container.CODEC_IDS", "registry.CODECS"]
    assert len(code.splitlines()) < 100
