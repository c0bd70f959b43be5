"""What became of a photo in a photographer's words: `IMG_1.jpg  1.98 MB -> 0.84 MB, 57 % smaller`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msroi.pipeline import Report

# From so many bytes on a size is told in MB.
_FROM_MB = 100_000


def change(before: int | None, after: int) -> str:
    """Two sizes in one unit, and the difference in percent; one size where there is no other."""
    unit = _unit(max(before or 0, after))
    if before is None:
        return _size(after, unit)
    return f"{_size(before, unit)} -> {_size(after, unit)}, {difference(before, after)}"


def difference(before: int, after: int) -> str:
    """`57 % smaller`, `3 % larger`, `as large as before`."""
    if before == after:
        return "as large as before"
    percent = 100 * abs(after - before) / max(before, 1)
    share = f"{percent:.0f} %" if percent >= 1 else "less than 1 %"
    return f"{share} {'smaller' if after < before else 'larger'}"


def _unit(n_bytes: int) -> str:
    return "MB" if n_bytes >= _FROM_MB else "kB" if n_bytes >= 1_000 else "bytes"


def _size(n_bytes: int, unit: str) -> str:
    return {"MB": f"{n_bytes / 1e6:.2f} MB", "kB": f"{n_bytes / 1e3:.1f} kB", "bytes": f"{n_bytes} bytes"}[unit]


def outcome(report: Report, min_savings: float) -> str:
    """What became of a file, and what its owner should know of it. min_savings: percent that were asked for."""
    from msroi.pipeline import ALREADY_MADE

    before, after = report.source_bytes, report.output_bytes
    notices = [notice for notice in report.notices if notice not in report.details]
    if report.reason == ALREADY_MADE:
        first = ALREADY_MADE
    elif not report.kept_original:
        first = change(before, after)
    elif before is not None and after < before:
        first = f"{change(before, after)}, the picture itself as it was"
    elif min_savings:
        first = f"kept as it was: less than {min_savings:g} % to be saved"
    else:
        first = "kept as it was: it is small enough already"
    return "; ".join([first, *notices])


def record(report: Report) -> dict[str, Any]:
    """A report in the words of docs/json.md."""
    facts = report.as_dict()
    for name in ("name", "source_bytes", "map_identity"):
        del facts[name]
    stages = {stage: round(seconds, 4) for stage, seconds in report.seconds_by_stage.items()}
    return facts | {
        "input_bytes": report.source_bytes,
        "map": report.map_identity or None,
        "seconds": round(report.seconds, 4),
        "seconds_by_stage": stages,
    }


def figures(report: Report) -> list[str]:
    """What was aimed at and reached, what the guard did, and where the time went: lines for those who ask."""
    setting = "" if report.setting is None else f", setting {report.setting:g}"
    kept = f"; {report.reason}" if report.reason else ""
    plain = f"plain JPEG at quality {report.quality}: {report.plain_bytes:,} bytes; " if report.plain_bytes else ""
    lines = [
        f"{report.method}{setting}; map {report.map_kind}; target: {report.target}; reached: {report.reached}{kept}",
        f"{plain}this file: {report.output_bytes:,} bytes, {report.coded_bytes:,} of them the picture; "
        f"{report.n_probes} files tried",
        *report.details,
    ]
    stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in report.seconds_by_stage.items())
    return [*lines, f"{report.seconds:.2f} s: {stages}"]
