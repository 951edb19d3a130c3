"""A unified diff as the lines of our own patch format. Pure.

Only what says something is kept: the files, and the lines of the hunks. Positions and counts are not trusted,
models count wrong.
"""

import re
from collections.abc import Iterator, Sequence

_HEAD = re.compile(r"--- (?P<path>.+)")
_NOISE = ("diff ", "index ", "new file mode", "deleted file mode", "similarity index", "old mode", "new mode")


def is_unified(lines: Sequence[str]) -> bool:
    """Whether two lines name a file before and after."""
    first = next((at for at, line in enumerate(lines) if not line.startswith(_NOISE)), None)
    return first is not None and _names_files(lines, first)


def from_unified(lines: Sequence[str]) -> list[str]:
    return list(_converted(lines))


def _converted(lines: Sequence[str]) -> Iterator[str]:
    at, adding, deleting = 0, False, False
    while at < len(lines):
        line = lines[at]
        if _names_files(lines, at):
            before, after = _path(line[4:]), _path(lines[at + 1][4:])
            adding, deleting = before is None, after is None
            if adding:
                yield f"*** Add File: {after}"
            elif deleting:
                yield f"*** Delete File: {before}"
            else:
                yield f"*** Update File: {before}"
                if after != before:
                    yield f"*** Move to: {after}"
            at += 2
            continue
        at += 1
        if line.startswith((*_NOISE, "\\ No newline", "```")) or deleting or (adding and line[:1] != "+"):
            continue
        yield line


def _names_files(lines: Sequence[str], at: int) -> bool:
    return _HEAD.match(lines[at]) is not None and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def _path(written: str) -> str | None:
    """Without a/ and b/ and a time behind a tab; None for no file."""
    path = written.partition("\t")[0].strip()
    if path == "/dev/null":
        return None
    return path[2:] if path[:2] in ("a/", "b/") else path
