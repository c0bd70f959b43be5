"""compress(): a photo in, a JPEG that spends its bytes where people look out.

    image --read--> picture --> (sRGB, size) --> map --> codec --> search --> metadata --> ladder --> result
                    job.py ...........................   encoding.py ..............  original.py

Each arrow is one call with arrays and plain values; codecs come from the table in `msroi.codecs.jpeg.registry`.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from msroi import images
from msroi.errors import OptionError
from msroi.images import Limits
from msroi.options import whole_number
from msroi.pipeline.encoding import make_file
from msroi.pipeline.job import Job, prepare
from msroi.pipeline.original import ALREADY_MADE, already_made, is_made_by, map_again
from msroi.pipeline.result import Outcome, Report, Result, Saliency
from msroi.settings import MATCHES, Fields, Settings, options
from msroi.threads import bounded, most

__all__ = ["ALREADY_MADE", "Report", "Result", "Settings", "compress", "is_made"]

logger = logging.getLogger("msroi")

_NO_MAP_AGAIN = "map not made: boxes are in pixels of the picture before it was reduced"


def compress(
    image: Any,
    settings: Settings | None = None,
    *,
    threads: int | None = None,
    name: str | None = None,
    **fields: Unpack[Fields],
) -> Result:
    """Make a JPEG that spends its bytes where people look.

    image: path, bytes, binary file, PIL image, or uint8 array (height, width[, 3 or 4]), RGB and not OpenCV's BGR;
        never modified.
    settings: all that shapes the file, or its fields by name instead, see below. name: the input's, in messages.
    threads: at most so many, of all libraries (`msroi.threads`), default all processors; no byte depends on it.

    A JPEG input is kept where the result would not be smaller (`msroi.pipeline.original` says how). An option that the
    method has not is refused, unless it says what the method does anyway. `saliency` may be an array, a path or the
    name of a kind; a box is (x, y, width, height) in pixels of the upright input, or text, "120,80,200,150" or in
    percent of it "40%,30%,20%,20%". With `baseline` a progressive original is never kept.
    Errors: the subclasses of MsroiError.
    """
    if settings is None:
        settings = Settings.of(**fields)
    elif fields:
        raise OptionError(f"{next(iter(fields))}: settings are given as well; give them whole or field by field")
    n_threads = most() if threads is None else whole_number("threads", threads, 1)
    with bounded(None if threads is None else n_threads):
        return _compressed(image, settings, n_threads, name)


def _compressed(image: Any, settings: Settings, n_threads: int, name: str | None) -> Result:
    """What `compress` does."""
    path = _path_of(image)
    stages = Stages()
    source = images.read(image, name=name, limits=settings.limits)
    stages.end("read")
    job = prepare(settings, source, n_threads)
    outcome = already_made(job)
    stages.end("prepare")
    if outcome is None:
        job = job.with_map()
    elif settings.focus and settings.max_side is not None:
        outcome = replace(outcome, notices=(_NO_MAP_AGAIN,))
    stages.end("map")
    outcome = outcome or make_file(job)
    stages.end("encode")
    report = _report(job, outcome, stages)
    _log(report)
    return Result(outcome.data, report, path, _maker(job, outcome))


def _maker(job: Job, outcome: Outcome) -> Callable[[], Saliency] | None:
    """What makes the map that steered, for those who ask for it."""
    if job.steering is not None:
        return job.steering.followed
    if job.sources is None or outcome.notices == (_NO_MAP_AGAIN,):
        return None
    return functools.partial(map_again, outcome.data, job.sources, job.settings.codec.curve, job.settings.limits)


def is_made(data: bytes, settings: Settings) -> bool:
    """Whether a file is what `compress` makes, with these settings, of the picture that it was made from.

    Nothing is decoded, and no network runs: the file's mark says it. Files without one (an original that was kept,
    those of method "plain") are not recognised. Errors: SaliencyError for a map that cannot be had.
    """
    return is_made_by(data, settings)


def _documented(function: Callable[..., Result]) -> None:
    """Names the fields of settings in a function's signature and docstring, where they stand but once."""
    table = options()
    lines = [f"{name} (default {one.default!r}): {one.declared.help}" for name, one in table.items()]
    function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n" + "\n".join(lines)
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    values = {name: one.default for name, one in table.items()} | {"limits": Limits()}
    named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in values.items()]
    function.__signature__ = signature.replace(parameters=[*own, *named])  # type: ignore[attr-defined]


_documented(compress)


class Stages:
    """Seconds of wall time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def end(self, stage: str) -> None:
        """What went by since the last end belongs to this stage."""
        now = time.perf_counter()
        self.seconds[stage] = now - self._since
        self._since = now


def _log(report: Report) -> None:
    """For whoever set up logging: the result, and as warnings what should be known of it."""
    logger.info(
        "%s: %s bytes to %s, %s, %.2f s", report.name, report.source_bytes, report.output_bytes, report.reached,
        report.seconds,
    )  # fmt: skip
    for notice in report.notices:
        logger.log(logging.DEBUG if notice in report.details else logging.WARNING, "%s: %s", report.name, notice)


def _report(job: Job, outcome: Outcome, stages: Stages) -> Report:
    settings, source = job.settings, job.source.source
    width, height = job.picture.upright_size
    return Report(
        name=source.name,
        format=source.format,
        width=width,
        height=height,
        source_bytes=None if source.data is None else len(source.data),
        plain_bytes=job.plain_bytes if settings.goal in MATCHES else None,
        coded_bytes=outcome.coded_bytes,
        output_bytes=len(outcome.data),
        method=settings.codec.name,
        method_version=settings.codec.version,
        quality=settings.quality,
        match=settings.goal,
        target="none: the file is what this request makes" if outcome.reason == ALREADY_MADE else job.target,
        reached=outcome.reached,
        setting=outcome.setting,
        map_kind="none" if job.sources is None else job.sources.name,
        map_identity=job.map_identity,
        kept_original=outcome.kept_original,
        reason=outcome.reason,
        notices=_notices(job, outcome),
        n_probes=outcome.n_probes,
        seconds=sum(stages.seconds.values()),
        target_bytes=job.plain_bytes if settings.goal == "size" else job.max_bytes,
        details=_details(job, outcome),
        seconds_by_stage=stages.seconds,
        **outcome.scores,
    )


def _details(job: Job, outcome: Outcome) -> tuple[str, ...]:
    """Those of the notices that tell how map and encoder went, or what the figures tell as well."""
    on_map = (job.map_notice,) if outcome.notices is None else ()
    return tuple(notice for notice in (*on_map, outcome.note, *_larger(job, outcome)) if notice)


def _notices(job: Job, outcome: Outcome) -> tuple[str, ...]:
    notices = job.notices if outcome.notices is None else outcome.notices
    if outcome.note:
        notices = (*notices, outcome.note)
    return (*notices, *_larger(job, outcome))


def _larger(job: Job, outcome: Outcome) -> tuple[str, ...]:
    source = job.source.source
    if source.format != "JPEG" or source.data is None or len(outcome.data) <= len(source.data):
        return ()
    return (f"larger than the input, which has {len(source.data)} bytes",)


def _path_of(image: Any) -> Path | None:
    """Where the input lies, if it is a file, whatever the working folder later: `Result.save` never replaces it."""
    if isinstance(image, str | os.PathLike):
        path: Any = os.fspath(image)
    else:
        # PIL pictures that were opened from a file; files.
        path = getattr(image, "filename", None) or getattr(image, "name", None)
    return Path(os.fsdecode(path)).absolute() if isinstance(path, str | bytes) and path else None
