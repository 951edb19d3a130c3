"""A wall clock of a process that jumps when it is told to: what its Python code reads, which is all that the
gateway goes by. The monotonic clock stays what it is, as it does when an operator or a time server sets a
machine's clock.

No libfaketime: under it each sleep of a thread fails, and what a process does then is no trial of the
gateway.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

_JUMPING = Path(__file__).parent / "jumping"


class Clock:
    """`file` is where the process looks how far its clock is off."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._file.write_bytes(struct.pack("d", 0.0))

    def environ(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(_JUMPING), "TRIAL_CLOCK": str(self._file)}

    def jump(self, seconds: int) -> None:
        """From now on it is so far ahead, or behind."""
        # In its place: the process holds the file open.
        with self._file.open("r+b") as file:
            file.write(struct.pack("d", float(seconds)))
