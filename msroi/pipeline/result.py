"""What a run gives back: the file, its map and the report."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from msroi import images
from msroi.arrays import Saliency


@dataclass(frozen=True)
class Report:
    """What was asked, what came out. All sizes in bytes, counted on the data themselves.

    source_bytes: the input as read, None for arrays and images that are no file.
    plain_bytes: plain JPEG of the upright picture at `quality`, with the metadata that the result carries; None where a
        size was asked for, which has nothing to do with plain's.
        Of a file that was made already, plain JPEG of that file, not of the picture that it was made from.
    coded_bytes: the picture data of the result, without metadata. output_bytes: the whole file.
    match: "size", "quality", or the target given instead: "bytes", "bits per pixel".
    map_kind: a kind; "own" for the user's map, "boxes" where they alone steer, "none" without a map.
    target, reached: what was aimed at and what was reached, in words. target_bytes: what the whole file may have, None
        for equal quality. target_psnr_db and target_ssim (weighted by the map as it was made, where there is one): what
        equal quality asked for, reached_psnr_db and reached_ssim what the file has; None for other targets, or where
        the original was kept.
    setting: the codec's setting (Q_final of two-pass), None where the original was kept.
    map_identity: equal for equal maps, as they are followed; "" where no map was used.
    reason: why the original was kept, or why nothing was done.
    notices: what should be known; of them, details are those on how map and encoder went.
    n_probes: files encoded on the way.
    seconds_by_stage: of reading, preparing (colour, size, plain's file), the map, and encoding with its search.
    """

    name: str
    format: str
    width: int
    height: int
    source_bytes: int | None
    plain_bytes: int | None
    coded_bytes: int
    output_bytes: int
    method: str
    method_version: str
    quality: int
    match: str
    target: str
    reached: str
    setting: int | float | None
    map_kind: str
    map_identity: str
    kept_original: bool
    reason: str | None
    notices: tuple[str, ...]
    n_probes: int
    seconds: float
    target_bytes: int | None = None
    target_psnr_db: float | None = None
    target_ssim: float | None = None
    reached_psnr_db: float | None = None
    reached_ssim: float | None = None
    details: tuple[str, ...] = ()
    seconds_by_stage: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**dataclasses.asdict(self), "notices": list(self.notices), "details": list(self.details)}


@dataclass(frozen=True)
class Result:
    """A file, the map that steered it, and the report.

    data: the JPEG. make_map: makes `saliency`; None for none. It can be pickled, and holds nothing of the picture's
    size but a map of the user's own.
    """

    data: bytes = field(repr=False)
    report: Report
    source_path: Path | None = field(default=None, repr=False)
    make_map: Callable[[], Saliency] | None = field(default=None, repr=False, compare=False)

    @functools.cached_property
    def saliency(self) -> Saliency | None:
        """The map that steered the file: float32 (height, width) in [0, 1], upright, read-only where it is flat.

        Handed back as `saliency=`, with the target a size, it makes the same picture of the same input. It is made
        when it is first asked for. None where no map was needed, or where a file was made already and boxes are in
        pixels of the picture that it was reduced from. Errors, of a file that was made already: SaliencyError.
        """
        return None if self.make_map is None else self.make_map()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "saliency"}

    def without_map(self) -> Result:
        """The same without its map, which a user may have handed in: for pools, some hundred bytes beside the file."""
        return dataclasses.replace(self, make_map=None)

    def save(self, path: str | os.PathLike[str] | BinaryIO, overwrite: bool = False) -> None:
        """Write the file in one step, nothing partial is ever left; or into a binary file that is open for writing.

        Errors: OutputExistsError if `path` exists and `overwrite` is False; OutputError if it is the input, which
        is never replaced, or cannot be written.
        """
        if not isinstance(path, str | os.PathLike):
            path.write(self.data)
            return
        never = () if self.source_path is None else (self.source_path,)
        images.write_atomically(Path(path), self.data, overwrite=overwrite, never=never)


@dataclass(frozen=True)
class Outcome:
    """A finished file on its way into a report, whose fields have the same meaning.

    scores: what equal quality asked for and what the file has, by the names in the report.
    note: what the encoder decided, one notice more. notices: None for those of the picture that was coded; an
    original that is kept has its own.
    """

    data: bytes = field(repr=False)
    coded_bytes: int
    reached: str
    setting: Any = None
    n_probes: int = 0
    note: str = ""
    kept_original: bool = False
    reason: str | None = None
    notices: tuple[str, ...] | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
