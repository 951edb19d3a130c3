"""The variables a configuration may use: the process's own, then the state directory's `.env`, then the
file's `env` block, then a login shell's (login_shell.py). The earlier always wins, unless it is blank. The
process environment is never changed: the result is a mapping that everything later is given.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from openclaw_gateway.config.places import KeyPath, Problem
from openclaw_gateway.config.secrets.references import Unset
from openclaw_gateway.config.substitute import MissingVariable, substitute

# Possessive groups are left out on purpose: Python before 3.11.5 matches them wrongly.
_LINE = re.compile(
    r"""^[ \t]*+(?:export[ \t]++)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*+)[ \t]*+=[ \t]*+
    (?: '(?P<single>[^']*+)'
      | "(?P<double>(?:[^"\\]|\\.)*)"
      | (?P<bare>(?!['"])(?:[^\n#]|(?<![ \t=])\#)*) )
    [ \t]*+(?:\#[^\n]*+)?$""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_BLANK = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\n|\Z)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_dotenv(text: str) -> tuple[dict[str, str], list[int]]:
    """The variables, and the numbers of the lines that are none.

    NAME=value, optionally after `export`; # begins a comment at the line's start or after a space; in
    double quotes \\n, \\t and \\" count, in single quotes nothing does, and both may span lines.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found: dict[str, str] = {}
    strange: list[int] = []
    at = 0
    while at < len(text):
        blank = _BLANK.match(text, at)
        if blank and blank.end() > at:
            at = blank.end()
            continue
        line = _LINE.match(text, at)
        if line:
            found[line["name"]] = _value(line)
            at = line.end() + 1
            continue
        strange.append(text.count("\n", 0, at) + 1)
        end = text.find("\n", at)
        at = len(text) if end < 0 else end + 1
    return found, strange


def _value(line: re.Match[str]) -> str:
    if line["single"] is not None:
        return line["single"]
    if line["double"] is not None:
        return re.sub(r"(?s)\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), line["double"])
    return (line["bare"] or "").strip()


def layered(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Both; a name of `second` counts only where `first` has none or a blank one."""
    return {**first, **{name: value for name, value in second.items() if not first.get(name, "").strip()}}


class EnvBlock(Struct, frozen=True):
    """`unset` are the variables that need others which are not set: they are not set either."""

    variables: dict[str, str]
    problems: list[Problem]
    unset: dict[KeyPath, Unset]


def env_block(block: Any, environ: Mapping[str, str]) -> EnvBlock:
    """The variables of the file's `env` section: those under `vars` and those written directly in it."""
    found = EnvBlock({}, [], {})
    if not isinstance(block, dict):
        # The check of all keys says what is wrong with it.
        return found
    nested = block.get("vars", {})
    if not isinstance(nested, dict):
        found.problems.append(Problem(("env", "vars"), "must be an object"))
        nested = {}
    direct = {name: value for name, value in block.items() if name not in {"vars", "shellEnv"}}
    for prefix, names in ((("env",), direct), (("env", "vars"), nested)):
        for name, value in names.items():
            path = (*prefix, name)
            if not isinstance(value, str):
                found.problems.append(Problem(path, "must be text in quotes"))
                continue
            try:
                found.variables[name] = substitute(value, environ)
            except MissingVariable as missing:
                found.unset[path] = Unset(tuple(missing.names))
    return found
