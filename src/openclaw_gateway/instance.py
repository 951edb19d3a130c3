"""One gateway per state directory: a lock that dies with its process, and the pid of who holds it.

The lock is the kernel's (flock), so a crash leaves nothing to clean up; the pid in the file is only for
the message to the second one. It is on a file, not on its name: while the gateway runs a thread looks
whether the name still means that file, because otherwise a second gateway could start beside this one.
"""

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import structlog

from openclaw_gateway.errors import StartupError

EX_ALREADY_RUNNING = 75
LOOK_EVERY_S = 1.0
_NAME = "gateway.lock"
_STOP_S = 1.0
log = structlog.get_logger()

OnChange = Callable[[bool], None]
"""Called in the thread that looks: with False when the lock was lost, with True when it is back."""


class InstanceLock:
    """Raises StartupError (code "already_running") when another process holds the directory."""

    def __init__(self, directory: Path, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._path = directory / _NAME
        self._file = -1
        self._look_every_s = look_every_s
        self._on_change: OnChange = _nobody
        self._is_ours = True
        self._stop = threading.Event()
        # A thread, because a file system may hang; it is left behind then.
        self._thread = threading.Thread(target=self._watch, name="instance-lock", daemon=True)

    def __enter__(self) -> "InstanceLock":
        try:
            # Both levels: what `parents=True` makes on the way takes its mode from the umask.
            self._path.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.parent.mkdir(exist_ok=True, mode=0o700)
            file = self._locked()
        except OSError as error:
            raise StartupError(
                f"Cannot use the state directory {self._path.parent}: {error.strerror}. Make it writable, or "
                "name another one with OPENCLAW_STATE_DIR.",
                exit_code=73,
            ) from None
        if file is None:
            pid = holder(self._path.parent)
            raise StartupError(
                f"A gateway is already running for this state directory{f' (pid {pid})' if pid else ''}. "
                "Stop it first, or use another state directory (OPENCLAW_STATE_DIR) and port.",
                exit_code=EX_ALREADY_RUNNING,
                code="already_running",
            )
        self._file = file
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_STOP_S)
        with suppress(OSError):
            os.truncate(self._file, 0)
        os.close(self._file)

    def tell(self, on_change: OnChange) -> None:
        """Have losing the lock, and getting it back, told."""
        self._on_change = on_change
        if not self._is_ours:
            on_change(False)  # noqa: FBT003

    def _watch(self) -> None:
        while not self._stop.wait(self._look_every_s):
            is_ours = self._look()
            if is_ours != self._is_ours:
                self._is_ours = is_ours
                self._on_change(is_ours)

    def _look(self) -> bool:
        """Whether the file is ours, locked anew if it was gone. A directory that is gone is not made:
        it may be a disk that comes back."""
        try:
            if _is_at(self._path, self._file):
                return True
            file = self._locked()
        except OSError as error:
            if self._is_ours:
                log.error("instance.lock_lost", error=error.strerror)  # noqa: TRY400 - it says it all
            return False
        if file is None:
            if self._is_ours:
                log.error(
                    "instance.lock_lost", error="another gateway holds it", pid=holder(self._path.parent)
                )
            return False
        # The number stays: it is closed once, at the end.
        os.dup2(file, self._file, inheritable=False)
        os.close(file)
        log.warning("instance.lock_renewed", detail="its file was gone or another one")
        return True

    def _locked(self) -> int | None:
        """The lock's file, with our pid in it; None when another process holds it. Raises OSError."""
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_there = _is_at(self._path, file)
                if is_there:
                    os.truncate(file, 0)
                    os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
                    return file
            except BlockingIOError:
                os.close(file)
                return None
            except BaseException:
                os.close(file)
                raise
            # It was taken away between the two: what is there now is another one.
            os.close(file)


def holder(directory: Path) -> int | None:
    """The pid that wrote itself into the lock of `directory`, if any."""
    try:
        text = (directory / _NAME).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _is_at(path: Path, file: int) -> bool:
    """Whether the name still means this open file. Raises OSError."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _nobody(_: bool) -> None:
    pass
