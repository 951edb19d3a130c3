"""Whether a command only looks. Pure: the commands and their options stand in table.py.

Paths must stay in the workspace; that a path is no link out of it is checked by whoever runs the command.
"""

import re
from collections.abc import Callable, Iterator

from openclaw_gateway.fs.below import below
from openclaw_gateway.tools.exec.listed.options import Refusal, options_refusal
from openclaw_gateway.tools.exec.listed.table import DATE, FIND, GIT, TABLE
from openclaw_gateway.tools.exec.shell_words import Word

_UPWARDS = "a path with `..`"
_ABSOLUTE = "an absolute path outside the workspace"
# The refusals that are about where a path leads, not about what the command does.
PATHS: frozenset[Refusal] = frozenset((_UPWARDS, _ABSOLUTE))


def refusal(words: tuple[Word, ...], root: str) -> Refusal | None:
    """Why this command is more than looking, or None. Absolute paths may lead into `root`, the workspace."""
    name, arguments = words[0].text, words[1:]
    if any(
        word.glob and not word.inert and word.text.startswith("-") and "=" not in _before_glob(word)
        for word in arguments
    ):
        return "an option with an unquoted * or ? in it"
    if name == "echo":
        arguments = tuple(word for word in arguments if word.glob)
    why = _CHECKS[name](arguments) if name in _CHECKS else _by_table(name, arguments)
    free = name in TABLE and TABLE[name].free
    return why or (None if free else _paths(arguments, root))


def path_like(words: tuple[Word, ...]) -> Iterator[str]:
    """What of a command could be a path, for the check of links."""
    name = words[0].text
    opens = name != "echo" and not (name in TABLE and TABLE[name].free)
    for word in words[1:]:
        if not opens or word.inert:
            continue
        yield word.text
        if word.text.startswith("-"):
            _, mark, value = word.text.partition("=")
            if mark:
                yield value
            for start in range(2, min(len(word.text), 4)):
                yield word.text[start:]


def _by_table(name: str, words: tuple[Word, ...]) -> Refusal | None:
    if name not in TABLE:
        return f"`{name}` is not on the list of commands that only look"
    return options_refusal(TABLE[name], words)


def _jq(words: tuple[Word, ...]) -> Refusal | None:
    if any(re.search("import|include|modulemeta", word.text) for word in words):
        return "jq's import, include and modulemeta"
    return options_refusal(TABLE["jq"], words)


def _value(option: str) -> str:
    """What stands in an option's own word: --name=VALUE, -xVALUE (from its first slash on)."""
    if option.startswith("--"):
        return option.partition("=")[2]
    return option[option.find("/") :] if "/" in option else ""


def _paths(words: tuple[Word, ...], root: str) -> Refusal | None:
    for word in words:
        if word.inert:
            continue
        texts = [word.text]
        if word.text.startswith("-"):
            texts.append(_value(word.text))
        for text in texts:
            if ".." in re.split(r"[/=:]", text):
                return _UPWARDS
            if text.startswith("/") and not below(text, root):
                return _ABSOLUTE
    return None


def _date(words: tuple[Word, ...]) -> Refusal | None:
    """Without + in front an argument would set the clock."""
    if any(not word.text.startswith(("+", "-")) for word in words):
        return "an argument that is no +FORMAT (write --date=TEXT)"
    return options_refusal(DATE, words)


def _find(words: tuple[Word, ...]) -> Refusal | None:
    for word in words:
        if word.inert:
            continue
        text = word.text
        # A number, as in -mtime -1, is a value; no option looks like that.
        if text.startswith("-") and text not in FIND and not re.fullmatch(r"-\d+[a-zA-Z]?", text):
            return f"find's {text}"
    return None


def _command(words: tuple[Word, ...]) -> Refusal | None:
    """`command -v NAME` says where it is; without -v it runs it."""
    if not words or words[0].text not in ("-v", "-V"):
        return "a command to run (write that command itself)"
    return "another option" if any(word.text.startswith("-") for word in words[1:]) else None


def _git(words: tuple[Word, ...]) -> Refusal | None:
    while words and words[0].text == "--no-pager":
        words = words[1:]
    if not words:
        return "git without a subcommand"
    options = GIT.get(words[0].text)
    if options is None:
        return f"git {words[0].text}"
    return options_refusal(options, words[1:])


def _before_glob(word: Word) -> str:
    return re.split(r"[*?\[]", word.text, maxsplit=1)[0]


_CHECKS: dict[str, Callable[[tuple[Word, ...]], Refusal | None]] = {
    "command": _command,
    "date": _date,
    "echo": lambda _: None,
    "find": _find,
    "git": _git,
    "jq": _jq,
}
