"""A program against the operator's patterns: globs, with a slash on its real path, else on the name as typed.

Pure: where a program is, the caller's `Resolve` says. Knows no options, and not what a command does.
"""

import re
from collections.abc import Callable
from fnmatch import translate

from openclaw_gateway.tools.listed.table import NAMES
from openclaw_gateway.tools.runs_another import runs_another
from openclaw_gateway.tools.shell_words import Word

# The real path of a program as the shell would find it.
Resolve = Callable[[str], str | None]


def _fits(name: str, pattern: str) -> bool:
    return re.match(translate(pattern.lower()), name.lower()) is not None


def matching(first: Word, patterns: tuple[str, ...], resolve: Resolve) -> tuple[str, ...]:
    """The patterns that allow a program."""
    if first.glob or "=" in first.text or not patterns:
        return ()
    path = resolve(first.text)
    if path is None:
        return ()
    plain = "/" not in first.text
    return tuple(
        one for one in patterns if (plain or "/" in one) and _fits(path if "/" in one else first.text, one)
    )


def denied(first: Word, patterns: tuple[str, ...], resolve: Resolve) -> bool:
    """By every name it has: denying is generous."""
    return bool(patterns) and (first.glob or denies(patterns, first.text, resolve))


def denies(patterns: tuple[str, ...], program: str, resolve: Resolve) -> bool:
    path = resolve(program) or program
    names = {program, program.rpartition("/")[2], path, path.rpartition("/")[2]}
    return any(_fits(name, one) for one in patterns for name in names)


def suggestion(first: Word, resolve: Resolve) -> str | None:
    """The narrowest pattern that names the program."""
    path = resolve(first.text)
    if path is None or runs_another(path):
        return None
    return first.text if "/" not in first.text else path


def loosens(pattern: str) -> bool:
    """Whether what only looked may do anything once `pattern` is allowed."""
    return any(_fits(name, pattern.rpartition("/")[2]) for name in NAMES)


def covers_nothing(pattern: str) -> bool:
    """Whether `pattern` names a program that no pattern allows, because it runs others for the asking."""
    return runs_another(pattern)
