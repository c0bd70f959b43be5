"""What a piece of Python does to the memory of a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

PEAK = """
import json, sys
from pathlib import Path

def peak_bytes():
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the peak of the parent too, whose copy this process began as
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
"""


def peak(code: str, *arguments: Any, threads: int = 1) -> tuple[Any, int]:
    """Runs `code` with `sys.argv[1:]` as given: what it left in `said`, and the peak of its memory in bytes.

    An error of msroi's that leaves it is `said`, too, with its class in front. threads: of libraries beside.
    """
    caught = "\n".join(f"    {line}" for line in code.strip().splitlines())
    script = (
        f"{PEAK}\nfrom msroi.errors import MsroiError\ntry:\n{caught}\n"
        "except MsroiError as error:\n    said = f'{type(error).__name__}: {error}'\n"
        "print(json.dumps([said, peak_bytes()]))\n"
    )
    # Arenas of threads would make what is measured hang on chance.
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MALLOC_ARENA_MAX": "2"}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    said, n_bytes = json.loads(done.stdout.splitlines()[-1])
    return said, n_bytes
