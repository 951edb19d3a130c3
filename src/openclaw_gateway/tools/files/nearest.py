"""The place of a text that looks most like a block that was not found in it. Pure and linear.

Lines count that are the same but for white space and typographic signs; where there is none, the line that
shares most words with the block's first one.
"""

import re
from collections import Counter
from collections.abc import Sequence

from openclaw_gateway.tools.files.line_search import plain_signs

_MOST_PLACES = 32
_SHOWN = 6
_WIDTH = 160


def nearest(lines: Sequence[str], block: Sequence[str]) -> str:
    """As the end of a sentence, with the lines; empty when nothing is like it."""
    at = _by_lines(lines, block)
    if at is None:
        at = _by_words(lines, block)
    if at is None:
        return ""
    shown = [f"{number}: {line[:_WIDTH]}" for number, line in enumerate(lines[at : at + _SHOWN], at + 1)]
    return f"; most like it is line {at + 1}:\n" + "\n".join(shown) + "\n"


def _by_lines(lines: Sequence[str], block: Sequence[str]) -> int | None:
    wanted: dict[str, list[int]] = {}
    for number, line in enumerate(block):
        if (key := plain_signs(line).strip()) and len(wanted.setdefault(key, [])) < _MOST_PLACES:
            wanted[key].append(number)
    votes: Counter[int] = Counter()
    seen: Counter[str] = Counter()
    for number, line in enumerate(lines):
        key = plain_signs(line).strip()
        if key in wanted and seen[key] < _MOST_PLACES:
            seen[key] += 1
            votes.update(max(number - place, 0) for place in wanted[key])
    return min(votes, key=lambda at: (-votes[at], at)) if votes else None


def _by_words(lines: Sequence[str], block: Sequence[str]) -> int | None:
    first = next((line for line in block if line.strip()), "")
    words = set(re.findall(r"\w+", first))
    best, most = None, len(words) // 2
    for number, line in enumerate(lines):
        count = len(words.intersection(re.findall(r"\w+", line[:1000])))
        if count > most:
            best, most = number, count
    return best
