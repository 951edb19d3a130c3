"""What behind an allowed `npm test` makes it another command: options that name a program, another place or
other settings. Pure.

Of the programs that are allowed with arguments most often; what they make of the files of their folder is
theirs, and stays so. git has rules of its own (allowed_git).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

from openclaw_gateway.tools.exec.shell_words import Word

# Any beginning of a long name counts, where the program takes that for the whole.
_NPM = tuple(
    """prefix script-shell shell userconfig globalconfig node-options location global git editor viewer
    browser node-gyp python package call init-module onload-script scripts-prepend-node-path""".split()  # noqa: SIM905
)
# What stands behind a script's name is the script's, but for these.
_OTHERS_OF_NODE = ("prefix", "dir", "cwd", "script-shell", "use-yarnrc", "userconfig", "global")
_MAKE = ("file", "makefile", "directory", "include-dir", "eval")
_CARGO = ("config", "manifest-path", "lockfile-path")
_GO = frozenset(
    "exec toolexec C modfile overlay vettool ldflags gcflags asmflags gccgoflags o pkgdir".split()  # noqa: SIM905
)
_FOR_THE_SCRIPT = frozenset(("--", "-args", "--args"))


def widening(programs: Iterable[str], words: Sequence[Word]) -> str | None:
    """The first of the words behind those allowed that an allow with arguments does not cover. `programs` are
    the names or paths of the one program."""
    for program in programs:
        # npm is a link to npm-cli.js.
        check = _PROGRAMS.get(re.split(r"[.-]", program.rpartition("/")[2].lower())[0])
        if check is None:
            continue
        read = words if check is _make else takewhile(lambda word: word.text not in _FOR_THE_SCRIPT, words)
        for word in read:
            # A file may be called like an option, or like SHELL=evil.
            if check(word.text) or (word.glob and "/" not in re.split(r"[*?\[]", word.text, maxsplit=1)[0]):
                return word.text.partition("=")[0]
    return None


def _begins(option: str, names: Sequence[str]) -> bool:
    return bool(option) and any(one.startswith(option) for one in names)


def _npm(word: str) -> bool:
    """It does not count the dashes."""
    return word.startswith("-") and _of_node(word.lstrip("-"), _NPM)


def _other_of_node(word: str) -> bool:
    return word.startswith("-") and _of_node(word.removeprefix("-").removeprefix("-"), _OTHERS_OF_NODE)


def _of_node(option: str, names: Sequence[str]) -> bool:
    option = option.partition("=")[0]
    if option[:1] == "C" or len(option) == 1:
        return option[0] in "Cgcp"
    return _begins(option.lower(), names)


def _make(word: str) -> bool:
    """A variable may be any program, SHELL first of all, and -- ends no variables."""
    if word.startswith("--"):
        return _begins(word[2:].partition("=")[0], _MAKE)
    return "=" in word or (word.startswith("-") and any(letter in word for letter in "fCIE"))


def _cargo(word: str) -> bool:
    return word.removeprefix("--").partition("=")[0] in _CARGO or word[:2] in ("-C", "-Z")


def _go(word: str) -> bool:
    return word.startswith("-") and word.lstrip("-").partition("=")[0] in _GO


_PROGRAMS: dict[str, Callable[[str], bool]] = {
    "npm": _npm,
    "pnpm": _other_of_node,
    "yarn": _other_of_node,
    "bun": _other_of_node,
    "make": _make,
    "gmake": _make,
    "cargo": _cargo,
    "go": _go,
}
