"""Coverage-guided fuzzing of a target: python tests/fuzzing/run.py TARGET [CORPUS] [libFuzzer's options]

Needs atheris (pip install -e ".[fuzz]"). CORPUS: a folder that keeps what was learned; without one a run begins from
the seeds alone. What fails is written to crash-* and the like in the working folder (-artifact_prefix=...).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import atheris

with atheris.instrument_imports(include=["msroi"]):
    from fuzzing.targets import TARGETS, try_target

from fuzzing.seeds import write_seeds

DEFAULTS = ("-max_len=8192", "-timeout=20", "-rss_limit_mb=1500", "-print_final_stats=1")


def main(arguments: list[str]) -> None:
    """Runs until libFuzzer's options say so."""
    if not arguments or arguments[0] not in TARGETS:
        sys.exit(f"usage: run.py TARGET [CORPUS] [OPTIONS]; targets: {', '.join(TARGETS)}")
    name, rest = arguments[0], arguments[1:]
    with tempfile.TemporaryDirectory() as folder:
        write_seeds(name, Path(folder))
        corpora = [argument for argument in rest if not argument.startswith("-")]
        for corpus in corpora:
            Path(corpus).mkdir(parents=True, exist_ok=True)
        options = [argument for argument in rest if argument.startswith("-")]
        atheris.Setup([sys.argv[0], *DEFAULTS, *options, *corpora, folder], lambda data: try_target(name, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
