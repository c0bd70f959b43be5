"""compress(): a photo in, a JPEG that spends its bytes where people look out.

    image --read--> picture --> (sRGB, size) --> map --> codec --> search --> metadata --> ladder --> result
                    job.py ...........................   encoding.py ..............  original.py

Each arrow is one call with arrays and plain values; codecs come from the table in `msroi.codecs.jpeg.registry`.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi import images
from msroi.codecs.jpeg.registry import CODEC_OPTIONS, make_codec
from msroi.images import Limits
from msroi.options import whole_number
from msroi.pipeline.encoding import make_file
from msroi.pipeline.job import Job, prepare
from msroi.pipeline.original import ALREADY_MADE, already_made, is_made_by, map_again
from msroi.pipeline.request import MATCHES, Request
from msroi.pipeline.result import Outcome, Report, Result, Saliency
from msroi.threads import bounded, most

if TYPE_CHECKING:
    from msroi.options import Box, Chroma, MapKind, MapQuality, Match, Method, PercentBox, Tune
    from msroi.saliency.sources import Sources

__all__ = ["ALREADY_MADE", "DEFAULT_METHOD", "MATCHES", "Report", "Request", "Result", "asked", "compress", "is_made"]

DEFAULT_METHOD: Method = "rdo"

logger = logging.getLogger("msroi")

_NO_MAP_AGAIN = "map not made: boxes are in pixels of the picture before it was reduced"


def compress(
    image: Any,
    *,
    quality: int = 75,
    match: Match | None = None,
    size: int | str | None = None,
    bpp: float | None = None,
    method: Method = DEFAULT_METHOD,
    q_low: int = 30,
    q_high: int = 70,
    levels: int = 5,
    map_kind: MapKind = "ms-roi",
    map_quality: MapQuality = "fast",
    saliency: Any = None,
    focus: Sequence[Box | str] | PercentBox | str = (),
    face_model: str | os.PathLike[str] | None = None,
    chroma: Chroma = "keep",
    tune: Tune = "default",
    guard: bool = True,
    baseline: bool = False,
    strip: bool = False,
    strip_all: bool = False,
    strip_gps: bool = False,
    gain_map: bool = True,
    srgb: bool = False,
    max_side: int | None = None,
    min_savings: float = 0.0,
    force: bool = False,
    threads: int | None = None,
    limits: Limits = Limits(),
    name: str | None = None,
) -> Result:
    """Make a JPEG that spends its bytes where people look.

    image: path, bytes, binary file, PIL image, or uint8 array (height, width[, 3 or 4]), RGB and not OpenCV's BGR;
        never modified.
    quality: 1 to 100, of the plain JPEG that the result measures up to.
    match: "size" (default), at most the bytes of plain's file with the same metadata; or "quality", the fewest
        bytes with PSNR over the whole picture and map-weighted SSIM at least plain's.
    size, bpp: a target for the whole file instead, in bytes (also "120k", "500 KB", "1.5M", "500KiB") or bits per
        pixel of the picture as written.
    method: a name from `msroi.codecs.jpeg.CODECS`. q_low, q_high, levels, chroma, tune, guard, baseline: options of
        methods, refused where the method cannot honour them. chroma "auto" takes 4:4:4 where 4:2:0 visibly harms
        coloured text and edges, else it is "keep". With baseline the result is sequential whatever the
        method: a progressive original is never kept, and none is losslessly optimised.
    map_kind, map_quality, saliency, focus: the network's map by name, "fast" or "high"; a map of one's own instead
        (array, path or name of a kind); boxes that matter as well, one or several: (x, y, width, height) in pixels of
        the upright input, or text, "120,80,200,150" or in percent of it "40%,30%,20%,20%".
    face_model: YuNet's ONNX file, with which OpenCV finds faces that matter as well.
    strip, strip_all, strip_gps, srgb, max_side: what is done to metadata, colour and size on the way. strip keeps what
        shows the picture right (profile, orientation, HDR gain map), artist and copyright; strip_all not the last two.
    gain_map: False drops HDR gain maps, which are pixels; no other option drops them but max_side.
    min_savings, force: a JPEG input is kept where the result would not be smaller, or not by this percentage
        (`msroi.pipeline.original` says how); force overrides that, and makes anew what this request had made before.
    threads: at most so many, of the libraries' own pools too (`msroi.threads`), default all processors; the result does
        not depend on it.
    limits: what is refused before decoding. name: the input's name in messages.
    Errors: the subclasses of MsroiError.
    """
    request, sources = asked(locals())
    n_threads = most() if threads is None else whole_number("threads", threads, 1)
    with bounded(None if threads is None else n_threads):
        return _compressed(image, request, sources, n_threads, limits, name)


def _compressed(
    image: Any, request: Request, sources: Sources, n_threads: int, limits: Limits, name: str | None
) -> Result:
    """What `compress` does."""
    path = _path_of(image)
    stages = Stages()
    source = images.read(image, name=name, limits=limits)
    stages.end("read")
    job = prepare(request, source, sources, n_threads)
    outcome = already_made(job)
    stages.end("prepare")
    if outcome is None:
        job = job.with_map()
    elif sources.boxes and request.max_side is not None:
        outcome = replace(outcome, notices=(_NO_MAP_AGAIN,))
    stages.end("map")
    outcome = outcome or make_file(job)
    stages.end("encode")
    report = _report(job, outcome, stages)
    _log(report)
    return Result(outcome.data, report, path, _maker(job, outcome, limits))


_DEFAULTS = {
    one.name: one.default for one in inspect.signature(compress).parameters.values() if one.kind is one.KEYWORD_ONLY
}


def asked(options: Mapping[str, Any]) -> tuple[Request, Sources]:
    """What options of `compress` ask for, checked; a missing one stands at its default.

    Errors: OptionError, SaliencyError for a map of the user's own that cannot be one.
    """
    from msroi.saliency.sources import Sources

    values = _DEFAULTS | {name: value for name, value in options.items() if name in _DEFAULTS}
    codec = make_codec(values["method"], {name: values[name] for name in CODEC_OPTIONS})
    fields = {field.name: values[field.name] for field in dataclasses.fields(Request) if field.name != "codec"}
    request = Request(codec=codec, **fields)
    names = ("saliency", "map_kind", "focus", "map_quality", "face_model")
    return request, Sources.of(**{name: values[name] for name in names})


def _maker(job: Job, outcome: Outcome, limits: Limits) -> Callable[[], Saliency] | None:
    """What makes the map that steered, for those who ask for it."""
    if job.steering is not None:
        return job.steering.followed
    if job.sources is None or outcome.notices == (_NO_MAP_AGAIN,):
        return None
    return functools.partial(map_again, outcome.data, job.sources, job.request.codec.curve, limits)


def is_made(data: bytes, options: Mapping[str, Any]) -> bool:
    """Whether a file is what `compress` makes, with these options, of the picture that it was made from.

    Nothing is decoded, and no network runs: the file's mark says it. Files without one (an original that was kept,
    those of method "plain") are not recognised. Errors: OptionError, SaliencyError for a map that cannot be had.
    """
    return is_made_by(data, *asked(options))


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
    request, source = job.request, job.source.source
    width, height = job.picture.upright_size
    return Report(
        name=source.name,
        format=source.format,
        width=width,
        height=height,
        source_bytes=None if source.data is None else len(source.data),
        plain_bytes=job.plain_bytes if request.goal in MATCHES else None,
        coded_bytes=outcome.coded_bytes,
        output_bytes=len(outcome.data),
        method=request.codec.name,
        method_version=request.codec.version,
        quality=request.quality,
        match=request.goal,
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
        target_bytes=job.plain_bytes if request.goal == "size" else job.max_bytes,
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
