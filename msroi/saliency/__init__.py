"""Where people look and what they would call the subject: a saliency map of any photo.

upright pixels --kind (kinds.py)--> base, on a grid of its own --+
the user's map (own_map.py) --------------------------------------+--> Combined --curve--> Steering: made, followed
boxes, faces --------------------------------------------------- -+
        (sources.py holds what is asked for)       (combine.py)       (steering.py)

Most kinds are read out of a network's evidence: network.py (ONNX) -> class maps, logits -> read_outs.py.
"""

from __future__ import annotations

from msroi.saliency.kind import DEFAULT_QUALITY, QUALITIES
from msroi.saliency.kinds import DEFAULT_KIND, KINDS, make_map, saliency_map
from msroi.saliency.network import network_facts
from msroi.saliency.pictures import heat_map, overlay

__all__ = [
    "DEFAULT_KIND",
    "DEFAULT_QUALITY",
    "KINDS",
    "QUALITIES",
    "heat_map",
    "make_map",
    "network_facts",
    "overlay",
    "saliency_map",
]
