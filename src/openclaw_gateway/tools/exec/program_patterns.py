"""A command against the operator's patterns: globs, with a slash on its real path, else on the name as typed.

Behind the program a pattern may have words: they are the first arguments, one by one (`npm test` allows
`npm test -- --watch`, not `npm run test`), and what follows them may be anything but what makes it another
command (widening). A denied one is met wherever these words stand in their order.
Pure: where a program is, the caller's `Resolve` says. Knows no options, and not what a command does.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from fnmatch import translate

from openclaw_gateway.tools.exec.listed.table import NAMES
from openclaw_gateway.tools.exec.runs_another import (
    WITH_SUBCOMMANDS,
    interprets,
    names_interpreter,
    option_that_runs,
    runs_another,
)
from openclaw_gateway.tools.exec.shell_words import Word
from openclaw_gateway.tools.exec.widening import widening

# The real path of a program as the shell would find it.
Resolve = Callable[[str], str | None]
_SUBCOMMAND = re.compile(r"[A-Za-z][\w:.@-]*")
# Behind these the next word says what is done.
_GO_DEEPER = frozenset(("run", "run-script", "exec", "compose", "tool", "x"))


def _fits(name: str, pattern: str) -> bool:
    return re.match(translate(pattern.lower()), name.lower()) is not None


def matching(words: Sequence[Word], patterns: tuple[str, ...], resolve: Resolve) -> tuple[str, ...]:
    """The patterns that allow a command."""
    first = words[0]
    if first.glob or "=" in first.text or not patterns:
        return ()
    path = resolve(first.text)
    if path is None:
        return ()
    return tuple(one for one in patterns if _allows(one, words, path))


def _allows(pattern: str, words: Sequence[Word], path: str) -> bool:
    name = words[0].text
    for program, arguments in _readings(pattern):
        plain = "/" not in name
        if not (plain or "/" in program) or not _fits(path if "/" in program else name, program):
            continue
        given, more = words[1 : 1 + len(arguments)], words[1 + len(arguments) :]
        if len(given) < len(arguments) or not all(map(_argument_fits, given, arguments)):
            continue
        if not arguments or widening((name, path), more) is None:
            return True
    return False


def _argument_fits(word: Word, pattern: str) -> bool:
    return not word.glob and re.match(translate(pattern), word.text) is not None


def words_of(pattern: str) -> tuple[str, ...]:
    """The program and the first arguments that a pattern names."""
    try:
        return tuple(shlex.split(pattern)) or (pattern,)
    except ValueError:
        return (pattern,)


def _readings(pattern: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    program, *arguments = words_of(pattern)
    yield program, tuple(arguments)
    if arguments and pattern.startswith(("/", "*")):
        # A path with blanks, as the older files have it.
        yield pattern, ()


def denied(words: Sequence[Word], patterns: tuple[str, ...], resolve: Resolve) -> bool:
    """By every name it has: denying is generous."""
    first = words[0]
    if not patterns:
        return False
    return first.glob or any(
        denies((program,), first.text, resolve) and _in_order(arguments, words[1:])
        for pattern in patterns
        for program, arguments in _readings(pattern)
    )


def _in_order(arguments: tuple[str, ...], words: Sequence[Word]) -> bool:
    waiting = iter(words)
    return all(
        any(word.glob or re.match(translate(one), word.text) is not None for word in waiting)
        for one in arguments
    )


def denies(patterns: tuple[str, ...], program: str, resolve: Resolve) -> bool:
    """Whether one of them, each a program without arguments, is a name of this one."""
    path = resolve(program) or program
    names = {program, program.rpartition("/")[2], path, path.rpartition("/")[2]}
    return any(_fits(name, one) for one in patterns for name in names)


def suggestion(words: Sequence[Word], resolve: Resolve) -> str | None:
    """The narrowest pattern that allows the command; None where only one would that allows everything."""
    first, *rest = words
    path = resolve(first.text)
    if path is None or runs_another(path) or runs_another(first.text):
        return None
    program = shlex.quote(first.text if "/" not in first.text else path)
    name = first.text.rpartition("/")[2]
    given = [word.text for word in rest[:2] if not word.glob]
    if option_that_runs(name) or option_that_runs(path):
        return None
    if interprets(name) or interprets(path):
        return _for_interpreter(program, given)
    if name not in WITH_SUBCOMMANDS:
        return program
    if not given or not _SUBCOMMAND.fullmatch(given[0]):
        return None
    deeper = given[0] in _GO_DEEPER and len(given) > 1 and _SUBCOMMAND.fullmatch(given[1])
    return " ".join((program, *given[: 2 if deeper else 1]))


def _for_interpreter(program: str, given: list[str]) -> str | None:
    """A module or a script, never whatever text comes next."""
    if len(given) > 1 and given[0] == "-m" and _SUBCOMMAND.fullmatch(given[1]):
        return f"{program} -m {given[1]}"
    if given and not given[0].startswith("-") and re.search(r"[./]", given[0]):
        return f"{program} {shlex.quote(given[0])}"
    return None


def loosens(pattern: str) -> bool:
    """Whether what only looked may do anything once `pattern` is allowed."""
    program, *arguments = words_of(pattern)
    return not arguments and any(_fits(name, program.rpartition("/")[2]) for name in NAMES)


def covers_nothing(pattern: str) -> bool:
    """Whether `pattern` names a program that no pattern allows, because it runs others for the asking."""
    return runs_another(words_of(pattern)[0])


def opens_everything(pattern: str) -> bool:
    """Whether with it an agent may run whatever it writes: an interpreter without a module or script, or any
    program at all."""
    program, *arguments = words_of(pattern)
    name = program.rpartition("/")[2]
    if names_interpreter(name):
        return not arguments or arguments[0].startswith(("*", "?", "[", "-c", "-e")) or arguments == ["-m"]
    return any(_fits(one, name) for one in ("sh", "bash", "python3", "perl"))


def opened_by(pattern: str) -> str | None:
    """What is to be known before `pattern` is allowed, as sentences: it says more than its words. None where
    it does not."""
    program = words_of(pattern)[0]
    if opens_everything(pattern) and not names_interpreter(program.rpartition("/")[2]):
        return (
            f"{pattern!r} allows every command but those of interpreters and of what runs others, with all "
            "that the gateway's account may do. Narrower are the names of the programs that are meant."
        )
    if opens_everything(pattern):
        return (
            f"{program} runs whatever it is given, so that {pattern!r} allows every command, with all that "
            "the gateway's account may do. Narrower is the program with its module or script, such as "
            "'python3 -m pytest' or 'bash build.sh'."
        )
    if option := option_that_runs(program):
        return (
            f"{program} runs what one of its options names ({option}), so that {pattern!r} allows every "
            "command, with all that the gateway's account may do."
        )
    if covers_nothing(pattern):
        return (
            f"{program} makes other programs run, and would be an allow for all of them; therefore no "
            "pattern covers it, and those programs are allowed by their own names."
        )
    return None
