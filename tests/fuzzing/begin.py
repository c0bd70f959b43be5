"""What fuzzing begins with, and pieces of it: python tests/fuzzing/begin.py TARGET

A process of its own, because memory is counted by the process: what ran before in it would count.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzzing.seeds import seeds
from fuzzing.targets import try_target

for data in seeds(sys.argv[1]):
    try_target(sys.argv[1], data)
    for n_bytes in range(0, len(data), max(1, len(data) // 12)):
        try_target(sys.argv[1], data[:n_bytes])
