"""A wall clock of a process that jumps when it is told to, by libfaketime where there is one.

Debian has it as a package that need not be installed to be used (`apt-get download libfaketime`, `dpkg -x`).
The monotonic clock stays what it is, as it does when an operator or a time server sets a machine's clock.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_NAME = "libfaketime.so.1"
_SYSTEM = Path("/usr/lib")
_FETCHED = Path(__file__).parents[2] / ".cache" / "faketime"
_FETCH_S = 120.0


def library() -> Path | None:
    """None where there is none."""
    for place in (_FETCHED, _SYSTEM):
        for found in sorted(place.glob(f"*/faketime/{_NAME}")) + sorted(
            place.glob(f"usr/lib/*/faketime/{_NAME}")
        ):
            return found
    return None


def fetched() -> Path | None:
    """The same, unpacked from Debian's package where it is not installed; no root is needed."""
    if (found := library()) is not None or shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return found
    _FETCHED.mkdir(parents=True, exist_ok=True)
    commands = (["apt-get", "download", "libfaketime"], ["sh", "-c", "dpkg -x libfaketime_*.deb ."])
    for command in commands:
        done = subprocess.run(command, cwd=_FETCHED, capture_output=True, timeout=_FETCH_S, check=False)
        if done.returncode:
            return None
    return library()


class Clock:
    """`file` is where the process looks how far its clock is off, once a second."""

    def __init__(self, library: Path, file: Path) -> None:
        self._library = library
        self._file = file
        self.jump(0)

    def environ(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, seconds: int) -> None:
        """From now on it is so far ahead, or behind."""
        self._file.write_text(f"{seconds:+d}s\n", "ascii")
