"""`msroi compress` day after day: runs again, several at a time, in place, dry, dates, sums, words."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from test_cli import COMMAND, FAST, one_line, run, save

from msroi import images
from msroi.cli import words
from msroi.cli.each import Failures
from msroi.work.inputs import expand, told_of

Capture = pytest.CaptureFixture[str]
DAY = 1_500_000_000_123_456_789  # nanoseconds since 1970


@pytest.fixture
def shoot(folder: Path, small: np.ndarray) -> Path:
    """A folder of three photos of another day."""
    save(folder / "in" / "a.png", small)
    save(folder / "in" / "b.jpg", small[:, ::-1], quality=97)
    save(folder / "in" / "deep" / "c.jpg", small[::-1], quality=97)
    for path in (folder / "in").rglob("*.*"):
        os.utime(path, ns=(DAY, DAY))
    return folder / "in"


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*.*")) if path.is_file()}


# --- again --------------------------------------------------------------------------------------


def test_a_second_run_leaves_what_is_right_and_needs_no_pixels(
    shoot: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, "compress", "in", "-d", "out")[0] == 0
    before = contents(Path("out"))

    def no_pixels(*_: object, **__: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr("msroi.images.read", no_pixels)
    status, out, err = run(capsys, "compress", "in", "-d", "out")
    assert (status, out, err) == (0, "3 of 3 photos there already and right\n", "")
    assert contents(Path("out")) == before
    records = [json.loads(line) for line in run(capsys, "compress", "in", "-d", "out", "--json")[1].splitlines()]
    assert [record["status"] for record in records] == ["skipped"] * 3
    assert records[0]["output_bytes"] == len(before["a.jpg"])


def test_a_second_run_does_what_is_new(shoot: Path, small: np.ndarray, capsys: Capture) -> None:
    run(capsys, "compress", "in", "-d", "out", *FAST)
    save(shoot / "d.png", small)
    (Path("out") / "b.jpg").unlink()
    status, out, _ = run(capsys, "compress", "in", "-d", "out", *FAST)
    assert status == 0 and "2 of 4 photos there already" in out and "in/b.jpg" in out and "in/d.png" in out
    assert sorted(contents(Path("out"))) == ["a.jpg", "b.jpg", "d.jpg", "deep/c.jpg"]


def test_what_another_request_made_or_nobody_knows_is_never_replaced(shoot: Path, capsys: Capture) -> None:
    run(capsys, "compress", "in", "-d", "out", "--quality", 60, *FAST)
    Path("out/b.jpg").write_bytes(b"notes of mine")
    before = contents(Path("out"))
    status, out, err = run(capsys, "compress", "in", "-d", "out", "--quality", 50, *FAST)
    assert (status, out) == (5, "") and len(err.splitlines()) == 4 and "--overwrite" in err
    assert contents(Path("out")) == before


def test_an_input_of_another_day_is_looked_into(shoot: Path, small: np.ndarray, capsys: Capture) -> None:
    """The mark tells the request, not the photo: the date that the output took over from it does."""
    run(capsys, "compress", "in", "-d", "out", *FAST)
    os.utime(shoot / "a.png", ns=(DAY + 5, DAY + 5))  # the same photo
    assert run(capsys, "compress", "in", "-d", "out", *FAST)[0] == 0
    save(shoot / "a.png", 255 - small)  # another photo
    os.utime(shoot / "a.png", ns=(DAY - 5, DAY - 5))
    before = contents(Path("out"))
    status, _, err = run(capsys, "compress", "in", "-d", "out", *FAST)
    assert status == 5 and "a.jpg: exists already and is not what would be made" in err
    assert contents(Path("out")) == before


def test_an_output_that_was_edited_since_is_not_taken_for_right(shoot: Path, capsys: Capture) -> None:
    run(capsys, "compress", "in/b.jpg", "-o", "b.jpg", *FAST)
    data = Path("b.jpg").read_bytes()
    Path("b.jpg").write_bytes(data[:2] + b"\xff\xfe\x00\x07hello" + data[2:])
    os.utime("b.jpg", ns=(DAY, DAY))
    assert run(capsys, "compress", "in/b.jpg", "-o", "b.jpg", *FAST)[0] == 5


def test_originals_that_were_kept_are_right_as_well(folder: Path, small: np.ndarray, capsys: Capture) -> None:
    save(folder / "a.jpg", small, quality=10)
    words_ = ["compress", "a.jpg", "-d", "out", "--quality", 95, "--method", "two-pass", "--baseline", *FAST]
    first = run(capsys, *words_)
    assert first[0] == 0 and "kept as it was" in first[1]
    assert Path("out/a.jpg").read_bytes() == Path("a.jpg").read_bytes()
    status, out, _ = run(capsys, *words_)
    assert status == 0 and "there already" in out


def test_overwrite_replaces_always_or_what_is_older(shoot: Path, capsys: Capture) -> None:
    run(capsys, "compress", "in", "-d", "out", "--quality", 60, *FAST)
    before = contents(Path("out"))
    os.utime(shoot / "b.jpg", ns=(DAY + 10**9, DAY + 10**9))
    status, out, _ = run(capsys, "compress", "in", "-d", "out", "--quality", 50, "--overwrite=older", *FAST)
    after = contents(Path("out"))
    assert status == 0 and "2 of 3 photos left as they are: no older than the input" in out
    assert [name for name in after if after[name] != before[name]] == ["b.jpg"]
    assert run(capsys, "compress", "in", "-d", "out", "--quality", 50, "--overwrite", *FAST)[0] == 0
    replaced = contents(Path("out"))
    assert replaced["b.jpg"] == after["b.jpg"] and replaced["a.jpg"] != after["a.jpg"]
    status, _, err = run(capsys, "compress", "in", "-d", "out", "--overwrite=newer", *FAST)
    assert status == 2 and one_line(err)


def test_missing_maps_come_to_outputs_that_are_right(shoot: Path, capsys: Capture) -> None:
    run(capsys, "compress", "in/b.jpg", "-o", "b.jpg")
    before = Path("b.jpg").read_bytes()
    assert run(capsys, "compress", "in/b.jpg", "-o", "b.jpg", "--save-map")[0] == 0
    assert Path("b.map.png").is_file() and Path("b.jpg").read_bytes() == before


# --- several at a time --------------------------------------------------------------------------


def test_the_number_of_jobs_changes_nothing_but_the_time(shoot: Path, capsys: Capture) -> None:
    (shoot / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    told = []
    for n_jobs in (1, 2, 5):
        status, out, err = run(capsys, "compress", "in", "-d", f"out{n_jobs}", "--jobs", n_jobs)
        assert status == 3 and len(err.splitlines()) == 2 and "1 of 4 inputs failed" in err
        told.append([line for line in out.splitlines() if "photos" not in line])
    assert contents(Path("out1")) == contents(Path("out2")) == contents(Path("out5"))
    assert told[0] == told[1] == told[2]
    assert [line.split()[0] for line in told[0]] == ["in/a.png", "in/b.jpg", "in/deep/c.jpg"]


def test_failed_photos_are_not_held_in_memory(shoot: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error's traceback holds what the work had in its hands; it is gone when the next photo's turn is over."""
    pictures: list[weakref.ref[object]] = []
    read = images.read

    def seen(*words_: object, **options: object) -> object:
        picture = read(*words_, **options)  # type: ignore[arg-type]
        pictures.append(weakref.ref(picture))
        return picture

    alive = []
    tell = Failures.tell

    def count(self: Failures, error: BaseException, name: str) -> None:
        tell(self, error, name)
        alive.append(sum(picture() is not None for picture in pictures))

    monkeypatch.setattr("msroi.images.read", seen)
    monkeypatch.setattr(Failures, "tell", count)
    status, _, err = run(capsys, "compress", "in", "-d", "out", "--size", 100, "--jobs", 1, *FAST)
    assert status == 4 and "3 of 3 inputs failed" in err
    assert len(pictures) == 3 and max(alive) <= 2


# --- dry ----------------------------------------------------------------------------------------


def test_a_dry_run_tells_the_truth_and_writes_nothing(shoot: Path, capsys: Capture) -> None:
    status, out, _ = run(capsys, "compress", "in", "-d", "out", "--dry-run", "--json", *FAST)
    assert status == 0 and not Path("out").exists()
    told = {record["output"]: record["output_bytes"] for record in map(json.loads, out.splitlines())}
    _, out, _ = run(capsys, "compress", "in", "-d", "out", "--dry-run", *FAST)
    assert "nothing was written" in out.splitlines()[-1]
    run(capsys, "compress", "in", "-d", "out", *FAST)
    assert told == {str(Path("out", name)): len(data) for name, data in contents(Path("out")).items()}
    before = contents(shoot)
    assert run(capsys, "compress", "in", "--in-place", "--dry-run", "--backup", ".orig", *FAST)[0] == 0
    assert contents(shoot) == before


# --- dates and modes ----------------------------------------------------------------------------


def test_outputs_have_dates_and_modes_of_their_inputs(shoot: Path, capsys: Capture) -> None:
    (shoot / "b.jpg").chmod(0o640)
    run(capsys, "compress", "in/b.jpg", "-o", "kept.jpg", *FAST)
    run(capsys, "compress", "in/b.jpg", "-o", "new.jpg", "--no-preserve", *FAST)
    kept, new = Path("kept.jpg").stat(), Path("new.jpg").stat()
    assert kept.st_mtime_ns == DAY and new.st_mtime_ns > DAY
    if os.name == "posix":
        umask = os.umask(0o022)
        os.umask(umask)
        assert stat.S_IMODE(kept.st_mode) == 0o640 and stat.S_IMODE(new.st_mode) == 0o666 & ~umask
    again = run(capsys, "compress", "in/b.jpg", "-o", "new.jpg", "--no-preserve", *FAST)
    assert again[0] == 0 and "there already" in again[1]


# --- in place -----------------------------------------------------------------------------------


def test_in_place_replaces_by_smaller_files_and_keeps_a_backup(shoot: Path, capsys: Capture) -> None:
    before = contents(shoot)
    status, out, _ = run(capsys, "compress", "in", "--in-place", "--backup", ".orig", *FAST)
    assert status == 0 and "passed over 1 other (.png) file" in out
    after = contents(shoot)
    assert sorted(after) == ["a.png", "b.jpg", "b.jpg.orig", "deep/c.jpg", "deep/c.jpg.orig"]
    assert after["a.png"] == before["a.png"]
    for name in ("b.jpg", "deep/c.jpg"):
        assert after[f"{name}.orig"] == before[name] and len(after[name]) < len(before[name])
        assert (shoot / name).stat().st_mtime_ns == (shoot / f"{name}.orig").stat().st_mtime_ns == DAY
    status, out, _ = run(capsys, "compress", "in", "--in-place", "--backup", ".orig", *FAST)
    assert status == 0 and "2 of 2 photos there already and right" in out
    assert contents(shoot) == after
    status, _, err = run(capsys, "compress", "in", "--in-place", "--backup", ".orig", "--quality", 30, *FAST)
    assert status == 5 and "b.jpg.orig: exists already" in err
    assert contents(shoot) == after


def test_in_place_leaves_what_would_not_be_smaller(folder: Path, small: np.ndarray, capsys: Capture) -> None:
    save(folder / "a.jpg", small, quality=10, optimize=True, progressive=True)
    before, date = (folder / "a.jpg").read_bytes(), (folder / "a.jpg").stat().st_mtime_ns
    for options in (["--min-savings", "90"], ["--force", "--method", "plain"]):
        status, out, err = run(capsys, "compress", "a.jpg", "--in-place", "--quality", 97, *options, *FAST)
        forced = "--force" in options
        assert status == (4 if forced else 0)
        assert "makes it no smaller" in err if forced else "kept as it was: less than 90 % to be saved" in out
        assert (folder / "a.jpg").read_bytes() == before and (folder / "a.jpg").stat().st_mtime_ns == date


@pytest.mark.parametrize(
    ("words_", "status", "said"),
    [
        (["a.png"], 3, "is no JPEG"),
        (["link.jpg"], 5, "is a link"),
        (["named.jpg"], 3, "is no JPEG"),
        (["-"], 2, "standard input"),
        (["b.jpg", "-o", "c.jpg"], 2, "-o"),
        (["b.jpg", "-d", "out"], 2, "-d"),
        (["b.jpg", "--overwrite"], 2, "--overwrite"),
        (["b.jpg", "--backup", "x/y"], 2, "--backup"),
        (["b.jpg", "--backup", ""], 2, "--backup"),
    ],
)
def test_what_is_not_replaced_in_place(
    words_: list[str],
    status: int,
    said: str,
    folder: Path,
    small: np.ndarray,
    capsys: Capture,
) -> None:
    save(folder / "a.png", small)
    (folder / "named.jpg").write_bytes((folder / "a.png").read_bytes())
    save(folder / "b.jpg", small, quality=97)
    (folder / "link.jpg").symlink_to("b.jpg")
    before = contents(folder)
    found, out, err = run(capsys, "compress", *words_, "--in-place", *FAST)
    assert (found, out) == (status, "") and one_line(err) and said in err
    assert contents(folder) == before and (folder / "link.jpg").is_symlink()


def test_backup_alone_is_wrong_usage(folder: Path, small: np.ndarray, capsys: Capture) -> None:
    save(folder / "b.jpg", small)
    assert run(capsys, "compress", "b.jpg", "--backup", ".orig")[0] == 2


def test_an_input_that_changes_meanwhile_stays(folder: Path, small: np.ndarray) -> None:
    from msroi.errors import OutputError
    from msroi.images import replace_input

    path = save(folder / "b.jpg", small, quality=97)
    status = path.stat()
    path.write_bytes(b"of somebody else, meanwhile")
    with pytest.raises(OutputError, match="changed while"):
        replace_input(path, b"x", status)
    assert path.read_bytes() == b"of somebody else, meanwhile"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_an_input_that_may_not_be_read_is_an_input_in_error(shoot: Path, capsys: Capture) -> None:
    run(capsys, "compress", "in/b.jpg", "-o", "b.jpg", *FAST)
    (shoot / "b.jpg").chmod(0)
    for place in (["-o", "b.jpg", "--quality", 30], ["--in-place"]):
        assert run(capsys, "compress", "in/b.jpg", *place, *FAST)[0] == 3


def test_an_input_that_is_gone_is_told_whatever_stands_where_its_output_would(shoot: Path, capsys: Capture) -> None:
    run(capsys, "compress", "in/b.jpg", "-o", "b.jpg", *FAST)
    (shoot / "gone.jpg").symlink_to("nowhere.jpg")
    for place in (["-o", "b.jpg"], ["--in-place"]):
        status, _, err = run(capsys, "compress", "in/gone.jpg", *place, *FAST)
        assert status == 3 and one_line(err) and "gone.jpg: no such file" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a signal")
def test_several_jobs_that_are_told_to_end(tmp_path: Path, photo: np.ndarray) -> None:
    for place in range(6):
        save(tmp_path / "in" / f"{place}.bmp", np.tile(photo, (4, 4, 1)))
    code = (
        "import os, signal\n"
        "from msroi import __main__ as command\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGTERM)\n"
        "command.run()\n"
    )
    arguments = ["compress", str(tmp_path / "in"), "-d", str(tmp_path / "out"), "--jobs", "3", *FAST]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "msroi: terminated\n")
    assert list((tmp_path / "out").iterdir()) == []


# --- words --------------------------------------------------------------------------------------


def test_sizes_in_words() -> None:
    assert words.change(1_980_000, 843_000) == "1.98 MB -> 0.84 MB, 57 % smaller"
    assert words.change(20_960, 20_959) == "21.0 kB -> 21.0 kB, less than 1 % smaller"
    assert words.change(800, 900) == "800 bytes -> 900 bytes, 12 % larger"
    assert words.change(700, 700) == "700 bytes -> 700 bytes, as large as before"
    assert words.change(None, 120_000) == "0.12 MB"


def test_verbose_tells_figures_and_the_usual_line_none(shoot: Path, capsys: Capture) -> None:
    _, out, _ = run(capsys, "compress", "in/b.jpg", "-o", "b.jpg")
    assert one_line(out) and not {"plain", "SSIM", "dB", "guard", "target"} & set(out.replace(";", " ").split())
    _, out, _ = run(capsys, "compress", "in/b.jpg", "-o", "c.jpg", "--verbose")
    assert all(word in out for word in ("c.jpg", "target: at most", "reached:", "plain JPEG at quality 75", "encode "))


def test_what_is_passed_over_is_counted(shoot: Path, capsys: Capture) -> None:
    for name in ("x.CR2", "y.nef", "notes.txt", ".hidden.raw", "b.msroi.jpg"):
        (shoot / name).touch()
    passed_over: list[Path] = []
    expand(["in"], passed_over=passed_over)
    assert told_of(passed_over) == "passed over 2 RAW (.cr2, .nef) and 1 other (.txt) files"
    _, out, _ = run(capsys, "compress", "in", "-d", "out", *FAST)
    assert out.splitlines()[-1] == told_of(passed_over)
    (shoot.parent / "raws").mkdir()
    (shoot.parent / "raws" / "x.dng").touch()
    status, _, err = run(capsys, "compress", "raws")
    assert status == 3 and "no picture files in this folder; passed over 1 RAW (.dng) file" in err


def test_a_photo_alone_is_compressed(folder: Path, small: np.ndarray, capsys: Capture) -> None:
    save(folder / "a.png", small)
    assert run(capsys, "a.png", *FAST)[0] == 0 and (folder / "a.msroi.jpg").is_file()
    status, _, err = run(capsys, "missing.jpg")
    assert status == 3 and "missing.jpg: no such file" in err
    status, _, err = run(capsys, "comprss", "a.png")
    assert status == 2 and one_line(err) and "compress" in err


def test_an_interrupt_with_several_jobs_leaves_nothing_partial(tmp_path: Path, photo: np.ndarray) -> None:
    """The interrupt comes from the first photo's line, while others are being coded."""
    for place in range(12):
        save(tmp_path / "in" / f"{place:02}.bmp", np.tile(photo, (4, 4, 1)))
    code = (
        "import os, signal, sys\n"
        "from msroi import __main__ as command\n"
        "from msroi.cli.photos import Photos\n"
        "tell = Photos._tell\n"
        "def interrupted(*words):\n"
        "    tell(*words)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "Photos._tell = interrupted\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "command.run()\n"
    )
    arguments = ["compress", str(tmp_path / "in"), "-d", str(tmp_path / "out"), "--jobs", "3", *FAST]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (130, "msroi: interrupted\n")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["00.jpg"]


def test_the_command_itself_runs_several_at_a_time(shoot: Path) -> None:
    done = subprocess.run([*COMMAND, "in", "-d", "out", "--jobs", "2"], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 4 and len(contents(Path("out"))) == 3
