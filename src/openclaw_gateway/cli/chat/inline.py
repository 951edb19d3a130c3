"""Markdown within a line: emphasis, code, links. Pure.

`settled` reads as far as is known what a character means: an asterisk whose partner has not come yet is
waited for, at most to the end of the line. Every character is looked at a bounded number of times.
"""

import re

from openclaw_gateway.cli.chat.flow import Piece, Style

# So far a partner is looked for; beyond, a mark is a character like any other.
_REACH = 400
_TEXT = re.compile(r"[^\\`*_~\[]+")
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]*)(?:\s+\"[^\"]*\")?\)")
_ESCAPED = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_MARKS: tuple[tuple[str, Style], ...] = (
    ("***", "both"),
    ("**", "bold"),
    ("__", "bold"),
    ("~~", "struck"),
    ("*", "italic"),
    ("_", "italic"),
)
# Styles that come together.
_WITHIN: dict[tuple[Style, Style], Style] = {
    ("bold", "italic"): "both",
    ("italic", "bold"): "both",
    ("bold", "both"): "both",
    ("italic", "both"): "both",
}


def settled(text: str, base: Style, *, whole: bool, before: str = "") -> tuple[list[Piece], int]:
    """(pieces, how many characters they are of). With `whole` the line has ended, and all of it is read.
    `before` is the character that stood before."""
    pieces: list[Piece] = []
    at = 0
    while at < len(text):
        plain = _TEXT.match(text, at)
        if plain is not None:
            pieces.append((plain[0], base))
            before, at = plain[0][-1], plain.end()
            continue
        whole_here = whole or len(text) - at > _REACH
        found = _marked(text, at, base, before, whole=whole_here)
        if found is None:
            break
        more, end = found
        pieces += more
        before, at = text[end - 1], end
    return pieces, at


def _marked(text: str, at: int, base: Style, before: str, *, whole: bool) -> tuple[list[Piece], int] | None:
    """What begins with a mark; None where that is not known yet."""
    char = text[at]
    if char == "\\":
        if at + 1 == len(text) and not whole:
            return None
        if text[at + 1 : at + 2] in _ESCAPED and at + 1 < len(text):
            return [(text[at + 1], base)], at + 2
        return [(char, base)], at + 1
    if char == "`":
        return _code(text, at, base, whole=whole)
    if char == "[":
        return _link(text, at, base, whole=whole)
    return _emphasis(text, at, base, before, whole=whole)


def _run(text: str, at: int) -> str:
    end = at
    while end < len(text) and text[end] == text[at]:
        end += 1
    return text[at:end]


def _code(text: str, at: int, base: Style, *, whole: bool) -> tuple[list[Piece], int] | None:
    ticks = _run(text, at)
    begin = at + len(ticks)
    close = re.compile(rf"(?<!`){ticks}(?!`)").search(text, begin, begin + _REACH)
    if close is not None and (whole or close.end() < len(text)):
        inside = text[begin : close.start()]
        if inside.startswith(" ") and inside.endswith(" ") and inside.strip():
            inside = inside[1:-1]
        return [(inside, "code")], close.end()
    return ([(ticks, base)], begin) if whole else None


def _link(text: str, at: int, base: Style, *, whole: bool) -> tuple[list[Piece], int] | None:
    """The address is shown: what is hidden behind a text could be anything."""
    found = _LINK.match(text, at, at + _REACH)
    if found is not None:
        label, address = found[1], found[2]
        if label in (address, ""):
            return [(address, "link")], found.end()
        return [
            *settled(label, base, whole=True)[0],
            (" (", base),
            (address, "link"),
            (")", base),
        ], found.end()
    if whole or re.compile(r"\[[^\[\]]*(\[|\][^(])").match(text, at):
        return [("[", base)], at + 1
    return None


def _emphasis(text: str, at: int, base: Style, before: str, *, whole: bool) -> tuple[list[Piece], int] | None:
    run = _run(text, at)
    end = at + len(run)
    if end == len(text) and not whole:
        return None
    after = text[end : end + 1]
    is_word = run[0] == "_" and (before.isalnum() or before == "_")
    if not after or after.isspace() or is_word:
        return [(run, base)], end
    for mark, style in _MARKS:
        if run != mark:
            continue
        close = _closing(text, end, mark)
        if close is None:
            return ([(run, base)], end) if whole else None
        if close + len(mark) == len(text) and not whole:
            return None  # the run of marks may go on
        return settled(text[end:close], _within(base, style), whole=True)[0], close + len(mark)
    return [(run, base)], end


def _closing(text: str, begin: int, mark: str) -> int | None:
    at = begin
    limit = min(len(text), begin + _REACH)
    while (at := text.find(mark[0], at, limit)) >= 0:
        run = _run(text, at)
        good = not text[at - 1].isspace() and text[at - 1] != "\\"
        after = text[at + len(run) : at + len(run) + 1]
        if good and len(run) >= len(mark) and (mark[0] != "_" or not after.isalnum()) and at > begin:
            if len(run) == len(mark):
                return at
            if len(mark) == 1 and len(run) == 3:
                return at + 2
        at += len(run)
    return None


def _within(base: Style, style: Style) -> Style:
    return _WITHIN.get((base, style), style if base in ("plain", "bold", "italic", "both") else base)
