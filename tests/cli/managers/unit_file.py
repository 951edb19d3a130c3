"""Reads a unit as systemd does (systemd.syntax(7), systemd.service(5)), and refuses what it refuses."""

import re
from pathlib import Path

_DIRECTIVES = {
    "Unit": {"Description", "StartLimitIntervalSec", "StartLimitBurst"},
    "Service": {
        *("Type", "ExecStart", "ExecReload", "WorkingDirectory", "Environment", "Restart", "RestartSec"),
        *("RestartPreventExitStatus", "TimeoutStopSec", "KillMode", "OOMPolicy", "LimitCORE"),
    },
    "Install": {"WantedBy"},
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "s": " "}
Unit = dict[str, list[str]]


class Refused(Exception):
    """What systemd says of it."""


def parse(text: str) -> Unit:
    """Every value of each directive, by "Section.Directive"."""
    found: Unit = {}
    section = ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if not line.strip() or line[0] in "#;":
            continue
        if line[0] == "[":
            section = line.strip("[]")
            continue
        name, separator, value = line.partition("=")
        if not separator or name not in _DIRECTIVES.get(section, ()):
            raise Refused(f"Unknown key name '{name}' in section '{section}', ignoring.")
        found.setdefault(f"{section}.{name}", []).append(value.strip())
    return found


def words(text: str) -> list[str]:
    """Split, unquoted and unescaped; specifiers are expanded."""
    found, word, quote, at = [], None, "", 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            escape = text[at + 1 : at + 2]
            if escape not in _ESCAPES:
                raise Refused("Ignoring unknown escape sequences")
            word = (word or "") + _ESCAPES[escape]
            at += 1
        elif quote:
            if char == quote:
                quote = ""
            else:
                word = (word or "") + char
        elif char in "\"'":
            quote, word = char, word or ""
        elif char.isspace():
            if word is not None:
                found.append(word)
            word = None
        else:
            word = (word or "") + char
        at += 1
    if quote:
        raise Refused("Unbalanced quoting, ignoring")
    return [specified(each) for each in ([*found, word] if word is not None else found)]


def specified(text: str) -> str:
    def expanded(found: re.Match[str]) -> str:
        if found[1] != "%":
            raise Refused(f"Failed to resolve unit specifiers in {text}")
        return "%"

    return re.sub(r"%(.?)", expanded, text)


def command(unit: Unit, environ: dict[str, str]) -> list[str]:
    (line,) = unit["Service.ExecStart"]
    program, *rest = words(line)
    if not program.startswith("/") or set(program) & set("\"'\\"):
        raise Refused(f"Neither a valid executable name nor an absolute path: {program}")
    if not Path(program).exists():
        raise Refused(f"Failed to execute {program}: No such file or directory")

    def variable(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else environ.get(found[1], "")

    return [program, *(re.sub(r"\$\$|\$\{?(\w+)\}?", variable, word) for word in rest)]


def environment(unit: Unit) -> dict[str, str]:
    found = {}
    for line in unit.get("Service.Environment", ()):
        for word in words(line):
            name, separator, value = word.partition("=")
            if not separator or not re.fullmatch(r"[A-Za-z_]\w*", name):
                raise Refused(f"Invalid environment assignment, ignoring: {word}")
            found[name] = value
    return found
