"""What golden_made.py makes: small pictures of all kinds, coded with all codecs, presets, samplings and targets."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import files_made
import numpy as np
from drawn_made import drawing, page
from PIL import ImageCms

import msroi
from msroi import metadata

# --- pictures -------------------------------------------------------------------------------------


def made(height: int, width: int, *, grey: bool = False) -> np.ndarray:
    """Ramps, edges, a disc and grain, from integers alone: uint8 (height, width[, 3])."""
    y, x = np.mgrid[:height, :width]
    grain = ((x * 2654435761 + y * 40503 + x * y * 97) >> 7) % 17
    red = x * 200 // max(width - 1, 1) + 40 * ((x // 9 + y // 7) % 2) + grain // 2
    green = y * 220 // max(height - 1, 1) + grain
    blue = np.where((x - width // 2) ** 2 + (y - height // 2) ** 2 < (height // 3) ** 2, 200, 30) + grain
    planes = np.stack([red, green, blue], axis=-1).astype(np.uint8)
    return np.ascontiguousarray(planes[..., 1] if grey else planes)


def ramp(pixels: np.ndarray) -> np.ndarray:
    """A map from 0 on the left to 1 on the right, of a picture as it is shown."""
    height, width = pixels.shape[:2]
    return np.linspace(0, 1, width, dtype=np.float32)[None].repeat(height, axis=0)


def disc(height: int, width: int) -> np.ndarray:
    """A map of 8 bits: a disc of 200 on 20."""
    y, x = np.mgrid[:height, :width]
    inside = (x - width // 2) ** 2 + (y - height // 2) ** 2 < (height // 3) ** 2
    return np.where(inside, 200, 20).astype(np.uint8)


def jpeg(pixels: np.ndarray, quality: int = 88, **options: Any) -> bytes:
    """A file of Pillow's."""
    return files_made.encoded(pixels, "JPEG", quality=quality, **options)


COLOUR, GREY = made(72, 104), made(72, 104, grey=True)
DARK = np.ascontiguousarray(COLOUR // 16)
PAGE = page()
COLOURED = np.ascontiguousarray(drawing()[:200, :240])


def _profile() -> bytes:
    """An ICC profile that is not sRGB by its name; without the date that lcms puts into it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:].replace("sRGB".encode("utf-16-be"), "ours".encode("utf-16-be"))


PROFILE = _profile()


def _with_metadata(orientation: int) -> bytes:
    """EXIF with places, XMP and a comment; turned as the orientation says."""
    return files_made.with_segments(
        jpeg(COLOUR, 90),
        files_made.segment(0xE1, b"Exif\0\0" + files_made.exif_with_gps(orientation)),
        files_made.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + files_made.XMP_GPS),
        files_made.segment(0xFE, b"a word of the photographer's"),
    )


def _png(pixels: np.ndarray, **options: Any) -> bytes:
    return files_made.encoded(pixels, "PNG", **options)


# --- cases ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One file. makers: whose versions answer for its bytes, by the names in golden_made.WHERE_VERSIONS_ARE.

    libraries: those besides the usual ones that have a say in it. needs: what must be installed.
    """

    make: Callable[[], bytes]
    makers: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def _file(image: Any, options: Mapping[str, Any]) -> bytes:
    return unmarked(msroi.compress(image, threads=2, **options).data)


def unmarked(data: bytes) -> bytes:
    """A file with its mark made alike for all: digests and the package's version are not the picture's."""
    mark = metadata.read_comment(data)
    return data if mark is None else data.replace(mark.encode(), b"msroi")


def _compress(image: Any, **options: Any) -> Case:
    """A file of `msroi.compress`; a map is given wherever one could have a say, but for kind "none"."""
    return Case(functools.partial(_file, image, options), (options.get("method", "rdo"),))


def _jpeg_cases() -> dict[str, Case]:
    cases = {}
    given = {"saliency": ramp(COLOUR)}
    for chroma in ("420", "422", "444"):
        for tune in ("default", "psnr", "ssim"):
            cases[f"rdo {chroma} {tune}"] = _compress(COLOUR, chroma=chroma, tune=tune, **given)
            cases[f"rdo {chroma} {tune} quality 30"] = _compress(COLOUR, chroma=chroma, tune=tune, quality=30, **given)
    for tune in ("default", "psnr", "ssim"):
        cases[f"rdo grey {tune}"] = _compress(GREY, tune=tune, **given)
        cases[f"rdo {tune} match quality"] = _compress(COLOUR, tune=tune, match="quality", **given)
        cases[f"rdo {tune} without a map"] = _compress(COLOUR, tune=tune, map_kind="none")
    for name, target in TARGETS.items():
        cases[f"rdo {name}"] = _compress(COLOUR, **target, **given)
        cases[f"plain {name}"] = _compress(COLOUR, method="plain", **target)
        # Its first pass has to be finer than plain, or equal quality is out of reach.
        cases[f"two-pass {name}"] = _compress(COLOUR, method="two-pass", q_low=70, q_high=98, **target, **given)
    cases |= {
        "rdo baseline": _compress(COLOUR, baseline=True, **given),
        "rdo without the guard": _compress(COLOUR, guard=False, **given),
        "rdo q_low 10, q_high 90": _compress(COLOUR, q_low=10, q_high=90, **given),
        "rdo a map of 8 bits": _compress(COLOUR, saliency=disc(72, 104)),
        "rdo a small map": _compress(COLOUR, saliency=disc(9, 13)),
        "rdo a box": _compress(COLOUR, map_kind="none", focus=(30, 20, 40, 30)),
        "rdo 4:2:0 or 4:4:4 by rule": _compress(COLOUR, chroma="auto", **given),
        "rdo 4:2:0 or 4:4:4 by trial": _compress(COLOURED, chroma="auto", map_kind="none"),
        "two-pass": _compress(COLOUR, method="two-pass", **given),
        "two-pass two levels": _compress(COLOUR, method="two-pass", levels=2, q_low=20, q_high=80, **given),
        "two-pass grey": _compress(GREY, method="two-pass", **given),
        "plain grey": _compress(GREY, method="plain"),
    }
    return cases


TARGETS: dict[str, dict[str, Any]] = {
    "match size": {"match": "size", "quality": 60},
    "match quality": {"match": "quality", "quality": 50},
    "size": {"size": 2500},
    "bpp": {"bpp": 1.5},
}


def _source_cases() -> dict[str, Case]:
    """What the picture comes from, and what is done to it on the way."""
    sizes = {f"{width}x{height}": made(height, width) for width, height in SIZES}
    sources: dict[str, tuple[Any, dict[str, Any]]] = {
        **{f"size {name}": (pixels, {"quality": 60}) for name, pixels in sizes.items()},
        "grey 1x1": (made(1, 1, grey=True), {}),
        "one colour": (np.full((40, 56, 3), (10, 200, 90), np.uint8), {}),
        "black and white": (np.where(disc(64, 96)[..., None] > 100, 255, 0).astype(np.uint8).repeat(3, axis=2), {}),
        "dark": (DARK, {}),
        "dark page": (255 - PAGE // 16 * 15, {}),
        "drawing": (COLOURED, {}),
        "page": (PAGE, {}),
        "page, equal quality": (PAGE, {"match": "quality"}),
        "PNG": (_png(COLOUR), {}),
        "PNG with profile": (_png(COLOUR, icc_profile=PROFILE), {}),
        "PNG with alpha": (_png(np.dstack([COLOUR, disc(72, 104)])), {}),
        "PNG of 16 bits": (files_made.png(COLOUR.astype(np.uint16) * 257 + 31, 16, 2), {}),
        "PNG to sRGB": (_png(COLOUR, icc_profile=PROFILE), {"srgb": True}),
        "PNG reduced": (_png(COLOUR), {"max_side": 60, "quality": 60}),
        "WebP": (files_made.encoded(COLOUR, "WEBP", lossless=True), {}),
        "PNG of a palette": (_png(COLOUR, mode="P"), {}),
        "JPEG 4:2:0": (jpeg(COLOUR, 92), {"quality": 60}),
        "JPEG 4:2:2": (jpeg(COLOUR, 92, subsampling="4:2:2"), {"quality": 60}),
        "JPEG 4:4:4 progressive": (jpeg(COLOUR, 92, subsampling="4:4:4", progressive=True), {"quality": 60}),
        "JPEG grey": (jpeg(GREY, 92), {"quality": 60}),
        "JPEG 4:2:0 psnr": (jpeg(COLOUR, 92), {"quality": 60, "tune": "psnr"}),
        "JPEG 4:2:0 ssim": (jpeg(COLOUR, 92), {"quality": 60, "tune": "ssim"}),
        "JPEG of inks": (files_made.encoded(COLOUR, "JPEG", mode="CMYK", quality=92), {"quality": 60}),
        "JPEG fine": (jpeg(COLOUR, 97), {"match": "quality", "quality": 80}),
        "JPEG coarse": (jpeg(COLOUR, 40), {}),
        "JPEG kept": (jpeg(COLOUR, 40), {"min_savings": 60}),
        "JPEG fine, as good as 100": (jpeg(COLOUR, 60), {"match": "quality", "quality": 100}),
        "JPEG kept, optimised": (jpeg(COLOUR, 60), {"method": "plain", "quality": 95}),
        "JPEG coarse, made all the same": (jpeg(COLOUR, 40), {"force": True}),
        "JPEG to 4:4:4": (jpeg(COLOUR, 92), {"quality": 60, "chroma": "444"}),
        "JPEG reduced": (jpeg(COLOUR, 92), {"max_side": 60}),
        "JPEG with profile": (jpeg(COLOUR, 92, icc_profile=PROFILE), {"quality": 60}),
        "JPEG of several pictures": (files_made.multi_picture(jpeg(COLOUR, 92), jpeg(GREY, 50)), {"quality": 60}),
        "JPEG with metadata": (_with_metadata(1), {"quality": 60}),
        "JPEG with metadata, no places": (_with_metadata(1), {"quality": 60, "strip_gps": True}),
        "JPEG with metadata, stripped": (_with_metadata(1), {"quality": 60, "strip": True}),
        "JPEG with metadata, baseline": (_with_metadata(1), {"quality": 60, "baseline": True}),
    }
    cases = {}
    for name, (image, options) in sources.items():
        cases[f"{options.get('method', 'rdo')} {name}"] = _compress(image, map_kind="none", **options)
    for orientation in (2, 3, 6, 7):
        upright = COLOUR if orientation < 5 else COLOUR.swapaxes(0, 1)
        for method in ("rdo", "two-pass"):
            options = {"method": method, "quality": 60, "saliency": ramp(upright)}
            cases[f"{method} turned by EXIF, {orientation}"] = _compress(_with_metadata(orientation), **options)
    for name in ("PNG", "JPEG 4:2:0", "JPEG with metadata, stripped", "dark", "size 17x9"):
        image, options = sources[name]
        cases[f"plain {name}"] = _compress(image, method="plain", **options)
        cases[f"two-pass {name}"] = _compress(image, method="two-pass", saliency=disc(9, 13), **options)
    return cases


def _large_cases() -> dict[str, Case]:
    """Of large pictures the encoders look at samples, and work by strips.

    Sums over so many pixels do not come out the same to the last bit with vectors of another length (NumPy, OpenCV).
    """
    pixels, saliency = made(1500, 1600), disc(100, 80)
    equal: dict[str, Any] = {"chroma": "444", "match": "quality", "quality": 60}
    large = {
        "rdo large": _compress(pixels, saliency=saliency),
        "rdo large, equal quality": _compress(pixels, saliency=saliency, **equal),
        "rdo large JPEG": _compress(jpeg(pixels, 92), quality=60, saliency=saliency),
        "two-pass large": _compress(pixels, method="two-pass", saliency=saliency),
    }
    return {name: replace(case, libraries=("processor",)) for name, case in large.items()}


SIZES = ((1, 1), (1, 9), (8, 8), (17, 9), (33, 16), (64, 7))
"""(width, height)."""


def _network_map() -> bytes:
    """The network's map of a photo, with 8 bits a value: what is left of a sum's order is below that, or nearly so."""
    values = msroi.saliency_map(_photo())
    return np.rint(values * 255).astype(np.uint8).tobytes()


def _photo() -> np.ndarray:
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:256, 64:448])


def _followed(tune: str) -> bytes:
    return _file(_photo(), {"quality": 60, "tune": tune})


def _recurrent(grey: bool) -> bytes:
    from msroi.codecs import neural

    pixels = (GREY if grey else COLOUR)[:40, :56]
    return neural.compress(pixels, saliency=ramp(pixels), n_bytes=260)


def _network_cases() -> dict[str, Case]:
    """Few: sums of networks belong to the processor, and so does what hangs on them."""
    own, keras = ("onnxruntime", "processor"), ("tensorflow", "processor")
    needs = ("keras", "tensorflow", "constriction")
    return {
        "map of a photo": Case(_network_map, ("map",), own, ("skimage",)),
        "rdo with the network's map": Case(functools.partial(_followed, "default"), ("rdo", "map"), own, ("skimage",)),
        "recurrent": Case(functools.partial(_recurrent, False), ("recurrent",), keras, needs),
        "recurrent grey": Case(functools.partial(_recurrent, True), ("recurrent",), keras, needs),
    }


@functools.cache
def cases() -> dict[str, Case]:
    """All of them by name."""
    return _jpeg_cases() | _source_cases() | _large_cases() | _network_cases()


def missing(case: Case) -> str:
    """The packages that a case lacks, "" for none."""
    return ", ".join(name for name in case.needs if importlib.util.find_spec(name) is None)
