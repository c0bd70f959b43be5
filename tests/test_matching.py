"""The searches for a target, on made-up sizes: exact where they say so, nothing twice, their own bytes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msroi.errors import TargetError
from msroi.search.knobs import Interval
from msroi.search.landing import land_within
from msroi.search.match import Match, Verdict
from msroi.search.session import Session
from msroi.search.steps import DIP, fewest_bytes, largest_within


class FakeEncoder:
    """Files of given sizes that carry their setting, and a count of how often each was made."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes
        self.settings = [f"s{i}" for i in range(len(sizes))]
        self.calls: Counter[str] = Counter()

    def encode(self, setting: str) -> bytes:
        self.calls[setting] += 1
        return self.file(setting)

    def file(self, setting: str) -> bytes:
        return setting.encode().ljust(self.sizes[self.settings.index(setting)], b".")

    def check(self, match: Match) -> None:
        """Returned are the very bytes of the setting, and nothing was made twice."""
        assert match.data == self.file(match.setting)
        assert max(self.calls.values()) == 1
        assert match.n_probes == self.calls.total()


@st.composite
def rising_with_dips(draw: st.DrawFn) -> list[int]:
    """Sizes that rise in the large, with dips of less than DIP below an earlier one."""
    n = draw(st.integers(1, 120))
    size = draw(st.floats(400, 4_000))  # rounding then stays below a quarter of a percent
    steps = draw(st.lists(st.sampled_from([0.0, 0.001, 0.02, 0.1]), min_size=n, max_size=n))
    dips = draw(st.lists(st.sampled_from([0.0, 0.0, 0.01, DIP - 0.005]), min_size=n, max_size=n))
    result = []
    for step, dip in zip(steps, dips, strict=True):
        size *= 1 + step
        result.append(math.ceil(size / (1 + dip)))
    return result


@given(rising_with_dips(), st.floats(0, 1.3), st.integers(-5, 130))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_largest_within_is_exact_where_dips_are_small(sizes: list[int], share: float, first: int) -> None:
    budget = int(share * max(sizes))
    fitting = [i for i, size in enumerate(sizes) if size <= budget]
    encoder = FakeEncoder(sizes)
    if not fitting:
        with pytest.raises(TargetError):
            largest_within(encoder.encode, encoder.settings, budget, first=first, look=len(sizes))
        return
    match = largest_within(encoder.encode, encoder.settings, budget, first=first, look=len(sizes))
    assert match.setting == encoder.settings[max(fitting)]
    encoder.check(match)


@given(st.lists(st.integers(8, 400), min_size=1, max_size=60), st.integers(0, 400))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_largest_within_never_exceeds_the_budget_whatever_the_sizes(sizes: list[int], budget: int) -> None:
    encoder = FakeEncoder(sizes)
    try:
        match = largest_within(encoder.encode, encoder.settings, budget)
    except TargetError:
        assert sizes[0] > budget
        return
    assert len(match.data) <= budget
    encoder.check(match)


def test_a_dip_just_above_the_border_is_found() -> None:
    encoder = FakeEncoder([100, 200, 300, 400, 404, 399, 500, 600])
    assert largest_within(encoder.encode, encoder.settings, 399).setting == "s5"
    # The same dip when bisection stops below it: the border is between s3 and s4.
    encoder = FakeEncoder([100, 200, 300, 398, 404, 405, 399, 500, 600])
    assert largest_within(encoder.encode, encoder.settings, 399).setting == "s6"


def test_the_search_needs_few_probes_on_smooth_sizes() -> None:
    sizes = [round(5_000 * math.exp(0.03 * i)) for i in range(100)]
    for index in range(0, 100, 7):
        encoder = FakeEncoder(sizes)
        match = largest_within(encoder.encode, encoder.settings, sizes[index] + 1, first=60)
        assert match.setting == f"s{index}"
        assert match.n_probes <= 9


def test_too_small_a_target_says_how_small_the_file_can_be() -> None:
    encoder = FakeEncoder([1412, 1500, 1600])
    with pytest.raises(TargetError, match=r"target 900 bytes .* \(1412 bytes\); raise it or make the picture smaller$"):
        largest_within(encoder.encode, encoder.settings, 900)


def judge(good: Callable[[int], bool]) -> Callable[[bytes], Verdict]:
    def verdict(data: bytes) -> Verdict:
        index = int(data.rstrip(b".")[1:])
        return Verdict(good(index), f"{index} dB")

    return verdict


@given(rising_with_dips(), st.data(), st.integers(-5, 130))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_fewest_bytes_is_exact_though_quality_is_not_steady(sizes: list[int], data: st.DataObject, first: int) -> None:
    good = data.draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes)))
    encoder = FakeEncoder(sizes)
    good_enough = judge(good.__getitem__)
    if not any(good):
        with pytest.raises(TargetError):
            fewest_bytes(encoder.encode, encoder.settings, good_enough, look=len(sizes))
        return
    match = fewest_bytes(encoder.encode, encoder.settings, good_enough, first=first, look=len(sizes))
    assert len(match.data) == min(size for size, is_good in zip(sizes, good, strict=True) if is_good)
    encoder.check(match)


def test_fewest_bytes_with_a_short_look_finds_the_border_of_a_steady_quality() -> None:
    encoder = FakeEncoder([100 + 10 * i for i in range(1_000)])
    match = fewest_bytes(encoder.encode, encoder.settings, judge(lambda i: i >= 777), look=2)
    assert match.setting == "s777"
    assert match.n_probes <= 14
    encoder.check(match)


def test_a_quality_out_of_reach_says_what_the_best_is() -> None:
    encoder = FakeEncoder([100, 200, 300])
    with pytest.raises(TargetError, match="2 dB"):
        fewest_bytes(encoder.encode, encoder.settings, judge(lambda i: False))


class UnsteadyEncoder(Session):
    """Sizes that rise to 875 at a setting of .7, then waver about 1000; estimates know nothing of it."""

    knob = Interval(0.0, 1.0)

    def encode(self, setting: float) -> bytes:
        return b"x" * round(1250 * setting if setting < 0.7 else 1002 + 2 * math.sin(1000 * setting))

    def rough_bytes(self, setting: float) -> float:
        return 1250 * setting


@pytest.mark.parametrize("max_bytes", [300, 870, 900, 990, 998, 999])
def test_landing_finds_a_file_where_sizes_waver(max_bytes: int) -> None:
    match = land_within(UnsteadyEncoder(), 0.0, 1.0, max_bytes)
    assert 0.95 * min(875, max_bytes) <= len(match.data) <= max_bytes


class AstrayEncoder(Session):
    """Files have a third of the bytes that estimates say, and once prepared, at most a fifth more than where it was."""

    knob = Interval(0.0, 1.0)

    def __init__(self, largest: float = math.inf) -> None:
        self.largest = largest

    def encode(self, setting: float) -> bytes:
        return b"x" * round(min(3000 * setting, self.largest))

    def rough_bytes(self, setting: float) -> float:
        return 9000 * setting

    def near(self, setting: float, n_bytes: float | None = None) -> AstrayEncoder:
        return AstrayEncoder(1.2 * 3000 * setting)


@pytest.mark.parametrize("max_bytes", [300, 900, 2000])
def test_an_encoder_whose_estimates_are_astray_is_prepared_anew(max_bytes: int) -> None:
    assert 0.98 * max_bytes <= len(land_within(AstrayEncoder(), 0.0, 1.0, max_bytes).data) <= max_bytes


class HastyEncoder(Session):
    """Its files break its word on the way or at the end of a search only; more careful ones keep it."""

    knob = Interval(0.0, 1.0)

    def __init__(self, care: int = 0, log: list[tuple[int, bool]] | None = None) -> None:
        self.care, self.log = care, [] if log is None else log

    def encode(self, setting: float) -> bytes:
        return b"x" * round(100_500 * setting)

    def rough_bytes(self, setting: float) -> float:
        return 100_000 * setting

    def revised(self, data: bytes, setting: float, n_bytes: float | None = None) -> tuple[HastyEncoder | None, str]:
        self.log.append((self.care, n_bytes is None))
        breaks = self.care == 0 or (self.care == 1 and n_bytes is None)
        return (HastyEncoder(self.care + 1, self.log) if breaks else None), f"care {self.care}"


def test_a_preparation_that_breaks_its_word_is_left_before_it_lands() -> None:
    encoder = HastyEncoder()
    match = land_within(encoder, 0.0, 1.0, 50_000)
    assert match.note == "care 2" and 49_900 <= len(match.data) <= 50_000
    assert encoder.log == [(0, False), (1, False), (1, True), (2, True)]  # care 2 starts where care 1 landed
