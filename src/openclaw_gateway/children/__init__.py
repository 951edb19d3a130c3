"""Programs that this process starts die with it, however it dies.

Each gets a mark in its environment, which what it starts inherits, also in sessions of their own. A guard
(guard.py), a small process that outlives this one by a moment, then kills everything that bears the mark. It
is started with the first child. It finds nothing where there is no /proc, and nothing that has put off both
its environment and its parent: those must notice their closed input themselves.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from openclaw_gateway.children import guard

MARK = "GATEWAY_CHILD"
_KEPT = ("LD_LIBRARY_PATH", "PATH")


def marked(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child, which from now on dies with this process. Raises OSError."""
    return {**environ, MARK: _guard.watched()}


class _Guard:
    """The guard of this process: one, because it is the process whose death matters."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(16)
        self._pid: int | None = None
        self._of = 0
        self._writing = -1

    def watched(self) -> str:
        """The mark, with a guard that looks after it."""
        if self._of != os.getpid() or self._pid is None or _has_ended(self._pid):
            self._start()
        return self._mark

    def _start(self) -> None:
        # Nobody else has the writing end: it is closed when this process is no more.
        reading, writing = os.pipe()
        if self._writing >= 0:
            os.close(self._writing)
        self._writing = writing
        try:
            self._pid = os.posix_spawn(
                sys.executable,
                (sys.executable, "-I", "-S", str(Path(guard.__file__)), f"{MARK}={self._mark}"),
                {name: os.environ[name] for name in _KEPT if name in os.environ},
                file_actions=(
                    (os.POSIX_SPAWN_DUP2, reading, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ),
            )
            self._of = os.getpid()
        finally:
            os.close(reading)


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


_guard = _Guard()
