"""The patch format of `apply_patch`, as data, and what a patch makes of a text. Pure.

    *** Begin Patch
    *** Add File: path            followed by +lines
    *** Delete File: path
    *** Update File: path         optionally *** Move to: path, then hunks
    @@ optional line to look for
     context / -removed / +added
    *** End Patch

A hunk's old lines are looked for from where the last hunk ended: exactly, then without trailing white space,
then without any at both ends.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from openclaw_gateway.tools.base import ToolError
from openclaw_gateway.tools.line_search import Budget, LineSearch

_BEGIN, _END = "*** Begin Patch", "*** End Patch"
_ADD, _DELETE, _UPDATE = "*** Add File: ", "*** Delete File: ", "*** Update File: "
MAX_CHANGES = 100
_MOVE, _EOF = "*** Move to: ", "*** End of File"


class Hunk(Struct, frozen=True):
    """`anchors` are lines that come before it; `at_end` it must match at the end of the file."""

    anchors: tuple[str, ...]
    old: tuple[str, ...]
    new: tuple[str, ...]
    at_end: bool = False


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
    if head is None or lines[head].strip() != _BEGIN:
        raise ToolError(f"The patch must begin with the line `{_BEGIN}`.")
    lines = lines[head:]
    end = next((i for i, line in enumerate(lines) if line.strip() == _END), None)
    if end is None:
        raise ToolError(f"The patch must end with the line `{_END}`.")
    changes = _Parser(lines[1:end]).changes()
    if not changes:
        raise ToolError("The patch holds no change.")
    if len(changes) > MAX_CHANGES:
        raise ToolError(
            f"The patch changes {len(changes)} files, at most {MAX_CHANGES} are taken; divide it."
        )
    named = Counter(path for change in changes for path in _paths(change))
    twice = next((path for path, count in named.items() if count > 1), None)
    if twice is not None:
        raise ToolError(f"The patch names {twice} twice; put all its hunks under one `{_UPDATE.strip()}`.")
    return changes


def apply_hunks(text: str, hunks: Sequence[Hunk], path: str, budget: Budget) -> str:
    """Raises ToolError when a hunk does not fit, or looking for it spends the budget."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").split("\n")
    ended = lines and lines[-1] == ""
    if ended:
        lines.pop()
    search = _Search(lines, [line for hunk in hunks for line in (*hunk.anchors, *hunk.old)], budget)
    # What is before `at` is written to `made`; hunks only look forward, so the rest is as it was.
    made: list[str] = []
    at = 0
    for number, hunk in enumerate(hunks, 1):
        found = at
        for anchor in hunk.anchors:
            anchored = search.find((anchor,), found)
            if anchored is None:
                raise ToolError(f"{path}: hunk {number}: there is no line {anchor!r}. Read the file again.")
            found = anchored + 1
        if hunk.old:
            place = search.find_last(hunk.old, found) if hunk.at_end else search.find(hunk.old, found)
        else:
            place = found if hunk.anchors else len(lines)
        if place is None:
            raise ToolError(
                f"{path}: hunk {number} does not fit; its old lines begin with {hunk.old[0]!r}. "
                "Read the file again."
            )
        made += lines[at:place]
        made += hunk.new
        at = place + len(hunk.old)
    made += lines[at:]
    return newline.join(made) + (newline if made and (ended or not text) else "")


def _paths(change: Change) -> tuple[str, ...]:
    moved = (change.move_to,) if isinstance(change, Update) and change.move_to else ()
    return (change.path, *moved)


_WAYS: tuple[Callable[[str], str], ...] = (lambda line: line, str.rstrip, str.strip)


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
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
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
        old: list[str] = []
        new: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith(("@@", "*** ")):
                break
            self._at += 1
            mark, rest = line[:1], line[1:]
            if mark not in ("", " ", "+", "-"):
                raise self._wrong("must begin with a space, + or -")
            if mark != "+":
                old.append(rest)
            if mark != "-":
                new.append(rest)
        at_end = self._at < len(self._lines) and self._lines[self._at].strip() == _EOF
        self._at += at_end
        if not old and not new:
            raise self._wrong("ends a hunk without a line")
        return Hunk(tuple(anchors), tuple(old), tuple(new), at_end)

    def _wrong(self, what: str) -> ToolError:
        number = max(self._at, 1)
        line = self._lines[number - 1] if number <= len(self._lines) else ""
        return ToolError(f"Line {number + 1} of the patch {what}: {line[:80]!r}")
