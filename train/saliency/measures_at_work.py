"""What an exported network scores on held-back photos, run as msroi runs it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from msroi.images import read
from msroi.saliency.network import Network
from train.data.datasets import Sample


def accuracy(network: Network, samples: Sequence[Sample]) -> dict[str, float | int]:
    """Top-1 and top-5 on labelled photos, and how many they were."""
    logits = np.stack([network.look(network.see(read(sample.path).upright)).logits for sample in samples])
    label = np.array([sample.label for sample in samples])
    ranks = (np.argsort(-logits, axis=1, kind="stable") == label[:, None]).argmax(axis=1)
    return {
        "photos": len(samples),
        "top1": round(float((ranks < 1).mean()), 4),
        "top5": round(float((ranks < 5).mean()), 4),
    }
