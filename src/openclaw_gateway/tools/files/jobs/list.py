"""What is in a directory: directories end with /, files have their size."""

import os
import stat

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import open_directory
from openclaw_gateway.fs.tree import shown_name
from openclaw_gateway.tools.clipped import fitting
from openclaw_gateway.tools.files.jobs.orders import SMALL_ENTRIES, List, TooLarge

MAX_CHARS = 40_000


def list_directory(job: List, *, small: bool) -> str:
    path, limit = job.path, job.limit
    with job.workspace.place(path) as place:
        if place.status is None:
            raise ToolError(f"{path}: there is no such directory.")
        if not stat.S_ISDIR(place.status.st_mode):
            raise ToolError(f"{path}: is a file of {place.status.st_size:,} bytes, not a directory.")
        with open_directory(place) as directory:
            names = os.listdir(directory)  # noqa: PTH208  of an open directory
            if small and len(names) > SMALL_ENTRIES:
                raise TooLarge
            names.sort(key=str.casefold)
            lines = fitting([_line(directory, name) for name in names[:limit]], MAX_CHARS)
    if not names:
        return "[the directory is empty]"
    if len(names) > len(lines):
        more = "set limit, or use find" if len(lines) == limit else "more is too long to be shown; use find"
        lines.append(f"[{len(lines)} of {len(names)} entries; {more}]")
    return "\n".join(lines)


def _line(directory: int, name: str) -> str:
    shown = shown_name(name)
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return f"{shown}  (cannot be looked at)"
    if stat.S_ISDIR(status.st_mode):
        return f"{shown}/"
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(name, dir_fd=directory)
        return f"{shown} -> {shown_name(target)}"
    return f"{shown}  {status.st_size:,}" if stat.S_ISREG(status.st_mode) else f"{shown}  (not a file)"
