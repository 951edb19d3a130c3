"""What a person is shown when a command needs his consent, and what his yes may be remembered as.

A yes is for exactly what was shown: the same words in the same folder, with the same variables, by programs
whose files have not changed since; of interpreters also the files that they are given, by name. Blocks: it
looks at these files. Asks nobody.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from openclaw_gateway.config.schema import ExecAsk, ExecSecurity
from openclaw_gateway.tools.exec.allowlist import Allowed, Refused, Rules, decide
from openclaw_gateway.tools.exec.program_patterns import Resolve, opened_by
from openclaw_gateway.tools.exec.runs_another import interprets
from openclaw_gateway.tools.exec.shell_words import Segment

# More than that nobody reads before he answers.
MAX_SHOWN = 4_000
_MAX_FILES = 64
# Letters and marks by Unicode's classes, but drawn as nothing or as a blank (Default_Ignorable_Code_Point of
# DerivedCoreProperties.txt, and the empty Braille pattern).
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


class Stamp(Struct, frozen=True):
    """A file as it was when it was shown; `state` is what changes with it."""

    path: str
    state: tuple[int, ...] = ()


class Shown(Struct, frozen=True):
    """`variables` are those that the call sets. Equal if and only if the same thing would run."""

    command: str
    argv: tuple[str, ...] | None
    cwd: str
    programs: tuple[Stamp, ...]
    files: tuple[Stamp, ...]
    variables: tuple[tuple[str, str], ...]


class Unasked(Struct, frozen=True):
    """A command that is to be asked about. `patterns` are the rules that would allow it from now on; none
    where they would say more than the question does. `each_time`: nothing is remembered."""

    shown: Shown
    reason: str
    patterns: tuple[str, ...]
    each_time: bool
    security: ExecSecurity
    ask: ExecAsk


def shown(
    allowed: Allowed, cwd: Path, start: Path, variables: Mapping[str, str], resolve: Resolve
) -> Shown | None:
    """`start` is where its first part runs once cd has worked. None for what cannot be shown whole."""
    parts = allowed.parts
    paths = dict.fromkeys(filter(None, (resolve(part.words[0].text) for part in parts)))
    seen = (allowed.command, str(cwd), *paths)
    if any(len(text) > MAX_SHOWN or not _seen(text) for text in seen):
        return None
    if any(_interpreted(part, resolve) and any(word.glob for word in part.words) for part in parts):
        # Which scripts it would be given by then, nobody could say.
        return None
    argv = None
    if len(parts) == 1 and not any(word.glob for word in parts[0].words):
        argv = tuple(word.text for word in parts[0].words)
    files = dict.fromkeys(path for part in parts for path in _given_files(part, cwd, start, resolve))
    if len(files) > _MAX_FILES:
        return None
    return Shown(
        allowed.command,
        argv,
        str(cwd),
        tuple(map(_stamp, paths)),
        tuple(map(_stamp, files)),
        tuple(sorted(variables.items())),
    )


def patterns_for(
    command: str, needed: Allowed, rules: Rules, *, resolve: Resolve, root: str
) -> tuple[str, ...]:
    """The narrowest rules that would have allowed it; none where there are no such rules, or where one would
    open more than `approvals allow` writes without --yes."""
    found = [refused.pattern for _, refused in needed.by_consent]
    patterns = tuple(dict.fromkeys(filter(None, found)))
    if not patterns or None in found or any(opened_by(one) for one in patterns):
        return ()
    then = msgspec.structs.replace(rules, allow=(*rules.allow, *patterns))
    return patterns if isinstance(decide(command, then, resolve=resolve, root=root), Allowed) else ()


def why(needed: Allowed, unasked: Allowed | Refused) -> str:
    """Why somebody is asked, as a sentence without its end."""
    reasons = dict.fromkeys(refused.reason for _, refused in needed.by_consent)
    if reasons:
        return "; ".join(reasons)
    return unasked.reason if isinstance(unasked, Refused) else "every command needs a person's consent"


def _seen(text: str) -> bool:
    """Whether each of its characters is one that a person sees: two names that look alike are one to him."""
    return text.isprintable() and _UNSEEN.search(text) is None


def _interpreted(part: Segment, resolve: Resolve) -> bool:
    name = part.words[0].text
    return interprets(name) or interprets(resolve(name) or "")


def _given_files(part: Segment, cwd: Path, start: Path, resolve: Resolve) -> Iterator[str]:
    """The scripts of an interpreter."""
    if _interpreted(part, resolve):
        for word in part.words[1:]:
            for folder in dict.fromkeys((cwd, start)):
                path = os.path.join(folder, word.text)  # noqa: PTH118  text in, text out
                if len(path) < 4096 and _regular(path):
                    yield path


def _regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116  text in
    except (OSError, ValueError):
        return False


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116  text in
    except OSError:
        return Stamp(path)
    return Stamp(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
