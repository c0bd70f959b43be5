"""Does the map agree with people? `python -m train.studies.agreement --ecssd DIR --osie DIR --faces DIR --text DIR`.

Objects: largest F (beta^2 0.3) and mean absolute error against human masks (ECSSD). Gaze: AUC-Judd, NSS and
correlation with fixations (OSIE). Faces and words: the share of them in the upper third of the map's area. Beside
every map stand a blob at the centre and the spectral residual: a map near them is worth nothing.

    --ablation      also the maps of five random classes and of all classes: do the five best matter?
    --float DIR     also the same networks in 32 bits, exported there, and how their maps correlate
    --sheet FILE    best and worst cases of the first kind as a picture
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from msroi.images import read
from msroi.saliency import KINDS, make_map
from msroi.saliency.activation_maps import N_BEST, best_classes, softmax
from msroi.saliency.kind import QUALITIES
from msroi.saliency.kinds import kind_of
from msroi.saliency.network import Evidence, Network, load
from msroi.saliency.read_outs import coarse_map
from msroi.saliency.values import full_size
from train.common import command
from train.data import datasets
from train.saliency.measures import correlation
from train.studies import baselines, people
from train.studies.contact_sheet import draw_sheet
from train.studies.people import Case, MapOf

SEED = 2018
Choice = Callable[[Evidence], Evidence]


def main(argv: list[str] | None = None) -> int:
    """See the module's docstring."""
    return command.run(_arguments(), work, argv)


def work(options: argparse.Namespace) -> None:
    """Measure and print."""
    maps = _maps(options)
    sets: dict[str, dict[str, list[Case]]] = {}
    rows = [score(name, map_of, options, sets.setdefault(name, {})) for name, map_of in maps.items()]
    _print_table(rows)
    if options.float:
        for kind in options.kinds:
            _compare_bits(kind, options)
    if options.sheet:
        draw_sheet(options.sheet, options.kinds[0], maps[options.kinds[0]], sets[options.kinds[0]])
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def _maps(options: argparse.Namespace) -> dict[str, MapOf]:
    """The rows of the table: name and map, baselines first."""
    maps: dict[str, MapOf] = {
        "centre": baselines.centre_blob,
        "spectral residual x centre": baselines.spectral_residual,
    }
    for kind in options.kinds:
        maps[kind] = lambda pixels, kind=kind: make_map(pixels, kind, options.quality)  # type: ignore[misc]
        network = _network_of(kind)
        if options.ablation:
            maps[f"{kind}, five random classes"] = map_of_network(network, kind, RandomClasses())
            maps[f"{kind}, all classes"] = map_of_network(network, kind, all_classes)
        if options.float:
            maps[f"{kind}, 32 bits"] = map_of_network(load(network.name, options.float), kind)
    return maps


def _network_of(kind: str) -> Network:
    name = kind_of(kind).network
    assert name is not None, f"{kind} asks for no network's evidence"
    return load(name)


def map_of_network(network: Network, kind: str, choose: Choice | None = None) -> MapOf:
    """The map of one network, by other classes than its five best if `choose` says so."""

    def map_of(pixels: np.ndarray) -> np.ndarray:
        evidence = network.look(network.see(pixels))
        coarse = coarse_map(kind, [choose(evidence) if choose else evidence], network.card)
        return full_size(coarse, *pixels.shape[:2])

    return map_of


class RandomClasses:
    """In the place of the five best classes' maps those of five random ones, with the weights of the best.

    The same as in the training term that pushes such maps to zero. Seeded, so that a table repeats.
    """

    def __init__(self) -> None:
        self.random = np.random.default_rng(SEED)

    def __call__(self, evidence: Evidence) -> Evidence:
        best, _ = best_classes(softmax(evidence.logits))
        drawn = self.random.choice(len(evidence.logits), N_BEST, replace=False)
        return _with_maps(evidence, best, drawn)


def all_classes(evidence: Evidence) -> Evidence:
    """In the place of each map the mean of all: what the class maps share, whatever the classes."""

    def shared(maps: np.ndarray) -> np.ndarray:
        return np.broadcast_to(maps.mean(axis=0), maps.shape)

    gaze_maps = None if evidence.gaze_maps is None else shared(evidence.gaze_maps)
    return replace(evidence, object_maps=shared(evidence.object_maps), gaze_maps=gaze_maps)


def _with_maps(evidence: Evidence, places: np.ndarray, sources: np.ndarray) -> Evidence:
    order = np.arange(len(evidence.logits))
    order[places] = sources
    gaze_maps = None if evidence.gaze_maps is None else evidence.gaze_maps[order]
    return replace(evidence, object_maps=evidence.object_maps[order], gaze_maps=gaze_maps)


def score(
    name: str, map_of: MapOf, options: argparse.Namespace, cases: dict[str, list[Case]]
) -> dict[str, float | str]:
    """One row of the table; photos with their own scores go into `cases` by set."""
    row: dict[str, float | str] = {"map": name}
    if options.ecssd:
        found, cases["masks, correlation"] = people.objects(map_of, datasets.photos_with_masks(options.ecssd))
        row |= found
    if options.osie:
        found, cases["fixations, NSS"] = people.gaze(map_of, datasets.photos_with_fixations(options.osie))
        row |= found
    if options.faces:
        row["faces"] = people.share_in_upper_third(map_of, people.faces(options.faces))
    if options.text:
        row["words"] = people.share_in_upper_third(map_of, people.words(options.text))
    return row


def _compare_bits(kind: str, options: argparse.Namespace) -> None:
    """Prints the correlation of a network's maps with those of the same network in 32 bits."""
    network = _network_of(kind)
    eight, whole = (map_of_network(n, kind) for n in (network, load(network.name, options.float)))
    photos = [sample.path for sample in datasets.photos_with_masks(options.ecssd)] if options.ecssd else []
    photos += [sample.path for sample in datasets.photos_with_fixations(options.osie)] if options.osie else []
    found = []
    for path in photos:
        pixels = read(path).upright
        found.append(correlation(eight(pixels)[None], whole(pixels)[None]))
    if found:
        print(
            f"{kind}: 8 bits against 32, correlation {np.mean(found):.4f}, least {min(found):.4f}, {len(found)} photos"
        )


def _print_table(rows: list[dict[str, float | str]]) -> None:
    columns = list(rows[0])
    print("| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))
    for row in rows:
        print("| " + " | ".join(v if isinstance(v, str) else f"{v:.3f}" for v in row.values()) + " |")


def _arguments() -> argparse.ArgumentParser:
    parser = command.parser("train.studies.agreement", __doc__)
    parser.add_argument("--ecssd", type=Path, metavar="DIR", help="photos in image/, masks in mask/")
    parser.add_argument("--osie", type=Path, metavar="DIR", help="photos in image/, fixations.json")
    parser.add_argument("--faces", type=Path, metavar="DIR", help="photos in image/, boxes in faces.json")
    parser.add_argument("--text", type=Path, metavar="DIR", help="photos in image/, words in words.json")
    parser.add_argument(
        "--kinds",
        nargs="+",
        default=["ms-roi", "objects", "gaze", "cam", "ms-roi-labels"],
        choices=[k for k in KINDS if k != "none"],
    )
    parser.add_argument("--quality", choices=list(QUALITIES), default="fast", help="as --map-quality of msroi map")
    parser.add_argument("--ablation", action="store_true", help="also five random classes, and all")
    parser.add_argument(
        "--float", type=Path, metavar="DIR", help="the networks as `train.saliency.export --float` wrote them"
    )
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="best and worst cases of the first kind, as PNG")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
