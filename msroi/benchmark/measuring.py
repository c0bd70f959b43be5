"""One picture and one encoder: a file for each target, and its row. This runs in the workers."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from msroi.arrays import Floats, Pixels
from msroi.benchmark import rows
from msroi.benchmark.encoder import Encoder
from msroi.benchmark.encoders import ENCODERS
from msroi.benchmark.inputs import Entry
from msroi.benchmark.peers.command import CommandEncoder
from msroi.benchmark.peers.neural import Neural
from msroi.benchmark.rows import Row
from msroi.benchmark.subject import Subject
from msroi.benchmark.targets import Files, Made, Target, like, reach
from msroi.errors import MsroiError, TargetError
from msroi.images import png_file, put, read
from msroi.metrics import Metric, Pair
from msroi.metrics.catalogue import measured
from msroi.threads import bound


@dataclass(frozen=True)
class Plan:
    """What all workers know.

    out: the run's folder; against: templates of command lines; metrics: that are taken; weights: of neural codecs.
    modules: in which encoders were added to the table.
    """

    out: Path
    entries: Mapping[str, Entry]
    targets: Mapping[str, Target]
    against: tuple[str, ...]
    matching: str
    metrics: tuple[Metric, ...]
    weights: Path | None = None
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """Rows to make: of one picture by one encoder, for some targets; or earlier ones, to be given the scores they lack.

    targets: of the rows that are made. rows: the earlier ones.
    """

    image: str
    encoder: str
    targets: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


def find_encoders(names: tuple[str, ...], against: tuple[str, ...], weights: Path | None = None) -> dict[str, Encoder]:
    """Encoders of the table by name, the neural ones with these weights, then those of command lines."""
    found = {name: ENCODERS[name] for name in names}
    if weights is not None:
        found = {name: e.with_weights(weights) if isinstance(e, Neural) else e for name, e in found.items()}
    commands = [CommandEncoder(template) for template in against]
    return found | {command.name: command for command in commands}


class Measuring:
    """Handles tasks; keeps the picture of the last one."""

    def __init__(self, plan: Plan) -> None:
        bound(1)  # pictures run beside each other, and times should mean something
        self._plan = plan
        for module in plan.modules:  # a worker is a new process, which knows msroi's own encoders alone
            importlib.import_module(module)
        self._encoders = find_encoders(tuple(ENCODERS), plan.against, plan.weights)
        self._known: tuple[str, Subject] | None = None

    def __call__(self, task: Task) -> Iterator[Row]:
        """A row for each target of the task. Whatever an encoder raises becomes a row."""
        subject = self._subject(task.image)
        encoder = self._encoders[task.encoder]
        for row in task.rows:
            yield self._completed(encoder, subject, row)
        files: Files | None = None
        for name in task.targets:
            target = self._plan.targets[name]
            row = base_row(self._plan.entries[task.image], encoder, name)
            row["target_bytes"] = target.budget(subject.pixels)
            try:
                files = files or self._started(encoder, subject)
                made = reach(encoder, files, target, self._plan.matching, subject.pixels)
                row |= self._scored(encoder, subject, row, made)
            except TargetError as error:
                row |= {"status": rows.UNREACHABLE, "message": str(error)}
            except Exception as error:  # encoders are programs of others, which raise anything
                row |= {"status": rows.FAILED, "message": message_of(error)}
            yield row

    def _subject(self, image: str) -> Subject:
        if self._known is None or self._known[0] != image:
            subject = self._plan.entries[image].subject()
            self._known = (image, subject)
            if subject.mask is not None:
                self._write_map("masks", image, subject.mask)
        return self._known[1]

    def _started(self, encoder: Encoder, subject: Subject) -> Files:
        if encoder.follows_map:
            assert self._known is not None
            self._write_map("maps", self._known[0], subject.saliency)
        encoder.prepare()
        started = time.perf_counter()
        coder = encoder.begin(subject)
        return Files(coder, time.perf_counter() - started)

    def _scored(self, encoder: Encoder, subject: Subject, row: Row, made: Made) -> dict[str, Any]:
        data = made.match.data
        started = time.perf_counter()
        decoded = encoder.decode(data)
        seconds_decode = time.perf_counter() - started
        height, width = subject.pixels.shape[:2]
        place = Path("files", encoder.name, f"{row['image']}.{row['target']}{encoder.suffix}")
        put(self._plan.out / place, data)
        if encoder.keeps_pixels:
            pictured = self._plan.out / decoded_place(place)
            put(pictured, png_file(decoded))
        return {
            "settings": encoder.describe(made.match.setting, data),
            "status": rows.OK,
            "message": made.match.note,
            "bytes": len(data),
            "size_difference_percent": 100 * (len(data) / row["target_bytes"] - 1),
            "bpp": 8 * len(data) / (width * height),
            "seconds_encode": round(made.seconds, 4),
            "seconds_decode": round(seconds_decode, 4),
            "n_files": made.match.n_probes,
            **self._measured(subject, decoded, self._plan.metrics),
            "file": place.as_posix(),
        }

    def _completed(self, encoder: Encoder, subject: Subject, row: Row) -> Row:
        """An earlier row with the scores that it lacks, of the file that lies there."""
        lacking = set(rows.pending(row))
        empty: dict[str, None] = dict.fromkeys(lacking)
        try:
            path = self._plan.out / row["file"]
            pictured = decoded_place(path)
            decoded = read(pictured).pixels if encoder.keeps_pixels else encoder.decode(path.read_bytes())
            wanted = [metric for metric in self._plan.metrics if metric.key in lacking]
            return row | empty | self._measured(subject, decoded, wanted)
        except Exception as error:  # decoders are programs of others, which raise anything
            return row | empty | {"status": rows.FAILED, "message": message_of(error)}

    @staticmethod
    def _measured(subject: Subject, decoded: Pixels, metrics: Iterable[Metric]) -> dict[str, float | None]:
        return measured(Pair(subject.pixels, like(decoded, subject.pixels), regions=subject), metrics)

    def _write_map(self, folder: str, image: str, values: Floats) -> None:
        """As a grey picture of 8 bits."""
        grey = np.rint(np.asarray(values) * 255).astype(np.uint8)
        path = self._plan.out / folder / f"{image}.png"
        put(path, png_file(grey, smooth=True))


def base_row(entry: Entry, encoder: Encoder, target: str) -> Row:
    """What is known of a row beforehand."""
    return rows.make_row(
        image=entry.name,
        width=entry.width,
        height=entry.height,
        target=target,
        encoder=encoder.name,
        version="" if encoder.missing() else encoder.version(),
    )


def decoded_place(place: Path) -> Path:
    """Where the pixels of a file stand that only msroi decodes."""
    return place.with_suffix(".decoded.png")


def message_of(error: Exception) -> str:
    """In one line; of what is no error of ours also its kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, MsroiError) else f"{type(error).__name__}: {text}".rstrip(": ")
