"""The command `msroi`, and `python -m msroi`: a process around `msroi.cli.main`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading


def run() -> None:
    """Run the command of this process and end it with its status."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until `main` handles it, an interrupt ends the process without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _fill_closed_streams()
    from msroi.cli import main

    status = main()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    if threading.active_count() > 1:
        # Interrupted while other threads compute: to wait for them would take seconds, and to end the interpreter
        # under native code is not safe. Files are written by this thread alone, so none is left half done.
        os._exit(status)
    sys.exit(status)


def _fill_closed_streams() -> None:
    """Nothing in place of standard streams that were closed, or the next file to be opened would take their numbers.

    What libraries print to standard error would then go into a picture. `sys.stdin` and the others stay None.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    run()
