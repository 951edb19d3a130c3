"""Several files changed by one patch, all or nothing; folders made for it may stay behind."""

import os
import signal
import stat
from contextlib import ExitStack

from msgspec import Struct

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import NewFolders, Place, Workspace
from openclaw_gateway.fs.regular_file import (
    Content,
    Replacement,
    check_unchanged,
    encoded,
    read_whole,
    replace,
)
from openclaw_gateway.tools.clipped import fitting
from openclaw_gateway.tools.files.jobs.orders import SMALL_BYTES, Patch, TooLarge
from openclaw_gateway.tools.files.line_search import Budget
from openclaw_gateway.tools.files.patch import Add, Change, Delete, Update, apply_hunks, parse_patch
from openclaw_gateway.tools.files.short_diff import short_diff

_MOST_CHARS = 8_000
_MOST_SAID = 10


class Allowance:
    """What is left to one call. `small`: it raises TooLarge before it reads too much for a thread."""

    def __init__(self, *, small: bool = False) -> None:
        self.budget = Budget()
        self.folders = NewFolders()
        self._left = SMALL_BYTES if small else None

    def read(self, place: Place) -> Content:
        if self._left is not None and place.status is not None:
            self._left -= place.status.st_size
            if self._left < 0:
                raise TooLarge
        return read_whole(place)


class _Step(Struct, frozen=True):
    """One file's new content (None: it goes), and what it was before: a text, or where a link led."""

    place: Place
    before: Content | None
    after: Replacement | None
    link: str | None = None


class _Told(Struct, frozen=True):
    line: str
    diff: str = ""


def patch(job: Patch, *, small: bool) -> str:
    """Everything is read, computed and written beside its place first; only then do names change."""
    if small and len(job.patch) > SMALL_BYTES:
        raise TooLarge
    with ExitStack() as held:
        told: list[_Told] = []
        wrong: list[str] = []
        steps: list[_Step] = []
        work = Allowance(small=small)
        changes = parse_patch(job.patch)
        for change in changes:
            try:
                new, one = prepare(job.workspace, change, held, work)
            except ToolError as error:
                wrong.append(str(error))
                continue
            steps.extend(new)
            told.append(one)
        if wrong:
            raise ToolError(_refused(wrong, told))
        commit(steps)
    diffs = [f"{one.line[2:]}\n{one.diff}" for one in told if one.diff]
    return "\n".join(
        ("Done:", *(one.line for one in told), *fitting([f"\n{diff}" for diff in diffs], _MOST_CHARS))
    )


def _refused(wrong: list[str], told: list[_Told]) -> str:
    if not told and len(wrong) == 1:
        return wrong[0]
    fit = f" What fits by itself: {', '.join(one.line for one in told)}." if told else ""
    return "\n".join((*wrong[:_MOST_SAID], f"Nothing was changed.{fit}"))


def prepare(
    workspace: Workspace, change: Change, held: ExitStack, work: Allowance
) -> tuple[list[_Step], _Told]:
    match change:
        case Add(path=path, text=added):
            place = held.enter_context(workspace.place(path, write=True, make=work.folders))
            if place.status is not None:
                raise ToolError(f"{path}: exists already; update it instead.")
            return [_written(place, None, added, held)], _Told(f"A {path}")
        case Delete(path=path):
            place = held.enter_context(workspace.place(path, write=True, link=True))
            if place.status is not None and stat.S_ISLNK(place.status.st_mode):
                target = os.readlink(place.name, dir_fd=place.directory)
                return [_Step(place, None, None, target)], _Told(f"D {path}")
            return [_Step(place, work.read(place), None)], _Told(f"D {path}")
        case Update(path=path, move_to=target, hunks=hunks):
            place = held.enter_context(workspace.place(path, write=True))
            before = work.read(place)
            after = apply_hunks(before.text, hunks, path, work.budget)
            diff = short_diff(before.text, after)
            if target is None:
                return [_written(place, before, after, held)], _Told(f"M {path}", diff)
            moved = held.enter_context(workspace.place(target, write=True, make=work.folders))
            if moved.status is not None:
                raise ToolError(f"{target}: exists already; nothing is moved over it.")
            step = _written(moved, None, after, held, mode=before.status.st_mode, bom=before.bom)
            return [step, _Step(place, before, None)], _Told(f"R {path} -> {target}", diff)


def _written(
    place: Place,
    before: Content | None,
    after: str,
    held: ExitStack,
    *,
    mode: int | None = None,
    bom: bool = False,
) -> _Step:
    replacement = Replacement(place, encoded(after, bom=before.bom if before else bom), mode=mode)
    held.callback(replacement.discard)
    return _Step(place, before, replacement)


def commit(steps: list[_Step]) -> None:
    """Who ends this process meanwhile waits until it is all or nothing."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
    try:
        _change(steps)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _change(steps: list[_Step]) -> None:
    done: list[_Step] = []
    try:
        for step in steps:
            if step.after is None:
                if step.before is not None:
                    check_unchanged(step.place, step.before.status)
                os.unlink(step.place.name, dir_fd=step.place.directory)
            else:
                step.after.commit(unchanged_since=step.before.status if step.before else None)
            done.append(step)
    except BaseException:
        for step in reversed(done):
            _undo(step)
        raise


def _undo(step: _Step) -> None:
    if step.link is not None:
        os.symlink(step.link, step.place.name, dir_fd=step.place.directory)
    elif step.before is None:
        os.unlink(step.place.name, dir_fd=step.place.directory)
    else:
        replace(step.place, encoded(step.before.text, bom=step.before.bom))
