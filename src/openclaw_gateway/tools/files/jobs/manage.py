"""Files and folders deleted, moved and made. A symbolic link is one itself; what it leads to stays.

A folder goes as a whole only when that is asked for, and never with a repository's .git, nor with what the
call may not write, in it.
"""

import errno
import os
import stat

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import DIRECTORY, NewFolders, Place, Workspace, open_directory
from openclaw_gateway.fs.tree import Tree
from openclaw_gateway.tools.files.jobs.orders import SMALL_ENTRIES, Manage, TooLarge

MOST_ENTRIES = 20_000


def manage(job: Manage, *, small: bool) -> str:
    match job.action:
        case "mkdir":
            return _mkdir(job.workspace, job.path)
        case "move":
            return _move(job.workspace, job.path, job.target or "")
        case "delete":
            return _delete(job, small=small)


def _mkdir(workspace: Workspace, path: str) -> str:
    with workspace.place(path, write=True, make=NewFolders()) as place:
        if place.status is not None:
            if stat.S_ISDIR(place.status.st_mode):
                return f"{path} is there already."
            raise ToolError(f"{path}: is there already, and no directory.")
        os.mkdir(place.name, 0o755, dir_fd=place.directory)
    return f"Made {path}."


def _move(workspace: Workspace, path: str, target: str) -> str:
    with workspace.place(path, write=True, link=True) as place:
        _check(workspace, place)
        with workspace.place(target, write=True, make=NewFolders(), link=True) as goal:
            inside = goal.status is not None and stat.S_ISDIR(goal.status.st_mode)
            if not inside:
                return _rename(place, goal, target)
        # Into a folder, as mv does.
        below = f"{target.rstrip('/')}/{place.name}"
        with workspace.place(below, write=True, link=True) as goal:
            return _rename(place, goal, below)


def _rename(place: Place, goal: Place, shown: str) -> str:
    if goal.status is not None:
        raise ToolError(f"{shown}: exists already; nothing is moved over it. Delete it first.")
    try:
        if place.status is not None and stat.S_ISREG(place.status.st_mode):
            # A rename would take the place of whatever somebody puts there meanwhile.
            os.link(place.name, goal.name, src_dir_fd=place.directory, dst_dir_fd=goal.directory)
            os.unlink(place.name, dir_fd=place.directory)
        else:
            os.rename(place.name, goal.name, src_dir_fd=place.directory, dst_dir_fd=goal.directory)
    except FileExistsError:
        raise ToolError(f"{shown}: was made by somebody else meanwhile. Look at it first.") from None
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise ToolError(f"{shown}: is inside of what would be moved.") from None
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        os.rename(place.name, goal.name, src_dir_fd=place.directory, dst_dir_fd=goal.directory)
    return f"Moved {place.shown} to {shown}."


def _delete(job: Manage, *, small: bool) -> str:
    with job.workspace.place(job.path, write=True, link=True) as place:
        _check(job.workspace, place)
        if place.status is None or not stat.S_ISDIR(place.status.st_mode):
            os.unlink(place.name, dir_fd=place.directory)
            return f"Deleted {job.path}."
        with open_directory(place) as directory:
            tree = Tree(
                directory,
                base=place.path,
                max_entries=SMALL_ENTRIES if small else MOST_ENTRIES,
                skipped=frozenset(),
            )
            count = 0
            for entry in tree.walk():
                count += 1
                if entry.name.casefold() == ".git":
                    raise ToolError(f"{job.path}: holds a repository ({entry.path}); it is not deleted here.")
            if small and tree.cut:
                raise TooLarge
            if tree.cut:
                raise ToolError(f"{job.path}: holds more than {MOST_ENTRIES:,} entries; delete parts of it.")
            if count and not job.recursive:
                raise ToolError(
                    f"{job.path}: is a directory with {count} entries; set recursive to delete it."
                )
            _empty(directory)
        os.rmdir(place.name, dir_fd=place.directory)
    return f"Deleted {job.path}" + (f" with {count} entries." if count else ".")


def _empty(directory: int) -> None:
    with os.scandir(directory) as entries:
        names = [(one.name, one.is_dir(follow_symlinks=False)) for one in entries]
    for name, folder in names:
        if not folder:
            os.unlink(name, dir_fd=directory)
            continue
        child = os.open(name, DIRECTORY, dir_fd=directory)
        try:
            _empty(child)
        finally:
            os.close(child)
        os.rmdir(name, dir_fd=directory)


def _check(workspace: Workspace, place: Place) -> None:
    """Raises ToolError when there is nothing, or it is to stay."""
    if place.name == ".":
        raise ToolError(f"{place.shown}: is the folder itself that is worked in; name something in it.")
    if place.status is None:
        raise ToolError(f"{place.shown}: there is no such file. `ls` or `find` shows what is there.")
    if stat.S_ISDIR(place.status.st_mode) and workspace.holds_what_stays(place.path):
        raise ToolError(
            f"{place.shown}: holds what this conversation may not change; name what is meant in it."
        )
