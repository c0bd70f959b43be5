"""From a job to a file: the codec's encoder, the search for the target, metadata, the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from msroi import images
from msroi.codecs.jpeg import lossless, plain
from msroi.codecs.jpeg.codec import Encoder
from msroi.errors import TargetError
from msroi.pipeline.equal_quality import AsGoodAs, fewest_of_both
from msroi.pipeline.job import Job
from msroi.pipeline.original import kept_original
from msroi.pipeline.result import Outcome
from msroi.search.knobs import Interval
from msroi.search.matching import (
    Encode,
    Match,
    NoneFitsError,
    RealEncoder,
    fewest_bytes,
    land_within,
    largest_within,
)

# Metadata that take more than this share of a target that cannot be reached are worth a word.
_MUCH_METADATA = 0.1


def make_file(job: Job) -> Outcome:
    """Our file, or the original where the ladder says so.

    Errors: TargetError where neither meets the target.
    """
    try:
        ours = _encode(job)
    except TargetError as error:
        kept = kept_original(job, None)
        if kept is None:
            raise TargetError(f"{job.name}: {error}") from None
        return kept
    return kept_original(job, ours) or ours


def _encode(job: Job) -> Outcome:
    job.settle_sizes()
    # Before there is an encoder: it decodes plain's file.
    judge = _judge(job) if job.request.goal == "quality" else None
    codec: Any = job.request.codec
    saliency = job.followed if getattr(codec, "takes_maker", False) else job.followed()
    encoder: Encoder = codec.start(job.picture, saliency, job.n_threads)
    del saliency
    if job.request.goal == "size":
        return _equal_size(job, encoder)
    if judge is not None:
        return _equal_quality(job, encoder, judge)
    return _whole_file(job, encoder)


def _equal_size(job: Job, encoder: Encoder) -> Outcome:
    """At most the bytes of plain's file with the same metadata; our mark counts as ours."""
    budget = job.plain_bytes
    try:
        if isinstance(job.request.codec, plain.Plain):
            return _plain_file(job, encoder, budget)
        match = _largest_marked(job, encoder, budget)
    except NoneFitsError as error:
        yardstick = f"plain JPEG at quality {job.request.quality} ({budget} bytes)"
        need = f"{job.request.codec.name} needs at least {error.smallest}"
        raise TargetError(f"{yardstick}: {need}; raise --quality") from None
    return _outcome(job, match, job.overhead)


def _plain_file(job: Job, encoder: Encoder, budget: int) -> Outcome:
    """Plain as everybody makes it, without a mark: it is known again by its tables.

    A higher quality with as few bytes, as in flat pictures, is not asked for.
    """
    settings = cast(Sequence[int], encoder.settings)[: job.request.quality]
    first = job.request.quality - 1
    match = largest_within(lambda quality: job.unmarked(encoder.encode(quality)), settings, budget, first=first)
    return _outcome(job, match, job.metadata_bytes)


def _largest_marked(job: Job, encoder: Encoder, budget: int) -> Match:
    """The largest file within `budget`, mark included.

    Of a tiny picture the mark alone may be more than plain leaves: Huffman codes of its own make room then.
    """
    overhead, first = job.overhead, None
    if not isinstance(encoder.settings, Interval):
        first = _first(job, encoder.settings)
    try:
        return _largest_whole(job, encoder.encode, encoder, budget, overhead, first)
    except NoneFitsError as error:
        mark = overhead - job.metadata_bytes
        if isinstance(encoder.settings, Interval) or error.smallest - mark > budget:
            raise
        return _largest_whole(job, lambda setting: lossless.compact(encoder.encode(setting)), encoder, budget, overhead)


def _judge(job: Job) -> AsGoodAs:
    """Says whether a file is as good as plain, weighted by the map."""
    yardstick = images.to_stored(plain.decode(job.plain_jpeg), job.picture.orientation)
    return AsGoodAs(yardstick, job.picture.pixels, job.stored_saliency)


def _equal_quality(job: Job, encoder: Encoder, judge: AsGoodAs) -> Outcome:
    """The fewest bytes that are as good as plain."""
    settings = encoder.settings
    try:
        if isinstance(settings, Interval):
            match = fewest_of_both(cast(RealEncoder, encoder), settings, judge, len(job.plain_jpeg))
        else:
            look, first = job.request.codec.look, _first(job, settings)
            match = fewest_bytes(encoder.encode, settings, judge, first=first, look=look)
    except TargetError as error:
        levels = " or raise --q-low and --q-high" if hasattr(job.request.codec, "q_high") else ""
        raise TargetError(f"plain JPEG's quality ({judge.wanted}): {error}; lower --quality{levels}") from None
    data = job.assembled(match.data)
    share = 100 * len(data) / job.plain_bytes
    scores = judge.figures(match.data)
    match = replace(match, data=data, reached=f"{match.reached} in {share:.1f} % of plain's bytes")
    return replace(_outcome(job, match, job.overhead), scores=scores)


def _whole_file(job: Job, encoder: Encoder) -> Outcome:
    """A target that counts metadata, which take the same bytes in every file."""
    max_bytes, overhead = job.max_bytes or 0, job.overhead
    try:
        match = _largest_whole(job, encoder.encode, encoder, max_bytes, overhead)
    except TargetError as error:
        much = job.metadata_bytes > _MUCH_METADATA * max_bytes
        hint = f"; metadata take {job.metadata_bytes} bytes (--strip)" if much else ""
        raise TargetError(f"{error}{hint}") from None
    return _outcome(job, match, overhead)


def _largest_whole(
    job: Job, encode: Encode, encoder: Encoder, max_bytes: int, overhead: int, first: int | None = None
) -> Match:
    """The largest whole file of at most `max_bytes` bytes; metadata and mark take `overhead` of them.

    encode: what makes a coded picture of a setting, of encoders with steps. first: see `largest_within`.
    """
    settings = encoder.settings
    if isinstance(settings, Interval):
        real = cast(RealEncoder, encoder)
        match = land_within(real, settings.low, settings.high, max_bytes, overhead=overhead)
        return replace(match, data=job.assembled(match.data))
    look = job.request.codec.look
    return largest_within(lambda setting: job.assembled(encode(setting)), settings, max_bytes, first=first, look=look)


def _first(job: Job, settings: Sequence[Any]) -> int:
    """Where a search begins: plain's quality, carried over to other scales."""
    return len(settings) * job.request.quality // plain.QUALITIES[-1] - 1


def _outcome(job: Job, match: Match, overhead: int) -> Outcome:
    """match: a whole file, `overhead` of its bytes metadata and mark."""
    reached = match.reached or f"{len(match.data)} bytes"
    if job.request.bpp is not None:
        width, height = job.picture.upright_size
        reached += f", {8 * len(match.data) / (width * height):.3f} bits per pixel"
    return Outcome(match.data, len(match.data) - overhead, reached, match.setting, match.n_probes, match.note)
