"""From a job to a file: the codec's encoder, the search for the target, metadata, the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from msroi import images
from msroi.errors import TargetError
from msroi.jpeg import plain
from msroi.jpeg.codec import Encoder
from msroi.jpeg.interval import Interval
from msroi.matching import (
    Match,
    NoneFitsError,
    RealEncoder,
    fewest_bytes,
    land_within,
    largest_within,
)
from msroi.pipeline.equal_quality import AsGoodAs, fewest_of_both
from msroi.pipeline.job import Job
from msroi.pipeline.original import kept_original
from msroi.pipeline.result import Outcome, Saliency

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
    saliency = job.stored_saliency
    encoder = job.request.codec.start(job.picture, job.followed, job.n_threads)
    if job.request.goal == "size":
        return _equal_size(job, encoder)
    if job.request.goal == "quality":
        return _equal_quality(job, encoder, saliency)
    return _whole_file(job, encoder)


def _equal_size(job: Job, encoder: Encoder) -> Outcome:
    """At most plain's bytes, metadata left out on both sides."""
    budget = len(job.plain_jpeg)
    try:
        match = _largest(job, encoder, budget)
    except NoneFitsError as error:
        yardstick = f"plain JPEG at quality {job.request.quality} ({budget} bytes)"
        need = f"{job.request.codec.name} needs at least {error.smallest}"
        raise TargetError(f"{yardstick}: {need}; raise --quality") from None
    return _finished(job, match, f"{len(match.data)} bytes of picture data")


def _equal_quality(job: Job, encoder: Encoder, weights: Saliency | None) -> Outcome:
    """The fewest bytes that are as good as plain."""
    yardstick = images.to_stored(plain.decode(job.plain_jpeg), job.picture.orientation)
    judge = AsGoodAs(yardstick, job.picture.pixels, weights)
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
    share = 100 * len(match.data) / len(job.plain_jpeg)
    return _finished(job, match, f"{match.reached} in {share:.1f} % of plain's bytes")


def _whole_file(job: Job, encoder: Encoder) -> Outcome:
    """A target that counts metadata, which take the same bytes in every file."""
    max_bytes = job.max_bytes or 0
    overhead = len(job.assembled(job.plain_jpeg)) - len(job.plain_jpeg)
    try:
        match = _largest_whole(job, encoder, max_bytes, overhead)
    except TargetError as error:
        mark = len(job.mark(job.plain_jpeg)) + 4  # marker and length; no metadata of the user's
        overhead -= mark
        much = overhead > _MUCH_METADATA * max_bytes
        hint = f"; metadata take {overhead} bytes (--strip)" if much else ""
        raise TargetError(f"{error}{hint}") from None
    reached = f"{len(match.data)} bytes"
    if job.request.bpp is not None:
        width, height = job.picture.upright_size
        reached += f", {8 * len(match.data) / (width * height):.3f} bits per pixel"
    return Outcome(match.data, len(match.data) - overhead, reached, match.setting, match.n_probes, match.note)


def _largest(job: Job, encoder: Encoder, max_bytes: int) -> Match:
    """The largest coded picture of at most `max_bytes` bytes."""
    settings = encoder.settings
    if isinstance(settings, Interval):
        return land_within(cast(RealEncoder, encoder), settings.low, settings.high, max_bytes)
    if isinstance(job.request.codec, plain.Plain):
        # Plain at quality Q is itself: a higher quality with as few bytes, as in flat pictures, is not
        # asked for.
        settings = settings[: job.request.quality]
    look, first = job.request.codec.look, _first(job, settings)
    return largest_within(encoder.encode, settings, max_bytes, first=first, look=look)


def _largest_whole(job: Job, encoder: Encoder, max_bytes: int, overhead: int) -> Match:
    """The largest whole file of at most `max_bytes` bytes; metadata take `overhead` of them."""
    settings = encoder.settings
    if isinstance(settings, Interval):
        real = cast(RealEncoder, encoder)
        match = land_within(real, settings.low, settings.high, max_bytes, overhead=overhead)
        return replace(match, data=job.assembled(match.data))
    return largest_within(
        lambda setting: job.assembled(encoder.encode(setting)),
        settings,
        max_bytes,
        look=job.request.codec.look,
    )


def _first(job: Job, settings: Sequence[Any]) -> int:
    """Where a search begins: plain's quality, carried over to other scales."""
    return len(settings) * job.request.quality // plain.QUALITIES[-1] - 1


def _finished(job: Job, match: Match, reached: str) -> Outcome:
    return Outcome(job.assembled(match.data), len(match.data), reached, match.setting, match.n_probes, match.note)
