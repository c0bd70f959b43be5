"""The photos of one run of `msroi compress`: what is there already, the work, writing, the words, the sums.

input --> standing --> compress (threads) --> written or left, told (the one thread that writes) --> sums
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from msroi.cli import files, words
from msroi.cli.output import Screen
from msroi.errors import ImageError, OutputExistsError, TargetError
from msroi.work.inputs import JPEG_SUFFIXES, Input, told_of
from msroi.work.outputs import TO_STDOUT, check_free, inputs_on_disk

if TYPE_CHECKING:
    import numpy as np

    from msroi.pipeline import Report
    from msroi.settings import Settings
    from msroi.work.standing import Standing

DONE, KEPT, SKIPPED = "done", "kept", "skipped"


@dataclass(frozen=True)
class Compressed:
    """What came of an input before anything is written. report: None where nothing had to be made.

    pictures: files that stand beside the output. status: of the input when it was read, None for a stream.
    """

    output: Path
    standing: Standing
    report: Report | None = None
    data: bytes = field(default=b"", repr=False)
    pictures: dict[Path, bytes] = field(default_factory=dict, repr=False)
    status: os.stat_result | None = None


class Photos:
    """One run of the verb: the settings of all inputs, the threads of each; outputs: of each input."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        screen: Screen,
        outputs: dict[Input, Path],
        settings: Settings,
        n_threads: int,
        passed_over: list[Path],
    ) -> None:
        self.arguments = arguments
        self.screen = screen
        self.outputs = outputs
        self.settings, self.n_threads = settings, n_threads
        self.passed_over = passed_over
        self.beside = arguments.output is None and arguments.directory is None and not arguments.in_place
        self.inputs = inputs_on_disk(list(outputs))
        self.counts: Counter[str] = Counter()
        self.n_before = self.n_after = 0
        self.name_width = min(60, max((len(item.name) for item in outputs), default=4))
        self.started = time.perf_counter()

    # --- in any thread ---

    def make(self, item: Input) -> Compressed:
        """Everything but writing."""
        from msroi.pipeline import compress
        from msroi.work.standing import Standing

        output = self.outputs[item]
        pictures = self._pictures_beside(output)
        status = None if item.path is None or not item.path.is_file() else item.path.stat()
        standing = self._standing(item, output, list(pictures.values()))
        if standing in (Standing.RIGHT, Standing.NEWER):
            return Compressed(output, standing, status=status)
        result = compress(item.open(), settings=self.settings, name=item.name, threads=self.n_threads)
        saliency = result.saliency if pictures else None
        drawn = {path: _draw(kind, saliency, result.data) for kind, path in pictures.items() if saliency is not None}
        return Compressed(output, standing, result.report, result.data, drawn, status)

    def _standing(self, item: Input, output: Path, pictures: list[Path]) -> Standing:
        from msroi.work.standing import Standing, standing

        overwrite = self.arguments.overwrite
        if output == TO_STDOUT or (item.path is not None and not item.path.exists()):
            return Standing.FREE
        if self.arguments.in_place:
            return self._standing_in_place(item, output)
        for path in (output, *pictures):
            check_free(path, True, self.inputs)  # never an input, whatever is to be replaced
        found = standing(item.path, output, self.settings, overwrite=overwrite, dated=self.arguments.preserve)
        if found is Standing.RIGHT and not all(path.is_file() for path in pictures):
            return Standing.PERHAPS
        if found is Standing.FREE:
            for path in pictures:
                check_free(path, bool(overwrite), self.inputs)
        return found

    def _standing_in_place(self, item: Input, path: Path) -> Standing:
        from msroi.images import refuse_link
        from msroi.metadata.segments import is_jpeg
        from msroi.pipeline import is_made
        from msroi.work.standing import Standing

        refuse_link(path)
        data = item.read(self.settings.limits.max_bytes)
        if not is_jpeg(data):
            raise ImageError(f"{path}: is no JPEG, and --in-place puts JPEGs in the place of JPEGs only; use -d")
        if is_made(data, self.settings):
            return Standing.RIGHT
        backup = self._backup(path)
        if backup is not None and os.path.lexists(backup):
            raise OutputExistsError(f"{backup}: exists already; {path} stays as it is")
        return Standing.FREE

    def _backup(self, path: Path) -> Path | None:
        suffix = self.arguments.backup
        return None if suffix is None else path.with_name(path.name + suffix)

    def _pictures_beside(self, output: Path) -> dict[str, Path]:
        name = output.stem if output.suffix.lower() in JPEG_SUFFIXES else output.name
        name = name.removesuffix(".msroi")
        wanted = {"map": self.arguments.save_map, "overlay": self.arguments.save_overlay}
        return {kind: output.with_name(f"{name}.{kind}.png") for kind, asked in wanted.items() if asked}

    # --- in the one thread that writes and speaks ---

    def finish(self, item: Input, made: Compressed) -> None:
        """Write what was made, or leave what is there; tell it and count it."""
        from msroi.pipeline import ALREADY_MADE
        from msroi.work.standing import Standing

        report, started = made.report, time.perf_counter()
        if report is None:
            self._skip(item, made, "older" if made.standing is Standing.NEWER else "right")
        elif made.output == TO_STDOUT:
            self._write(made.output, made.data)
            self._tell(item, made.output, report, started)
        elif self.arguments.in_place:
            self._replace(item, made, report)
            self._tell(item, made.output, report, started)
        elif item.path is not None and self.beside and report.reason == ALREADY_MADE:
            # A second copy beside it, a.msroi.msroi.jpg, would help nobody.
            self._tell(item, item.path, report, started)
        elif made.standing is Standing.PERHAPS:
            self._leave(made)
            self._skip(item, made, "right")
        else:
            self._write(made.output, made.data, made.status if self.arguments.preserve else None)
            for path, data in made.pictures.items():
                self._write(path, data)
            self._tell(item, made.output, report, started)

    def _leave(self, made: Compressed) -> None:
        """What is there is right if it is what was made; pictures beside it that are missing come to it."""
        if made.output.read_bytes() != made.data:
            message = "exists already and is not what would be made; --overwrite replaces it"
            raise OutputExistsError(f"{made.output}: {message}")
        for path, data in made.pictures.items():
            if not path.exists():
                self._write(path, data)

    def _replace(self, item: Input, made: Compressed, report: Report) -> None:
        """In place: only by a smaller file."""
        from msroi.images import replace_input

        assert made.status is not None and item.path is not None
        if len(made.data) >= made.status.st_size:
            if made.data != item.path.read_bytes():
                raise TargetError(f"{item.name}: stays as it is: what was asked for makes it no smaller; use -d")
            return
        if self.arguments.dry_run:
            return
        backup = self._backup(item.path)
        replace_input(item.path, made.data, made.status, backup=backup, dated=self.arguments.preserve)
        for path, data in made.pictures.items():
            self._write(path, data)

    def _write(self, path: Path, data: bytes, like: os.stat_result | None = None) -> None:
        if not self.arguments.dry_run:
            files.write_planned(self.arguments, path, data, self.inputs, like=like)

    # --- what is told ---

    def _skip(self, item: Input, made: Compressed, why: str) -> None:
        reasons = {
            "right": "there already and right",
            "older": "there already, no older than the input; not looked into",
        }
        self.counts[why] += 1
        if self.arguments.verbose or len(self.outputs) == 1:
            self.screen.line(f"{item.name:<{self.name_width}}  {made.output}: {reasons[why]}")
        facts = {"reason": reasons[why], "input_bytes": None if made.status is None else made.status.st_size}
        facts["output_bytes"] = made.output.stat().st_size
        self.screen.record({"input": item.name, "output": str(made.output), **facts}, SKIPPED)

    def _tell(self, item: Input, output: Path, report: Report, started: float) -> None:
        stages = {**report.seconds_by_stage, "write": time.perf_counter() - started}
        report = replace(report, seconds=sum(stages.values()), seconds_by_stage=stages)
        self.counts[KEPT if report.kept_original else DONE] += 1
        self.n_before += report.source_bytes or 0
        self.n_after += report.output_bytes
        min_savings = self.settings.min_savings
        self.screen.line(f"{item.name:<{self.name_width}}  {words.outcome(report, min_savings)}")
        if self.arguments.verbose:
            for line in (str(output), *words.figures(report)):
                self.screen.line(f"    {line}")
        record = {"input": item.name, "output": str(output), **words.record(report), "dry_run": self.arguments.dry_run}
        self.screen.record(record, KEPT if report.kept_original else DONE)

    def sum_up(self) -> None:
        """The last lines, for more than one photo and for what was passed over."""
        n_told = self.counts[DONE] + self.counts[KEPT]
        kept = f"; {self.counts[KEPT]} kept as they were" if self.counts[KEPT] else ""
        if n_told > 1:
            name = f"{n_told} photos"
            seconds = time.perf_counter() - self.started
            sums = words.change(self.n_before, self.n_after)
            self.screen.line(f"{name:<{self.name_width}}  {sums}{kept}; {seconds:.1f} s")
        if len(self.outputs) > 1:
            for why, what in (
                ("right", "there already and right"),
                ("older", "left as they are: no older than the input"),
            ):
                if self.counts[why]:
                    self.screen.line(f"{self.counts[why]} of {len(self.outputs)} photos {what}")
        if self.passed_over:
            self.screen.line(told_of(self.passed_over))
        if self.arguments.dry_run:
            self.screen.line("nothing was written: this was a dry run")


def _draw(kind: str, saliency: np.ndarray, jpeg: bytes) -> bytes:
    """The map, or the coded picture under it, as a PNG file."""
    from msroi.images import png_file, read
    from msroi.saliency.pictures import grey_map, overlay

    if kind == "map":
        return png_file(grey_map(saliency))

    picture = read(jpeg)
    return png_file(overlay(picture.upright, saliency), picture.metadata.icc_profile)
