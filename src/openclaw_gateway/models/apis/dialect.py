"""What a wire dialect is: the shape of the `api` module of every folder in here.

Pure like the dialects themselves. A dialect is one because it has these names; nothing registers it. It must
not know sockets, retries or configuration, and neither must a dialect.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.messages import ToolCall
from openclaw_gateway.wire.run import FinishReason, ToolSpec


class Parser(Protocol):
    """Turns the data of one answer's stream events into events of ours.

    `failure` is what ended the answer too early; it stands beside the events of the same read because
    those came first. `done`: nothing that matters will come any more. `understood`: something of an answer of
    this dialect has come. The properties count once the answer has ended.
    """

    done: bool
    understood: bool
    failure: ProviderError | None

    @property
    def in_lines(self) -> bool:
        """Whether its events are lines of JSON, and not server-sent events."""

    @property
    def finished(self) -> bool:
        """Whether the answer is complete as far as the model is concerned."""

    @property
    def finish_reason(self) -> FinishReason: ...

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Those to execute."""

    @property
    def cut_calls(self) -> tuple[ToolCall, ...]:
        """Those of an answer that was cut off at its limit: the last one may be half."""

    @property
    def unknown_word(self) -> str | None:
        """A finish reason that nobody knows, for the log."""

    def offer(self, tools: Sequence[ToolSpec]) -> None:
        """The tools whose names the model may have meant."""

    def verdict(self, *, spoke: bool, may_be_silent: bool) -> ProviderError | None:
        """What is wrong with an answer that has ended; `spoke` when it had text, reasoning or a call."""

    def feed(self, payloads: list[bytes]) -> list[Event]:
        """Deltas in the order and size the provider sent them, up to the end or the `failure`; text that came
        together may be one delta that knows its pieces."""

    def whole(self, body: bytes) -> list[Event]:
        """The same for a provider that answers one JSON object although a stream was asked for."""

    def ending(self) -> list[Event]:
        """What is left to say once the answer has ended; the last is UsageReported if usage is known."""


class Dialect(Protocol):
    """A module. `RESERVED` are names an operator's `extra_body` may not set: a request already says them."""

    API: str
    RESERVED: frozenset[str]

    def path(self, target: ModelTarget) -> str:
        """What follows the base URL; may have a query."""

    def headers(self, endpoint: Endpoint) -> Mapping[str, str]:
        """Who we are, as this dialect says it; the operator's own headers win over these."""

    def body(self, target: ModelTarget, request: ModelRequest, *, stream_usage: bool) -> bytes:
        """The request as JSON."""

    def parser(self, vendor: Vendor) -> Parser:
        """For one answer."""

    def unsupported(self, target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
        """Names of OpenAI fields in the request that have no effect here."""
