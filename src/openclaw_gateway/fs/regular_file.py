"""Reading and replacing one regular file at a place of the workspace: bounded, and all or nothing.

Never opens a device, pipe or socket (it could block for ever, or do something by being opened). A new
content goes into a temporary file beside the old one and takes its name. All of it blocks.
"""

import contextlib
import errno
import os
import secrets
import stat
from typing import BinaryIO

from msgspec import Struct

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import PathRefused, Place, interface_devices

MAX_BYTES = 10 * 1024 * 1024
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
_NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK))
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Content(Struct, frozen=True):
    """A whole file. `status` is that of the file at the moment of reading, to notice a change since."""

    text: str
    status: os.stat_result
    bom: bool = False


def open_regular(place: Place) -> BinaryIO:
    """Raises ToolError for what is no regular file, OSError for what cannot be opened."""
    if place.status is None:
        message = f"{place.shown}: there is no such file. `ls` or `find` shows what is there."
        raise PathRefused("absent", message)
    _check_regular(place, place.status)
    file = os.fdopen(os.open(place.name, _READ, dir_fd=place.directory), "rb")
    try:
        status = os.fstat(file.fileno())
        _check_regular(place, status)
    except BaseException:
        file.close()
        raise
    return file


def read_whole(place: Place) -> Content:
    """The file as text that can be written back without loss. Raises ToolError."""
    with open_regular(place) as file:
        status = os.fstat(file.fileno())
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ToolError(f"{place.shown}: is larger than {MAX_BYTES // 1024 // 1024} MB, too large to edit.")
    if b"\0" in data[:8192]:
        raise ToolError(f"{place.shown}: is a binary file; it cannot be edited as text.")
    bom = data.startswith(b"\xef\xbb\xbf")
    try:
        return Content(data[3 if bom else 0 :].decode(), status, bom)
    except UnicodeDecodeError:
        raise ToolError(f"{place.shown}: is not UTF-8 text; editing it would damage it.") from None


def encoded(text: str, *, bom: bool = False) -> bytes:
    """Raises ToolError for text that no file can hold."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise ToolError("The text contains half a character (a lone surrogate); send it again.") from None
    if len(data) > MAX_BYTES:
        raise ToolError(f"The text is larger than {MAX_BYTES // 1024 // 1024} MB.")
    return b"\xef\xbb\xbf" + data if bom else data


class Replacement:
    """A new content for `place`, written but not yet visible: `commit` makes it so, `discard` forgets it.

    `mode` is for a file that is new; one that was there keeps its own.
    """

    def __init__(self, place: Place, data: bytes, *, mode: int | None = None) -> None:
        if place.status is not None:
            _check_regular(place, place.status)
        if place.name == ".":
            raise ToolError(f"{place.shown}: is a directory, not a file.")
        self._place = place
        self._temporary: str | None = f".{secrets.token_hex(8)}.tmp"
        if place.status is not None:
            mode = place.status.st_mode
        descriptor = os.open(self._temporary, _NEW, 0o666 if mode is None else 0o600, dir_fd=place.directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                if mode is not None:
                    # Without set-id bits: nobody vouched for the new content.
                    os.fchmod(file.fileno(), mode & 0o777)
                os.fsync(file.fileno())
        except BaseException:
            self.discard()
            raise

    def commit(self, *, unchanged_since: os.stat_result | None = None) -> None:
        """Raises ToolError when the file is not the one that was read, or there is one where none was."""
        place = self._place
        if self._temporary is None:
            return
        if unchanged_since is not None:
            check_unchanged(place, unchanged_since)
        if place.status is None and self._linked(self._temporary):
            # A rename would have taken the place of whatever is there by now.
            return
        os.rename(self._temporary, place.name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
        self._temporary = None

    def _linked(self, temporary: str) -> bool:
        """False on a file system without hard links."""
        place = self._place
        try:
            os.link(temporary, place.name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
        except FileExistsError:
            raise ToolError(
                f"{place.shown}: was made by somebody else meanwhile. Look at it first."
            ) from None
        except OSError as error:
            if error.errno in _NO_LINKS:
                return False
            raise
        self.discard()
        return True

    def discard(self) -> None:
        if self._temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._temporary, dir_fd=self._place.directory)
            self._temporary = None


def replace(place: Place, data: bytes, *, unchanged_since: os.stat_result | None = None) -> None:
    """Write `data` so that the file is the old one or the new one and never half of it."""
    replacement = Replacement(place, data)
    try:
        replacement.commit(unchanged_since=unchanged_since)
    finally:
        replacement.discard()


def check_unchanged(place: Place, before: os.stat_result) -> None:
    """Raises ToolError when the file is not the one that was read."""
    if not _same(place, before):
        raise ToolError(f"{place.shown}: was changed by somebody else meanwhile. Read it again.")


def _check_regular(place: Place, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise PathRefused("special", f"{place.shown}: is a directory, not a file. `ls` lists it.")
    if not stat.S_ISREG(status.st_mode):
        message = f"{place.shown}: is not a regular file (a device, pipe or socket)."
        raise PathRefused("special", message)
    if status.st_dev in interface_devices():
        raise PathRefused("special", f"{place.shown}: this is a kernel interface, not a file.")


def _same(place: Place, before: os.stat_result) -> bool:
    try:
        now = os.stat(place.name, dir_fd=place.directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
