"""The patch format of `apply_patch`, as data, and what a patch makes of a text. Pure.

    *** Begin Patch
    *** Add File: path            followed by +lines
    *** Delete File: path
    *** Update File: path         optionally *** Move to: path, then hunks
    @@ optional line to look for
     context / -removed / +added
    *** End Patch

A hunk's old lines are looked for from where the last hunk ended: exactly, then without trailing white space,
then without any at both ends, then with typographic quotes, dashes and blanks as plain ones. Lines that a
hunk does not change stay as they are in the file, and new ones end as their neighbours do. Several patches
may follow each other; a unified diff (`--- a/p`, `+++ b/p`) is read too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.files.line_search import Budget, LineSearch, plain_signs
from openclaw_gateway.tools.files.nearest import nearest
from openclaw_gateway.tools.files.unified import from_unified, is_unified

_BEGIN, _END = "*** Begin Patch", "*** End Patch"
_ADD, _DELETE, _UPDATE = "*** Add File: ", "*** Delete File: ", "*** Update File: "
MAX_CHANGES = 100
_MOVE, _EOF = "*** Move to: ", "*** End of File"


class Hunk(Struct, frozen=True):
    """`lines` with their marks: space, - or +. `anchors` are lines that come before it; `at_end` it must
    match at the end of the file; `from_start` it is looked for from the beginning again."""

    anchors: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    at_end: bool = False
    from_start: bool = False

    @property
    def old(self) -> tuple[str, ...]:
        return tuple(text for mark, text in self.lines if mark != "+")


class Add(Struct, frozen=True):
    path: str
    text: str


class Delete(Struct, frozen=True):
    path: str


class Update(Struct, frozen=True):
    path: str
    move_to: str | None
    hunks: tuple[Hunk, ...]


Change = Add | Delete | Update


def parse_patch(text: str) -> tuple[Change, ...]:
    """Raises ToolError that names the line."""
    lines = text.replace("\r\n", "\n").strip("\n").split("\n")
    # A here-document around it, as some models write; anything else is no patch.
    around = ("<<", "apply_patch <<", "```")
    head = next(
        (at for at, line in enumerate(lines) if line.strip() and not line.lstrip().startswith(around)), None
    )
    if head is not None and is_unified(lines[head:]):
        changes = _joined(_Parser(from_unified(lines[head:]), 0).changes())
    elif head is None or lines[head].strip() != _BEGIN:
        raise ToolError(f"The patch must begin with the line `{_BEGIN}`.")
    else:
        changes = _joined(
            change for start, block in _blocks(lines, head) for change in _Parser(block, start).changes()
        )
    if not changes:
        raise ToolError("The patch holds no change.")
    if len(changes) > MAX_CHANGES:
        raise ToolError(
            f"The patch changes {len(changes)} files, at most {MAX_CHANGES} are taken; divide it."
        )
    named = Counter(path for change in changes for path in _paths(change))
    twice = next((path for path, count in named.items() if count > 1), None)
    if twice is not None:
        raise ToolError(f"The patch names {twice} twice; do one thing with each file.")
    return changes


def _blocks(lines: list[str], head: int) -> Iterator[tuple[int, list[str]]]:
    """Of each patch its lines between the marks, and how many come before. An end mark is one only where
    the next patch begins behind it, or nothing does: in a file's text it is text."""
    start = head + 1
    ends = [at for at in range(start, len(lines)) if lines[at].rstrip() == _END]
    if not ends:
        raise ToolError(f"The patch must end with the line `{_END}`.")
    for end in ends:
        if end < start:
            continue
        follows = next((at for at in range(end + 1, len(lines)) if lines[at].strip()), None)
        if follows is not None and lines[follows].strip() == _BEGIN:
            yield start, lines[start:end]
            start = follows + 1
        elif end == ends[-1]:
            yield start, lines[start:end]


def _joined(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Hunks of one file under one head, as if it had been named once."""
    found: dict[str, Change] = {}
    others: list[Change] = []
    for change in changes:
        before = found.get(change.path)
        match change, before:
            case Update(path=path, move_to=target, hunks=hunks), Update() if not before.move_to:
                first = msgspec.structs.replace(hunks[0], from_start=True)
                found[path] = Update(path, target, (*before.hunks, first, *hunks[1:]))
            case _, None:
                found[change.path] = change
            case _:
                others.append(change)
    return (*found.values(), *others)


def apply_hunks(text: str, hunks: Sequence[Hunk], path: str, budget: Budget) -> str:
    """Raises ToolError when a hunk does not fit, or looking for it spends the budget."""
    group: list[Hunk] = []
    number = 0
    for hunk in hunks:
        if hunk.from_start and group:
            budget.spend(text.count("\n"))
            text = _applied(text, group, number - len(group), path, budget)
            group = []
        group.append(hunk)
        number += 1
    return _applied(text, group, number - len(group), path, budget)


def _applied(text: str, hunks: Sequence[Hunk], before: int, path: str, budget: Budget) -> str:
    # Each line with its own end: a file may have both kinds.
    whole = text.split("\n")
    ended = whole[-1] == ""
    if ended:
        whole.pop()
    lines = [line.removesuffix("\r") for line in whole]
    ends = ["\r" if line.endswith("\r") else "" for line in whole]
    search = _Search(lines, [line for hunk in hunks for line in (*hunk.anchors, *hunk.old)], budget)
    # What is before `at` is written to `made`; hunks only look forward, so the rest is as it was.
    made: list[str] = []
    at = 0
    for number, hunk in enumerate(hunks, before + 1):
        place = _place(search, hunk, at, len(lines), f"{path}: hunk {number}")
        if place is None:
            raise ToolError(
                f"{path}: hunk {number} does not fit; its old lines begin with {hunk.old[0]!r}"
                f"{nearest(lines, hunk.old)}. Read the file again."
            )
        made += whole[at:place]
        at = place
        gone: list[str] = []
        for mark, line in hunk.lines:
            if mark == "+":
                # As the line that it replaces; what is more, as the one before.
                end = gone.pop(0) if gone else _end_near(ends, at)
                made.append(line.removesuffix("\r") + end)
                continue
            if mark == " ":
                made.append(whole[at])
                gone.clear()
            else:
                gone.append(ends[at])
            at += 1
    made += whole[at:]
    if ended or not text:
        return "\n".join(made) + ("\n" if made else "")
    # The last line had no end, and what is last now has none either.
    return "\n".join(made).removesuffix("\r") if made and not whole[-1].endswith("\r") else "\n".join(made)


def _end_near(ends: list[str], at: int) -> str:
    """The end of the line before; of the first where there is none."""
    return ends[min(max(at - 1, 0), len(ends) - 1)] if ends else ""


def _place(search: "_Search", hunk: Hunk, at: int, count: int, shown: str) -> int | None:
    found = at
    for anchor in hunk.anchors:
        anchored = search.find((anchor,), found)
        if anchored is None:
            raise ToolError(f"{shown}: there is no line {anchor!r}. Read the file again.")
        found = anchored + 1
    if hunk.old:
        return search.find_last(hunk.old, found) if hunk.at_end else search.find(hunk.old, found)
    return found if hunk.anchors else count


def _paths(change: Change) -> tuple[str, ...]:
    moved = (change.move_to,) if isinstance(change, Update) and change.move_to else ()
    return (change.path, *moved)


_WAYS: tuple[Callable[[str], str], ...] = (
    lambda line: line,
    str.rstrip,
    str.strip,
    lambda line: plain_signs(line).strip(),
)


class _Search:
    """Of the ways in their order, each made when the stricter one has found nothing."""

    def __init__(self, lines: list[str], sought: list[str], budget: Budget) -> None:
        self._lines = lines
        self._sought = sought
        self._budget = budget
        self._made: list[LineSearch] = []

    def find(self, block: Sequence[str], start: int) -> int | None:
        places = (way.find(block, start, self._budget) for way in self._ways())
        return next((place for place in places if place is not None), None)

    def find_last(self, block: Sequence[str], start: int) -> int | None:
        """At the end of the file, or nowhere."""
        last = len(self._lines) - len(block)
        if last >= start and any(way.stands(block, last, self._budget) for way in self._ways()):
            return last
        return None

    def _ways(self) -> Iterator[LineSearch]:
        for number, way in enumerate(_WAYS):
            if number == len(self._made):
                self._made.append(LineSearch(self._lines, way, self._sought))
            yield self._made[number]


class _Parser:
    def __init__(self, lines: list[str], before: int) -> None:
        self._lines = lines
        self._before = before
        self._at = 0

    def changes(self) -> tuple[Change, ...]:
        found: list[Change] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if line.startswith(_ADD):
                found.append(Add(self._path(line, _ADD), self._added()))
            elif line.startswith(_DELETE):
                found.append(Delete(self._path(line, _DELETE)))
            elif line.startswith(_UPDATE):
                path = self._path(line, _UPDATE)
                found.append(Update(path, self._move(), self._hunks(path)))
            elif line.strip():
                raise self._wrong(f"is none of `{_ADD}`, `{_DELETE}`, `{_UPDATE}`")
        return tuple(found)

    def _path(self, line: str, head: str) -> str:
        path = line.removeprefix(head).strip()
        if not path:
            raise self._wrong("names no file")
        return path

    def _move(self) -> str | None:
        if self._at < len(self._lines) and self._lines[self._at].startswith(_MOVE):
            self._at += 1
            return self._path(self._lines[self._at - 1], _MOVE)
        return None

    def _added(self) -> str:
        taken: list[str] = []
        while self._at < len(self._lines) and not self._lines[self._at].startswith("*** "):
            line = self._lines[self._at]
            self._at += 1
            if not line.startswith("+"):
                raise self._wrong("must begin with + in a new file")
            taken.append(line[1:])
        return "".join(f"{line}\n" for line in taken)

    def _hunks(self, path: str) -> tuple[Hunk, ...]:
        hunks: list[Hunk] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith("*** ") and line.strip() != _EOF:
                break
            hunks.append(self._hunk(first=not hunks))
        if not hunks and self._lines[self._at - 1].startswith(_UPDATE):
            raise ToolError(f"{path}: the patch has no hunk for it.")
        return tuple(hunks)

    def _hunk(self, *, first: bool) -> Hunk:
        anchors: list[str] = []
        while self._at < len(self._lines) and self._lines[self._at].startswith("@@"):
            anchor = self._lines[self._at][2:].strip()
            # A unified diff's positions say nothing that may be trusted.
            if anchor and not anchor.startswith("-"):
                anchors.append(anchor)
            self._at += 1
            first = True
        if not first:
            raise self._wrong("must begin a hunk with @@")
        taken: list[tuple[str, str]] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith(("@@", "*** ")):
                break
            self._at += 1
            mark, rest = line[:1], line[1:]
            if mark not in ("", " ", "+", "-"):
                raise self._wrong("must begin with a space, + or -")
            taken.append((mark or " ", rest))
        at_end = self._at < len(self._lines) and self._lines[self._at].strip() == _EOF
        self._at += at_end
        if not taken:
            raise self._wrong("ends a hunk without a line")
        return Hunk(tuple(anchors), tuple(taken), at_end)

    def _wrong(self, what: str) -> ToolError:
        number = max(self._at, 1)
        line = self._lines[number - 1] if number <= len(self._lines) else ""
        return ToolError(f"Line {self._before + number} of the patch {what}: {line[:80]!r}")
