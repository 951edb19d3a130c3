"""Containment: from a path that a model wrote to an open directory and one name in it.

The rule: nothing is ever opened by a path of more than one component. We walk from the root with openat,
follow symbolic links ourselves (so a link may stay inside, and one that leads out is seen), and `..` goes
back to a directory we hold. So swapping a directory for a link between check and use gains nothing.
Knows no tool. All of it blocks: call it on a thread.
"""

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.below import below
from openclaw_gateway.fs.steering import NOTES, STEERING

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MAX_NEW_FOLDERS = 64
_MAX_LINKS = 40
# Kernel interfaces that look like files: other processes' environments, devices' controls.
_INTERFACES = (Path("/proc"), Path("/sys"))

_REASONS = {
    errno.ENOENT: "there is no such file. `ls` or `find` shows what is there.",
    errno.ENOTDIR: "part of the path is a file, not a directory.",
    errno.EISDIR: "is a directory, not a file.",
    errno.ELOOP: "changed while it was opened; try again.",
    errno.EACCES: "the gateway has no permission for it.",
    errno.EPERM: "the gateway has no permission for it.",
    errno.ENAMETOOLONG: "the name is too long.",
    errno.ENOSPC: "the disk is full.",
    errno.EDQUOT: "the disk is full.",
    errno.EROFS: "the file system is read-only.",
}


Kind = Literal["absent", "outside", "circle", "special", "failed"]


class PathRefused(ToolError):
    """`kind` is why, for who words it otherwise: nothing there, it leads out, links in a circle, no regular
    file or folder, or the system's own refusal."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind: Kind = kind


class Place(Struct, frozen=True):
    """`name` in the open directory `directory`; it may not exist. `shown` is for messages.

    `path` is where that is, from the walk's root; `status` is what is there, a symbolic link only when that
    was asked for.
    """

    directory: int
    name: str
    shown: str
    path: str
    status: os.stat_result | None


class Workspace(Struct, frozen=True):
    """`root` is where the walk may go, `start` where relative paths begin (the same, when contained).

    `closed` are paths that no file tool opens, whatever the root: the gateway's own files. `make_root` is for
    a folder of ours that is made when it is first used. When it is `guarded` nothing that steers other runs
    is written, and `memory/` is the folder `notes`; None where the call's audience has none. `shelves` are
    folders elsewhere of which files may be read by their whole path.
    """

    root: Path
    start: Path
    closed: tuple[Path, ...] = ()
    writable: bool = True
    make_root: bool = False
    guarded: bool = False
    notes: Path | None = None
    shelves: tuple[Path, ...] = ()

    def holds_what_stays(self, path: str) -> bool:
        """Whether a folder, by its real path, has in it what the call may neither move nor delete."""
        start = os.path.realpath(self.start)
        notes = (f"{start}/{NOTES}",) if self.guarded else ()
        steering = _steering(start) if self.guarded else frozenset[str]()
        kept = (*self.closed_paths(), *(os.path.realpath(one) for one in self.shelves), *notes)
        return any(below(one, path) for one in (*kept, start)) or any(
            below(one, path.casefold()) for one in steering
        )

    def closed_paths(self) -> frozenset[str]:
        """`closed` without symbolic links."""
        return _real_paths(self.closed)

    @contextmanager
    def place(
        self, path: str, *, write: bool = False, make: "NewFolders | None" = None, link: bool = False
    ) -> Iterator[Place]:
        """Walk to `path`; with `make` missing directories on the way are made. With `link` a symbolic link at
        its end is the place itself. Raises ToolError."""
        if write and not self.writable:
            raise ToolError("The workspace is read-only here: files can be read, not written.")
        walk = _Walk(self, path, write=write, make=make, link=link)
        try:
            yield walk.run()
        except OSError as error:
            raise PathRefused(_kind(error), f"{path}: {reason(error)}") from None
        finally:
            walk.close()


class NewFolders:
    """How many directories one call may still make."""

    def __init__(self, most: int = MAX_NEW_FOLDERS) -> None:
        self._most = self._left = most

    def one_more(self, asked: str) -> None:
        """Raises ToolError."""
        self._left -= 1
        if self._left < 0:
            raise ToolError(f"{asked}: one call may make {self._most} new directories, and not so many.")


class _Walk:
    def __init__(
        self, workspace: Workspace, path: str, *, write: bool, make: NewFolders | None, link: bool
    ) -> None:
        self._workspace = workspace
        self._link = link
        self._asked = path
        self._write = write
        self._make = make
        root = workspace.root if write else _root_of(path, workspace)
        self._root = os.path.realpath(root)
        self._roots = {self._root, str(root.absolute())}
        self._closed = workspace.closed_paths()
        start = os.path.realpath(workspace.start)
        self._notes = f"{start}/{NOTES}".casefold()
        self._steering = _steering(start) if write and workspace.guarded else frozenset()
        self._held: list[int] = []
        self._names: list[str] = []
        self._links = 0
        if "\0" in path:
            raise ToolError("The path contains a NUL character.")
        if path.startswith("~"):
            raise ToolError(f"{path}: ~ is not expanded; use a path relative to the workspace.")
        try:
            path.encode()
        except UnicodeEncodeError:
            raise ToolError("The path is not valid Unicode.") from None
        self._pending: deque[str] = deque()
        self._push(path if path.startswith("/") else f"{os.path.relpath(start, self._root)}/{path}")

    def run(self) -> Place:
        try:
            if self._workspace.make_root:
                self._workspace.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._held.append(os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        except FileNotFoundError:
            raise PathRefused("absent", "The agent's workspace does not exist.") from None
        while self._pending:
            name = self._pending.popleft()
            if name == "..":
                self._up()
                continue
            if self._workspace.guarded and self._path(name).casefold() == self._notes:
                self._enter_notes(name)
                continue
            self._check(name)
            status = self._look(name)
            if status is not None and stat.S_ISLNK(status.st_mode) and (self._pending or not self._link):
                self._follow(os.readlink(name, dir_fd=self._held[-1]))
            elif not self._pending:
                return self._at(name, status)
            else:
                self._enter(name, status)
        return self._at(".", os.fstat(self._held[-1]))

    def close(self) -> None:
        for descriptor in self._held:
            os.close(descriptor)
        self._held.clear()

    def _push(self, path: str) -> None:
        if path.startswith("/"):
            path = self._below_root(path)
            for descriptor in self._held[1:]:
                os.close(descriptor)
            del self._held[1:]
            self._names.clear()
            self._pending.clear()
        parts = [part for part in path.split("/") if part not in ("", ".")]
        self._pending.extendleft(reversed(parts))

    def _below_root(self, path: str) -> str:
        # The root may be spelled in many ways; what it leads to is walked like any other path.
        for spelled in (path, _otherwise_spelled(path)):
            for root in self._roots:
                if below(spelled, root):
                    return spelled[len(root) :].lstrip("/")
        raise self._outside()

    def _follow(self, target: str) -> None:
        self._links += 1
        if self._links > _MAX_LINKS:
            raise PathRefused("circle", f"{self._asked}: its symbolic links lead in a circle.")
        rest = list(self._pending)
        self._push(target)
        self._pending.extend(rest if target.startswith("/") else ())

    def _up(self) -> None:
        if len(self._held) == 1:
            raise self._outside()
        os.close(self._held.pop())
        self._names.pop()

    def _enter(self, name: str, status: os.stat_result | None) -> None:
        if status is None:
            if self._make is None:
                message = f"{self._asked}: there is no such directory. `ls` shows what is there."
                raise PathRefused("absent", message)
            self._make.one_more(self._asked)
            os.mkdir(name, 0o755, dir_fd=self._held[-1])
        self._held.append(os.open(name, DIRECTORY, dir_fd=self._held[-1]))
        self._names.append(name)

    def _enter_notes(self, name: str) -> None:
        notes = self._workspace.notes
        if notes is None:
            raise ToolError(
                f"{self._asked}: a request that names neither a user nor a session has no notes, and others' "
                "are not shown."
            )
        if self._make is not None:
            notes.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._held.append(os.open(notes, DIRECTORY))
        except FileNotFoundError:
            raise ToolError(f"{self._asked}: there are no notes of this conversation yet.") from None
        self._names.append(name)

    def _look(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self._held[-1], follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _check(self, name: str) -> None:
        # A repository's own configuration can name programs that `git status` runs.
        if self._write and name.casefold() == ".git":
            raise ToolError(f"{self._asked}: file tools do not write inside .git.")
        if self._steering and self._path(name).casefold() in self._steering:
            raise ToolError(
                f"{self._asked}: this steers all conversations with the agent, and only its operator's may "
                'write it (tools.fs.steering: "all" opens it to everybody). Notes go into memory/.'
            )
        if self._path(name) in self._closed:
            raise ToolError(f"{self._asked}: these are the gateway's own files; tools do not open them.")

    def _at(self, name: str, status: os.stat_result | None) -> Place:
        if status is not None and status.st_dev in interface_devices():
            raise PathRefused("special", f"{self._asked}: this is a kernel interface, not a file.")
        path = self._path(name) if name != "." else self._path("")
        # Nobody goes back from here: many places may be open at once.
        while len(self._held) > 1:
            os.close(self._held.pop(0))
        return Place(self._held[-1], name, self._asked, path, status)

    def _path(self, name: str) -> str:
        return os.path.normpath("/".join([self._root.rstrip("/"), *self._names, name]))

    def _outside(self) -> PathRefused:
        return PathRefused(
            "outside",
            f"{self._asked}: is outside the workspace. Use a path relative to the workspace; links that lead "
            "out of it are not followed.",
        )


@contextmanager
def open_directory(place: Place) -> Iterator[int]:
    """Raises OSError, for a link too."""
    directory = os.open(place.name, DIRECTORY, dir_fd=place.directory)
    try:
        yield directory
    finally:
        os.close(directory)


@lru_cache(maxsize=4096)
def _real_paths(paths: tuple[Path, ...]) -> frozenset[str]:
    """Worked out once: the gateway's own files stay where they are, and each look costs many calls."""
    return frozenset(os.path.realpath(path) for path in paths)


def _root_of(path: str, workspace: Workspace) -> Path:
    """The workspace's, or the shelf that the path's text is of."""
    if path.startswith("/") and not below(os.path.normpath(path), str(workspace.root)):
        whole = os.path.normpath(path)
        return next((one for one in workspace.shelves if below(whole, str(one))), workspace.root)
    return workspace.root


def _otherwise_spelled(path: str) -> str:
    """Without links, unless the answer could tell of what is outside: a `..` behind a name there goes where
    a link of that name leads, and the kernel's links tell of processes."""
    plain = os.path.normpath(f"/{path.lstrip('/')}")
    if ".." in path.split("/") or any(below(plain, str(one)) for one in _INTERFACES):
        return path
    return os.path.realpath(path)


def _steering(start: str) -> frozenset[str]:
    """Whatever names they go by: a link in the workspace may lead to another folder of it."""
    paths = [f"{start}/{name}" for name in STEERING]
    return frozenset(path.casefold() for name in paths for path in (name, os.path.realpath(name)))


@lru_cache(maxsize=1)
def interface_devices() -> frozenset[int]:
    """The devices of the kernel's interfaces, for whoever holds an open file."""
    return frozenset(path.stat().st_dev for path in _INTERFACES if path.is_dir())


def _kind(error: OSError) -> Kind:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "absent"
    return "circle" if error.errno == errno.ELOOP else "failed"


def reason(error: OSError) -> str:
    """Why a file operation failed, in words that hold no path of the machine."""
    known = _REASONS.get(error.errno or 0)
    return known or f"{(error.strerror or 'it cannot be used').lower()}."
