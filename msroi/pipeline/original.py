"""When the original is the answer: a file that we made already, and the ladder of "never larger"."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from msroi import images
from msroi import metadata as meta
from msroi.codecs.jpeg import lossless, plain
from msroi.errors import ImageError
from msroi.images import Limits
from msroi.pipeline.job import Job, edited, map_identity
from msroi.pipeline.result import Outcome, Saliency
from msroi.settings import Settings

if TYPE_CHECKING:
    from msroi.saliency.sources import Sources

ALREADY_MADE = "already made by this request"

_SEQUENTIAL = (0xC0, 0xC1)  # start of frame, Huffman codes


def already_made(job: Job) -> Outcome | None:
    """The input itself, if this very request made it.

    It is not if the request would change it still: metadata that came in since and are to go, a size over the
    target; nor if the picture was edited since, which the mark shows. The version in our mark may be another: the
    digest holds what decides on the bytes. Plain's files carry no mark; they are known by how they are coded.
    """
    data = job.source.source.data
    if data is None or job.source.source.format != "JPEG" or job.settings.force or job.pixels_changed:
        return None
    mark = meta.read_comment(data)
    if mark is None:
        if not _is_plain_as_asked(job, data):
            return None
    elif mark.split()[-1] != job.mark(data).split()[-1]:
        return None
    if job.max_bytes is not None and len(data) > job.max_bytes:
        return None
    if meta.assemble(meta.bare(data), job.edited(meta.from_jpeg(data)[0]), mark) != data:
        return None
    return replace(_kept(data, "unchanged"), reason=ALREADY_MADE, notices=())


def is_made_by(data: bytes, settings: Settings) -> bool:
    """Whether a file's mark says that this request made it, and nothing has come to it since; nothing is decoded."""
    mark = meta.read_comment(data)
    if mark is None or settings.force:
        return False
    try:
        frame = meta.parse(data).frame
        metadata, _ = meta.from_jpeg(data)
        size = (frame.width, frame.height)
        upright_size = size if metadata.orientation < 5 else size[::-1]
        if mark.split()[-1] != settings.digest(map_identity(settings)) + meta.picture_digest(data):
            return False
        max_bytes = settings.max_bytes(upright_size)
        if max_bytes is not None and len(data) > max_bytes:
            return False
        return meta.assemble(meta.bare(data), edited(metadata, settings, metadata.orientation), mark) == data
    except ImageError:  # damaged since
        return False


def map_again(data: bytes, sources: Sources, curve: str, limits: Limits) -> Saliency:
    """The map that steered a file that was made already, as its pixels show: float32 (height, width), upright."""
    from msroi.saliency.steering import steer

    return steer(sources, images.read(data, limits=limits), curve).followed()


def _is_plain_as_asked(job: Job, data: bytes) -> bool:
    settings = job.settings
    return settings.codec.is_yardstick and settings.goal == "size" and plain.is_plain(data, settings.quality)


def kept_original(job: Job, ours: Outcome | None) -> Outcome | None:
    """The original instead of ours, where a JPEG input would not become smaller; None for ours.

    The rungs: our encode; the original losslessly optimised; the original. The first two must have fewer
    bytes than the input, and by min_savings percent; metadata are treated as asked on each. A target for the
    whole file stands above min_savings, and the original must meet it too. `ours` is None where the target is
    out of our reach: then only an original that meets the target will do. Unchanged pixels are as good as
    plain's, whatever plain's quality.

    There is no ladder where colours were converted or the picture was reduced, as asked: the original then is no
    answer, however small it is. Nor is there with force, for other formats, or for a progressive original where
    baseline is asked for: our encode then stands even if it is larger. With baseline a sequential original is not
    optimised, since that makes it progressive.
    """
    data = job.source.source.data
    if data is None or not _has_ladder(job, data):
        return None
    enough = min(len(data) - 1, math.floor(len(data) * (1 - job.settings.min_savings / 100)))
    if ours is not None and len(ours.data) <= enough:
        return None
    reason = _reason(job, ours, len(data))
    n_probes = 0 if ours is None else ours.n_probes
    for kept in _rungs(job, data, enough):
        if _meets_target(job, kept, ours):
            return replace(kept, n_probes=n_probes, reason=reason)
    return None


def _has_ladder(job: Job, data: bytes) -> bool:
    if job.source.source.format != "JPEG" or job.settings.force or job.pixels_changed:
        return False
    if job.settings.baseline and meta.parse(data).frame.marker not in _SEQUENTIAL:
        return False
    # CMYK was converted in reading already.
    return not (job.settings.srgb and len(meta.parse(data).frame.components) == 4)


def _meets_target(job: Job, kept: Outcome, ours: Outcome | None) -> bool:
    if job.max_bytes is not None:
        return len(kept.data) <= job.max_bytes
    if ours is None and job.settings.goal == "size":
        return len(kept.data) <= job.plain_bytes
    return True


def _rungs(job: Job, data: bytes, enough: int) -> Iterator[Outcome]:
    """The original's picture data, the lossless form only if the file has at most `enough` bytes."""
    before, notices = meta.from_jpeg(data)
    after = job.edited(before)
    notices = (*notices, *after.notices)
    bare = meta.bare(data)
    optimised = None if job.settings.baseline else lossless.optimise(bare)
    if optimised is not None:
        # With our mark, so that a second run leaves the file alone.
        file = meta.assemble(optimised, after, job.mark(optimised))
        if len(file) <= enough:
            yield _kept(file, "original kept, losslessly optimised", notices)
    file = data if after == before else meta.assemble(bare, after)
    if file == data:
        yield _kept(data, "original kept")
    else:
        yield _kept(file, "original kept, metadata as asked", notices)


def _kept(data: bytes, reached: str, notices: tuple[str, ...] = ()) -> Outcome:
    return Outcome(data, len(meta.bare(data)), reached, kept_original=True, notices=notices)


def _reason(job: Job, ours: Outcome | None, source_bytes: int) -> str:
    min_savings = job.settings.min_savings
    if ours is None and job.settings.goal == "quality":
        return "plain JPEG's quality is out of our encode's reach, and the original, as it is, has it"
    if ours is None:
        return "the target is below the smallest that our encode can be, and the original meets it"
    n_bytes = len(ours.data)
    if n_bytes >= source_bytes:
        return f"our encode would have {n_bytes} bytes, the original has {source_bytes}"
    saved = 100 * (1 - n_bytes / source_bytes)
    return f"our encode would save {saved:.1f} %, less than the {min_savings:g} % asked for"
