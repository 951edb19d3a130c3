"""What is added to a listed command so that no file decides what it does. Pure.

A listed command runs with its words as they were judged and with these: options that keep it from reading
settings, and variables in front of it, for it alone; a program that the operator allowed by name has his own.
"""

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from openclaw_gateway.tools.exec.shell_words import Segment, Word

# They read files of a home, which may be a folder that agents write to.
_NO_HOME = {"HOME": os.devnull}
_VARIABLES: dict[str, dict[str, str]] = {
    "git": _NO_HOME
    | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        # A partial clone would fetch what is missing, by whatever its remote names.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    },
    "file": _NO_HOME,
    "jq": _NO_HOME,
    "rg": _NO_HOME,
}
_OPTIONS: dict[str, tuple[str, ...]] = {
    # A list of names to ignore that is a link would be shown in what rg says about its faults.
    "sed": ("--sandbox",),
    "rg": ("--no-config", "--no-ignore-messages", "--no-ignore-global"),
}
# Drivers that attributes name, and submodules, whose own settings a git of their own would obey.
_DIFFS = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
_GIT_OPTIONS: dict[str, tuple[str, ...]] = {
    "diff": _DIFFS,
    "log": _DIFFS,
    "show": _DIFFS,
    "blame": ("--no-textconv",),
    "status": ("--ignore-submodules=all",),
}


class GitPlace(Struct, frozen=True):
    """What git is told instead of looking for it."""

    git_dir: Path
    work_tree: Path


def all_hardened(
    parts: Iterable[Segment], looks: Iterable[Segment], place: GitPlace | None
) -> tuple[Segment, ...]:
    """`parts`, those of them hardened that are among the `looks`."""
    listed = frozenset(looks)
    return tuple(hardened(part, place) if part in listed else part for part in parts)


def hardened(segment: Segment, place: GitPlace | None) -> Segment:
    """`place` is there when the command is git."""
    name, *arguments = segment.words
    variables = dict(_VARIABLES.get(name.text, {}))
    added = _OPTIONS.get(name.text, ())
    before: list[Word] = []
    if name.text == "git" and place is not None:
        variables |= {"GIT_DIR": str(place.git_dir), "GIT_WORK_TREE": str(place.work_tree)}
        # The options of a sub-command stand behind its name, which stands behind those of git itself.
        while arguments and (not before or before[-1].text.startswith("-")):
            before.append(arguments.pop(0))
        added = _GIT_OPTIONS.get(before[-1].text, ()) if before else ()
    words = (name, *before, *(Word(option, option) for option in added), *arguments)
    return in_front(msgspec.structs.replace(segment, words=words), variables)


def in_front(segment: Segment, variables: Mapping[str, str]) -> Segment:
    """The command with variables for it alone."""
    given = (Word(f"{key}={value}", f"{key}={shlex.quote(value)}") for key, value in variables.items())
    return msgspec.structs.replace(segment, words=(*given, *segment.words))
