"""One gateway per state directory: a lock that dies with its process, and who holds it.

The lock is the kernel's (flock), so a crash leaves nothing to clean up. In its file stands for others who
holds it and where it serves; that counts only while the lock is held, and says afterwards where the last one
was. It is on a file, not on its name: while the gateway runs a thread looks whether the name still means that
file, because otherwise a second gateway could start beside this one.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec
import structlog
from msgspec import Struct

from openclaw_gateway.errors import StartupError

EX_ALREADY_RUNNING = 75
LOOK_EVERY_S = 1.0
RESTORING = ".restore-"
"""What a folder is called in which a backup is unpacked, until all of it is in its place."""
_NAME = "gateway.lock"
_STOP_S = 1.0
# Who looks whether it is held, holds it for less than that.
_LOOKED_AT_S = 0.02
_LOOKS = 3
log = structlog.get_logger()

OnChange = Callable[[bool], None]
"""Called in the thread that looks: with False when the lock was lost, with True when it is back."""


class Holder(Struct, frozen=True, omit_defaults=True):
    """Who holds the lock, as far as it says. `url` and `config`, the file it follows, are there once it
    serves; `started_ms` is Unix time, and None of one that says nothing but its pid (an older version), or
    that may not be looked at."""

    pid: int | None = None
    started_ms: int | None = None
    url: str | None = None
    config: str | None = None


def check_restored(directory: Path, program: str) -> None:
    """`program` is what a command for this gateway begins with. Raises StartupError where a backup was being
    put back and something has ended that: what is there may be less than what was, or nothing at all."""
    if any(directory.glob(f"{RESTORING}*")):
        raise StartupError(
            f"A backup was being put back into {directory}, and that did not end. Put it back again "
            f"(`{program} backup restore FILE`). Or move back what is in the newest before-restore-… there, "
            f"and remove what begins with {RESTORING}.",
            exit_code=73,
            code="restore_interrupted",
        )


class InstanceLock:
    """Raises StartupError (code "already_running") when another process holds the directory. `program` is
    what a command for its gateway begins with."""

    def __init__(
        self, directory: Path, program: str = "openclaw", *, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._program = program
        self._path = directory / _NAME
        self._file = -1
        self._look_every_s = look_every_s
        self._on_change: OnChange = _nobody
        self._is_ours = True
        self._about = Holder()
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
            pid = (holder(self._path.parent) or Holder()).pid
            raise StartupError(
                f"A gateway is already running for this state directory{f' (pid {pid})' if pid else ''}. "
                f"Stop it first (`{self._program} gateway stop`), or use another state directory "
                "(OPENCLAW_STATE_DIR) and port.",
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
        # What stands in it stays: it says where the last one was.
        os.close(self._file)

    def serves_at(self, url: str, *, config: str | None = None) -> None:
        """Have it said in the lock's file. Raises OSError."""
        self._about = msgspec.structs.replace(self._about, url=url, config=config)
        self._write(self._file)

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
                    "instance.lock_lost",
                    error="another gateway holds it",
                    pid=(holder(self._path.parent) or Holder()).pid,
                )
            return False
        # The number stays: it is closed once, at the end.
        os.dup2(file, self._file, inheritable=False)
        os.close(file)
        log.warning("instance.lock_renewed", detail="its file was gone or another one")
        return True

    def _write(self, file: int) -> None:
        text = msgspec.json.encode(self._about)
        # At once, and never empty: others may be reading.
        os.pwrite(file, text, 0)
        os.truncate(file, len(text))

    def _locked(self) -> int | None:
        """The lock's file, with our words in it; None when another process holds it. Raises OSError."""
        looks = 0
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_there = _is_at(self._path, file)
                if is_there:
                    if self._about.pid is None:
                        self._about = Holder(os.getpid(), time.time_ns() // 1_000_000)
                    self._write(file)
                    return file
            except BlockingIOError:
                os.close(file)
                looks += 1
                if looks == _LOOKS:
                    return None
                time.sleep(_LOOKED_AT_S)
                continue
            except BaseException:
                os.close(file)
                raise
            # It was taken away between the two: what is there now is another one.
            os.close(file)


def holder(directory: Path) -> Holder | None:
    """Who holds the lock of `directory`; None when nobody does."""
    try:
        file = os.open(directory / _NAME, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return Holder()
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _said(os.pread(file, 4096, 0))
    except OSError:
        return Holder()
    else:
        return None
    finally:
        os.close(file)


def last_holder(directory: Path) -> Holder | None:
    """Who held the lock of `directory` last, or holds it; None where nobody ever did."""
    try:
        text = (directory / _NAME).read_bytes()
    except OSError:
        return None
    return _said(text) if text else None


def _said(text: bytes) -> Holder:
    if text.strip().isdigit():
        return Holder(int(text))
    try:
        return msgspec.json.decode(text, type=Holder)
    except msgspec.DecodeError:
        return Holder()


def _is_at(path: Path, file: int) -> bool:
    """Whether the name still means this open file. Raises OSError."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _nobody(_: bool) -> None:
    pass
