"""Reasoning that a server leaves in the text: `<think>…</think>` at the very beginning of an answer.

Pure. Only there, white space aside: further down it is what somebody writes about. Any way of cutting the
text gives the same reasoning and the same text.
"""

from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkTags:
    """Feed it the events of one answer until it is `decided`; then they are what they say they are."""

    def __init__(self) -> None:
        self.decided = False
        self._is_inside = False
        self._is_behind = False
        self._kept = ""  # what may be the beginning of a tag

    def sort(self, events: list[Event]) -> list[Event]:
        sorted_: list[Event] = []
        for event in events:
            if self.decided:
                sorted_.append(event)
            elif isinstance(event, TextDelta):
                self._take(event, sorted_)
            else:
                if not self._is_inside:
                    # It knows better ways to say what is not text.
                    sorted_ += self.end()
                sorted_.append(event)
        return sorted_

    def end(self) -> list[Event]:
        """What was kept back turns out to be no tag."""
        kept, self._kept = self._kept, ""
        self.decided = True
        if not kept:
            return []
        return [ReasoningDelta(kept) if self._is_inside else TextDelta(kept)]

    def _take(self, delta: TextDelta, events: list[Event]) -> None:
        text = delta.text
        if self._is_behind:
            self._answer(text, events)
            return
        if self._kept:
            text = self._kept + text
            self._kept = ""
        if not self._is_inside:
            begun = text.lstrip()
            if len(begun) < len(_OPEN) and _OPEN.startswith(begun):
                self._kept = text
                return
            if not begun.startswith(_OPEN):
                self.decided = True
                events.append(delta if text is delta.text else TextDelta(text))
                return
            self._is_inside = True
            text = begun[len(_OPEN) :]
        thought, closed, rest = text.partition(_CLOSE)
        if not closed:
            size = _begun(text)
            thought, self._kept = text[: len(text) - size], text[len(text) - size :]
        if thought:
            events.append(ReasoningDelta(thought))
        if closed:
            self._is_inside, self._is_behind = False, True
            self._answer(rest, events)

    def _answer(self, text: str, events: list[Event]) -> None:
        # The blank lines behind the tag belong to it.
        if text := text.lstrip("\r\n"):
            self.decided = True
            events.append(TextDelta(text))


def _begun(text: str) -> int:
    """How many characters at the end may be the beginning of the closing tag."""
    longest = min(len(text), len(_CLOSE) - 1)
    return next((size for size in range(longest, 0, -1) if _CLOSE.startswith(text[-size:])), 0)
