"""The golden files: whole encodes, byte for byte, by their hashes (golden/bytes.json), and the small files beside it.

    python tests/golden_made.py        makes all of them anew, after a change that is meant to change bytes

A file that a request once made must come out the same for as long as the versions of codec and map stay, for by them
`msroi` knows that an output is there and right. So what makes the files anew refuses where bytes changed and no
version did. It compares with the bytes.json that lies there: while a change is under way, take the committed one
first (git checkout HEAD -- tests/golden/bytes.json).

Floating point, libjpeg-turbo and networks give other bytes elsewhere. Where bytes differ and machine or libraries are
not those of bytes.json, nothing can be said, and tests are skipped; where they are the same, they must be the same.
After a new release of one of them: `python tests/golden_made.py --other-libraries`, and a look at what changed.

Our own mark is left out of the hashes: it holds digests of request and picture, and the version of the package.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden_cases import Case, cases, missing
from PIL import features

import msroi
from msroi.codecs.jpeg.registry import CODECS
from msroi.codecs.neural import recurrent
from msroi.saliency.network import DEFAULT_NETWORK, network_hash
from msroi.saliency.read_outs import MAP_VERSION

GOLDEN = Path(__file__).parent / "golden" / "bytes.json"

COMMAND = "python tests/golden_made.py"

WHERE_VERSIONS_ARE = {
    "rdo": "Rdo.version in msroi/codecs/jpeg/rdo/",
    "two-pass": "TwoPass.version in msroi/codecs/jpeg/two_pass.py",
    "plain": "Plain.version in msroi/codecs/jpeg/plain.py",
    "map": "MAP_VERSION in msroi/saliency/read_outs.py",
    "recurrent": "VERSION in msroi/codecs/neural/recurrent/__init__.py",
    "msroi": "msroi/version.py",
}
"""Where the version of each maker stands."""

# --- what answers for the bytes -------------------------------------------------------------------


def versions() -> dict[str, str]:
    """The version of each maker now; where networks have a say, with the one that ships."""
    card = Path(recurrent.__path__[0]) / "weights" / "recurrent.json"
    network = json.loads(card.read_text(encoding="utf-8"))["sha256"]
    own = {name: codec.version for name, codec in CODECS.items()}
    own["map"] = f"{MAP_VERSION}, network {network_hash(DEFAULT_NETWORK)[:8]}"
    own["recurrent"] = f"{recurrent.VERSION}, network {network[:8]}"
    return own | {"msroi": msroi.__version__}


def libraries() -> dict[str, str]:
    """What else has a say in the last bits: machine, libraries, and the processor's own instructions."""
    from numpy._core._multiarray_umath import __cpu_features__

    names = {"numpy": "numpy", "OpenCV": "opencv-python-headless", "Pillow": "pillow"}
    names |= {"mozjpeg": "mozjpeg-lossless-optimization", "onnxruntime": "onnxruntime", "tensorflow": "tensorflow"}
    found = {"machine": f"{sys.platform} {platform.machine()}"}
    found |= {name: _installed(package) for name, package in names.items()}
    found["libjpeg-turbo"] = str(features.version("libjpeg_turbo"))
    found["processor"] = _sha256(" ".join(sorted(name for name, has in __cpu_features__.items() if has)).encode())[:8]
    return found


USUAL = ("machine", "numpy", "OpenCV", "Pillow", "libjpeg-turbo", "mozjpeg")
"""Of these, what has a say in every case; a case names its others."""


def _installed(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entry(case: Case) -> dict[str, Any]:
    """What bytes.json holds of a case."""
    data = case.make()
    now = versions()
    return {"by": {name: now[name] for name in case.makers}, "bytes": len(data), "sha256": _sha256(data)}


def stored(path: Path = GOLDEN) -> dict[str, Any]:
    """What lies there: "libraries" and "cases"."""
    if not path.exists():
        return {"libraries": libraries(), "msroi": msroi.__version__, "cases": {}}
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


@dataclass(frozen=True)
class Verdict:
    """Of a case against what lies there. fault: one line, "" where all is well. elsewhere: why it cannot be told."""

    fault: str = ""
    elsewhere: str = ""


def verdict(name: str, case: Case, new: Mapping[str, Any], golden: Mapping[str, Any]) -> Verdict:
    """new: the case's entry now. golden: as `stored` gives it."""
    old = golden["cases"].get(name)
    if old is None:
        return Verdict(f"{name}: new, not in bytes.json as yet; {COMMAND} puts it there")
    before, now = old["by"], new["by"]
    if before != now:
        changed = ", ".join(f"{maker} {before.get(maker)} is {now[maker]} now" for maker in now)
        return Verdict(f"{name}: {changed}; {COMMAND} makes the golden files anew")
    if (old["bytes"], old["sha256"]) == (new["bytes"], new["sha256"]):
        return Verdict()
    here = libraries()
    others = [
        f"{library} {golden['libraries'].get(library) or 'none'}, here {here[library] or 'none'}"
        for library in (*USUAL, *case.libraries)
        if golden["libraries"].get(library) != here[library]
    ]
    if others:
        return Verdict(elsewhere=f"{name}: other bytes, and the golden ones were made with {'; '.join(others)}")
    raised = " or ".join(WHERE_VERSIONS_ARE[maker] for maker in case.makers)
    by = ", ".join(f"{maker} {version}" for maker, version in now.items())
    sizes = f"{old['bytes']} bytes then, {new['bytes']} now"
    return Verdict(
        f"{name}: {by} makes other bytes than it did ({sizes}); if that is meant, raise {raised}, then {COMMAND}"
    )


def renewed(
    golden: Mapping[str, Any], entries: Mapping[str, Any], other_libraries: bool
) -> tuple[dict[str, Any], list[str]]:
    """bytes.json anew, and why it must not be written, a line for each case.

    entries: of the cases that can be made here; the others stay as they are. Bytes that changed under an unchanged
    version are refused, but for a new version of the package, whose mark may have another length.
    """
    refused = []
    for name, new in entries.items():
        old = golden["cases"].get(name)
        if old is None or old["by"] != new["by"] or golden["msroi"] != msroi.__version__:
            continue
        found = verdict(name, cases()[name], new, golden)
        if found.fault or (found.elsewhere and not other_libraries):
            hint = "" if found.fault else "; --other-libraries takes them all the same"
            refused.append(f"{found.fault or found.elsewhere}{hint}")
    kept = {name: old for name, old in golden["cases"].items() if name in cases() and name not in entries}
    all_cases = dict(sorted((kept | dict(entries)).items()))
    return {"libraries": libraries(), "msroi": msroi.__version__, "cases": all_cases}, refused


def main(arguments: list[str]) -> int:
    """Make everything anew, or say why not."""
    import test_golden

    golden = stored()
    entries = {name: entry(case) for name, case in cases().items() if not missing(case)}
    anew, refused = renewed(golden, entries, "--other-libraries" in arguments)
    for line in refused:
        print(line)
    if refused:
        print(f"{len(refused)} refused, nothing was written. While a change under a version that was raised goes on:")
        print("    git checkout HEAD -- tests/golden/bytes.json")
        return 1
    GOLDEN.write_text(json.dumps(anew, indent=1) + "\n", encoding="utf-8")
    test_golden.make()
    changed = sum(golden["cases"].get(name) != new for name, new in anew["cases"].items())
    print(f"{len(anew['cases'])} cases, {changed} of them new or changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
