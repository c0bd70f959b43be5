"""Encoders against each other at the same bytes: a row for each picture, target and encoder, and a report.

Every encoder makes the largest file that is not above the budget; all are decoded and scored alike. The folder
-d then holds rows.csv, summary.json, all files, and index.html, which opens without a server. A run that was
interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msroi.cli.arguments import add_running, positive_number, whole_number
from msroi.cli.output import Screen, make_table, number
from msroi.errors import ImageError
from msroi.threads import most
from msroi.work.inputs import expand

if TYPE_CHECKING:
    from msroi.benchmark.rows import Row
    from msroi.benchmark.run import Request

EXAMPLES = """\
examples:
  msroi benchmark photos -d out                        eleven encoders at plain JPEG's bytes at Q 30, 50, 70, 90
  msroi benchmark photos -d out --encoders pillow mozjpeg rdo --qualities 50 --no-ssimulacra2
  msroi benchmark photos -d out --masks masks          scored inside and outside of masks of the same names
  msroi benchmark photos -d out --protocol rate-distortion
  msroi benchmark photos -d out --against 'cjpeg=cjpeg -quality {q} -outfile {output} {input.ppm}'
  msroi benchmark photos -d out --against 'jxl=cjxl {input} {output.jxl} -q {q} && djxl {output.jxl} {decoded.png}'

{input}, {output} and {decoded} are PNG, JPEG and PNG without an ending; {q} is 1 to 100, {q:63:0} from 63 for the
smallest file to 0 for the largest. No shell runs.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from msroi.benchmark.encoders import DEFAULT_ENCODERS, ENCODERS
    from msroi.benchmark.page import DEFAULT_MEGABYTES, MOST_MEGABYTES
    from msroi.benchmark.protocols import PROTOCOLS
    from msroi.benchmark.targets import MATCHES

    parser.add_argument("folder", metavar="FOLDER", help="pictures, also further down; or one picture")
    parser.add_argument("-d", "--directory", metavar="OUT", type=Path, required=True, help="a folder for the results")
    parser.add_argument("--pictures", metavar="N", type=whole_number(1), help="only so many pictures, evenly chosen")
    parser.add_argument(
        "--page-megabytes",
        metavar="MB",
        type=whole_number(0, MOST_MEGABYTES),
        default=DEFAULT_MEGABYTES,
        help=f"pictures that index.html may carry: the most telling first (default {DEFAULT_MEGABYTES}, 0 for none)",
    )
    what = parser.add_argument_group("what is compared")
    extra = [name for name in ENCODERS if name not in DEFAULT_ENCODERS]
    what.add_argument(
        "--encoders",
        nargs="+",
        metavar="NAME",
        choices=list(ENCODERS),
        help=f"of {', '.join(DEFAULT_ENCODERS)} (these are the default); {', '.join(extra)}",
    )
    what.add_argument(
        "--against", action="append", default=[], metavar="NAME=COMMAND", help="also this program; may be repeated"
    )
    target = what.add_mutually_exclusive_group()
    target.add_argument(
        "--qualities",
        nargs="+",
        type=whole_number(1, 100),
        metavar="Q",
        help="budgets: plain JPEG's bytes at these qualities (default 30 50 70 90)",
    )
    target.add_argument("--bpp", nargs="+", type=positive_number, metavar="X", help="budgets in bits per pixel")
    what.add_argument(
        "--match",
        choices=MATCHES,
        default="size",
        help="size: the largest file within the budget (default); quality: the fewest bytes for plain's PSNR and "
        "SSIM; number: each encoder's own quality number, which compares nothing",
    )
    lines = "; ".join(f"{name}: {protocol.line}" for name, protocol in PROTOCOLS.items())
    what.add_argument("--protocol", choices=list(PROTOCOLS), metavar="NAME", help=lines)
    _add_human_arguments(parser)
    add_running(parser, "print the summary as one JSON object")


def _add_human_arguments(parser: argparse.ArgumentParser) -> None:
    people = parser.add_argument_group("where people look (scores by what drove an encoder are no verdict)")
    people.add_argument(
        "--masks",
        metavar="FOLDER",
        help="masks of the pictures' names and sizes: scores inside and outside, and the maps of rdo-masks; "
        "'centre' for a Gaussian in the middle",
    )
    people.add_argument(
        "--fixations",
        type=Path,
        metavar="FILE",
        help='scores weighted by where people looked: JSON, {"NAME": {"size": [w, h], "fixations": [[x, y], ...]}}',
    )
    people.add_argument("--maps", type=Path, metavar="FOLDER", help="maps for rdo and two-pass, not the network's")
    people.add_argument("--no-ssimulacra2", action="store_true", help="leave out the slowest score")


def run(arguments: argparse.Namespace) -> int:
    from msroi.benchmark import rows
    from msroi.benchmark.run import Request

    screen = Screen(arguments)
    out: Path = arguments.directory
    request = Request(
        pictures=pictures_of(arguments),
        out=out,
        encoders=arguments.encoders,
        qualities=arguments.qualities,
        bpp=arguments.bpp,
        matching=arguments.match,
        protocol=arguments.protocol,
        masks=_masks(arguments.masks),
        maps=arguments.maps,
        fixations=arguments.fixations,
        against=arguments.against,
        ssimulacra2=not arguments.no_ssimulacra2,
        page_megabytes=arguments.page_megabytes,
        threads=getattr(arguments, "threads", most()),
        command=shlex.join(["msroi", *arguments.words]),
    )
    summary = measured(request, screen)
    if screen.json:
        screen.record(
            {"input": arguments.folder, "output": str(out), **summary}, "failed" if status_of(summary) else "done"
        )
    _show(summary, rows.read_rows(out / rows.FILE), request.protocol, screen)
    screen.line(f"report: {out / 'index.html'}")
    return status_of(summary)


def measured(request: Request, screen: Screen) -> dict[str, Any]:
    """Run a benchmark under a bar and return its summary; what failed is told."""
    from msroi.benchmark import rows
    from msroi.benchmark.run import run as run_benchmark

    n_rows = len(request.pictures) * len(request.targets) * len(request.chosen)
    with screen.progress(n_rows) as start:

        def tell(row: Row) -> None:
            start(f"{row['image']} {row['target']} {row['encoder']}")
            if row["status"] == rows.FAILED:
                screen.error(f"{row['image']} {row['target']} {row['encoder']}: {row['message']}")

        summary = run_benchmark(request, tell)
    for picture in summary["unreadable"]:
        screen.error(picture["message"])
    return summary


def status_of(summary: dict[str, Any]) -> int:
    """1 where a row failed or a picture could not be read, else 0."""
    from msroi.benchmark import rows

    failed = any(entry["status"] == rows.FAILED for entry in summary["statuses"])
    return int(failed or bool(summary["unreadable"]))


def pictures_of(arguments: argparse.Namespace) -> list[tuple[Path, Path]]:
    """Files and their places below the folder; masks and maps that lie below it are no pictures."""
    found, problems = expand([arguments.folder], arguments.directory)
    if not found:
        raise problems[0][1] if problems else ImageError(f"{arguments.folder}: no picture files in this folder")
    others = [Path(os.path.realpath(folder)) for folder in (_masks(arguments.masks), arguments.maps) if folder]
    pictures = [(item.path, item.relative) for item in found if item.path is not None and not _is_in(item.path, others)]
    if not pictures:
        raise ImageError(f"{arguments.folder}: no picture files in this folder")
    count = min(arguments.pictures or len(pictures), len(pictures))
    return [pictures[place * len(pictures) // count] for place in range(count)]


def _is_in(path: Path, folders: Iterable[Path]) -> bool:
    place = Path(os.path.realpath(path))
    return any(folder in place.parents for folder in folders)


def _masks(word: str | None) -> Path | str | None:
    from msroi.benchmark.inputs import CENTRE

    return word if word is None or word == CENTRE else Path(word)


# --- on the screen ------------------------------------------------------------------------------


def _show(summary: dict[str, Any], all_rows: Sequence[Row], protocol: str | None, screen: Screen) -> None:
    from msroi.benchmark.protocols import PROTOCOLS, bd_rate_tables

    if not screen.for_people:
        return
    if protocol is not None:
        tables = PROTOCOLS[protocol].tables(all_rows, summary)
    else:
        tables = [_means(summary, target) for target in summary["targets"]]
        tables += [table for target in summary["targets"] for table in _by_weight(summary, target)]
        tables += bd_rate_tables(summary)
    show_tables(tables, screen)
    for entry in summary["statuses"]:
        screen.line(f"{entry['encoder']}: {entry['status']} ({entry['n']} rows): {entry['message']}")
    screen.line(f"weights: {summary['made']['weights']}")


def show_tables(tables: Iterable[Any], screen: Screen) -> None:
    """Those of `msroi.benchmark.protocols.Table` that have cells."""
    for table in (table for table in tables if table.cells):
        screen.line(table.title)
        screen.table(make_table(table.columns, table.cells))
        screen.line("")


def _means(summary: dict[str, Any], target: str) -> Any:
    from msroi.benchmark.protocols import Table
    from msroi.metrics import METRICS
    from msroi.metrics.catalogue import WHOLE

    means = [mean for mean in summary["means"] if mean["target"] == target]
    whole = [metric for metric in METRICS.values() if metric.group == WHOLE and not metric.repeats]
    shown = [metric for metric in whole if any(metric.key in mean for mean in means)]
    cells = [
        (
            mean["encoder"],
            str(mean["n"]),
            number(mean["bytes"], 0),
            f"{mean['size_difference_percent']:+.2f}",
            *(number(mean.get(metric.key), metric.digits) for metric in shown),
            number(mean["seconds_encode"], 2),
        )
        for mean in means
    ]
    titles = [metric.title for metric in shown]
    return Table(f"{target}: means", ("encoder", "n", "bytes", "% of budget", *titles, "s"), cells)


def _by_weight(summary: dict[str, Any], target: str) -> list[Any]:
    """Inside and outside of masks, and by fixations: differences to plain JPEG."""
    from msroi.benchmark.encoders import YARDSTICK
    from msroi.benchmark.protocols import Table
    from msroi.metrics import METRICS
    from msroi.metrics.catalogue import MASKS, WEIGHTED

    found: dict[str, dict[str, dict[str, Any]]] = {}
    for entry in summary["comparisons"]:
        if entry["target"] == target and entry["against"] == YARDSTICK:
            found.setdefault(entry["encoder"], {})[entry["metric"]] = entry
    by_weight = [metric for metric in METRICS.values() if metric.group in (MASKS, WEIGHTED)]
    shown = [metric for metric in by_weight if any(metric.key in metrics for metrics in found.values())]
    if not shown:
        return []
    with_outside = any(metric.key == "ssim_outside" for metric in shown)
    columns = ["encoder", "n", "dB whole", *(metric.title for metric in shown)]
    columns += ["SSIM outside not worse"] if with_outside else []
    cells = []
    for encoder, metrics in found.items():
        some = next(iter(metrics[metric.key] for metric in shown if metric.key in metrics), None)
        values = [_signed(metrics.get(metric.key), metric.digits) for metric in (METRICS["psnr"], *shown)]
        if with_outside:
            outside = metrics.get("ssim_outside")
            kept = outside and 100 * (outside["wins"] + outside["ties"]) / outside["n"]
            values.append("-" if kept is None else f"{kept:.0f} %")
        cells.append((encoder, str(some["n"]) if some else "-", *values))
    return [Table(f"{target}: differences to plain JPEG, {summary['made']['weights']}", tuple(columns), cells)]


def _signed(entry: dict[str, Any] | None, digits: int) -> str:
    return "-" if entry is None else f"{entry['mean_difference']:+.{digits}f}"
