"""What a neural codec's file says of itself, without its network: for people and for JSON."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from msroi.codecs.neural import allocation, container
from msroi.codecs.neural.attached import KINDS
from msroi.codecs.neural.container import Section
from msroi.codecs.neural.contract import CODECS
from msroi.errors import MissingExtraError, SaliencyError
from msroi.images import Limits

_NAMES = {container.ALLOCATION: "levels", container.CODES: "codes", container.LABEL: "label", **KINDS}


def file_facts(data: bytes, weights: Path | None = None, limits: Limits | None = None) -> dict[str, Any]:
    """All that can be known of a file, or of its beginning, before it is decoded.

    weights: the network's file that it is held against, by default the one that ships.
    `network_is_ours` is None where there is no network to compare with. `levels`: how many cells of 16 x 16 pixels have
    so many iterations; None where that section is not there, or is coded and there is no range coder.
    Errors: BitstreamError for what is no such file, or a damaged one; ImageError over the limits.
    """
    header, sections = container.read_prefix(data, limits)
    levels = _levels(header, sections)
    n_cells = sum(levels.values()) if levels else 0
    own = _network(header.codec, weights)
    return {
        "codec": header.codec,
        "width": header.width,
        "height": header.height,
        "grey": header.grey,
        "n_bytes": len(data),
        "bits_per_pixel": 8 * len(data) / (header.width * header.height),
        "network": header.network.hex(),
        "network_is_ours": None if own is None else own.startswith(header.network.hex()),
        "whole": len(sections) == header.n_sections,
        "n_sections": header.n_sections,
        "sections": [
            {"kind": s.kind, "name": _NAMES.get(s.kind, f"kind {s.kind}"), "n_bytes": len(s.payload)} for s in sections
        ],
        "mean_level": sum(level * n for level, n in levels.items()) / n_cells if levels else None,
        "levels": levels,
    }


def _levels(header: container.Header, sections: list[Section]) -> dict[int, int] | None:
    if not sections or sections[0].kind != container.ALLOCATION:
        return None
    rows, columns = (-(-side // allocation.CELL) for side in (header.height, header.width))
    try:
        levels = allocation.decode_levels(sections[0].payload, rows, columns)
    except MissingExtraError:  # without a range coder only even levels can be read
        return None
    return dict(sorted(Counter(levels.ravel().tolist()).items()))


def _network(codec: str, weights: Path | None) -> str | None:
    """The SHA-256 of the network that would decode, None where there is none."""
    if codec not in CODECS:
        return None
    try:
        return CODECS[codec](weights).network_sha256
    except SaliencyError:
        if weights is not None:
            raise
        return None
