"""Closed standard descriptors (`<&-`, `>&-`, `2>&-`) get the null device, before anything else is opened.

Otherwise the next file or socket that is opened would take their number, and be read and written by whoever
means the terminal. Stdlib only, so that --version is quick.
"""

import os
import sys


def fill_standard_descriptors() -> None:
    """Also the streams of Python, which are None for a descriptor that was closed at the start."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # Those below are open by now, so this is the number that it gets.
            opened = os.open(os.devnull, os.O_WRONLY if descriptor else os.O_RDONLY)
            os.set_inheritable(opened, True)  # noqa: FBT003
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
