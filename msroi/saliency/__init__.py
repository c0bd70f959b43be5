"""Where people look and what they would call the subject: a saliency map of any photo.

upright pixels -> network (ONNX) -> class maps, logits -> activation_maps (NumPy) -> map in [0, 1]
                                                                                      |
the user's map, boxes, faces ------------------------------ hints ------------------> combined map
"""

from __future__ import annotations

from msroi.saliency.kinds import DEFAULT_KIND, DEFAULT_QUALITY, KINDS, QUALITIES, make_map, saliency_map
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
