"""A whole benchmark: from pictures and encoders to a folder with rows, summary and page.

    pictures, masks, maps, fixations --survey--> entries --+
    encoders x targets ------------------------------------+--> tasks --> workers --> rows.csv, files/
    rows.csv, run.json --> summary.json --> index.html

What a killed run had finished is found again: its rows, as long as nothing that they depend on has changed.
"""

from __future__ import annotations

import itertools
import json
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from msroi.benchmark import inputs, rows, statistics, summary
from msroi.benchmark.encoders import DEFAULT_ENCODERS, ENCODERS, Encoder
from msroi.benchmark.inputs import CENTRE, Entry, Unreadable
from msroi.benchmark.measuring import Measuring, Plan, Task, base_row, find_encoders
from msroi.benchmark.page import DEFAULT_MEGABYTES, MOST_MEGABYTES, write_page
from msroi.benchmark.protocols import PROTOCOLS
from msroi.benchmark.rows import Row
from msroi.benchmark.targets import MATCHES, Target
from msroi.errors import ImageError, OptionError
from msroi.images import put
from msroi.metrics import METRICS, Metric
from msroi.options import one_of, real_number, whole_number
from msroi.saliency import network_facts
from msroi.version import __version__
from msroi.work.processes import Died, run_tasks

RUN_FILE = "run.json"

DEFAULT_QUALITIES = (30, 50, 70, 90)

# Told of every row as it is known.
Tell = Callable[[Row], None]


@dataclass(frozen=True)
class Request:
    """What to benchmark.

    pictures: (file, its place below the folder given), each once. out: the folder for everything that is made.
    encoders: names in ENCODERS; None for the protocol's or the default ones. qualities or bpp: targets; None for
    the protocol's or the default ones; others: targets of a protocol, beside bpp. weights: of the neural codecs, None
    for those that ship. matching: one of MATCHES. protocol: a name in PROTOCOLS, or None.
    masks: a folder, or CENTRE; maps: a folder; fixations: a file. against: templates of command lines.
    page_megabytes: what the report may carry of pictures. threads: pictures at once. command: what is written down
    as having made it.
    Errors: OptionError for values that make no sense.
    """

    pictures: Sequence[tuple[Path, Path]]
    out: Path
    encoders: Sequence[str] | None = None
    qualities: Sequence[int] | None = None
    bpp: Sequence[float] | None = None
    others: Sequence[Target] = ()
    weights: Path | None = None
    matching: str = "size"
    protocol: str | None = None
    masks: Path | str | None = None
    maps: Path | None = None
    fixations: Path | None = None
    against: Sequence[str] = ()
    ssimulacra2: bool = True
    page_megabytes: float = DEFAULT_MEGABYTES
    threads: int = 1
    command: str = "msroi.benchmark.run.run(...)"
    targets: tuple[Target, ...] = field(init=False)
    chosen: dict[str, Encoder] = field(init=False)

    def __post_init__(self) -> None:
        one_of("match", self.matching, MATCHES)
        if self.protocol is not None:
            one_of("protocol", self.protocol, tuple(PROTOCOLS))
        whole_number("threads", self.threads, 1)
        real_number("page_megabytes", self.page_megabytes, 0, MOST_MEGABYTES)
        object.__setattr__(self, "targets", self._targets())
        object.__setattr__(self, "chosen", self._chosen())
        if self.matching == "number" and any(target.quality is None for target in self.targets):
            raise OptionError("match number needs --qualities; bits per pixel are no quality number")

    def _targets(self) -> tuple[Target, ...]:
        if self.qualities and (self.bpp or self.others):
            raise OptionError("give qualities or bits per pixel, not both")
        if self.bpp or self.others:
            targets = list(self.others)
            targets += [Target(bpp=real_number("bpp", value, 0, 48, above=True)) for value in self.bpp or ()]
        elif self.qualities:
            targets = [Target(quality=whole_number("qualities", value, 1, 100)) for value in self.qualities]
        elif self.protocol:
            targets = list(PROTOCOLS[self.protocol].targets)
        else:
            targets = [Target(quality=quality) for quality in DEFAULT_QUALITIES]
        return tuple({target.name: target for target in targets}.values())

    def _chosen(self) -> dict[str, Encoder]:
        names = self.encoders
        if names is None and self.protocol:
            names = PROTOCOLS[self.protocol].encoders
        if names is None:
            names = [name for name in DEFAULT_ENCODERS if self.masks or not ENCODERS[name].needs_mask]
        for name in names:
            one_of("encoders", name, tuple(ENCODERS))
        chosen = find_encoders(tuple(names), tuple(self.against), self.weights)
        if len(chosen) != len(set(names)) + len(self.against):
            raise OptionError("--against: two command lines of one name")
        return chosen


def run(request: Request, tell: Tell | None = None) -> dict[str, Any]:
    """Make everything, or what is left of it, and return the summary.

    tell: told of each row, first of those that an earlier run had made.
    Errors: OptionError and SaliencyError for masks, maps and fixations that do not fit, ImageError where no
    picture can be read or the folder holds something else, MissingExtraError without scipy; all before anything is
    coded.
    """
    statistics.check_installed()
    _check_folder(request.out)
    entries, unreadable = inputs.survey(
        request.pictures, request.masks, request.maps, request.fixations, request.threads
    )
    if not entries:
        raise ImageError(unreadable[0].message if unreadable else "no pictures")
    absent = {name: _absence(encoder, request) for name, encoder in request.chosen.items()}
    facts = _facts(request, entries, unreadable, absent)
    known = _reusable(request, facts)
    put(request.out / RUN_FILE, (json.dumps(facts, indent=1) + "\n").encode())
    known |= {rows.key_of(row): row for row in _rows_of_absent(request, entries, absent)}
    ordered = list(_order(request, entries, unreadable, known))
    put(request.out / rows.FILE, rows.to_text(ordered).encode())
    for row in itertools.chain(ordered, _measured(request, entries, dict(known), absent)):
        known[rows.key_of(row)] = row
        if tell and not rows.pending(row):
            tell(row)
    ordered = list(_order(request, entries, unreadable, known))
    put(request.out / rows.FILE, rows.to_text(ordered).encode())
    result = summary.write_summary(request.out)
    write_page(request.out, max_megabytes=request.page_megabytes)
    return result


def _check_folder(out: Path) -> None:
    """A folder with other things in it is not ours to write to."""
    if out.exists() and not out.is_dir():
        raise OptionError(f"-d {out}: is a file; name a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / RUN_FILE).is_file():
        raise OptionError(f"-d {out}: holds other things; name a new folder, or that of an earlier benchmark")


def _absence(encoder: Encoder, request: Request) -> str:
    """Why an encoder cannot run here, "" if it can."""
    if encoder.needs_mask and request.masks is None:
        return "it codes by masks: give --masks FOLDER"
    return encoder.missing()


def _rows_of_absent(request: Request, entries: Sequence[Entry], absent: dict[str, str]) -> Iterator[Row]:
    for entry in entries:
        for target in request.targets:
            for name, why in absent.items():
                if why:
                    row = base_row(entry, request.chosen[name], target.name)
                    yield row | {"status": rows.ABSENT, "message": why}


def _measured(
    request: Request,
    entries: Sequence[Entry],
    known: dict[tuple[str, str, str], Row],
    absent: dict[str, str],
) -> Iterator[Row]:
    """All rows that are not known yet, each appended to the file as it comes."""
    tasks = []
    for entry in entries:
        for name in request.chosen:
            wanted = [t.name for t in request.targets if (entry.name, t.name, name) not in known]
            keys = [(entry.name, target.name, name) for target in request.targets]
            incomplete = [known[key] for key in keys if key in known and rows.pending(known[key])]
            if (wanted or incomplete) and not absent[name]:
                tasks.append(Task(entry.name, name, tuple(wanted), tuple(incomplete)))
    by_name = {entry.name: entry for entry in entries}
    targets = {target.name: target for target in request.targets}
    plan = Plan(
        request.out,
        by_name,
        targets,
        tuple(request.against),
        request.matching,
        tuple(_metrics(request)),
        request.weights,
        tuple(sorted({type(encoder).__module__ for encoder in request.chosen.values()} - {"__main__"})),
    )
    made: dict[tuple[str, str], list[str]] = {(task.image, task.encoder): [] for task in tasks}
    with (request.out / rows.FILE).open("a", encoding="utf-8") as file:
        for task, result in run_tasks(Measuring, plan, tasks, request.threads):
            encoder = request.chosen[task.encoder]
            found = [result]
            if isinstance(result, Died):
                asked = [*(row["target"] for row in task.rows), *task.targets]
                missed = [target for target in asked if target not in made[task.image, task.encoder]]
                failed = {"status": rows.FAILED, "message": str(result)}
                found = [base_row(by_name[task.image], encoder, target) | failed for target in missed]
            for row in found:
                made[task.image, task.encoder].append(row["target"])
                file.write(rows.to_text([row], header=False))
                file.flush()
                yield row


def _order(
    request: Request,
    entries: Sequence[Entry],
    unreadable: Sequence[Unreadable],
    known: dict[tuple[str, str, str], Row],
) -> Iterator[Row]:
    """The rows that are known, by picture, target, encoder; at the end the pictures that could not be read."""
    for entry in entries:
        for target in request.targets:
            for name in request.chosen:
                if (entry.name, target.name, name) in known:
                    yield known[entry.name, target.name, name]
    for picture in unreadable:
        yield rows.make_row(image=picture.name, status=rows.UNREADABLE, message=picture.message)


# --- what was known before --------------------------------------------------------------------------


def _reusable(request: Request, facts: dict[str, Any]) -> dict[tuple[str, str, str], Row]:
    """Rows of an earlier run whose picture and encoder are what they were, and whose file is there.

    Scores that it had not, or by another version, are pending in them; those that are not asked for now are left out.
    """
    try:
        earlier = json.loads((request.out / RUN_FILE).read_text(encoding="utf-8"))
        same = earlier["basis"] == facts["basis"]
        prints = {image["name"]: image["fingerprint"] for image in earlier["images"]}
        scores = dict(earlier["scores"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if not same:
        return {}
    now = facts["scores"]
    changes = {key: None for key in METRICS if key not in now}
    changes |= {key: rows.PENDING for key, version in now.items() if scores.get(key) != version}
    current = {image["name"]: image["fingerprint"] for image in facts["images"]}
    versions = {encoder["name"]: encoder["version"] for encoder in facts["encoders"] if encoder["available"]}
    reusable = {}
    for row in rows.read_rows(request.out / rows.FILE):
        name = row["image"]
        is_same = (
            name in current and prints.get(name) == current[name] and versions.get(row["encoder"]) == row["version"]
        )
        if is_same and row["status"] == rows.UNREACHABLE:
            reusable[rows.key_of(row)] = row
        elif is_same and _is_there(request.out, row):
            reusable[rows.key_of(row)] = row | changes
    return reusable


def _is_there(out: Path, row: Row) -> bool:
    if row["status"] != rows.OK:
        return False
    path = out / row["file"]
    return path.is_file() and path.stat().st_size == row["bytes"]


# --- what is written down ---------------------------------------------------------------------------


def _facts(
    request: Request, entries: Sequence[Entry], unreadable: Sequence[Unreadable], absent: dict[str, str]
) -> dict[str, Any]:
    """run.json."""
    scores = {metric.key: metric.version() for metric in _metrics(request)}
    return {
        "command": request.command,
        "versions": _versions(),
        "settings": {
            "targets": [target.name for target in request.targets],
            "match": request.matching,
            "protocol": request.protocol,
            "masks": None if request.masks is None else str(request.masks),
            "maps": None if request.maps is None else str(request.maps),
            "fixations": None if request.fixations is None else str(request.fixations),
            "ssimulacra2": scores.get("ssimulacra2") or METRICS["ssimulacra2"].missing() or "off",
        },
        "weights": _weights(request),
        "encoders": [
            {
                "name": name,
                "version": "" if absent[name] else encoder.version(),
                "available": not absent[name],
                "install": absent[name],
                "ours": encoder.ours,
                "follows_map": encoder.follows_map,
                "needs_mask": encoder.needs_mask,
            }
            for name, encoder in request.chosen.items()
        ],
        "images": [
            {
                "name": entry.name,
                "path": str(entry.path.resolve()),
                "width": entry.width,
                "height": entry.height,
                "fingerprint": entry.fingerprint,
            }
            for entry in entries
        ],
        "unreadable": [{"image": picture.name, "message": picture.message} for picture in unreadable],
        "scores": scores,
        "basis": {
            "msroi": __version__,
            "match": request.matching,
            "networks": [network["sha256"] for network in network_facts()],
            "scored_by": [name for name in ("masks", "fixations", "maps") if getattr(request, name) is not None],
        },
    }


def _weights(request: Request) -> str:
    """What the scores that are weighted stand on, in words."""
    if request.fixations is not None:
        words = f"human fixations ({request.fixations.name})"
        return words + ("" if request.masks is None else f", and inside and outside {_mask_words(request)}")
    if request.masks is not None:
        return _mask_words(request)
    return (
        "none: whole pictures. SI-SSIM alone is weighted by the map that drove rdo and two-pass, "
        "which favours them: it is no verdict"
    )


def _mask_words(request: Request) -> str:
    if request.masks == CENTRE:
        return "a Gaussian in the middle of each picture"
    return f"human masks ({Path(str(request.masks)).name})"


def _metrics(request: Request) -> list[Metric]:
    """What is taken: all that can be, but for what was switched off."""
    asked = [metric for metric in METRICS.values() if request.ssimulacra2 or metric.key != "ssimulacra2"]
    return [metric for metric in asked if not metric.missing()]


def _versions() -> dict[str, str]:
    packages = (
        *("numpy", "pillow", "opencv-python-headless", "scikit-image", "scipy", "onnxruntime", "ssimulacra2"),
        *("constriction", "keras", "tensorflow", "tensorflow-cpu"),
    )
    found = {package: _version(package) for package in packages}
    return {
        "msroi": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **{package: version for package, version in found.items() if version},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
