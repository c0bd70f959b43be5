"""What every neural codec's file says of itself by its container alone, for people and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msroi.codecs.neural import container
from msroi.codecs.neural.attached import KINDS
from msroi.codecs.neural.container import Header, Section

_NAMES = {container.ALLOCATION: "allocation", container.CODES: "codes", container.LABEL: "label", **KINDS}


def container_facts(header: Header, sections: Sequence[Section], n_bytes: int) -> dict[str, Any]:
    """Of a file, or of its beginning, of so many bytes. `network_is_ours` is None: the codec knows."""
    return {
        "codec": header.codec,
        "width": header.width,
        "height": header.height,
        "grey": header.grey,
        "n_bytes": n_bytes,
        "bits_per_pixel": 8 * n_bytes / (header.width * header.height),
        "network": header.network.hex(),
        "network_is_ours": None,
        "whole": len(sections) == header.n_sections,
        "n_sections": header.n_sections,
        "sections": [
            {"kind": s.kind, "name": _NAMES.get(s.kind, f"kind {s.kind}"), "n_bytes": len(s.payload)} for s in sections
        ],
    }
