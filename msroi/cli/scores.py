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

_SIZE_COLUMNS = ("bytes", "bpp")
_COLUMNS = ("MSE", "PSNR dB", "SSIM", "MS-SSIM")
_WEIGHTED_COLUMNS = ("wMSE", "wPSNR dB", "wSSIM", "wMS-SSIM")


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
    weighted = any(item.scores.weighted_mse is not None for item in scored)
    plain = [(item.name, *_sizes(item), *_plain(item.scores)) for item in scored]
    if not weighted:
        return [make_table(("file", *_SIZE_COLUMNS, *_COLUMNS), plain)]
    one = make_table(
        ("file", *_SIZE_COLUMNS, *_COLUMNS, *_WEIGHTED_COLUMNS),
        [(*row, *_weighted(item.scores)) for row, item in zip(plain, scored, strict=True)],
    )
    if width is None or max(map(len, render(one, None)), default=0) <= width:
        return [one]
    second = [(item.name, *_weighted(item.scores)) for item in scored]
    return [
        make_table(("file", *_SIZE_COLUMNS, *_COLUMNS), plain),
        make_table(("file", *_WEIGHTED_COLUMNS), second),
    ]


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


def _sizes(item: Scored) -> tuple[str, str]:
    return number(item.n_bytes, 0), number(item.bits_per_pixel, 3)


def _plain(scores: Scores) -> tuple[str, ...]:
    return (
        number(scores.mse, 2),
        number(scores.psnr_db, 2),
        number(scores.ssim, 4),
        number(scores.ms_ssim, 4),
    )


def _weighted(scores: Scores) -> tuple[str, ...]:
    return (
        number(scores.weighted_mse, 2),
        number(scores.weighted_psnr_db, 2),
        number(scores.weighted_ssim, 4),
        number(scores.weighted_ms_ssim, 4),
    )
