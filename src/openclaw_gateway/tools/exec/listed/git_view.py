"""The repository as a looking git sees it: a git directory of ours, outside every workspace.

Its configuration and HEAD are written by us; objects, branches and index are links into the repository. So
whoever writes into the repository, even between the look and the command, has no say in what git runs.

One per repository, kept in our own folder and brought up to date before each command; those of repositories
that are gone are removed. It blocks: call it on a thread.
"""

import hashlib
import os
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from openclaw_gateway.tools.exec.listed.git_config import render_config
from openclaw_gateway.tools.exec.listed.git_keys import looking_settings
from openclaw_gateway.tools.exec.listed.git_repository import OBJECTS, OF_ALL, OF_TREE, Repository

FOLDER = "git"
_MOST = 256
# One that a command began with more lately may still be in its use.
_IN_USE_S = 24 * 3600.0


def bring_up_to_date(repository: Repository, own_dir: Path) -> Path:
    """The view's git directory. Raises OSError."""
    views = own_dir / FOLDER
    identity = f"{repository.git_dir}\0{repository.common_dir}"
    view = views / hashlib.sha256(os.fsencode(identity)).hexdigest()[:32]
    try:
        os.utime(view)
    except FileNotFoundError:
        views.mkdir(parents=True, exist_ok=True, mode=0o700)
        _tidy(views, time.time())
        _build(repository, view)
    _link_shared(repository, view)
    _put(view / "config", render_config(looking_settings(repository.settings)))
    _put(view / "HEAD", repository.head)
    return view


def _build(repository: Repository, view: Path) -> None:
    new = view.with_name(f".{secrets.token_hex(8)}.tmp")
    for folder in (new, new / "objects", new / "info"):
        folder.mkdir(mode=0o700)
    for names, source in ((OF_TREE, repository.git_dir), ((*OF_ALL, *OBJECTS), repository.common_dir)):
        for name in names:
            (new / name).symlink_to(source / name)
    try:
        new.rename(view)
    except OSError:
        shutil.rmtree(new)
        # Another command's was first.
        if not view.is_dir():
            raise


def _link_shared(repository: Repository, view: Path) -> None:
    """The parts of a split index, which come and go."""
    for link in view.glob("sharedindex.*"):
        if link.name not in repository.shared:
            link.unlink(missing_ok=True)
    for name in repository.shared:
        with suppress(FileExistsError):
            (view / name).symlink_to(repository.git_dir / name)


def _put(path: Path, content: bytes) -> None:
    with suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def _tidy(views: Path, now: float) -> None:
    """Without those of repositories that are gone, and, of more than there is room for, without those that
    were used longest ago. `now` is Unix time."""
    kept: list[tuple[float, Path]] = []
    for view in views.iterdir():
        if view.name.startswith(".") or (view / "refs").exists():
            with suppress(FileNotFoundError):
                kept.append((view.lstat().st_mtime, view))
        else:
            shutil.rmtree(view, ignore_errors=True)
    kept.sort()
    for used, view in kept[: max(0, len(kept) - _MOST + 1)]:
        if now - used > _IN_USE_S:
            shutil.rmtree(view, ignore_errors=True)
