"""Which pictures the page carries, and their bytes.

    headline comparisons --choose--> (image, target), most telling first --embed--> data, until the limit is full

Every picture of a run can be hundreds of megabytes. What is in the page is said in the page.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from msroi.benchmark.measuring import decoded_place
from msroi.benchmark.page.results import Results, folders_of
from msroi.benchmark.rows import Row
from msroi.codecs.neural.container import MAGIC
from msroi.errors import ImageError, MsroiError
from msroi.images import Limits, Picture, bare, read
from msroi.report.document import data_uri, without_folders
from msroi.report.embed import LOSSLESS_PIXELS, NEAR_LOSSLESS_QUALITY, Embedder

N_WORST = 5
# After so many pictures that did not fit, smaller ones are not looked for any more.
_MISFITS = 5
_LIMITS = Limits()
_JPEG_2000 = (b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51")


@dataclass
class Shot:
    """One image at one target. files: address of the picture of each encoder, by name."""

    files: dict[str, int] = field(default_factory=dict)


@dataclass
class Album:
    """What the page carries of one image. Numbers are places in `Gallery.data`."""

    width: int
    height: int
    reference: int | None = None
    map: int | None = None
    mask: int | None = None
    shots: dict[str, Shot] = field(default_factory=dict)


@dataclass
class Gallery:
    """data: data URIs; albums: by image; notices: what the reader should know."""

    data: list[str] = field(default_factory=list)
    albums: dict[str, Album] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    @property
    def n_bytes(self) -> int:
        return sum(len(uri) for uri in self.data)

    @property
    def n_shots(self) -> int:
        return sum(len(album.shots) for album in self.albums.values())

    def as_json(self) -> dict[str, Any]:
        return {
            image: {
                "size": [album.width, album.height],
                "reference": album.reference,
                "map": album.map,
                "mask": album.mask,
                "targets": {target: shot.files for target, shot in album.shots.items()},
            }
            for image, album in self.albums.items()
        }


def telling_images(results: Results) -> list[str]:
    """The worst and the best five of each headline comparison: the worst of each first, then the best of each."""
    encoder, target, measure = results.headline_encoder, results.headline_target, results.headline_measure
    if measure is None:
        return []
    ranked = []
    for against in results.encoders:
        if against != encoder:
            ranked.append([image for image, _ in results.differences(encoder, against, target, measure)])
    found: dict[str, None] = {}
    for place in range(N_WORST):
        for images in ranked:
            found.update(dict.fromkeys(images[place : place + 1]))
        for images in ranked:
            found.update(dict.fromkeys(images[::-1][place : place + 1]))
    return list(found)


def make_gallery(results: Results, max_megabytes: float) -> Gallery:
    """Embeds pictures in order of what they tell until `max_megabytes` (10^6 bytes of the page) are full."""
    gallery = Gallery()
    sources = _Sources(results)
    limit, misfits = int(max_megabytes * 1e6), 0
    for image, target in _order(results):
        added = sources.load(image, target, new=image not in gallery.albums)
        if added is None:
            continue
        if gallery.n_bytes + added.n_bytes > limit:
            misfits += 1
            if misfits >= _MISFITS:
                break
            continue
        _add(gallery, image, target, added)
    gallery.notices.extend(sources.notices)
    return gallery


def _order(results: Results) -> Iterator[tuple[str, str]]:
    """Telling images at the headline's target, then at the others; then the rest likewise."""
    telling = telling_images(results)
    rest = [image for image in results.images if image not in set(telling)]
    head = results.headline_target
    others = [target for target in results.targets if target != head]
    for images in (telling, rest):
        yield from ((image, head) for image in images)
        yield from ((image, target) for image in images for target in others)


@dataclass
class _Addition:
    """The data URIs of one image at one target, and of the image itself where it is new."""

    width: int
    height: int
    files: dict[str, str]
    own: dict[str, str]

    @property
    def n_bytes(self) -> int:
        return sum(map(len, self.files.values())) + sum(map(len, self.own.values()))


def _add(gallery: Gallery, image: str, target: str, added: _Addition) -> None:
    def place(uri: str) -> int:
        gallery.data.append(uri)
        return len(gallery.data) - 1

    album = gallery.albums.setdefault(image, Album(added.width, added.height))
    for name, uri in added.own.items():
        setattr(album, name, place(uri))
    album.shots[target] = Shot({name: place(uri) for name, uri in added.files.items()})


class _Sources:
    """Reads coded files, references, maps and masks of a benchmark's folder."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.folder = results.folder.resolve()
        entries = results.run.get("images") or []
        self.paths = {str(e["name"]): str(e.get("path") or "") for e in entries if isinstance(e, dict) and "name" in e}
        self.notices: list[str] = []
        self._folders = [str(self.folder), *folders_of(results.run)]
        self._embedders: dict[str, Embedder | None] = {}

    def load(self, image: str, target: str, new: bool) -> _Addition | None:
        """None where nothing of it can be shown."""
        embedder = self._embedder(image)
        if embedder is None:
            return None
        rows = [self.results.row(image, target, name) for name in self.results.encoders]
        files = {row.encoder: uri for row in rows if row is not None and (uri := self._coded(embedder, row))}
        if not files:
            return None
        width, height = embedder.view_size
        return _Addition(width, height, files, self._own(embedder, image) if new else {})

    def _embedder(self, image: str) -> Embedder | None:
        if image not in self._embedders:
            size = self._size(image)
            self._embedders[image] = None
            if size is not None:
                self._embedders[image] = embedder = Embedder(*size, self._grey("maps", image, size), lossless="WebP")
                self.notices.extend(f"{image}: {notice}" for notice in embedder.notices)
                embedder.notices.clear()
        return self._embedders[image]

    def _size(self, image: str) -> tuple[int, int] | None:
        for row in self.results.rows:
            width, height = row.figure("width"), row.figure("height")
            if row.image == image and width is not None and height is not None:
                return (int(width), int(height)) if width > 0 and height > 0 else None
        return None

    def _coded(self, embedder: Embedder, row: Row) -> str | None:
        """The coded file's own bytes where browsers decode them, else its pixels without loss."""
        path = self._inside(row.file) if row.ok and row.file else None
        if path is None:
            return None
        before = len(embedder.notices)
        try:
            data = path.read_bytes()
            if data.startswith(MAGIC):  # no browser knows it, and to decode it takes its network
                uri = embedder.exact(read(decoded_place(path)).upright)
            elif data.startswith(_JPEG_2000):
                uri = embedder.exact(_jpeg_2000_pixels(data, embedder))
            else:
                uri = embedder.candidate(row.encoder, data)
        except (MsroiError, OSError) as error:
            self._note(f"{row.encoder}: {path.name} cannot be shown: {error}")
            return None
        for notice in embedder.notices[before:]:
            self._note(notice)
        del embedder.notices[before:]
        return uri

    def _own(self, embedder: Embedder, image: str) -> dict[str, str]:
        """The reference, the map and the mask, as far as they are there."""
        found = {}
        reference = self._reference(embedder, image)
        if reference is not None:
            found["reference"] = reference
        if embedder.saliency is not None:
            found["map"] = embedder.heat_map()
        size = (embedder.width, embedder.height)
        mask = self._grey("masks", image, size)
        if mask is not None:
            whole = Embedder(*size, mask)
            whole.region = embedder.region
            found["mask"] = whole.heat_map()
        return found

    def _reference(self, embedder: Embedder, image: str) -> str | None:
        path = self._reference_path(image)
        if path is None:
            self._note(f"{image}: its original is not where the run read it, so it is not shown.")
            return None
        try:
            picture = read(path, limits=_LIMITS)
            if picture.upright_size != (embedder.width, embedder.height):
                self._note(f"{image}: its original has another size now, so it is not shown.")
                return None
            own = _own_bytes(picture) if embedder.region is None else None
            uri = embedder.reference(picture.upright) if own is None else data_uri("image/jpeg", own)
        except (MsroiError, OSError) as error:
            self._note(f"{image}: its original cannot be shown: {error}")
            return None
        if embedder.notices:
            embedder.notices.clear()
            self._note(
                f"Originals of more than {LOSSLESS_PIXELS / 1e6:.0f} megapixels are shown as JPEG of quality "
                f"{NEAR_LOSSLESS_QUALITY} without colour subsampling; the scores were measured on their true pixels."
            )
        return uri

    def _reference_path(self, image: str) -> Path | None:
        for stated in (self.paths.get(image), f"references/{image}.png", f"references/{image}.jpg"):
            if stated:
                path = self.folder / stated
                if path.is_file():
                    return path
        return None

    def _grey(self, kind: str, image: str, size: tuple[int, int]) -> npt.NDArray[np.float32] | None:
        """OUT/maps/IMAGE.png or OUT/masks/IMAGE.png as float32 (height, width) in [0, 1] of the image's size."""
        path = self._inside(f"{kind}/{image}.png")
        if path is None:
            return None
        try:
            pixels = read(path, limits=_LIMITS).upright
        except (MsroiError, OSError) as error:
            self._note(f"{path.name} in {kind} cannot be shown: {error}")
            return None
        grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
        values = np.asarray(grey, np.float32) / np.float32(255)
        if (values.shape[1], values.shape[0]) != size:
            values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)
        return values

    def _inside(self, name: str) -> Path | None:
        """A file of the benchmark's folder; names in rows.csv lead nowhere else."""
        try:
            path = (self.folder / name).resolve()
            return path if path.is_relative_to(self.folder) and path.is_file() else None
        except (OSError, ValueError):
            return None

    def _note(self, notice: str) -> None:
        notice = without_folders(notice, self._folders)
        if notice not in self.notices:
            self.notices.append(notice)


def _jpeg_2000_pixels(data: bytes, embedder: Embedder) -> npt.NDArray[np.uint8]:
    """JPEG 2000 is no format of `msroi.images`, and few browsers open it."""
    with Image.open(io.BytesIO(data), formats=["JPEG2000"]) as opened:
        if opened.size != (embedder.width, embedder.height):
            raise ImageError(f"{opened.size[0]}x{opened.size[1]}, but the image is {embedder.width}x{embedder.height}")
        return np.array(opened.convert("L" if opened.mode == "L" else "RGB"))


def _own_bytes(picture: Picture) -> bytes | None:
    """A JPEG original's own bytes where a browser makes the reader's pixels of them: grey or YCbCr, upright."""
    data = picture.source.data
    if picture.source.format != "JPEG" or picture.orientation != 1 or data is None:
        return None
    with Image.open(io.BytesIO(data)) as opened:
        return bare(data) if opened.mode in ("L", "RGB") else None


@dataclass(frozen=True)
class Selection:
    """What is in the page and why: numbers of pictures, and the comparison by which they were chosen."""

    n_images: int
    n_all: int
    n_whole: int
    is_all: bool
    targets: str
    megabytes: str
    limit: str
    encoder: str
    others: list[str]
    measure: str
    target: str


def selection_of(results: Results, gallery: Gallery, max_megabytes: float) -> Selection:
    """What the page says of its choice."""
    n_targets, measure = len(results.targets), results.headline_measure
    return Selection(
        n_images=len(gallery.albums),
        n_all=len(results.images),
        n_whole=sum(len(album.shots) == n_targets for album in gallery.albums.values()),
        is_all=gallery.n_shots == len(results.images) * n_targets,
        targets="the one target" if n_targets == 1 else f"all {n_targets} targets",
        megabytes=f"{gallery.n_bytes / 1e6:.1f}",
        limit=f"{max_megabytes:g}",
        encoder=results.headline_encoder,
        others=[name for name in results.encoders if name != results.headline_encoder],
        measure="" if measure is None else measure.label,
        target=results.headline_target,
    )
