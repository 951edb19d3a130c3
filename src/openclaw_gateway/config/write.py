"""Putting a new text into the place of a configuration file: whole or not at all, for its owner alone.

What the file held before stays next to it, as `<file>.bak`. Decides nothing about what is written.
"""

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_TURN_S = 5.0
_TRY_AGAIN_S = 0.02


class ChangedMeanwhile(Exception):
    """The file no longer holds what the new text was made from; nothing is written."""


def replace_text(file: Path, old: str | None, new: str) -> Path | None:
    """The backup's path; None where there was no file (`old` None). Blocks as the file system does.

    A symbolic link stays one: the file it leads to is replaced. Where root writes, the file stays its
    owner's, and a new one is the folder's owner's: else the gateway's account could not read it any more.
    Raises ChangedMeanwhile, OSError.
    """
    target = file.resolve()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(target.parent):
        return _replace(target, old, new)


def _replace(target: Path, old: str | None, new: str) -> Path | None:
    backup = None if old is None else target.with_name(f"{target.name}.bak")
    _check_held(target, old)
    if backup is not None and old is not None:
        _write(backup, old, target)
        _check_held(target, old)
    _write(target, new, target)
    return backup


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """No other of our programs writes there meanwhile; without locks (some network file systems) what it
    holds is looked at all the same. Raises ChangedMeanwhile when one does so for long."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        until = time.monotonic() + _TURN_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise ChangedMeanwhile(str(folder)) from None
                time.sleep(_TRY_AGAIN_S)
            except OSError:
                break
        yield
    finally:
        os.close(descriptor)


def _check_held(target: Path, old: str | None) -> None:
    """Raises ChangedMeanwhile."""
    held = target.read_bytes() if target.exists() else None
    if held != (None if old is None else old.encode()):
        raise ChangedMeanwhile(str(target))


def _write(file: Path, text: str, target: Path) -> None:
    """For who owns `target`."""
    # mkstemp makes the file 0600 from its first moment.
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            if os.geteuid() == 0:
                owner = (target if target.exists() else target.parent).stat()
                os.fchown(handle, owner.st_uid, owner.st_gid)
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
