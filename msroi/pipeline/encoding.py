"""From a job to a file: the codec's encoder, the search for the target, metadata, the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol, cast

from msroi import images, metrics
from msroi.errors import TargetError
from msroi.images import Picture
from msroi.jpeg import plain
from msroi.jpeg.codec import Encoder
from msroi.jpeg.interval import Interval
from msroi.matching import (
    Match,
    NoneFitsError,
    RealEncoder,
    Verdict,
    fewest_bytes,
    fewest_bytes_between,
    land_within,
    largest_within,
)
from msroi.pipeline.job import Job
from msroi.pipeline.original import kept_original
from msroi.pipeline.result import Outcome, Saliency

# Metadata that take more than this share of a target that cannot be reached are worth a word.
_MUCH_METADATA = 0.1

# Of plain's bytes, what equal quality usually takes: where a search for it begins.
_USUAL_SHARE = 0.78


# A PSNR so little above plain's was the harder condition, or as hard as SSIM.
NEAR_DB = 0.15


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
    judge = _AsGoodAsPlain(job.picture, job.plain_jpeg, weights)
    settings = encoder.settings
    try:
        if isinstance(settings, Interval):
            match = fewest_of_both(
                cast(RealEncoder, encoder), settings, judge, round(_USUAL_SHARE * len(job.plain_jpeg))
            )
        else:
            look, first = job.request.codec.look, _first(job, settings)
            match = fewest_bytes(encoder.encode, settings, judge, first=first, look=look)
    except TargetError as error:
        levels = " or raise --q-low and --q-high" if hasattr(job.request.codec, "q_high") else ""
        raise TargetError(f"plain JPEG's quality ({judge.wanted}): {error}; lower --quality{levels}") from None
    share = 100 * len(match.data) / len(job.plain_jpeg)
    return _finished(job, match, f"{match.reached} in {share:.1f} % of plain's bytes")


class Judge(Protocol):
    """Says whether a file is good enough, by two conditions."""

    def __call__(self, data: bytes) -> Verdict:
        """Whether both hold."""

    def harder(self, data: bytes) -> str:
        """Which of them a file that meets both nearly misses: "psnr" or "ssim"."""


def fewest_of_both(encoder: RealEncoder, settings: Interval, judge: Judge, expected: int) -> Match:
    """The smaller file of an encoder and of its variant for the condition that was the harder to meet.

    A variant is what an encoder's `harder_on` gives, where it has one. expected: about how many bytes it takes.
    """
    low, high = settings.low, settings.high
    best = fewest_bytes_between(encoder, low, high, judge, expected)
    harder_on = getattr(encoder, "harder_on", None)
    variant = harder_on(judge.harder(best.data)) if harder_on else None
    if variant is not None:
        with suppress(TargetError):
            match = fewest_bytes_between(variant, low, high, judge, len(best.data))
            best = min(best, match, key=lambda found: len(found.data))
    return best


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


class _AsGoodAsPlain:
    """Judges files by DESIGN 5.1: PSNR over the whole picture and map-weighted SSIM at least plain's."""

    def __init__(self, picture: Picture, plain_jpeg: bytes, weights: Saliency | None) -> None:
        # A map of zeros says that nothing matters more than anything else.
        self._weights = None if weights is None or not weights.any() else weights
        self._pixels = picture.pixels
        decoded = images.to_stored(plain.decode(plain_jpeg), picture.orientation)
        self._psnr_db = metrics.psnr_db(self._pixels, decoded)
        self._ssim = metrics.ssim(self._pixels, decoded, self._weights)
        self.wanted = _in_words(self._psnr_db, self._ssim)

    def __call__(self, data: bytes) -> Verdict:
        decoded = plain.decode(data)
        psnr_db = metrics.psnr_db(self._pixels, decoded)
        if psnr_db < self._psnr_db:  # SSIM takes ten times as long
            return Verdict(False, _in_words(psnr_db))
        ssim = metrics.ssim(self._pixels, decoded, self._weights)
        return Verdict(ssim >= self._ssim, _in_words(psnr_db, ssim))

    def harder(self, data: bytes) -> str:
        """Which condition a file that meets both nearly misses: "psnr" or "ssim"."""
        margin_db = metrics.psnr_db(self._pixels, plain.decode(data)) - self._psnr_db
        return "psnr" if margin_db < NEAR_DB else "ssim"


def _in_words(psnr_db: float, ssim: float | None = None) -> str:
    return f"PSNR {psnr_db:.2f} dB" + ("" if ssim is None else f", map-weighted SSIM {ssim:.4f}")
