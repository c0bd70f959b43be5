"""Versions and networks; or, for a file, what it is.

For a JPEG: size, process, sampling, quantisation tables and the quality they come nearest to, segments, and
our own digest if msroi made it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import io
import platform
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from msroi.cli.arguments import add_inputs, add_limits, add_running, limits_of
from msroi.cli.each import run_each
from msroi.cli.output import Screen, escape
from msroi.errors import ImageError
from msroi.work.inputs import Input, expand

if TYPE_CHECKING:
    from rich.table import Table

EXAMPLES = """\
examples:
  msroi info                 versions, and networks with their hashes
  msroi info photo.jpg       what this file is
  msroi info photos --json   an object a line for each picture in a folder
"""

# The distributions whose versions can change what a file or a figure is, or that an extra brings.
DISTRIBUTIONS = (
    "numpy", "pillow", "opencv-python-headless", "opencv-python", "onnxruntime", "scikit-image", "matplotlib",
    "rich", "jinja2", "mozjpeg-lossless-optimization", "pillow-heif", "keras", "tensorflow", "tensorflow-cpu",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_inputs(parser, at_least_one=False)
    add_limits(parser)
    add_running(parser, "one JSON object a line", threads=False)


def run(arguments: argparse.Namespace) -> int:
    screen = Screen(arguments)
    if not arguments.inputs:
        _tell_installation(screen)
        return 0
    inputs, problems = expand(arguments.inputs, include_ours=True)
    limits = limits_of(arguments)

    def tell(item: Input) -> None:
        facts = file_facts(item, limits)
        others = {name: value for name, value in facts.items() if name != "n_bytes"}
        screen.record({"input": item.name, "input_bytes": facts["n_bytes"], **others})
        _tell_facts(item.name, facts, screen)

    return run_each(inputs, problems, tell, screen)


# --- the installation --------------------------------------------------------------------------


def installation() -> dict[str, Any]:
    """Versions of msroi, Python and what msroi stands on, and the networks with hash and card."""
    from msroi import __version__
    from msroi.saliency import network_facts

    return {
        "msroi": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version for name in DISTRIBUTIONS if (version := _version(name))},
        "networks": network_facts(),
    }


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _tell_installation(screen: Screen) -> None:
    facts = installation()
    screen.record(facts)
    versions = {key: facts[key] for key in ("msroi", "python", "platform")} | facts["packages"]
    screen.table(_pairs_table(versions))
    for network in facts["networks"]:
        screen.line("")
        screen.line(f"network {network['name']}")
        screen.table(_pairs_table(_summary(network)))


def _summary(network: dict[str, Any]) -> dict[str, str]:
    """File, hash and what the card says in a word or two; --json has the whole card."""
    card = network["card"]
    known = {key: network[key] for key in ("file", "sha256")}
    told = {key: text for key, value in card.items() if key not in network and (text := _brief(value))}
    return {**known, **told}


def _brief(value: Any) -> str:
    """A value of the card on one line; empty for what is long or nested: recipes, lists of classes."""
    if isinstance(value, dict):
        parts = {key: item for key, item in value.items() if not isinstance(item, dict | list)}
        return ", ".join(f"{key} {item}" for key, item in parts.items()) if len(parts) == len(value) else ""
    return "" if value is None or isinstance(value, list) else str(value)


# --- a file ------------------------------------------------------------------------------------


def file_facts(item: Input, limits: Any) -> dict[str, Any]:
    """What a file is: `jpeg_facts` for a JPEG; format, size and mode for another picture. For JSON."""
    from msroi.metadata.segments import is_jpeg

    data = item.read(limits.max_bytes)
    if not is_jpeg(data):
        return _picture_facts(item.name, data)
    from msroi.metadata import jpeg_facts

    facts = asdict(jpeg_facts(data))
    facts["quantisation_tables"] = [
        {"id": identifier, "steps": list(steps)} for identifier, steps in facts["quantisation_tables"]
    ]
    facts["segments"] = [dict(zip(("name", "bytes", "holds"), one, strict=True)) for one in facts["segments"]]
    facts["pictures"] = [dict(zip(("kind", "bytes"), one, strict=True)) for one in facts["pictures"]]
    return {"format": "JPEG", **facts}


def _picture_facts(name: str, data: bytes) -> dict[str, Any]:
    """Format, size and mode from the header alone; nothing is decoded."""
    from PIL import Image

    from msroi.codecs.neural.container import MAGIC

    if data.startswith(MAGIC):
        raise ImageError(f"{name}: a neural codec's file; msroi neural info tells what it is")
    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            return {
                "format": image.format,
                "n_bytes": len(data),
                "width": width,
                "height": height,
                "mode": image.mode,
                "frames": getattr(image, "n_frames", 1),
            }
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name}: its header declares more pixels than any photo has") from error
    except Exception as error:
        # Pillow's readers raise nearly anything on a damaged header.
        raise ImageError(f"{name}: not a picture that can be read") from error


# --- tables ------------------------------------------------------------------------------------


def _pairs_table(pairs: dict[str, Any]) -> Table:
    """Name and value, a pair a line; texts may be long."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for name, value in pairs.items():
        table.add_row(Text(escape(name)), Text(escape(str(value))))
    return table


def _tell_facts(name: str, facts: dict[str, Any], screen: Screen) -> None:
    screen.line(name)
    if facts["format"] != "JPEG":
        screen.table(_pairs_table(facts))
        return
    screen.table(_pairs_table(_jpeg_pairs(facts)))
    for table in facts["quantisation_tables"]:
        screen.line(f"quantisation table {table['id']}")
        for row in range(0, 64, 8):
            screen.line("  " + " ".join(f"{step:4d}" for step in table["steps"][row : row + 8]))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _jpeg_pairs(facts: dict[str, Any]) -> dict[str, str]:
    """What people want to know of a JPEG first; the tables come after."""
    quality = "no tables" if facts["estimated_quality"] is None else f"about {facts['estimated_quality']}"
    if facts["quality_is_exact"]:
        quality = f"{facts['estimated_quality']}, the standard tables"
    segments = [f"{one['name']} {one['bytes']} {one['holds']}".rstrip() for one in facts["segments"]]
    pairs = {
        "format": f"JPEG, {facts['process']}, {facts['bits']} bits, {_count(facts['n_scans'], 'scan')}",
        "size": f"{facts['width']} x {facts['height']} pixels upright, orientation {facts['orientation']}",
        "bytes": f"{facts['n_bytes']:,}",
        "components": f"{facts['components']}, sampling {facts['sampling'] or 'none'}",
        "quality": quality,
        "restart": f"every {facts['restart_interval']} MCUs" if facts["restart_interval"] else "none",
        "colour profile": facts["icc_profile"] or "none",
        "made by msroi": facts["comment"] or "no",
        "further pictures": ", ".join(f"{one['kind']} {one['bytes']:,} bytes" for one in facts["pictures"]) or "none",
    }
    return pairs | {f"segment {place}": text for place, text in enumerate(segments, 1)}
