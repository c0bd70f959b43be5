"""Scores of several files against one reference: as a table and as JSON. For compare and demo; pages: `pages`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi.cli.output import Screen, make_table, number, render

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from rich.table import Table

    from msroi.metrics import Scores


@dataclass(frozen=True)
class Scored:
    """A file with its scores. data: the whole file; n_pixels: of the picture."""

    name: str
    data: bytes
    n_pixels: int
    scores: Scores

    @property
    def n_bytes(self) -> int:
        return len(self.data)

    @property
    def bits_per_pixel(self) -> float:
        return 8 * self.n_bytes / self.n_pixels

    def as_dict(self) -> dict[str, Any]:
        """For JSON. The PSNR of an identical picture is infinite, hence null there."""
        return {
            "input": self.name,
            "input_bytes": self.n_bytes,
            "bits_per_pixel": round(self.bits_per_pixel, 6),
            "identical": self.scores.mse == 0,
            **self.scores.as_dict(),
        }


@dataclass(frozen=True)
class Weights:
    """What the weighted columns stand on.

    saliency: float32 (height, width) of the upright reference, None for no weighted columns; identity: equal for
    equal maps; name: how people are told of it; is_own: whether it is the map that our encoder follows.
    """

    saliency: npt.NDArray[np.float32] | None = None
    identity: str | None = None
    name: str = "no map"
    is_own: bool = False

    def notes(self) -> list[str]:
        """What the weighted columns are worth."""
        if self.saliency is None:
            return []
        if not self.is_own:
            return [f"w: weighted by {self.name}."]
        return [f"w: weighted by {self.name}, which its encoder follows: these columns favour its files."]


def own_weights(saliency: npt.NDArray[np.float32], identity: str, reference: str) -> Weights:
    """Weights by the map that msroi makes of the reference, a file's name."""
    kind = identity.partition(":")[0]
    return Weights(saliency, identity, f"msroi's own map of {Path(reference).name} ({kind})", is_own=True)


def tables(scored: Sequence[Scored], width: int | None) -> list[Table]:
    """One table with everything, or two where the terminal (`width` columns) is too narrow for it."""
    plain, weighted = _columns(scored, weighted=False), _columns(scored, weighted=True)
    sizes = {
        "bytes": [number(item.n_bytes, 0) for item in scored],
        "bpp": [number(item.bits_per_pixel, 3) for item in scored],
    }
    one = _table(scored, sizes | plain | weighted)
    if not weighted or width is None or max(map(len, render(one, None)), default=0) <= width:
        return [one]
    return [_table(scored, sizes | plain), _table(scored, weighted)]


def _table(scored: Sequence[Scored], columns: dict[str, list[str]]) -> Table:
    names = [item.name for item in scored]
    return make_table(("file", *columns), list(zip(names, *columns.values(), strict=True)))


def _columns(scored: Sequence[Scored], *, weighted: bool) -> dict[str, list[str]]:
    """Cells by title, of the metrics that one of the files has a figure of."""
    from msroi.metrics import METRICS

    columns = {}
    for metric in METRICS.values():
        values = [item.scores.get(metric.weighted_name if weighted else metric.name) for item in scored]
        if any(value is not None for value in values):
            columns[f"{'w' * weighted}{metric.title}"] = [number(value, metric.digits) for value in values]
    return columns


def tell(scored: Sequence[Scored], notes: Sequence[str], screen: Screen) -> None:
    """The tables and the notes below them, for people."""
    for place, table in enumerate(tables(scored, screen.width)):
        if place:
            screen.line("")
        screen.table(table)
    for note in notes:
        screen.line(note)


def scales_note(scored: Sequence[Scored]) -> list[str]:
    """Said only where the picture is too small for MS-SSIM's five scales."""
    scales = {item.scores.ms_ssim_scales for item in scored} - {5}
    return [f"MS-SSIM stands on {min(scales)} of its 5 scales: the picture is small."] if scales else []
