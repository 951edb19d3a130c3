"""Which of many open files can have a match: `rg` is asked, so that the others need not be looked through.

It is given the very descriptors that our walk has opened, and finds no file itself: a name that leads
elsewhere by now gains nothing. Nothing of what it says is shown; who asks looks into what it names.
"""

import resource
import subprocess
from collections.abc import Sequence
from typing import BinaryIO

# Fewer are quicker looked through than a program is started.
FEW_FILES = 32
FEW_BYTES = 512 * 1024
_MOST_FILES = 512
_DEADLINE_S = 15.0
_OPTIONS = (
    "--no-config",
    "--files-with-matches",
    # Bytes as they are: no guess at an encoding, none at what is text, no ends of lines but LF.
    "--text",
    "--encoding=none",
    "--no-mmap",
    "--threads=2",
    "--regex-size-limit=10M",
    "--dfa-size-limit=64M",
    "--color=never",
)


def most_files() -> int:
    """How many at once: the walk's folders must be open beside them."""
    return min(_MOST_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)


class Sieve:
    """`program` is rg, `pattern` one of ascii_pattern."""

    def __init__(self, program: str, pattern: str) -> None:
        self._command = (program, *_OPTIONS, "-e", pattern, "--")
        self._broken = False

    def passed(self, files: Sequence[BinaryIO]) -> list[bool]:
        """For each whether it must be looked into: all, where rg does not work."""
        if self._broken:
            return [True] * len(files)
        descriptors = [file.fileno() for file in files]
        names = [f"/dev/fd/{descriptor}" for descriptor in descriptors]
        try:
            done = subprocess.run(  # noqa: S603 - a program and options of ours
                (*self._command, *names),
                check=False,
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                timeout=_DEADLINE_S,
            )
        except (OSError, subprocess.TimeoutExpired):
            self._broken = True
            return [True] * len(files)
        if done.returncode not in (0, 1):
            self._broken = True
            return [True] * len(files)
        named = set(done.stdout.decode("ascii", "replace").split("\n"))
        for file in files:
            # Where the open descriptor itself is handed over (macOS) it stands where rg stopped to read.
            file.seek(0)
        return [name in named for name in names]
