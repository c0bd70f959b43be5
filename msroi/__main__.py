"""`python -m msroi`: the same as the command `msroi`."""

from __future__ import annotations

import sys

from msroi.cli import main

if __name__ == "__main__":
    sys.exit(main())
