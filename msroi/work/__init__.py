"""Inputs to outputs, several at a time: what stands between one call of the pipeline and the shells.

names --inputs--> inputs --outputs--> where each goes --standing--> what is there already and is right
      --threads, processes--> results, one by one --> written, atomically
"""

from __future__ import annotations

from msroi.work.memory import keep_memory
from msroi.work.threads import Budget, Failed, in_order

__all__ = ["Budget", "Failed", "in_order", "keep_memory"]
