"""A small file that the kernel already has in memory, read at once on the event loop.

Every step is told to fail rather than to wait for a disk or a network (openat2 with RESOLVE_CACHED, reads
with RWF_NOWAIT: openat2(2), preadv2(2)), and the kernel itself keeps the walk beneath the workspace
(RESOLVE_BENEATH). Whatever is not plainly a readable file gives None: the caller then takes a thread and the
careful walk of `workspace_path`, which also know what to say. Linux only; elsewhere always None.
"""

import ctypes
import os
import stat
import sys
from functools import lru_cache

from openclaw_gateway.tools.base import ToolError
from openclaw_gateway.tools.below import below
from openclaw_gateway.tools.workspace_path import Workspace, interface_devices, reason

# The same number on every architecture that Python runs on.
_SYS_OPENAT2 = 437
_AT_FDCWD = -100
_NO_MAGICLINKS, _BENEATH, _CACHED = 0x02, 0x08, 0x20


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_INSIDE = _BENEATH | _NO_MAGICLINKS | _CACHED
_DIRECTORY = _OpenHow(os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, 0, _CACHED)
_PLACE = _OpenHow(os.O_PATH | os.O_CLOEXEC, 0, _INSIDE)
_FILE = _OpenHow(os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0, _INSIDE)


def read_cached(workspace: Workspace, path: str, most: int) -> bytes | None:
    """The whole regular file `path`, counted from the workspace's start, when it has at most `most` bytes.

    Raises ToolError when there is certainly no such file.
    """
    inside = path.removeprefix(f"{workspace.start}/")
    if sys.platform != "linux" or not inside or "\0" in path or path.startswith("~"):
        return None
    try:
        with _Opened(_AT_FDCWD, str(workspace.start), _DIRECTORY) as start:
            return _read(workspace, start, inside, most)
    except (OSError, UnicodeEncodeError):
        return None


def _read(workspace: Workspace, start: int, inside: str, most: int) -> bytes | None:
    try:
        opened = _Opened(start, inside, _PLACE)
    except FileNotFoundError as error:
        raise ToolError(f"{inside}: {reason(error)}") from None
    with opened as place:
        found = os.fstat(place)
        if not _is_plain(found, most) or _is_closed(workspace, place):
            return None
        # Opened only now: opening what is no regular file can do something by itself.
        with _Opened(start, inside, _FILE) as file:
            return _content(file, found)


class _Opened:
    """A descriptor for the length of a `with`. Raises OSError, EAGAIN where it would have to wait."""

    def __init__(self, directory: int, path: str, how: _OpenHow) -> None:
        self._descriptor: int = _libc().syscall(_SYS_OPENAT2, directory, path.encode(), ctypes.byref(how), 24)
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


def _is_closed(workspace: Workspace, descriptor: int) -> bool:
    real = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - a Path costs more than the call
    return any(below(real, closed) for closed in workspace.closed_paths())


def _content(file: int, found: os.stat_result) -> bytes | None:
    """None when it is another file than was looked at, or not all of it is in memory."""
    if not os.path.samestat(found, os.fstat(file)):
        return None
    data = bytearray(found.st_size)
    read = os.preadv(file, [data], 0, os.RWF_NOWAIT) if data else 0
    return bytes(data) if read == len(data) else None
