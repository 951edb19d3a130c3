"""The part of the shell's language that can be judged: plain words, quotes, globs, `&& || ; |`.

Pure. Everything else (substitution, redirection, variables, groups, background, comments, line breaks) is
NotPlain: what is not understood is not allowed. A judged command is run as `render` writes it, every word
quoted anew, so that the shell cannot read it in another way than we did.
"""

import re
import shlex
from typing import Literal

from msgspec import Struct

Joiner = Literal["", "&&", "||", ";", "|"]

_GLOB = frozenset("*?[")
_SAFE_BESIDE_GLOB = re.compile(r"[A-Za-z0-9_./@%+=:,*?\[\]!^-]+", re.ASCII)
_REASONS = {
    "$": "variables and $( ) are not allowed outside single quotes",
    "`": "backticks are not allowed",
    "<": "redirections are not allowed",
    ">": "redirections are not allowed",
    "(": "groups are not allowed",
    ")": "groups are not allowed",
}


class NotPlain(Exception):
    """Why a command cannot be judged, as the end of a sentence."""


class Word(Struct, frozen=True):
    """`text` is what the program gets; with `glob` it is a pattern, some of it perhaps quoted."""

    text: str
    rendered: str
    glob: bool = False


class Segment(Struct, frozen=True):
    """One simple command; `joiner` stands before it."""

    joiner: Joiner
    words: tuple[Word, ...]


def parse(command: str) -> tuple[Segment, ...]:
    """Raises NotPlain."""
    control = re.search(r"[\x00-\x08\x0a-\x1f\x7f]", command)
    if control:
        raise NotPlain("line breaks and control characters are not allowed")
    return _Parser(command).segments()


def render(segments: tuple[Segment, ...]) -> str:
    """The command again, for a POSIX shell or bash, with nothing left to interpret but globs."""
    parts: list[str] = []
    for segment in segments:
        parts.extend([segment.joiner] if segment.joiner else [])
        parts.extend(word.rendered for word in segment.words)
    return " ".join(parts)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def segments(self) -> tuple[Segment, ...]:
        found: list[Segment] = []
        joiner: Joiner = ""
        while True:
            words = self._words()
            operator = self._operator()
            if not words:
                if found and joiner == ";" and operator is None:
                    return tuple(found)
                raise NotPlain("a part of it is empty")
            found.append(Segment(joiner, tuple(words)))
            if operator is None:
                return tuple(found)
            joiner = operator

    def _words(self) -> list[Word]:
        words: list[Word] = []
        while True:
            while self._peek() in (" ", "\t"):
                self._at += 1
            if self._peek() in ("", "&", "|", ";"):
                return words
            words.append(self._word())

    def _operator(self) -> Joiner | None:
        rest = self._text[self._at : self._at + 3]
        if not rest:
            return None
        for operator in _OPERATORS:
            if rest.startswith(operator):
                self._at += len(operator)
                if self._peek() in ("&", "|", ";") and self._peek():
                    raise NotPlain("it has an operator that is not understood")
                return operator
        raise NotPlain("running in the background with & is not allowed; set background instead")

    def _word(self) -> Word:
        pieces: list[tuple[str, bool]] = []
        while (char := self._peek()) and char not in " \t&|;":
            self._at += 1
            match char:
                case "'":
                    pieces.append((self._single(), True))
                case '"':
                    pieces.append((self._double(), True))
                case "\\":
                    if not self._peek():
                        raise NotPlain("it ends with a backslash")
                    pieces.append((self._peek(), True))
                    self._at += 1
                case "~" | "#" if not pieces:
                    raise NotPlain(f"a word that begins with an unquoted {char} is not allowed")
                case _ if char in _REASONS:
                    raise NotPlain(_REASONS[char])
                case _:
                    pieces.append((char, False))
        return _joined(pieces)

    def _single(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise NotPlain("a quote is not closed")
        text, self._at = self._text[self._at : end], end + 1
        return text

    def _double(self) -> str:
        text: list[str] = []
        while (char := self._peek()) != '"':
            self._at += 1
            if not char:
                raise NotPlain("a quote is not closed")
            if char in "$`":
                raise NotPlain(_REASONS[char])
            if char == "\\" and self._peek() in ("$", "`", '"', "\\"):
                char = self._peek()
                self._at += 1
            text.append(char)
        self._at += 1
        return "".join(text)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]


# The longer before those they begin with.
_OPERATORS: tuple[Joiner, ...] = ("&&", "||", ";", "|")


def _joined(pieces: list[tuple[str, bool]]) -> Word:
    text = "".join(piece for piece, _ in pieces)
    bare = "".join(piece for piece, quoted in pieces if not quoted)
    if "{" in bare and ("," in bare or ".." in bare):
        raise NotPlain("braces like {a,b} are not allowed")
    if not any(char in _GLOB for char in bare):
        return Word(text, shlex.quote(text))
    # A name that begins with a dash must not become an option of the program that gets it.
    lead = "./" if pieces[0][0][:1] in _GLOB and not pieces[0][1] else ""
    rendered = "".join(shlex.quote(piece) if quoted else _beside_glob(piece) for piece, quoted in pieces)
    return Word(lead + text, lead + rendered, glob=True)


def _beside_glob(text: str) -> str:
    """Unquoted text of a word with a glob in it: the pattern stays, everything else is quoted."""
    return text if _SAFE_BESIDE_GLOB.fullmatch(text) else shlex.quote(text)
