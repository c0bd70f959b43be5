"""After `--strip-gps` ExifTool, which knows more forms of places than anybody, finds none, and all else as before."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import places_made as places
import pytest

from msroi.errors import MsroiError
from msroi.images import read
from msroi.metadata import assemble, bare, is_jpeg, strip_gps

PLAIN = places.PLAIN
CRAFTED = {**places.jpegs(), **places.foreign()}
EXIFTOOL = shutil.which("exiftool")
# Names of ExifTool's tags that tell a place, and of some that do not in spite of their names.
PLACE = re.compile(
    r"GPS|Latitude|Longi?tude|City|Country|Province|^State$|Sub-?location|^Location|LocationName|ContentLocation|Landmark"
    r"|Coverage|ShotLocation|GeoTiff|ModelTie|^(?:Geo)?(?:Lat|Long)$|^Point$"
)
NO_PLACE = re.compile(r"^Creator|Geometry")
# Of the file itself, of what is computed, comments, which go, and a digest of what was edited.
NOT_COMPARED = re.compile(r"^(?:SourceFile|ExifTool:|System:|Composite:|File:Comment|File:CurrentIPTCDigest)")
# What cannot be read in real files, and so is dropped.
LOST = {
    "jpg_made_exif_offset_beyond.jpg": {"File:ExifByteOrder"},
}


def tags_of(folder: Path) -> dict[str, dict[str, object]]:
    """What ExifTool reads of each file in a folder, by the file's name."""
    command = [str(EXIFTOOL), "-a", "-ee3", "-U", "-G1", "-n", "-j", str(folder)]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return {Path(str(facts["SourceFile"])).name: facts for facts in json.loads(done.stdout)}


def places_in(facts: dict[str, object]) -> list[str]:
    names = [name for name in facts if facts[name] not in ("", " ")]
    return [n for n in names if PLACE.search(n.partition(":")[2]) and not NO_PLACE.search(n.partition(":")[2])]


def compared(tmp_path: Path, files: dict[str, bytes]) -> dict[str, tuple[dict[str, object], dict[str, object]]]:
    """ExifTool's tags before and after, by name."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    for i, (name, data) in enumerate(files.items()):
        coded = bare(data) if is_jpeg(data) else PLAIN
        metadata = read(data, name=name).metadata
        (before / f"{i}.jpg").write_bytes(assemble(coded, metadata))
        (after / f"{i}.jpg").write_bytes(assemble(coded, strip_gps(metadata)))
    old, new = tags_of(before), tags_of(after)
    return {name: (old[f"{i}.jpg"], new[f"{i}.jpg"]) for i, name in enumerate(files)}


needs_exiftool = pytest.mark.skipif(EXIFTOOL is None, reason="needs exiftool (Debian: libimage-exiftool-perl)")


@needs_exiftool
def test_exiftool_finds_no_place_in_any_crafted_file(tmp_path: Path) -> None:
    found = compared(tmp_path, CRAFTED)
    assert {name: places_in(after) for name, (_, after) in found.items() if places_in(after)} == {}
    seen = {name for name, (before, _) in found.items() if places_in(before)}
    assert {"exif", "exif-ff", "iptc", "xmp-geo", "xmp-default", "exif-3000th-directory", "notes-nikon", "webp"} <= seen
    assert len(seen) > 50


@needs_exiftool
def test_exiftool_finds_no_place_in_real_files_and_nothing_else_lost(
    tmp_path: Path, shared_data: Callable[..., Path]
) -> None:
    paths = [*shared_data("robust").rglob("*.*"), *shared_data("camera").glob("*.*")]
    files = {}
    for path in sorted(path for path in paths if path.suffix != ".md"):
        try:
            read(path)
        except MsroiError:
            continue
        files[path.name] = path.read_bytes()
    found = compared(tmp_path, files)
    assert {name: places_in(after) for name, (_, after) in found.items() if places_in(after)} == {}
    assert sum(bool(places_in(before)) for before, _ in found.values()) >= 7
    lost = {}
    for name, (before, after) in found.items():
        gone = {tag for tag in before if tag not in after and tag not in places_in(before)}
        gone = {tag for tag in gone if not NOT_COMPARED.search(tag)}
        if gone:
            lost[name] = gone
    assert lost == LOST
