"""What the tests of this floor share: targets at a scripted server, and a caller that does not wait."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.call import LocalEndpoint, ModelCaller
from openclaw_gateway.models.failover import RetryPolicy
from openclaw_gateway.models.fallback import FallbackCall, FallbackCaller
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.answer import Answer
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.wire.events import Event, ModelCalled, TextDelta
from openclaw_gateway.wire.messages import AssistantMessage, MadeBy, Message, ToolCall, UserMessage
from openclaw_gateway.wire.run import FinishReason, Sampling, ToolChoice, ToolSpec

HI = (UserMessage("hi"),)
AT_ONCE = RetryPolicy(waits_s=(0.0, 0.0))


def target(server: ModelServer, model: str = "m", **settings: Any) -> ModelTarget:
    """`model` at the server, as provider "acme" with the key "hunter2hunter2"."""
    return ModelTarget(Endpoint("acme", server.base_url, "hunter2hunter2"), model, **settings)


@asynccontextmanager
async def upstream(limits: Limits | None = None) -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient(limits)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def caller(
    limits: Limits | None = None, policy: RetryPolicy = AT_ONCE, local: LocalEndpoint | None = None
) -> AsyncIterator[FallbackCaller]:
    async with upstream(limits) as client:
        yield FallbackCaller(ModelCaller(client, local), last=policy)


def apart(events: Iterable[Event]) -> list[Event]:
    """The same events, each piece of text on its own, as the provider cut it."""
    split: list[Event] = []
    for event in events:
        if isinstance(event, TextDelta) and event.pieces:
            assert event.text == "".join(event.pieces)
            split += map(TextDelta, event.pieces)
        else:
            split.append(event)
    return split


class Outcome:
    """What one call brought: its batches as they came, the reason it finished."""

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.finish_reason: FinishReason | None = None
        self.tool_calls: tuple[ToolCall, ...] = ()
        self.made_by: MadeBy | None = None
        self.error: ProviderError | None = None
        self.asked = 0

    @property
    def said(self) -> AssistantMessage:
        """The message, as a run keeps it."""
        answer = Answer()
        for batch in self.batches:
            answer.take(batch, 0)
        assert self.made_by is not None
        answer.end_round(self.tool_calls, self.made_by)
        return answer.said

    @property
    def events(self) -> list[Event]:
        return apart(event for batch in self.batches for event in batch)

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, TextDelta)]

    @property
    def attempts(self) -> int:
        return sum(isinstance(event, ModelCalled) for event in self.events)


async def run(
    models: FallbackCaller,
    to: ModelTarget,
    outcome: Outcome | None = None,
    *,
    messages: Sequence[Message] = HI,
    sampling: Sampling | None = None,
    system: str = "",
    tools: tuple[ToolSpec, ...] = (),
    tool_choice: ToolChoice = "auto",
) -> Outcome:
    """Make the call and read it to its end. With `outcome` given, what came before a failure is in it."""
    outcome = outcome or Outcome()
    request = ModelRequest(system, messages, sampling or Sampling(), tools, tool_choice)
    call = FallbackCall((to,), request, outcome.batches.append)
    await models.make(call)
    outcome.finish_reason = call.finish_reason
    outcome.tool_calls = call.tool_calls
    outcome.made_by = call.made_by
    return outcome
