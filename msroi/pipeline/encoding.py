"""From a job to a file: the codec's encoder, the search for the target, metadata, the ladder."""

from __future__ import annotations

from dataclasses import replace

from msroi import images
from msroi.arrays import Pixels
from msroi.codecs.jpeg import plain
from msroi.errors import TargetError
from msroi.pipeline.equal_quality import AsGoodAs
from msroi.pipeline.job import Job
from msroi.pipeline.original import kept_original
from msroi.pipeline.result import Outcome
from msroi.search.match import Match, NoneFitsError
from msroi.search.session import Session
from msroi.search.targets import largest, smallest_as_good

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
    # Before there is a session: it decodes plain's file.
    judge = _judge(job) if job.settings.goal == "quality" else None
    session: Session = job.settings.codec.start(job.picture, job.steering, job.n_threads)
    if job.settings.goal == "size":
        return _equal_size(job, session)
    if judge is not None:
        return _equal_quality(job, session, judge)
    return _whole_file(job, session)


def _equal_size(job: Job, session: Session) -> Outcome:
    """At most the bytes of plain's file with the same metadata; our mark counts as ours."""
    try:
        return _as_plain(job, session) if job.settings.codec.is_yardstick else _largest_marked(job, session)
    except NoneFitsError as error:
        yardstick = f"plain JPEG at quality {job.settings.quality} ({job.plain_bytes} bytes)"
        need = f"{job.settings.codec.name} needs at least {error.smallest}"
        raise TargetError(f"{yardstick}: {need}; raise `quality`") from None


def _as_plain(job: Job, session: Session) -> Outcome:
    """Plain as everybody makes it, without a mark: it is known again by its tables.

    A higher quality with as few bytes, as in flat pictures, is not asked for.
    """
    overhead, last = job.metadata_bytes, job.settings.quality - 1
    match = largest(session, job.plain_bytes, overhead=overhead, begin=_begin(job), last=last)
    return _outcome(job, replace(match, data=job.unmarked(match.data)), overhead)


def _largest_marked(job: Job, session: Session) -> Outcome:
    """The largest file within plain's bytes, mark included.

    Of a tiny picture the mark alone may be more than plain leaves: Huffman codes of its own make room then.
    """
    overhead, budget = job.overhead, job.plain_bytes
    try:
        match = largest(session, budget, overhead=overhead, begin=_begin(job))
    except NoneFitsError as error:
        compacted = session.compacted()
        if compacted is None or error.smallest - (overhead - job.metadata_bytes) > budget:
            raise
        match = largest(compacted, budget, overhead=overhead)
    return _outcome(job, replace(match, data=job.assembled(match.data)), overhead)


def _judge(job: Job) -> AsGoodAs:
    """Says whether a file is as good as plain, weighted by the map."""

    def yardstick() -> Pixels:
        return images.to_stored(plain.decode(job.plain_jpeg), job.picture.orientation)

    return AsGoodAs(yardstick, job.picture.pixels, job.weights())


def _equal_quality(job: Job, session: Session, judge: AsGoodAs) -> Outcome:
    """The fewest bytes that are as good as plain."""
    try:
        match = smallest_as_good(session, judge, len(job.plain_jpeg), begin=_begin(job))
    except TargetError as error:
        finer = job.settings.codec.quality_options
        levels = f" or raise {' and '.join(f'`{name}`' for name in finer)}" if finer else ""
        raise TargetError(f"plain JPEG's quality ({judge.wanted}): {error}; lower `quality`{levels}") from None
    data = job.assembled(match.data)
    share = 100 * len(data) / job.plain_bytes
    scores = judge.figures(match.data)
    match = replace(match, data=data, reached=f"{match.reached} in {share:.1f} % of plain's bytes")
    return replace(_outcome(job, match, job.overhead), scores=scores)


def _whole_file(job: Job, session: Session) -> Outcome:
    """A target that counts metadata, which take the same bytes in every file."""
    max_bytes, overhead = job.max_bytes or 0, job.overhead
    try:
        match = largest(session, max_bytes, overhead=overhead)
    except NoneFitsError as error:
        much = job.metadata_bytes > _MUCH_METADATA * max_bytes
        hint = f"; metadata take {job.metadata_bytes} bytes (`strip`)" if much else ""
        raise TargetError(f"{error} (`max_side`){hint}") from None
    return _outcome(job, replace(match, data=job.assembled(match.data)), overhead)


def _begin(job: Job) -> float:
    """Where on a knob with steps a search begins: plain's quality, carried over to other scales."""
    return job.settings.quality / plain.QUALITIES[-1]


def _outcome(job: Job, match: Match, overhead: int) -> Outcome:
    """match: a whole file, `overhead` of its bytes metadata and mark."""
    reached = match.reached or f"{len(match.data)} bytes"
    if job.settings.bpp is not None:
        width, height = job.picture.upright_size
        reached += f", {8 * len(match.data) / (width * height):.3f} bits per pixel"
    return Outcome(match.data, len(match.data) - overhead, reached, match.setting, match.n_probes, match.note)
