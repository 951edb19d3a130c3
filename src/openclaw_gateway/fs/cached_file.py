"""A small file that the kernel already has in memory, read at once on the event loop.

Every step is told to fail rather than to wait for a disk or a network (openat2 with RESOLVE_CACHED, reads
with RWF_NOWAIT: openat2(2), preadv2(2)), and to fail at any symbolic link, so that the path's text says
where the file is. Whatever is not plainly a readable file of the workspace gives None: the caller then takes
a thread and the careful walk of `workspace_path`, which also know what to say. Linux only; elsewhere always
None.
"""

import ctypes
import os
import stat
import sys
from functools import lru_cache

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import Workspace, interface_devices, reason
from openclaw_gateway.fs.steering import NOTES

# The same number on every architecture that Python runs on.
_SYS_OPENAT2 = 437
_AT_FDCWD = -100
_NO_MAGICLINKS, _NO_SYMLINKS, _CACHED = 0x02, 0x04, 0x20
_RESOLVE = _NO_MAGICLINKS | _NO_SYMLINKS | _CACHED


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_PLACE = _OpenHow(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE)
_FILE = _OpenHow(os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0, _RESOLVE)


def read_cached(workspace: Workspace, path: str, most: int) -> bytes | None:
    """The whole regular file `path`, counted from the workspace's start, when it has at most `most` bytes.

    Raises ToolError when there is certainly no such file.
    """
    whole = _inside(workspace, path) if sys.platform == "linux" else None
    if whole is None:
        return None
    try:
        with _place(workspace, path, whole) as place:
            found = os.fstat(place)
            if not _is_plain(found, most):
                return None
            # Opened only now: opening what is no regular file can do something by itself.
            with _Opened(whole, _FILE) as file:
                return _content(file, found)
    except (OSError, UnicodeEncodeError):
        return None


def _inside(workspace: Workspace, path: str) -> str | None:
    """The whole path of what is in the workspace, and none of the gateway's own files, by its text alone."""
    start = f"{workspace.start}/"
    inside = path.removeprefix(start)
    whole = start + inside
    if not inside or inside.startswith(("/", "~")) or "\0" in inside or ".." in whole.split("/"):
        return None
    notes = f"{start}{NOTES}/".casefold()
    if workspace.guarded and f"{os.path.normpath(whole)}/".casefold().startswith(notes):
        return None
    closed = _folders(workspace.closed_paths())
    return None if f"{os.path.normpath(whole)}/".startswith(closed) else whole


def _place(workspace: Workspace, path: str, whole: str) -> "_Opened":
    try:
        return _Opened(whole, _PLACE)
    except FileNotFoundError as error:
        with _Opened(str(workspace.start), _PLACE):
            raise ToolError(f"{path}: {reason(error)}") from None


@lru_cache(maxsize=4096)
def _folders(paths: frozenset[str]) -> tuple[str, ...]:
    return tuple(f"{path}/" for path in paths)


class _Opened:
    """A descriptor for the length of a `with`. Raises OSError, EAGAIN where it would have to wait."""

    def __init__(self, path: str, how: _OpenHow) -> None:
        self._descriptor: int = _libc().syscall(_SYS_OPENAT2, _AT_FDCWD, path.encode(), ctypes.byref(how), 24)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "openat2")

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _is_plain(status: os.stat_result, most: int) -> bool:
    return (
        stat.S_ISREG(status.st_mode) and status.st_size <= most and status.st_dev not in interface_devices()
    )


def _content(file: int, found: os.stat_result) -> bytes | None:
    """None when it is another file than was looked at, or not all of it is in memory."""
    if not os.path.samestat(found, os.fstat(file)):
        return None
    data = bytearray(found.st_size)
    read = os.preadv(file, [data], 0, os.RWF_NOWAIT) if data else 0
    return bytes(data) if read == len(data) else None
