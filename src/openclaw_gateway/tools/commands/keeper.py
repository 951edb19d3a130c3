"""The shell that stays above a command, so that nothing the command started outlives it.

A program that calls setsid leaves its process group, and one whose parent ends gets another. The keeper
declares itself the reaper of what is below it (Linux: PR_SET_CHILD_SUBREAPER), so such orphans become its
children, whatever their environment; when the command has ended it kills them, and ends with its exit code.
Elsewhere than on Linux only the process group is ended.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from openclaw_gateway.work.limits import Limits, submit

# Its own signals it hears and goes on. 100 looks: what forks without end is also held by its limits.
_SCRIPT = """trap : HUP INT TERM
exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
code=$?
looks=0
while left=; read -r left <"/proc/$$/task/$$/children"; [ -n "$left" ] && [ "$looks" -lt 100 ]; do
  kill -KILL $left
  looks=$((looks + 1))
  wait
done
exit "$code"
"""
_SET_CHILD_SUBREAPER = 36
_LOOKS = 100


def kept(argv: tuple[str, ...]) -> tuple[str, ...]:
    """`argv` with a keeper above it."""
    return ("/bin/sh", "-c", _SCRIPT, "keeper", *argv)


def prepared(limits: Limits) -> Callable[[], None]:
    """What a keeper does between fork and exec: no more than system calls."""
    counted = limits.counted()
    reap = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def prepare() -> None:
        submit(counted)
        if reap is not None:
            reap(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    return prepare


def kill_below(keeper: int) -> None:
    """Everything but the keeper itself, which then ends."""
    for _ in range(_LOOKS):
        found = [pid for pid in _below(keeper) if not _ended(pid)]
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _below(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _below(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def _ended(pid: int) -> bool:
    """Only its parent has not asked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return True
