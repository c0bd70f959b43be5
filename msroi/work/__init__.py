"""Inputs to outputs, several at a time: what stands between one call of the pipeline and the shells.

inputs --> standing: what is there already and is right --> threads --> results in order --> written, atomically
"""

from __future__ import annotations

from msroi.work.memory import keep_memory
from msroi.work.standing import Standing, standing
from msroi.work.threads import Budget, Failed, in_order

__all__ = ["Budget", "Failed", "Standing", "in_order", "keep_memory", "standing"]
