"""What changed in a text, as a short unified diff. Pure.

Linear: common lines at both ends are taken off first, and what is left is compared line by line only while it
is small; a long one is shown by its beginning and counted.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

MOST_LINES = 24
_COMPARED = 120
_AROUND = 2
_WIDTH = 160


def short_diff(before: str, after: str) -> str:
    """Empty when nothing changed. Line ends are not shown."""
    old, new = before.splitlines(), after.splitlines()
    start = next(
        (at for at, (one, other) in enumerate(zip_longest(old, new)) if one != other), max(len(old), len(new))
    )
    end = 0
    most = min(len(old), len(new)) - start
    while end < most and old[-1 - end] == new[-1 - end]:
        end += 1
    removed, added = old[start : len(old) - end], new[start : len(new) - end]
    if not removed and not added:
        return ""
    if len(removed) + len(added) <= _COMPARED:
        changes = _compared(removed, added)
    else:
        changes = [*(f"-{line}" for line in removed[:_COMPARED]), *(f"+{line}" for line in added[:_COMPARED])]
    first = max(start - _AROUND, 0)
    lines = [*(f" {line}" for line in old[first:start]), *changes]
    lines += [f" {line}" for line in old[len(old) - end : len(old) - end + _AROUND]]
    shown = [_cut(line) for line in lines[:MOST_LINES]]
    left = max(len(lines), len(removed) + len(added)) - len(shown)
    if len(lines) > MOST_LINES:
        shown.append(f"[… {left} more lines of it]")
    return "\n".join((f"@@ line {first + 1} @@", *shown))


def _compared(removed: Sequence[str], added: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for what, a, b, c, d in SequenceMatcher(None, removed, added, autojunk=False).get_opcodes():
        if what == "equal":
            lines += (f" {line}" for line in removed[a:b])
        else:
            lines += (f"-{line}" for line in removed[a:b])
            lines += (f"+{line}" for line in added[c:d])
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…"
