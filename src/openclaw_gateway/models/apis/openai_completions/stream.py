"""The answers of `openai-completions`: chat completion chunks in, our events out.

Pure; half of the dialect of that name. Rule: one typed decode per event, and whatever bytes a provider
sends, the outcome is events or a ProviderError.
"""

from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.models.apis.counts import Cached, Reasoned, spent
from openclaw_gateway.models.apis.finish_words import OPENAI_COMPLETIONS
from openclaw_gateway.models.apis.openai_completions.call_deltas import CallDelta, CallDeltas, FunctionDelta
from openclaw_gateway.models.apis.openai_completions.leading_words import FEW, leading_words
from openclaw_gateway.models.apis.openai_completions.reasoning_details import ReasoningDetails
from openclaw_gateway.models.apis.openai_completions.think_tags import ThinkTags
from openclaw_gateway.models.apis.parsing import AnswerParser
from openclaw_gateway.models.apis.reading import UNREADABLE, OddError, repaired
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.wire.events import Event, ReasoningDelta, Sealed, TextDelta

NAME = "openai-completions"


class _Part(Struct):
    type: str = ""
    text: str | None = None
    thinking: Any = None


class _Delta(Struct):
    """A delta of a stream, or the message of a whole answer."""

    content: str | list[_Part | str] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[CallDelta] | None = None
    function_call: FunctionDelta | None = None
    reasoning_details: list[dict[str, Any]] | None = None


class _Usage(Struct):
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    total_tokens: float | None = None
    prompt_tokens_details: Cached | None = None
    completion_tokens_details: Reasoned | None = None
    cached_tokens: float | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None
    usage: _Usage | None = None


class _Chunk(OddError):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class _WordDelta(Struct):
    content: str
    reasoning_content: None = None
    reasoning: None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    reasoning_details: None = None


class _WordChoice(Struct):
    delta: _WordDelta
    finish_reason: None = None
    usage: None = None


class _Word(Struct):
    """A chunk that says nothing but the next piece of text, as nearly all do."""

    choices: tuple[_WordChoice]
    usage: None = None
    error: None = None


_decode_word = msgspec.json.Decoder(_Word).decode
# Some write numbers as text.
_decode = msgspec.json.Decoder(_Chunk, strict=False).decode


def _word(payload: bytes) -> str:
    return _decode_word(payload).choices[0].delta.content


class ChunkParser(AnswerParser):
    """Turns the data of one answer's stream events into events of ours. Most deltas of all pass here, so
    that their way is written out in `feed`.

    `failure` is what ended the answer too early; it stands beside the events of the same read because
    those came first. `done`: nothing that matters will come any more.
    """

    api = NAME
    words = OPENAI_COMPLETIONS

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self._usage: _Usage | None = None
        self._deltas: CallDeltas | None = None
        self._tags: ThinkTags | None = ThinkTags()
        self._details: ReasoningDetails | None = None
        # Whether a delta has come: a message behind deltas says the same again.
        self._told = False
        # Whether the chunk before was a word: the next one probably is.
        self._in_words = True

    def feed(self, payloads: list[bytes]) -> list[Event]:
        """Deltas in the order the provider sent them, up to the end or the `failure`. Text that came together
        is one delta, which knows its pieces: each costs every floor above something."""
        events: list[Event] = []
        text: list[str] = []
        if self._in_words and len(payloads) > FEW:
            # What the first of them are if they are none, the loop finds out.
            with suppress(*UNREADABLE):
                text = leading_words(payloads, _word)
                self._in_words = len(text) == len(payloads)
        for payload in payloads[len(text) :]:
            if self._in_words:
                try:
                    text.append(_word(payload))
                    continue
                except UNREADABLE:
                    self._in_words = False
            if not self._read(payload, text, events):
                break
        self._told = self._told or bool(text)
        _say(text, events)
        return events if self._tags is None else self._sorted(events, self._tags)

    def _read(self, payload: bytes, text: list[str], events: list[Event]) -> bool:
        """Any chunk; False when nothing that follows it matters. `text` are the words that came before it."""
        if payload == b"[DONE]":
            self.done = True
            return False
        try:
            chunk = _decode(payload)
        except UNREADABLE:
            again = self._read_again(payload)
            if again is None:
                return False
            chunk = again
        # (Azure begins with an event about the prompt, without a choice.)
        self.understood = self.understood or chunk.choices is not None
        if choices := chunk.choices:
            self._take_choice(choices[0], text, events)
            if len(choices) > 1:
                for further in choices[1:]:
                    self._take_further(further, text, events)
        if chunk.usage is not None:
            self._usage = chunk.usage
        if (chunk.error or not chunk.choices) and (error := chunk.said) is not None:
            self.failure = from_stream(self._vendor, error)
            return False
        return True

    def _take_further(self, choice: _Choice, text: list[str], events: list[Event]) -> None:
        """Nobody asks for more than one, but some put the calls into a choice of their own."""
        delta = choice.delta or choice.message
        if delta is not None and (delta.tool_calls or delta.function_call is not None):
            _say(text, events)
            self._take_calls(delta, events)
        self._finish = choice.finish_reason or self._finish

    def _take_choice(self, choice: _Choice, text: list[str], events: list[Event]) -> None:
        delta = choice.delta
        if delta is None and choice.message is not None and not (self._told or text):
            delta = choice.message
        if delta is not None:
            self._told = True
            content = delta.content
            if type(content) is not str or (
                delta.reasoning_content
                or delta.reasoning
                or delta.refusal
                or delta.tool_calls
                or delta.function_call
                or delta.reasoning_details
            ):
                _say(text, events)
                self._take(delta, events)
            else:
                text.append(content)
                self._in_words = choice.finish_reason is None
        if choice.finish_reason and choice.finish_reason != "null":
            # (Some write out that there is none yet.)
            self._finish = choice.finish_reason
            # Kimi says here what it cost.
            self._usage = choice.usage or self._usage

    def whole(self, body: bytes) -> list[Event]:
        """The same for a provider that answers one JSON object although a stream was asked for."""
        events: list[Event] = []
        try:
            answer = _decode(body)
        except UNREADABLE:
            answer = repaired(_decode, body) or _Chunk()
        choices = answer.choices or []
        said = [message for choice in choices if (message := choice.message or choice.delta) is not None]
        if (error := answer.said) is not None and (answer.error or not said):
            self.failure = from_stream(self._vendor, error)
        elif not said:
            self.failure = self._not_ours("a JSON answer without choices")
        else:
            self.understood = True
            self._take(said[0], events)
            for further in said[1:]:
                self._take_calls(further, events)
            self._finish = next(filter(None, (choice.finish_reason for choice in choices)), None)
            self._usage = answer.usage
            self.done = True
        return events if self._tags is None else self._sorted(events, self._tags)

    def _sorted(self, events: list[Event], tags: ThinkTags) -> list[Event]:
        events = tags.sort(events)
        if tags.decided:
            self._tags = None
        return events

    def _read_again(self, payload: bytes) -> _Chunk | None:
        stripped = payload.strip()
        if not stripped:
            return _Chunk()
        if stripped == b"[DONE]":
            self.done = True
            return None
        chunk = repaired(_decode, stripped)
        if chunk is None:
            self.failure = self._not_ours("something that is not the JSON of a chat completion")
        return chunk

    def ending(self) -> list[Event]:
        """The calls that are still open, then what the call cost if the provider said so."""
        events: list[Event] = [] if self._tags is None else self._tags.end()
        self._calls.end(events)
        if self._details is not None:
            events.append(Sealed("reasoning", self._details.payload))
        if (usage := self._usage) is not None:
            total = usage.total_tokens
            cached = usage.prompt_tokens_details or Cached(usage.cached_tokens)
            reasoned = usage.completion_tokens_details
            events.append(spent(usage.prompt_tokens, usage.completion_tokens, total, cached, reasoned))
        return events

    def _take(self, delta: _Delta, events: list[Event]) -> None:
        # Some servers send both names with the same text.
        if reasoning := delta.reasoning_content or delta.reasoning:
            events.append(ReasoningDelta(reasoning))
        content = delta.content
        if content:
            if type(content) is not str:
                if thought := "".join(map(_thought, content)):
                    events.append(ReasoningDelta(thought))
                content = "".join(part if isinstance(part, str) else part.text or "" for part in content)
            if content:
                events.append(TextDelta(content))
        if delta.reasoning_details:
            self._details = self._details or ReasoningDetails()
            self._details.add(delta.reasoning_details)
        if delta.refusal:
            events.append(TextDelta(delta.refusal))
        if delta.tool_calls or delta.function_call is not None:
            self._take_calls(delta, events)

    def _take_calls(self, delta: _Delta, events: list[Event]) -> None:
        deltas = self._deltas = self._deltas or CallDeltas(self._calls)
        for call in delta.tool_calls or ():
            deltas.take(call, events)
        if delta.function_call is not None and not delta.tool_calls:
            # The form before `tools`: there is one call, without an id.
            deltas.take(CallDelta(0, None, delta.function_call), events)


def _say(text: list[str], events: list[Event]) -> None:
    pieces = tuple(filter(None, text))
    if len(pieces) > 1:
        events.append(TextDelta("".join(pieces), pieces))
    elif pieces:
        events.append(TextDelta(pieces[0]))
    text.clear()


def _thought(part: Any) -> str:
    """What Mistral's models think comes as a part of the content, with parts of its own."""
    if not isinstance(part, _Part):
        return ""
    inner = part.thinking if isinstance(part.thinking, list) else [part.thinking]
    texts = (each.get("text") if isinstance(each, dict) else each for each in inner)
    return "".join(text for text in texts if isinstance(text, str))
