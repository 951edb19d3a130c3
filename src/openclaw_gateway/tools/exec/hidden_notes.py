"""Whether a command that only looks would show notes of others: file tools do not, and neither shall it.

Cautious: a command that goes through folders by itself is taken to show all that is below where it begins,
and git, which keeps what was, to show everything. It looks at the disk; call it on a thread.
"""

import os
from collections.abc import Iterable, Iterator
from itertools import dropwhile, takewhile
from pathlib import Path

from openclaw_gateway.fs.below import below
from openclaw_gateway.tools.exec.listed.judgement import path_like
from openclaw_gateway.tools.exec.listed.table import TABLE
from openclaw_gateway.tools.exec.shell_words import Segment, Word

_RECURSIVE = {"grep": "rR", "egrep": "rR", "fgrep": "rR", "ls": "R"}
_SEARCHES = frozenset({"grep", "egrep", "fgrep", "rg"})


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
    here = os.path.realpath(directory)
    if any(below(place, hidden) for place in (here, *_places(path_like(segment.words), directory))):
        return True
    if name.text not in ("find", "rg", "du") and not _recursive(name.text, words):
        return False
    begins = _before_tests(words) if name.text == "find" else _operands(name.text, words)
    return any(below(hidden, place) for place in list(_places(begins, directory)) or [here])


def _places(texts: Iterable[str], directory: Path) -> Iterator[str]:
    """What of them is there, without links. (A pattern is none of them: a listed command takes none.)"""
    for text in texts:
        whole = os.path.join(directory, text)  # noqa: PTH118  text in, text out
        if "\0" not in whole and os.path.lexists(whole):
            yield os.path.realpath(whole)


def _before_tests(words: Iterable[Word]) -> Iterator[str]:
    """Where find begins."""
    texts = dropwhile(lambda text: text == "-P", (word.text for word in words))
    return takewhile(lambda text: not text.startswith(("-", "(", ")", "!", ",")), texts)


def _operands(name: str, words: Iterable[Word]) -> list[str]:
    """The words that can only be files or folders: no option, no option's value, not what is searched for."""
    options, found = TABLE[name], list[str]()
    valued, takes = options.valued, options.takes.split()
    searched, taken = name not in _SEARCHES, False
    for text in (word.text for word in words):
        if not text.startswith("-") or text == "-":
            if not taken:
                found.append(text)
            taken = False
            continue
        if text.startswith("--"):
            option, mark, _ = text[2:].partition("=")
            searched = searched or (option in ("regexp", "files") and not taken)
            taken = not mark and option in takes
        else:
            letter = next((each for each in text[1:] if each in valued), "")
            searched = searched or (letter == "e" and not taken)
            taken = bool(letter) and text.index(letter, 1) == len(text) - 1
    return found if searched else found[1:]


def _recursive(name: str, words: list[Word]) -> bool:
    letters = _RECURSIVE.get(name, "")
    return bool(letters) and any(
        word.text.startswith("--rec")
        or word.text.startswith("--deref")
        or (word.text.startswith("-") and not word.text.startswith("--") and set(word.text) & set(letters))
        for word in words
    )
