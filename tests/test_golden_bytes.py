"""Whole encodes byte for byte, and that bytes which change without a version changing are noticed."""

from __future__ import annotations

import copy
from typing import Any

import golden_cases
import golden_made as golden
import pytest

import msroi
from msroi import metadata
from msroi.codecs.jpeg import lossless
from msroi.codecs.jpeg.registry import CODECS
from msroi.codecs.neural.registry import CODECS as NEURAL_CODECS
from msroi.drawn import is_drawn


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return golden.stored()


@pytest.mark.parametrize("name", golden_cases.cases())
def test_bytes_are_the_golden_ones(name: str, stored: dict[str, Any]) -> None:
    case = golden_cases.cases()[name]
    if lacking := golden_cases.missing(case):
        pytest.skip(f"needs {lacking}")
    found = golden.verdict(name, case, golden.entry(case), stored)
    if found.elsewhere:
        pytest.skip(found.elsewhere)
    assert not found.fault, found.fault


def test_nothing_else_is_stored(stored: dict[str, Any]) -> None:
    assert set(stored["cases"]) == set(golden_cases.cases())


def test_every_codec_has_golden_bytes_and_a_place_for_its_version() -> None:
    makers = {maker for case in golden_cases.cases().values() for maker in case.makers}
    assert makers == {*CODECS, *NEURAL_CODECS, "map"}
    assert makers <= set(golden.WHERE_VERSIONS_ARE)
    assert set(golden.versions()) == set(golden.WHERE_VERSIONS_ARE)


def test_only_the_mark_is_left_out() -> None:
    data = msroi.compress(golden_cases.COLOUR, map_kind="none").data
    mark = metadata.read_comment(data)
    assert mark is not None and data.count(mark.encode()) == 1
    left = golden_cases.unmarked(data)
    head, _, tail = data.partition(mark.encode())
    assert left == head + b"msroi" + tail


def test_pictures_are_what_their_names_say() -> None:
    kept, optimised = (golden_cases.cases()[name].make() for name in ("rdo JPEG kept", "plain JPEG kept, optimised"))
    assert kept == golden_cases.jpeg(golden_cases.COLOUR, 40)
    lossless_one = lossless.optimise(golden_cases.jpeg(golden_cases.COLOUR, 60))
    assert lossless_one is not None and lossless_one[-200:] == optimised[-200:]
    assert is_drawn(golden_cases.PAGE) and is_drawn(golden_cases.COLOURED) and not is_drawn(golden_cases.COLOUR)


def test_a_map_that_is_given_has_its_say() -> None:
    names = ("rdo 420 default", "rdo default without a map", "rdo a map of 8 bits", "rdo a box")
    assert len({golden.stored()["cases"][name]["sha256"] for name in names}) == len(names)


# --- what is said of a change ---------------------------------------------------------------------

NAME = "rdo 420 default"


@pytest.fixture
def entry(stored: dict[str, Any]) -> dict[str, Any]:
    """What lies there of one case, as if it had just been made here."""
    return copy.deepcopy(stored["cases"][NAME])


@pytest.fixture
def here(stored: dict[str, Any]) -> dict[str, Any]:
    """The golden files, as if they had been made here."""
    now = golden.versions()
    cases = {NAME: stored["cases"][NAME] | {"by": {"rdo": now["rdo"]}}}
    return {"libraries": golden.libraries(), "msroi": msroi.__version__, "cases": cases}


def judged(new: dict[str, Any], old: dict[str, Any]) -> golden.Verdict:
    return golden.verdict(NAME, golden_cases.cases()[NAME], new, old)


def test_other_bytes_under_the_same_version_are_a_fault(entry: dict[str, Any], here: dict[str, Any]) -> None:
    entry["by"] = {"rdo": golden.versions()["rdo"]}
    assert judged(entry, here) == golden.Verdict()
    entry["sha256"] = "0" * 64
    fault = judged(entry, here).fault
    assert "raise Rdo.version in msroi/codecs/jpeg/rdo/" in fault and golden.COMMAND in fault
    assert "\n" not in fault


def test_such_bytes_are_not_put_there(entry: dict[str, Any], here: dict[str, Any]) -> None:
    entry |= {"by": {"rdo": golden.versions()["rdo"]}, "bytes": entry["bytes"] + 1}
    for other_libraries in (False, True):
        _, refused = golden.renewed(here, {NAME: entry}, other_libraries)
        assert len(refused) == 1 and "raise Rdo.version" in refused[0]


def test_with_another_version_they_are(entry: dict[str, Any], here: dict[str, Any]) -> None:
    entry |= {"by": {"rdo": "1000"}, "sha256": "0" * 64}
    assert f"is 1000 now; {golden.COMMAND}" in judged(entry, here).fault
    anew, refused = golden.renewed(here, {NAME: entry}, False)
    assert not refused and anew["cases"][NAME] == entry


def test_a_version_that_rose_alone_is_to_be_noted(entry: dict[str, Any], here: dict[str, Any]) -> None:
    entry["by"] = {"rdo": "1000"}
    assert golden.COMMAND in judged(entry, here).fault


def test_with_other_libraries_nothing_can_be_said(entry: dict[str, Any], here: dict[str, Any]) -> None:
    entry |= {"by": {"rdo": golden.versions()["rdo"]}, "sha256": "0" * 64}
    here["libraries"]["libjpeg-turbo"] = "0.9"
    found = judged(entry, here)
    assert not found.fault and "libjpeg-turbo 0.9" in found.elsewhere
    _, refused = golden.renewed(here, {NAME: entry}, False)
    assert len(refused) == 1 and "--other-libraries" in refused[0]
    anew, refused = golden.renewed(here, {NAME: entry}, True)
    assert not refused and anew["cases"][NAME] == entry


def test_a_library_that_has_no_say_is_no_excuse(entry: dict[str, Any], here: dict[str, Any]) -> None:
    entry |= {"by": {"rdo": golden.versions()["rdo"]}, "sha256": "0" * 64}
    here["libraries"] |= {"tensorflow": "0.1", "processor": "another"}
    assert judged(entry, here).fault


def test_cases_that_cannot_be_made_here_stay(entry: dict[str, Any], here: dict[str, Any]) -> None:
    here["cases"]["recurrent"] = {"by": {"recurrent": "0"}, "bytes": 7, "sha256": ""}
    here["cases"]["of a case that is no more"] = {"by": {"rdo": "0"}, "bytes": 7, "sha256": ""}
    anew, _ = golden.renewed(here, {NAME: entry | {"by": {"rdo": "1000"}}}, False)
    assert set(anew["cases"]) == {NAME, "recurrent"}
