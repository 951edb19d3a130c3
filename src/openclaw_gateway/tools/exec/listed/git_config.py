"""git's configuration files, read by their published grammar (git-config(1), "Syntax"). Pure.

Includes are not followed and nothing is interpreted: what a file says, setting by setting, in its order.
Knows no setting's meaning.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

_SECTION = re.compile(r'\[([A-Za-z0-9.-]+)(?:[ \t\r]+"((?:[^"\\\n]|\\[^\n])*)")?\]')
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*")
_BLANK = " \t\r"
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", "\\": "\\", '"': '"'}


class BrokenConfig(Exception):
    """It is not git's grammar; git would not read it either."""


class Setting(Struct, frozen=True):
    """`section` and `key` in lower case, `subsection` as it stands there; no `value` where there is no =."""

    section: str
    subsection: str | None
    key: str
    value: str | None

    @property
    def name(self) -> str:
        """As `git config` has it: section.subsection.key."""
        return ".".join(part for part in (self.section, self.subsection, self.key) if part is not None)


def parse_config(data: bytes) -> tuple[Setting, ...]:
    """Bytes that are no UTF-8 stay in the text as surrogates. Raises BrokenConfig."""
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n")
    if "\0" in text:
        raise BrokenConfig
    return tuple(_settings(text))


def _settings(text: str) -> Iterator[Setting]:
    at, section, subsection = 0, "", None
    while at < len(text):
        char = text[at]
        if char in "#;":
            at = _line_end(text, at)
        elif char in " \t\r\n":
            at += 1
        elif char == "[":
            header = _SECTION.match(text, at)
            if header is None:
                raise BrokenConfig
            first, mark, rest = header[1].lower().partition(".")
            section, subsection = first, rest if mark else None
            if header[2] is not None:
                quoted = re.sub(r"\\(.)", r"\1", header[2])
                subsection = f"{subsection}.{quoted}" if mark else quoted
            at = header.end()
        else:
            key = _KEY.match(text, at)
            if key is None or not section:
                raise BrokenConfig
            at = key.end()
            value = None
            if text[at : at + 1] == "=":
                value, at = _value(text, at + 1)
            elif at < len(text) and text[at] not in "\n":
                raise BrokenConfig
            yield Setting(section, subsection, key[1].lower(), value)


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that begins at `at`, and where its line ends."""
    pieces: list[str] = []
    quoted = begun = False
    blanks = 0
    while (char := text[at : at + 1]) not in ("", "\n"):
        at += 1
        if char in _BLANK and not quoted:
            # Blanks at either end are none of it.
            blanks += begun
            continue
        if char in "#;" and not quoted:
            at = _line_end(text, at)
            break
        if char == "\\" and text[at : at + 1] in ("\n", ""):
            at += 1
            continue
        pieces.append(" " * blanks)
        blanks = 0
        if char == "\\":
            char, at = _ESCAPES.get(text[at], ""), at + 1
            if not char:
                raise BrokenConfig
        elif char == '"':
            quoted, char = not quoted, ""
        pieces.append(char)
        begun = begun or bool(char)
    if quoted:
        raise BrokenConfig
    return "".join(pieces), at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def render_config(settings: tuple[Setting, ...]) -> bytes:
    """A file that says the same. Each setting under a header of its own."""
    lines: list[str] = []
    for one in settings:
        subsection = "" if one.subsection is None else f" {_quoted(one.subsection, newlines=False)}"
        value = "" if one.value is None else f" = {_quoted(one.value, newlines=True)}"
        lines.append(f"[{one.section}{subsection}]\n\t{one.key}{value}\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def _quoted(text: str, *, newlines: bool) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    if newlines:
        text = text.replace("\n", "\\n").replace("\t", "\\t").replace("\b", "\\b")
    return f'"{text}"'
