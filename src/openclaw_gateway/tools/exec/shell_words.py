"""The part of the shell's language that can be judged: plain words, quotes, globs, `&& || ; |`, and output
that goes to the other stream or nowhere (`2>&1`, `2>/dev/null`).

Pure. Everything else (substitution, files that are written or read by the shell, variables, groups,
background, comments, line breaks) is NotPlain: what is not understood is not allowed. A judged command is run
as `render` writes it, every word quoted anew, so that the shell cannot read it in another way than we did.
"""

import re
import shlex
from glob import escape as glob_escape
from typing import Literal

from msgspec import Struct

Joiner = Literal["", "&&", "||", ";", "|"]

_GLOB = frozenset("*?[")
_SAFE_BESIDE_GLOB = re.compile(r"[A-Za-z0-9_./@%+=:,*?\[\]!^-]+", re.ASCII)
_REASONS = {
    "$": "variables and $( ) are not allowed outside single quotes",
    "`": "backticks are not allowed",
    "<": "redirections are not allowed, but for 2>&1 and /dev/null; `read` and `cat FILE |` read files",
    ">": "redirections are not allowed, but for 2>&1 and /dev/null; `write` and `edit` write files",
    "(": "groups are not allowed",
    ")": "groups are not allowed",
}


# As it is written, and as every shell reads it the same. `&>` is a background command to a POSIX shell.
_REDIRECTION = re.compile(
    r"(?:(?P<out>[12]?>>?)|(?P<both>&>>?|>&(?=[ \t]*/))|(?P<input>0?<))[ \t]*/dev/null(?=[ \t&|;<>]|\Z)"
    r"|(?P<joined>1?>&2|2>&1)(?=[ \t&|;<>]|\Z)"
)


class NotPlain(Exception):
    """Why a command cannot be judged, as the end of a sentence."""


class Word(Struct, frozen=True):
    """`text` is what the program gets; with `glob` it is a pattern, some of it perhaps quoted: `pattern` says
    it with what was quoted in brackets. `inert`: no program opens it, whatever it looks like."""

    text: str
    rendered: str
    glob: bool = False
    pattern: str = ""
    inert: bool = False


class Segment(Struct, frozen=True):
    """One simple command; `joiner` stands before it, `redirections` behind its words."""

    joiner: Joiner
    words: tuple[Word, ...]
    redirections: tuple[str, ...] = ()


def plain_word(text: str, *, inert: bool = False) -> Word:
    """A word that says exactly this."""
    return Word(text, shlex.quote(text), inert=inert)


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
        parts.extend(segment.redirections)
    return " ".join(parts)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def segments(self) -> tuple[Segment, ...]:
        found: list[Segment] = []
        joiner: Joiner = ""
        while True:
            words, redirections = self._words()
            operator = self._operator()
            if not words:
                if found and joiner == ";" and operator is None:
                    return tuple(found)
                raise NotPlain("a part of it is empty")
            found.append(Segment(joiner, tuple(words), tuple(redirections)))
            if operator is None:
                return tuple(found)
            joiner = operator

    def _words(self) -> tuple[list[Word], list[str]]:
        words: list[Word] = []
        redirections: list[str] = []
        while True:
            while self._peek() in (" ", "\t"):
                self._at += 1
            if redirection := _REDIRECTION.match(self._text, self._at):
                redirections.append(_redirected(redirection))
                self._at = redirection.end()
            elif self._peek() in ("", "&", "|", ";"):
                return words, redirections
            else:
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
                case "<" | ">" if pieces and not _descriptor(pieces):
                    # As in `ls>/dev/null`: whether it may be is seen where the next word would begin.
                    self._at -= 1
                    return _joined(pieces)
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


def _redirected(found: re.Match[str]) -> str:
    if found["joined"]:
        return found["joined"]
    if found["both"]:
        return ">/dev/null 2>&1"
    return f"{found['out'] or found['input']}/dev/null"


def _descriptor(pieces: list[tuple[str, bool]]) -> bool:
    """Whether a shell would take it for the number of a stream."""
    return all(not quoted and piece.isdecimal() for piece, quoted in pieces)


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
    pattern = "".join(glob_escape(piece) if quoted else piece for piece, quoted in pieces)
    return Word(lead + text, lead + rendered, glob=True, pattern=lead + pattern)


def _beside_glob(text: str) -> str:
    """Unquoted text of a word with a glob in it: the pattern stays, everything else is quoted."""
    return text if _SAFE_BESIDE_GLOB.fullmatch(text) else shlex.quote(text)
