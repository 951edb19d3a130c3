"""Notes cut into passages, and passages ranked for a question by the usual BM25 formula. Pure."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from openclaw_gateway.tools.memory.words import words

_K1 = 1.2
_B = 0.75
_MAX_LINES = 24
_MAX_CHARS = 1600


class Passage(Struct, frozen=True):
    """Lines `first` to `last` of a note, counted from 1."""

    path: str
    first: int
    last: int
    text: str


def passages(path: str, text: str) -> Iterator[Passage]:
    """Cut before headings and, when it gets long, anywhere; blank lines alone are no passage."""
    lines: list[str] = []
    start = 1
    size = 0
    for number, line in enumerate(text.splitlines(), 1):
        if lines and (line.startswith("#") or len(lines) >= _MAX_LINES or size + len(line) > _MAX_CHARS):
            yield from _passage(path, start, lines)
            lines, start, size = [], number, 0
        lines.append(line)
        size += len(line)
    yield from _passage(path, start, lines)


def ranked(query: str, notes: Sequence[Passage], most: int) -> list[tuple[float, Passage]]:
    """The best first; those that share no word with the query are left out."""
    asked = set(words(query))
    counts = [Counter(words(f"{passage.path} {passage.text}")) for passage in notes]
    if not asked or not counts:
        return []
    lengths = [count.total() for count in counts]
    average = sum(lengths) / len(lengths) or 1.0
    weight = {word: _rarity(sum(word in count for count in counts), len(counts)) for word in asked}
    scored = [
        (_score(count, weight, length / average), passage)
        for count, length, passage in zip(counts, lengths, notes, strict=True)
    ]
    best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
    return best[:most]


def _passage(path: str, start: int, lines: list[str]) -> Iterator[Passage]:
    while lines and not lines[-1].strip():
        lines.pop()
    if lines:
        yield Passage(path, start, start + len(lines) - 1, "\n".join(lines))


def _rarity(having: int, of: int) -> float:
    return math.log(1 + (of - having + 0.5) / (having + 0.5))


def _score(count: Counter[str], weight: dict[str, float], length: float) -> float:
    damp = _K1 * (1 - _B + _B * length)
    return sum(
        value * count[word] * (_K1 + 1) / (count[word] + damp)
        for word, value in weight.items()
        if word in count
    )
