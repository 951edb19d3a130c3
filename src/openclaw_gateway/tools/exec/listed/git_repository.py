"""The repository that a folder of the workspace belongs to, found and looked over without git's help.

Nothing in it may lead out of the workspace: no symbolic link, no other folder it names, no borrowed objects.
It blocks: call it on a thread. Knows no setting's meaning.
"""

import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.tools.exec.listed.git_config import BrokenConfig, Setting, parse_config

_SMALL = 4096
_MAX_CONFIG_BYTES = 256 * 1024
_MAX_ENTRIES = 200_000
_MAX_SHOWN = 80
_MOST_SHARED = 100
_HEAD = re.compile(rb"(?:ref:[ \t]*refs/[^\x00-\x20\x7f~^:?*\[\\]+|[0-9a-f]{40}|[0-9a-f]{64})\s*")
_SHARED_INDEX = re.compile(r"sharedindex\.[0-9a-f]{40,64}")
# What git looks at, by whose it is: of this work tree, or of all work trees of the repository.
OF_TREE = (
    *("index", "logs", "MERGE_HEAD", "MERGE_MODE", "CHERRY_PICK_HEAD", "REVERT_HEAD", "ORIG_HEAD"),
    *("FETCH_HEAD", "BISECT_LOG", "rebase-merge", "rebase-apply", "sequencer"),
)
OF_ALL = ("refs", "packed-refs", "reftable", "shallow", "info/exclude")
# All but objects/info, which can name other folders with objects.
OBJECTS = ("objects/pack", *(f"objects/{number:02x}" for number in range(256)))


class Unfit(Exception):
    """Why git cannot look here, as the end of "it …"."""


class Repository(Struct, frozen=True):
    """Real paths. `common_dir` holds objects, branches and settings; it is `git_dir` but for linked work
    trees. `shared` are the files beside the index that a split index needs."""

    work_tree: Path
    git_dir: Path
    common_dir: Path
    head: bytes
    settings: tuple[Setting, ...]
    shared: tuple[str, ...] = ()


def find_repository(directory: Path, root: Path) -> Repository | None:
    """The one of `directory` or of a folder above it, but not above `root`. Raises Unfit."""
    top = Path(os.path.realpath(root))
    folder = Path(os.path.realpath(directory))
    while folder.is_relative_to(top):
        if os.path.lexists(folder / ".git"):
            return _repository(folder, top)
        folder = folder.parent
    return None


def _repository(work_tree: Path, top: Path) -> Repository:
    dot_git = work_tree / ".git"
    mode = dot_git.lstat().st_mode
    if stat.S_ISDIR(mode):
        git_dir = dot_git
    elif stat.S_ISREG(mode):
        target = _content(dot_git, _SMALL).strip()
        if not target.startswith(b"gitdir:"):
            raise Unfit("has a .git that is no repository")
        git_dir = _inside(work_tree, target.removeprefix(b"gitdir:"), top)
    else:
        raise Unfit("has a .git that is neither a folder nor a file, such as a link")
    common = _optional(git_dir / "commondir", _SMALL)
    common_dir = git_dir if common is None else _inside(git_dir, common, top)
    head = _optional(git_dir / "HEAD", _SMALL)
    if head is None or not _HEAD.fullmatch(head) or b".." in head:
        raise Unfit("has a .git that is no repository")
    if _optional(common_dir / "objects/info/alternates", _SMALL):
        raise Unfit("borrows objects from elsewhere (objects/info/alternates); `git repack -a -d` ends that")
    shared = tuple(one.name for one in git_dir.iterdir() if _SHARED_INDEX.fullmatch(one.name))
    if len(shared) > _MOST_SHARED:
        raise Unfit("has too many parts of an index; `git update-index --no-split-index` ends that")
    _look_over(git_dir, _tops((*OF_TREE, *shared)))
    _look_over(common_dir, _tops((*OF_ALL, *OBJECTS)))
    return Repository(work_tree, git_dir, common_dir, head, _settings(git_dir, common_dir), shared)


def _settings(git_dir: Path, common_dir: Path) -> tuple[Setting, ...]:
    found: list[Setting] = []
    for path in (common_dir / "config", git_dir / "config.worktree"):
        try:
            found += parse_config(_optional(path, _MAX_CONFIG_BYTES) or b"")
        except BrokenConfig:
            raise Unfit(f"has a .git/{path.name} that cannot be understood") from None
    return tuple(found)


def _inside(base: Path, written: bytes, top: Path) -> Path:
    if b"\0" not in written:
        path = Path(os.path.realpath(base / os.fsdecode(written.strip())))
        if path.is_relative_to(top) and path.is_dir():
            return path
    raise Unfit("lies outside the workspace, or nowhere: its .git names another folder")


def _optional(path: Path, most: int) -> bytes | None:
    return _content(path, most) if os.path.lexists(path) else None


def _content(path: Path, most: int) -> bytes:
    """Of a regular file that is no link, and of no more than `most` bytes. Raises Unfit."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(most + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        data = None
    if data is None or len(data) > most:
        raise Unfit(f"has a .git/{path.name} that is no plain file of a usual size")
    return data


def _tops(names: Iterable[str]) -> dict[str, None]:
    return dict.fromkeys(name.partition("/")[0] for name in names)


def _look_over(folder: Path, names: Iterable[str]) -> None:
    """All that git opens of it are plain files and folders, and not without end. Raises Unfit."""
    left = _MAX_ENTRIES
    pending: list[str] = []
    for name in names:
        with suppress(FileNotFoundError):
            mode = (folder / name).lstat().st_mode
            if stat.S_ISDIR(mode):
                pending.append(str(folder / name))
            elif not stat.S_ISREG(mode):
                raise _odd(name)
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                left -= 1
                if left < 0:
                    raise Unfit("has too many files in its .git; `git gc` packs them")
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    raise _odd(os.path.relpath(entry.path, folder))


def _odd(name: str) -> Unfit:
    return Unfit(f"has a link or a device in its .git, which is not followed ({printable(name)})")


def printable(text: str) -> str:
    """Somebody's text, for a message: short, and on one line."""
    return "".join(char if char.isprintable() else "?" for char in text[:_MAX_SHOWN])
