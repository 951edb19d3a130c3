"""Whether the files of a configuration are still what they were when they were read.

A look costs a system call per file; only when it shows a difference are the files read again. It works on
every file system, also where the kernel tells nobody of a change. Blocks as the file system does.
"""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from openclaw_gateway.config.files import Files, Unreadable

# What tells one state of a file from another; None when there is nothing to look at.
Mark = tuple[int, int, int, int] | None
# Two writes within a tick of the file system's clock leave the same times behind.
TICK_NS = 50_000_000


def mark(path: Path) -> Mark:
    """The state of a file or folder, without opening it."""
    try:
        seen = path.stat()
    except (OSError, ValueError):
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def look(paths: Iterable[Path]) -> dict[Path, Mark]:
    return {path: mark(path) for path in paths}


def too_fresh(seen: Mapping[Path, Mark], now_ns: int) -> bool:
    """Whether a file may be written once more and look the same as in `seen`. `now_ns` is Unix time."""
    return any(state is not None and now_ns - state[3] < TICK_NS for state in seen.values())


def read_again(texts: Mapping[Path, str | None]) -> dict[Path, str | None]:
    """What these files hold now; None for one that gives no text."""
    files = Files()
    now: dict[Path, str | None] = dict.fromkeys(texts)
    for path in texts:
        with contextlib.suppress(FileNotFoundError, Unreadable):
            now[path] = files.text(path)
    return now
