"""Globs over relative paths: `*` and `?` stay inside a name, `**` goes through directories. Pure.

Linear in pattern times path: each name is matched on its own (fnmatch's patterns do not backtrack), and the
names against the pattern's parts by a table, so no pattern can be made slow.
"""

import fnmatch
import re
from collections.abc import Callable

_Step = Callable[[str], object] | None


def matcher(pattern: str) -> Callable[[str], bool]:
    """A pattern without a slash matches the name in any directory, as people expect of `*.py`."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if len(parts) == 1 and not pattern.startswith("/"):
        parts.insert(0, "**")
    steps: list[_Step] = [
        None if part == "**" else re.compile(fnmatch.translate(part)).match for part in parts
    ]

    def matches(path: str) -> bool:
        reached = {0}
        for name in path.split("/"):
            reached = _advance(steps, _past_stars(steps, reached), name)
            if not reached:
                return False
        return len(steps) in _past_stars(steps, reached)

    return matches


def _past_stars(steps: list[_Step], reached: set[int]) -> set[int]:
    """`**` may also stand for no directory at all."""
    more = set(reached)
    for index in sorted(reached):
        while index < len(steps) and steps[index] is None:
            index += 1  # noqa: PLW2901  the same step, further on
            more.add(index)
    return more


def _advance(steps: list[_Step], reached: set[int], name: str) -> set[int]:
    after: set[int] = set()
    for index in reached:
        if index == len(steps):
            continue
        step = steps[index]
        if step is None:
            after.add(index)
        elif step(name):
            after.add(index + 1)
    return after


def with_braces(pattern: str, limit: int = 64) -> list[str]:
    """`*.{ts,tsx}` as the patterns it stands for, at most `limit`."""
    done: list[str] = []
    pending = [pattern]
    while pending and len(done) < limit:
        one = pending.pop(0)
        match = re.search(r"\{([^{}]*,[^{}]*)\}", one)
        if match is None:
            done.append(one)
        else:
            pending.extend(one[: match.start()] + part + one[match.end() :] for part in match[1].split(","))
            del pending[limit:]
    return done
