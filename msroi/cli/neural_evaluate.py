"""The evaluation of Wang, Han, Wang 2019: the recurrent codec with the map, with a constant map, JPEG and HEIC.

For mean levels of iterations, and at equal bytes: MS-SSIM and SI-SSIM; scores inside the most salient boxes and
outside; what the cap on iterations does; how SI-SSIM goes with SSIM. The folder -d then holds all that `msroi
benchmark` leaves, regions.csv, caps.csv, study.json, tables.md, curves.svg and caps.svg. A run that was interrupted
goes on where it was. An iteration of a Kodak picture takes one or two seconds on two cores, a picture some minutes.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from msroi.cli.arguments import add_running, positive_number, whole_number
from msroi.cli.neural_options import add_weights, load_codec
from msroi.cli.output import Screen

CODEC = "recurrent"
CAP_PICTURES = 4
CAP_LEVEL = 6.0

EXAMPLES = """\
examples:
  msroi neural evaluate kodak -d out
  msroi neural evaluate kodak -d out --pictures 4 --levels 2 4 6 --bpp 0.75 --cap-pictures 0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from msroi.benchmark.protocols.wang_2019 import LEVELS, RATES
    from msroi.benchmark.protocols.wang_2019_study import DEFAULT_CAPS
    from msroi.codecs.neural.recurrent.allocation import MOST

    parser.add_argument("folder", metavar="FOLDER", help="pictures, also further down; or one picture")
    parser.add_argument("-d", "--directory", metavar="OUT", type=Path, required=True, help="a folder for the results")
    parser.add_argument("--pictures", metavar="N", type=whole_number(1), help="only so many pictures, evenly chosen")
    parser.add_argument("--maps", type=Path, metavar="FOLDER", help="maps to follow, not the network's")
    add_weights(parser)
    what = parser.add_argument_group("what is measured")
    what.add_argument(
        "--levels",
        nargs="+",
        type=whole_number(1, MOST),
        metavar="K",
        default=list(LEVELS),
        help=f"mean levels of iterations (default {' '.join(map(str, LEVELS))})",
    )
    what.add_argument(
        "--bpp",
        nargs="+",
        type=positive_number,
        metavar="X",
        default=list(RATES),
        help="bits per pixel at which all have equal bytes; regions are looked at by the last "
        f"(default {' '.join(f'{rate:g}' for rate in RATES)})",
    )
    what.add_argument(
        "--caps",
        nargs="+",
        type=whole_number(0, 100),
        metavar="N",
        default=list(DEFAULT_CAPS),
        help=f"most iterations a cell (default {' '.join(map(str, DEFAULT_CAPS))})",
    )
    what.add_argument(
        "--cap-level",
        type=positive_number,
        metavar="K",
        default=CAP_LEVEL,
        help=f"mean level of the study of caps (default {CAP_LEVEL:g})",
    )
    what.add_argument(
        "--cap-pictures",
        type=whole_number(0),
        metavar="N",
        default=CAP_PICTURES,
        help=f"pictures of the study of caps, evenly chosen (default {CAP_PICTURES})",
    )
    parser.set_defaults(masks=None)
    add_running(parser, "print the summary as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from msroi.benchmark import inputs
    from msroi.benchmark.protocols import wang_2019, wang_2019_study
    from msroi.benchmark.run import Request
    from msroi.cli.benchmark import measured, pictures_of, show_tables, status_of
    from msroi.options import real_number

    screen = Screen(arguments, slow=True)
    real_number("cap-level", arguments.cap_level, 1, wang_2019_study.PAPERS_CAP)
    out: Path = arguments.directory
    codec = load_codec(CODEC, arguments.weights)
    wang_2019_study.check_installed()
    request = Request(
        pictures=pictures_of(arguments),
        out=out,
        encoders=wang_2019.PROTOCOL.encoders,
        others=[wang_2019.Iterations(iterations=level) for level in arguments.levels],
        bpp=arguments.bpp,
        protocol="wang-2019",
        maps=arguments.maps,
        weights=arguments.weights,
        ssimulacra2=False,
        threads=getattr(arguments, "threads", 1),
        command=shlex.join(["msroi", *arguments.words]),
    )
    summary = measured(request, screen)
    entries, _ = inputs.survey(request.pictures, maps=arguments.maps)
    with screen.progress(len(entries) + min(arguments.cap_pictures, len(entries))) as start:
        tables = wang_2019_study.study(
            out,
            entries,
            codec,
            target=request.targets[-1].name,
            level=arguments.cap_level,
            caps=arguments.caps,
            n_cap_pictures=arguments.cap_pictures,
            tell=start,
        )
    screen.record(
        {"input": arguments.folder, "output": str(out), **summary}, "failed" if status_of(summary) else "done"
    )
    show_tables(tables, screen)
    for entry in summary["statuses"]:
        screen.line(f"{entry['encoder']}: {entry['status']} ({entry['n']} rows): {entry['message']}")
    screen.line(f"tables: {out / 'tables.md'}; curves: {out / 'curves.svg'}; report: {out / 'index.html'}")
    return status_of(summary)
