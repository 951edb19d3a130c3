"""JSON5 read slowly, remembering where everything stands. Used only to explain a fault.

Accepts at least what the fast parser accepts and gives the same values. Of what it refuses it says the
offset and the reason, which the fast parser cannot. Pure.
"""

import bisect
import re
from typing import Any

import pyjson5

from openclaw_gateway.config.places import PlacedList, PlacedObject, Position

MAX_DEPTH = 64

_BLANK = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
# Possessive groups are left out on purpose: Python before 3.11.5 matches them wrongly.
_SKIP = re.compile(rf"(?:[{_BLANK}]|//[^\n\r\u2028\u2029]*+|/\*(?s:.*?)\*/)*")
_LETTER = rf"(?:[^\x00-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f{_BLANK}]|\\u[0-9A-Fa-f]{{4}})"
_NAME = re.compile(rf"(?![0-9]){_LETTER}+")
_NUMBER = re.compile(r"[+-]*+(?:Infinity|NaN|[.0-9_][0-9A-Za-z_.+-]*+)")
_STRING = {quote: re.compile(rf"{quote}(?:[^{quote}\\\n\r]|\\(?s:\r\n|.))*{quote}") for quote in "\"'"}
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_LINE_END = re.compile(r"\r\n|\n|\r")


class NotJson5(ValueError):
    def __init__(self, reason: str, place: Position) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


def scan(text: str, file: str) -> Any:
    """The document with its places. Raises NotJson5 at the first character that does not fit."""
    return Scanner(text, file).document()


class Scanner:
    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.at = 0
        self.lines = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def place(self, offset: int) -> Position:
        line = bisect.bisect_right(self.lines, offset)
        return Position(self.file, line, offset - self.lines[line - 1] + 1)

    def wrong(self, reason: str, offset: int | None = None) -> NotJson5:
        return NotJson5(reason, self.place(self.at if offset is None else offset))

    def document(self) -> Any:
        value = self.value(0)
        if self.peek():
            raise self.wrong("there is more text after the end of the document")
        return value

    def peek(self) -> str:
        """Skips white space and comments; the next character, or "" at the end."""
        match = _SKIP.match(self.text, self.at)
        self.at = match.end() if match else self.at
        if self.text.startswith("/*", self.at):
            raise self.wrong("the comment that begins here is never closed")
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Any:
        char = self.peek()
        if depth > MAX_DEPTH:
            raise self.wrong(f"nested more than {MAX_DEPTH} levels deep")
        if char == "{":
            return self.object(depth)
        if char == "[":
            return self.list(depth)
        if char and char in "\"'":
            return self.string()
        number = _NUMBER.match(self.text, self.at)
        if number:
            return self.number(number)
        word = _NAME.match(self.text, self.at)
        if word and word[0] in _WORDS:
            self.at = word.end()
            return _WORDS[word[0]]
        if word:
            raise self.wrong(f"text must stand in quotes: {word[0][:40]}")
        raise self.wrong("a value is missing" if char else "the file ends where a value should be")

    def object(self, depth: int) -> PlacedObject:
        start, items, places = self.at, dict[str, Any](), dict[str, Position]()
        lost: list[tuple[str, Position]] = []
        self.at += 1
        while (char := self.peek()) != "}":
            if not char:
                raise self.wrong("the { that begins here is never closed", start)
            place = self.place(self.at)
            key = self.key(char)
            if self.peek() != ":":
                raise self.wrong("a colon is missing after the key")
            self.at += 1
            if key in places:
                lost.append((key, places[key]))
            items[key], places[key] = self.value(depth + 1), place
            self.separator("}", start)
        self.at += 1
        return PlacedObject(items, self.place(start), places, tuple(lost))

    def list(self, depth: int) -> PlacedList:
        start, items, places = self.at, list[Any](), list[Position]()
        self.at += 1
        while (char := self.peek()) != "]":
            if not char:
                raise self.wrong("the [ that begins here is never closed", start)
            places.append(self.place(self.at))
            items.append(self.value(depth + 1))
            self.separator("]", start)
        self.at += 1
        return PlacedList(items, self.place(start), places)

    def separator(self, closing: str, start: int) -> None:
        char = self.peek()
        if char == ",":
            self.at += 1
        elif not char:
            raise self.wrong(f"the {self.text[start]} that begins here is never closed", start)
        elif char != closing:
            raise self.wrong(f"a comma or {closing} is missing before this")

    def key(self, char: str) -> str:
        if char in "\"'":
            return self.string()
        name = _NAME.match(self.text, self.at)
        if not name:
            raise self.wrong("a key is missing, or needs quotes")
        (key,) = self.token("{%s:0}", name, "this key needs quotes")
        return str(key)

    def string(self) -> str:
        match = _STRING[self.text[self.at]].match(self.text, self.at)
        if not match:
            raise self.wrong("the text that begins here is never closed on its line")
        return str(self.token("%s", match, "the text has an escape (\\) that means nothing"))

    def number(self, match: re.Match[str]) -> Any:
        return self.token("%s", match, "not a number")

    def token(self, frame: str, match: re.Match[str], reason: str) -> Any:
        """What the fast parser makes of one token: it alone decides what a token means."""
        try:
            value = pyjson5.decode(frame % match[0])
        except (pyjson5.Json5DecoderException, ValueError, OverflowError):
            raise self.wrong(reason) from None
        self.at = match.end()
        return value
