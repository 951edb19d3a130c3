"""A backup as one file: made while the gateway runs, and put back whole or not at all.

In the archive (tar, gzip, readable by its owner only) are the configuration's files under `config/` and the
gateway's own folder under `gateway/`: of the sessions a consistent copy with all that is committed (SQLite's
online backup, so what still stands in the write-ahead log is in it), everything else file by file, after it.
An agent's workspace is not in it: that is the operator's, and may be any folder.
"""

import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.instance import RESTORING

_ABOUT = "about.json"
_FORMAT = 1
_STORE = "sessions.sqlite"
# Of the process, not of what it keeps; the first two are in the copy of the store.
_NOT_KEPT = frozenset({f"{_STORE}-wal", f"{_STORE}-shm", f"{_STORE}.bak", "gateway.lock"})
_ASIDE = "before-restore-"
_BUSY_S = 30.0


class About(Struct, frozen=True, rename="camel"):
    """`files` is how many there are beside the store."""

    format: int
    version: str
    made_at_ms: int
    files: int


def make_archive(target: Path, own_dir: Path, config_files: Iterable[Path], version: str) -> About:
    """Raises CommandFailed."""
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
            copy = Path(folder, _STORE)
            has_store = _copied(own_dir / _STORE, copy)
            files = [*_kept(own_dir)]
            about = About(_FORMAT, version, time.time_ns() // 1_000_000, len(files))
            made = Path(folder, "archive")
            descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
                _add_bytes(archive, _ABOUT, msgspec.json.encode(about))
                for path in config_files:
                    archive.add(path, f"config/{path.name}")
                if has_store:
                    archive.add(copy, f"gateway/{_STORE}")
                for path in files:
                    _add_file(archive, path, f"gateway/{path.relative_to(own_dir)}")
            # Never over one that is there.
            os.link(made, target)
    except FileExistsError:
        raise CommandFailed(f"{target} is there already. Name another file.", code="backup_failed") from None
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise CommandFailed(f"The backup {target} cannot be made: {error}.", code="backup_failed") from None
    return about


def restore_archive(source: Path, own_dir: Path, state_dir: Path) -> tuple[Path | None, tuple[Path, ...]]:
    """(where what was there before is now, files of the configuration that were put back). The caller holds
    the lock of `own_dir`. A file of the configuration that is there stays. Raises CommandFailed."""
    try:
        with tempfile.TemporaryDirectory(dir=own_dir, prefix=RESTORING) as folder:
            with tarfile.open(source, "r:gz") as archive:
                _unpack(archive, Path(folder))
            _check(Path(folder))
            aside = _put_aside(own_dir, Path(folder).name)
            _put_in(own_dir, Path(folder, "gateway"), aside)
            return aside, tuple(_configuration(Path(folder, "config"), state_dir))
    except (OSError, EOFError, sqlite3.Error, tarfile.TarError, msgspec.DecodeError) as error:
        raise CommandFailed(
            f"{source} cannot be restored: {error}. What was there is as it was.", code="backup_unreadable"
        ) from None


def _copied(store: Path, target: Path) -> bool:
    if not store.exists():
        return False
    # Read and write: a database whose log was not put away yet cannot be opened for reading alone.
    uri = f"{store.resolve().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as there,
        closing(sqlite3.connect(target)) as here,
    ):
        there.backup(here)
        # The copy is one file, for whoever opens it.
        here.execute("PRAGMA journal_mode=DELETE")
    return True


def _kept(own_dir: Path) -> Iterator[Path]:
    """All plain files but the store, in order; no link is followed."""
    for folder, folders, names in os.walk(own_dir):
        folders[:] = sorted(name for name in folders if not name.startswith((_ASIDE, RESTORING)))
        for name in sorted(names):
            path = Path(folder, name)
            of_store = Path(folder) == own_dir and (name in _NOT_KEPT or name == _STORE)
            if not of_store and path.is_file() and not path.is_symlink():
                yield path


def _add_file(archive: tarfile.TarFile, path: Path, name: str) -> None:
    with suppress(FileNotFoundError):  # the gateway has just removed it
        archive.add(path, name)


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(data), 0o600, int(time.time())
    archive.addfile(member, io.BytesIO(data))


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Plain files with names of a backup alone, whoever has made it. (`tarfile` has filters for that from
    Python 3.11.4 on; Debian's is older.) Raises TarError, OSError."""
    for member in archive:
        path = PurePosixPath(member.name)
        below = len(path.parts) > 1 and path.parts[0] in {"config", "gateway"}
        if not member.isreg() or ".." in path.parts or not (below or member.name == _ABOUT):
            raise tarfile.ReadError(f"it holds {member.name!r}, which no backup does")
        target = folder / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = archive.extractfile(member)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 | member.mode & 0o100)
        with os.fdopen(descriptor, "wb") as file:
            if content is not None:
                shutil.copyfileobj(content, file)


def _check(folder: Path) -> None:
    """Raises OSError, sqlite3.Error, msgspec.DecodeError for what is no whole backup."""
    about = msgspec.json.decode((folder / _ABOUT).read_bytes(), type=About)
    if about.format != _FORMAT:
        raise OSError(f"it is of format {about.format}, which a newer version has made")
    (folder / "gateway").mkdir(exist_ok=True)
    store = folder / "gateway" / _STORE
    if store.exists():
        # SQLite made the copy in the archive, for everybody.
        store.chmod(0o600)
        with closing(sqlite3.connect(store)) as database:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise OSError(f"its store is damaged ({found})")


def _put_aside(own_dir: Path, not_this: str) -> Path | None:
    old = [
        path
        for path in own_dir.iterdir()
        if path.name not in {not_this, "gateway.lock"} and not path.name.startswith(_ASIDE)
    ]
    if not old:
        return None
    aside = _new_folder(own_dir / f"{_ASIDE}{time.strftime('%Y%m%d-%H%M%S')}")
    done: list[Path] = []
    try:
        for path in old:
            path.replace(aside / path.name)
            done.append(path)
    except OSError:
        for path in done:
            (aside / path.name).replace(path)
        raise
    return aside


def _new_folder(wanted: Path) -> Path:
    """Of this name, or with a number behind it."""
    for number in count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
    raise AssertionError


def _put_in(own_dir: Path, folder: Path, aside: Path | None) -> None:
    """All of `folder`, or else what was put aside again. Raises OSError."""
    done: list[Path] = []
    try:
        for path in sorted(folder.iterdir()):
            path.replace(own_dir / path.name)
            done.append(own_dir / path.name)
    except OSError:
        for path in done:
            path.replace(folder / path.name)
        for path in aside.iterdir() if aside is not None else ():
            path.replace(own_dir / path.name)
        raise


def _configuration(folder: Path, state_dir: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        target = state_dir / path.name
        if not target.exists():
            path.replace(target)
            target.chmod(0o600)
            yield target
