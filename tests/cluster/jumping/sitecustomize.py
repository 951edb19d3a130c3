"""Python runs this first where its folder is on PYTHONPATH: the wall clock of the process is off by the
seconds in the file that TRIAL_CLOCK names, a C double, from the moment on that they are written there."""

import os
import struct
import time
from mmap import ACCESS_READ, mmap


def _go_wrong(path: str) -> None:
    with open(path, "rb") as file:  # noqa: PTH123 - nothing is imported so early that need not be
        off = mmap(file.fileno(), 0, access=ACCESS_READ)
    right, right_ns = time.time, time.time_ns
    read = struct.Struct("d").unpack_from

    def wrong() -> float:
        return right() + float(read(off)[0])

    def wrong_ns() -> int:
        return right_ns() + int(read(off)[0]) * 1_000_000_000

    time.time = wrong
    time.time_ns = wrong_ns


if _path := os.environ.get("TRIAL_CLOCK"):
    _go_wrong(_path)
