"""What the model has said so far in a run, over all rounds; and what of it the readers are shown.

Pure. The loop feeds every batch and gets back what to emit: calls of the agent's own tools stay inside
(their execution is shown instead), calls of the client's get ids of ours, texts of two rounds are kept apart
by a blank line, and where the request demands a call of its own tools, text and other calls wait until that
call is there. What is said to the run meanwhile stands in its place. Of a run that is aborted it says what
had reached a reader by then.
"""

from collections.abc import Collection, Iterator, Sequence

from msgspec.structs import replace

from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.bill import Bill
from openclaw_gateway.runs.call_ids import fresh_call_id
from openclaw_gateway.runs.emitted_text import EmittedText
from openclaw_gateway.runs.parts import Parts
from openclaw_gateway.sessions.client_view import BETWEEN_ROUNDS
from openclaw_gateway.wire.events import (
    Event,
    ModelCalled,
    ModelFailed,
    ReasoningDelta,
    Sealed,
    TextDelta,
    ToolCallArguments,
    ToolCallStarted,
    UsageReported,
)
from openclaw_gateway.wire.messages import AssistantMessage, MadeBy, Message, Text, ToolCall, ToolMessage
from openclaw_gateway.wire.run import Usage

_SAID = (TextDelta, ToolCallStarted, ToolCallArguments)


class Answer:
    """`client_tools` are the names the client executes; what is said is held back until one of `demanded`
    is called. `prompt_tokens` and `completion_tokens` are what the provider has counted of the round, 0 until
    it says so; `model` is the reference of the model asked last, `chars` how many characters have come,
    `called` how many calls of tools are complete."""

    def __init__(
        self,
        client_tools: Collection[str] = (),
        *,
        demanded: frozenset[str] = frozenset(),
        targets: Sequence[ModelTarget] = (),
    ) -> None:
        self.usage = Usage()
        self.bill = Bill(targets)
        self.called = 0
        self._chars_before = 0
        self.model = ""
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.chars = 0
        self.tool_calls: tuple[ToolCall, ...] = ()
        self.has_used_tools = False
        self._client_tools = client_tools
        self._demanded = demanded
        self._held: list[Event] = []
        self._messages: list[Message] = []
        self._emitted = EmittedText()
        self._has_said = False
        self._reasoning: list[str] = []
        self._round = Parts()
        self._indices: dict[int, int] = {}
        self._ids: dict[str, str] = {}
        self._results: dict[str, ToolMessage] = {}

    def begin_round(self) -> None:
        """The model is called: what was counted before, of a summary for instance, is not of this call."""
        self.prompt_tokens = 0

    def take(self, events: Sequence[Event], place: int) -> Sequence[Event]:
        """Collect a batch; what of it to emit, from index `place` of the run's log on."""
        shown: list[Event] = []
        for event in events:
            if type(event) is TextDelta:
                if self._has_said and not self._round.has_text:
                    shown.append(TextDelta(BETWEEN_ROUNDS))
                self._has_said = True
                self._round.say(event.text)
                self.chars += len(event.text)
                shown.append(event)
            elif type(event) is ReasoningDelta:
                self._round.think(event.text)
                self.chars += len(event.text)
                shown.append(event)
            elif type(event) is ToolCallStarted:
                self._round.call()
                if event.name in self._client_tools:
                    self._indices[event.index] = index = len(self._indices)
                    self._ids[event.id] = given = fresh_call_id()
                    shown.append(ToolCallStarted(index, given, event.name))
            elif type(event) is ToolCallArguments:
                self.chars += len(event.text)
                known = self._indices.get(event.index)
                if known is not None:
                    shown.append(ToolCallArguments(known, event.text))
            elif type(event) is Sealed:
                self._round.seal(event)
            else:
                self._account(event)
                shown.append(event)
        emitted = self._held_back(shown) if self._demanded else shown
        self._emitted.add(place, emitted)
        return emitted

    def _account(self, event: Event) -> None:
        if type(event) is UsageReported:
            self.usage += event.usage
            self.model = event.model or self.model
            self.bill.used(self.model, event.usage)
            self.prompt_tokens = event.usage.prompt_tokens
            self.completion_tokens = event.usage.completion_tokens
        elif type(event) is ModelCalled:
            # Of an attempt that failed there may be a seal, which nobody has seen.
            self._round = Parts()
            self.model = f"{event.provider}/{event.model}"
            self.bill.called()
            self._chars_before = self.chars
        elif type(event) is ModelFailed:
            self.bill.failed(has_spoken=self.chars > self._chars_before)

    def end_round(self, calls: tuple[ToolCall, ...], made_by: MadeBy) -> None:
        """The model's message is complete: it becomes part of the turn, with the ids that the client got."""
        if self._ids:
            ids = self._ids
            calls = tuple(replace(call, id=ids.get(call.id, call.id)) for call in calls)
        self.called += len(calls)
        self._messages.append(AssistantMessage(self._round.complete(calls), made_by=made_by))
        self._reasoning.append(self._round.reasoning)
        self._round, self._indices, self._ids = Parts(), {}, {}

    def note(self, text: str) -> None:
        """No model's message: the session's owner has written it."""
        self._messages.append(AssistantMessage((Text(text),), note=True))

    def hear(self, messages: Sequence[Message]) -> None:
        """Said to the run while it was at work; the model is told before its next round."""
        self._messages += messages

    def begin_tools(self, calls: Sequence[ToolCall]) -> None:
        """The agent's own tools are used from now on: what they do cannot be taken back."""
        self.has_used_tools = True
        self._results = {call.id: _cut_off(call) for call in calls}

    def add_result(self, result: ToolMessage) -> None:
        """One of them has ended, in whatever order."""
        self._results[result.tool_call_id] = result

    def end_tools(self, results: Sequence[ToolMessage]) -> None:
        """All of them have: their results become part of the turn."""
        self._results = {}
        self._messages += results

    @property
    def text(self) -> str:
        """As the readers are shown it."""
        return str(self._emitted)

    @property
    def has_said(self) -> bool:
        """Whether there were words in an earlier round."""
        return self._has_said

    @property
    def reasoning(self) -> str:
        return "".join([*self._reasoning, self._round.reasoning])

    @property
    def said(self) -> AssistantMessage:
        """The model's message of the round that has ended."""
        return next(each for each in reversed(self._messages) if isinstance(each, AssistantMessage))

    @property
    def messages(self) -> tuple[Message, ...]:
        """Everything said in finished rounds, and heard between them."""
        return tuple(self._messages)

    def delivered(self, shown: int) -> tuple[Message, ...]:
        """What the turn is of a run that was aborted when a reader had all events before index `shown`.

        The text that this reader had, the last of it marked as aborted, and the tool rounds before that.
        Nothing when it had no text.
        """
        left = len(self._emitted.before(shown))
        kept: list[Message] = []
        spoken = -1
        for message in self._all:
            if isinstance(message, AssistantMessage) and (text := message.content):
                left -= len(BETWEEN_ROUNDS) if spoken >= 0 else 0
                if left <= 0:
                    break
                spoken = len(kept)
                if left < len(text):
                    kept.append(AssistantMessage((Text(text[:left]),), made_by=message.made_by))
                    break
                left -= len(text)
            kept.append(message)
        if spoken < 0:
            return ()
        last = kept[-1]
        if isinstance(last, AssistantMessage) and not last.tool_calls:
            kept[-1] = replace(last, aborted=True)
        return tuple(kept)

    @property
    def _all(self) -> Iterator[Message]:
        """Everything said, with the round or the tools that were cut off."""
        yield from self._messages
        if text := self._round.text:
            yield AssistantMessage((Text(text),))
        yield from self._results.values()

    def _held_back(self, shown: list[Event]) -> Sequence[Event]:
        """Words and calls wait in `_held` until a demanded call has begun."""
        if any(isinstance(event, ToolCallStarted) and event.name in self._demanded for event in shown):
            self._demanded = frozenset()
            released, self._held = [*self._held, *shown], []
            return released
        self._held += [event for event in shown if isinstance(event, _SAID)]
        return [event for event in shown if not isinstance(event, _SAID)]


def _cut_off(call: ToolCall) -> ToolMessage:
    """What stands for the result of a call that did not end."""
    text = "The run was aborted while this ran; whether it took effect is not known."
    return ToolMessage(call.id, text, call.name, is_error=True, own=True)
