"""What a search of transcripts looks for, how far it looks, and what it shows of what it finds.

Pure. Words are found wherever they stand, in whatever case, in any script (CJK has no spaces): a message is
found that holds all of them. Newest first: sessions by when they last changed, messages from the last back.
"""

import json

from openclaw_gateway.sessions.places import place_id
from openclaw_gateway.sessions.searched import Hit
from openclaw_gateway.sessions.store import Entry
from openclaw_gateway.wire.messages import AssistantMessage, UserMessage

MOST_WORDS = 16
_FOLDED_AT_ONCE = 64 << 10
_COUNTED = 100
_BEFORE, _SHOWN = 60, 200
# Where folding has changed lengths, the place is counted out only that far.
_COUNTED_OUT = 200_000


def words_of(query: str) -> tuple[str, ...]:
    """What is looked for, each word once."""
    return tuple(dict.fromkeys(folded(word) for word in query.split()))


def stored(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words as they stand in an entry's JSON."""
    return tuple(json.dumps(word, ensure_ascii=False)[1:-1].casefold() for word in words)


def holds(text: str, words: tuple[str, ...]) -> bool:
    """Whether a text holds all of the folded words."""
    whole = folded(text)
    return all(word in whole for word in words)


def hit_of(session: str, entry: Entry, words: tuple[str, ...], at_ms: int = 0) -> Hit | None:
    """The message as it is found; None where it is not: results of tools are not looked at."""
    message = entry.message
    if not isinstance(message, UserMessage | AssistantMessage) or not holds(message.content, words):
        return None
    role = "user" if isinstance(message, UserMessage) else "assistant"
    whole = folded(message.content)
    score = sum(min(whole.count(word), _COUNTED) for word in words)
    at = min(whole.find(word) for word in words)
    return Hit(session, place_id(entry), role, at_ms, _snippet(message.content, whole, at), score)


def folded(text: str) -> str:
    """Without case. A long text in pieces: other threads have a turn between them."""
    if len(text) <= _FOLDED_AT_ONCE:
        return text.casefold()
    starts = range(0, len(text), _FOLDED_AT_ONCE)
    return "".join([text[start : start + _FOLDED_AT_ONCE].casefold() for start in starts])


def _snippet(text: str, whole: str, at: int) -> str:
    if len(whole) != len(text):
        at = _unfolded(text, at)
    start = max(0, at - _BEFORE)
    shown = " ".join(text[start : start + _SHOWN].split())
    return f"{'…' if start else ''}{shown}{'…' if start + _SHOWN < len(text) else ''}"


def _unfolded(text: str, at: int) -> int:
    """Where in a text the character stands that is at this place of it when it is folded."""
    size = 0
    for place, character in enumerate(text[:_COUNTED_OUT]):
        size += len(character.casefold())
        if size > at:
            return place
    return min(at, len(text))
