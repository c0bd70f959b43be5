"""What a benchmark left in its folder, as the page needs it: rows, summary, run."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from msroi.benchmark.encoders import ENCODERS, YARDSTICK, face_of
from msroi.benchmark.page.measures import headline, measure_named, quality_measures
from msroi.benchmark.rows import FILE, Row, read_rows
from msroi.errors import OptionError
from msroi.metrics.catalogue import MASKS
from msroi.report.document import without_folders
from msroi.report.figures import Measure

SUMMARY, RUN = "summary.json", "run.json"
# By these entries of summary.json are found in rows.csv: they stay as they are.
_KEYS = frozenset({"name", "image", "target", "encoder", "against"})
# An interval that is drawn from fewer images says nothing.
FEWEST_IMAGES = 5


@dataclass(frozen=True)
class Comparison:
    """Encoder minus `against` over the images where both reached the target."""

    target: str
    measure: Measure
    encoder: str
    against: str
    n: int
    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    wins: int
    losses: int
    ties: int

    @property
    def verdict(self) -> str:
        """What the interval says: better or worse where it leaves no doubt, else unclear."""
        if self.low is None or self.high is None or self.n < FEWEST_IMAGES:
            return "unclear"
        low, high = sorted((self.measure.gain(self.low), self.measure.gain(self.high)))
        return "better" if low > 0 else "worse" if high < 0 else "unclear"


@dataclass(frozen=True)
class Results:
    """Everything read. folder: where the coded files lie."""

    folder: Path
    rows: Sequence[Row]
    summary: Mapping[str, Any]
    run: Mapping[str, Any]
    _pairs: dict[tuple[str, str, str], Row] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            self._pairs[row.image, row.target, row.encoder] = row

    # What there is.

    @cached_property
    def images(self) -> list[str]:
        return list(dict.fromkeys(row.image for row in self.rows if row.status != "unreadable"))

    @cached_property
    def targets(self) -> list[str]:
        stated = [str(target) for target in self.summary.get("targets") or []]
        return list(dict.fromkeys([*stated, *(row.target for row in self.rows if row.target)]))

    @cached_property
    def encoders(self) -> list[str]:
        """Names of the encoders that made at least one file, in the summary's order."""
        stated = [str(entry["name"]) for entry in self.stated_encoders]
        with_files = {row.encoder for row in self.rows if row.ok}
        return [name for name in dict.fromkeys([*stated, *(row.encoder for row in self.rows)]) if name in with_files]

    @cached_property
    def stated_encoders(self) -> list[Mapping[str, Any]]:
        return [e for e in self.summary.get("encoders") or [] if isinstance(e, dict) and e.get("name")]

    @cached_property
    def absent(self) -> list[Mapping[str, Any]]:
        return [entry for entry in self.stated_encoders if not entry.get("available", True)]

    @cached_property
    def fruitless(self) -> dict[str, list[Row]]:
        """The rows of encoders that were there and made no file at all."""
        found: dict[str, list[Row]] = {}
        for row in self.not_ok():
            if row.encoder and row.encoder not in self.encoders:
                found.setdefault(row.encoder, []).append(row)
        return found

    @cached_property
    def measures(self) -> list[Measure]:
        """Those measured in at least one row, in the page's order; unknown ones of the summary behind them."""
        seen = {key for row in self.rows for key in row.figures}
        known = [measure.key for measure in quality_measures() if measure.key in seen]
        compared = [str(entry.get("metric")) for entry in self.summary.get("comparisons") or []]
        other = [key for key in dict.fromkeys(compared) if key in seen and key not in known]
        return [measure_named(key) for key in known + other]

    @cached_property
    def ours(self) -> list[str]:
        """Encoders of msroi, in the order in which the page would open with them."""
        stated = {str(e["name"]): bool(e["ours"]) for e in self.stated_encoders if "ours" in e}
        mine = [name for name in self.encoders if stated.get(name, name in ENCODERS and ENCODERS[name].ours)]
        return sorted(mine, key=lambda name: -face_of(name).rank)

    # What the page opens with.

    @cached_property
    def headline_encoder(self) -> str:
        """Our encoder where there is one, else the first that is not plain JPEG."""
        others = [name for name in self.encoders if name != YARDSTICK]
        return (self.ours or others or self.encoders or [""])[0]

    @cached_property
    def headline_target(self) -> str:
        """The middle one of the paper's qualities where it was run, else the middle one."""
        if not self.targets:
            return ""
        return "Q50" if "Q50" in self.targets else self.targets[(len(self.targets) - 1) // 2]

    @cached_property
    def headline_measure(self) -> Measure | None:
        chosen = headline([measure.key for measure in self.measures])
        return None if chosen is None else measure_named(chosen)

    @cached_property
    def driven_by_masks(self) -> list[str]:
        """Encoders that were driven by the very masks inside which scores are taken."""
        entries = [e for e in self.run.get("encoders") or [] if isinstance(e, dict)]
        stated = {str(e.get("name")): bool(e["needs_mask"]) for e in entries if "needs_mask" in e}
        return [name for name in self.encoders if stated.get(name, name in ENCODERS and ENCODERS[name].needs_mask)]

    def speaks(self, measure: Measure, *encoders: str) -> bool:
        """Whether a measure may be a headline between these: not where the weights drove one of them."""
        if not measure.speaks:
            return False
        return measure.group != MASKS or not any(name in self.driven_by_masks for name in encoders)

    # What was compared.

    @cached_property
    def comparisons(self) -> dict[tuple[str, str, str, str], Comparison]:
        """By (encoder, against, target, measure's key)."""
        found = [_comparison(entry) for entry in self.summary.get("comparisons") or []]
        return {(c.encoder, c.against, c.target, c.measure.key): c for c in found if c.n > 0}

    def row(self, image: str, target: str, encoder: str) -> Row | None:
        return self._pairs.get((image, target, encoder))

    def differences(self, encoder: str, against: str, target: str, measure: Measure) -> list[tuple[str, float]]:
        """(image, encoder minus against) of every image where both have the figure, the worst first."""
        found = []
        for image in self.images:
            pair = [self.row(image, target, name) for name in (encoder, against)]
            figures = [row.figure(measure.key) for row in pair if row is not None and row.ok]
            values = [value for value in figures if value is not None and math.isfinite(value)]
            if len(values) == 2:
                found.append((image, values[0] - values[1]))
        return sorted(found, key=lambda entry: (measure.gain(entry[1]), entry[0]))

    def statuses(self, encoder: str, target: str | None = None) -> Counter[str]:
        """How many rows of the encoder ended in which way."""
        return Counter(
            row.status for row in self.rows if row.encoder == encoder and target in (None, row.target) and row.status
        )

    def mean_figure(self, encoder: str, target: str, key: str) -> float | None:
        """Mean over the encoder's rows of that target that have the figure."""
        own = [row for row in self.rows if row.ok and row.encoder == encoder and row.target == target]
        values = [value for row in own if (value := row.figure(key)) is not None]
        return sum(values) / len(values) if values else None

    def not_ok(self) -> Iterator[Row]:
        """Rows that hold no measurement though their encoder was there."""
        return (row for row in self.rows if row.status not in ("ok", "absent"))


def read_results(folder: Path) -> Results:
    """Reads rows.csv, summary.json and run.json. Of absolute paths in them only the names are kept.

    Errors: OptionError where one of them is missing or is not what a benchmark writes.
    """
    rows = read_rows(folder / FILE, strict=True)
    summary, run = _read_json(folder / SUMMARY), _read_json(folder / RUN)
    folders = folders_of(run)
    places = run.pop("images", None)  # where the gallery finds the originals
    rows = [row | {"message": without_folders(row.message, folders)} for row in rows]
    return Results(folder, rows, _nameable(summary, folders), {**_nameable(run, folders), "images": places})


def folders_of(run: Mapping[str, Any]) -> list[str]:
    """The folders in which the run found its images."""
    images = run.get("images")
    entries = [e for e in images if isinstance(e, dict) and e.get("path")] if isinstance(images, list) else []
    return sorted({str(PurePath(str(e["path"])).parent) for e in entries} - {"."})


def _nameable(value: Any, folders: Sequence[str]) -> Any:
    """What was read from JSON, absolute paths cut to names."""
    if isinstance(value, dict):
        return {
            key: item if key in _KEYS else _command(item) if key == "command" else _nameable(item, folders)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_nameable(item, folders) for item in value]
    if not isinstance(value, str):
        return value
    path = PurePath(value)
    return path.name if path.is_absolute() and ": " not in value else without_folders(value, folders)


def _command(command: Any) -> str:
    """A command line, word by word: folders' names may hold blanks."""
    try:
        words = shlex.split(str(command))
    except ValueError:
        return without_folders(str(command))
    names = [PurePath(word).name if PurePath(word).is_absolute() and "{" not in word else word for word in words]
    return shlex.join(without_folders(name) for name in names)


def number(value: Any) -> float | None:
    """A JSON number as float; anything else, and what is no number, is None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return None if math.isnan(value) else float(value)


def _read_json(path: Path) -> dict[str, Any]:
    text = _read_text(path)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise OptionError(f"{path}: holds no JSON object; msroi benchmark writes one")
    return found


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise OptionError(f"{path}: {reason}; msroi benchmark FOLDER -d {path.parent} makes it") from error


def _comparison(entry: Mapping[str, Any]) -> Comparison:
    counts = [int(number(entry.get(name)) or 0) for name in ("n", "wins", "losses", "ties")]
    return Comparison(
        target=str(entry.get("target")),
        measure=measure_named(str(entry.get("metric"))),
        encoder=str(entry.get("encoder")),
        against=str(entry.get("against")),
        n=counts[0],
        mean=number(entry.get("mean_difference")),
        low=number(entry.get("low")),
        high=number(entry.get("high")),
        p=number(entry.get("p")),
        wins=counts[1],
        losses=counts[2],
        ties=counts[3],
    )
