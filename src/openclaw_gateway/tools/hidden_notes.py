"""Whether a command that only looks would show notes of others: file tools do not, and neither shall it.

Cautious: a command that goes through folders by itself is taken to show all that is below where it begins,
and git, which keeps what was, to show everything. It looks at the disk; call it on a thread.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from openclaw_gateway.tools.below import below
from openclaw_gateway.tools.listed.judgement import path_like
from openclaw_gateway.tools.shell_words import Segment, Word

_WALKERS = frozenset({"find", "rg", "tree", "du"})
_RECURSIVE = {"grep": "rR", "egrep": "rR", "fgrep": "rR", "ls": "R", "diff": "r"}


def shows(looks: Iterable[Segment], cwd: Path, inside: Path, notes: Path) -> bool:
    """`notes` is the folder; with nothing in it there is nothing to show."""
    hidden = os.path.realpath(notes)
    try:
        if not any(Path(hidden).iterdir()):
            return False
    except OSError:
        return False
    return any(_one(part, cwd if part.words[0].text == "cd" else inside, hidden) for part in looks)


def _one(segment: Segment, directory: Path, hidden: str) -> bool:
    name, *words = segment.words
    if name.text == "git":
        return True
    places = list(_places(segment, directory))
    if any(below(place, hidden) for place in (*places, os.path.realpath(directory))):
        return True
    if name.text not in _WALKERS and not _recursive(name.text, words):
        return False
    return any(below(hidden, place) for place in places or [os.path.realpath(directory)])


def _places(segment: Segment, directory: Path) -> Iterator[str]:
    """What of its words is there, without links. (A pattern is none of them: a listed command takes none.)"""
    for text in path_like(segment.words):
        whole = os.path.join(directory, text)  # noqa: PTH118  text in, text out
        if "\0" not in whole and os.path.lexists(whole):
            yield os.path.realpath(whole)


def _recursive(name: str, words: list[Word]) -> bool:
    letters = _RECURSIVE.get(name, "")
    return bool(letters) and any(
        word.text.startswith("--rec")
        or word.text.startswith("--deref")
        or (word.text.startswith("-") and not word.text.startswith("--") and set(word.text) & set(letters))
        for word in words
    )
