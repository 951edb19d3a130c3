"""One answer of a provider, from its status line to its end, as batches of events.

Joins what the floor's pure parts decide (what an event is, what a chunk says, what an error means) to
the bytes of one response. It must not know retries: it raises, and somebody else decides.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.apis.dialect import Parser
from openclaw_gateway.models.json_lines import LineSplitter
from openclaw_gateway.models.sse import SseSplitter
from openclaw_gateway.models.upstream_response import UpstreamResponse
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.redaction import safe_text
from openclaw_gateway.wire.events import Event, say_something

log = structlog.get_logger()

# How long usage and the end of the stream may take after the finish reason.
_TAIL_S = 5.0
_BLANK = b" \t\r\n\xef\xbb\xbf"
_KINDS = {"text/event-stream", "application/json", "text/plain", "application/octet-stream", ""}
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")


Hear = Callable[[list[Event]], Callable[[], Awaitable[None]] | None]
"""Is told of each batch of events, at least one event; it does not wait. What it returns, if anything, is
called and awaited before more is read."""


class ModelAnswer:
    """The answer in a response with status 200. Whoever makes it closes it.

    `parser` says how it finished, once all of it is told; `has_spoken`, also after a failure, whether text,
    reasoning or a call was told.
    """

    def __init__(
        self, response: UpstreamResponse, parser: Parser, vendor: Vendor, *, may_be_silent: bool = False
    ) -> None:
        self._response = response
        self._vendor = vendor
        self._splitter = (LineSplitter if parser.in_lines else SseSplitter)(vendor.provider)
        self.parser = parser
        self._failure: ProviderError | None = None
        self._ended = False
        self._heard = False
        self.has_spoken = False
        self._hear: Hear | None = None
        # What is awaited before more is read.
        self._pause: Callable[[], Awaitable[None]] | None = None
        self._may_be_silent = may_be_silent
        self._tail_until: float | None = None
        # None until the first bytes have come: what they are is not what their type says they are.
        self._is_whole: bool | None = None

    def close(self) -> None:
        self._response.close()

    async def tell(self, hear: Hear) -> None:
        """All of it, as many events together as one read of the socket brought; `hear` may be called outside
        of the task that waits here.

        The last batch ends with UsageReported if the provider reported usage. A failure is raised after
        the events that came before it have been told.
        """
        self._hear = hear
        while not self._ended:
            if self._is_whole is None:
                self._told(await self._begin())
            elif self.parser.finished:
                self._told(self._piece(await self._tail()))
            else:
                await self._response.hand(self._take)
            if self._pause is not None:
                pause, self._pause = self._pause, None
                await pause()
            if self._failure is not None:
                raise self._failure

    def _take(self, data: bytes) -> bool:
        """See `UpstreamResponse.hand`."""
        self._told(self._piece(data))
        return not (self._ended or self._pause or self._failure or self.parser.finished)

    def _told(self, events: list[Event]) -> None:
        if events and self._hear is not None:
            self.has_spoken = self.has_spoken or say_something(events)
            self._pause = self._hear(events)

    async def _begin(self) -> list[Event]:
        """The events of the first bytes: of one JSON text all of it."""
        data, start = await self._response.read(), b""
        if data.startswith(_FIELDS) and not self.parser.in_lines:
            self._is_whole = False
            return self._piece(data)
        while data and not (start := data.lstrip(_BLANK)[:1]):
            data = await self._response.read()
        self._is_whole = start in {b"{", b"["} and not self.parser.in_lines
        if self._is_whole:
            return self._answer(data.lstrip(_BLANK) + await self._response.read_all())
        kind = self._response.content_type
        known = kind in _KINDS or self.parser.in_lines
        if start == b"<" or not (known or data.lstrip(_BLANK).startswith(_FIELDS)):
            provider = self._vendor.provider
            self._failure = ProviderError(
                "bad_response",
                f"The provider {provider} answered with {safe_text(kind, limit=80)} where an event stream "
                f"was expected. Check models.providers.{provider}.baseUrl (is /v1 missing at its end?) and "
                ".api.",
            )
            return []
        return self._piece(data)

    def _piece(self, data: bytes) -> list[Event]:
        """The events of what one read brought; of no bytes, those at the end."""
        parser = self.parser
        if data:
            payloads = self._splitter.feed(data)
            self._heard = self._heard or bool(payloads)
            events = parser.feed(payloads)
        else:
            events = parser.feed(self._splitter.finish())
            parser.done = parser.finished
            if not parser.done:
                self._failure = self._cut()
                return events
        if events:
            # Some say with every word that it was the last one.
            self._tail_until = None
        self._failure = parser.failure
        if self._failure is not None and self._failure.reason == "bad_response" and parser.finished:
            # The model's answer is whole; what cannot be read behind it changes nothing.
            self._failure, parser.done = None, True
        if data and parser.done:
            self._response.finish()
        return self._ended_or_not(events)

    def _cut(self) -> ProviderError:
        if self._heard and not self.parser.understood and not self.has_spoken:
            return self.parser.verdict(spoke=False, may_be_silent=False) or self._broken_off()
        return self._broken_off()

    def _broken_off(self) -> ProviderError:
        return ProviderError(
            "cut", f"The provider {self._vendor.provider} ended its answer too early. Try again."
        )

    async def _tail(self) -> bytes:
        # The model has said all it had to say; a provider that does not end politely changes nothing.
        if self._tail_until is None:
            self._tail_until = asyncio.get_running_loop().time() + _TAIL_S
        try:
            async with asyncio.timeout_at(self._tail_until):
                return await self._response.read()
        except (ProviderError, TimeoutError):
            return b""

    def _answer(self, body: bytes) -> list[Event]:
        events = self.parser.whole(body)
        self._failure = self.parser.failure
        return self._ended_or_not(events)

    def _ended_or_not(self, events: list[Event]) -> list[Event]:
        if not self.parser.done:
            return events
        last = self.parser.ending()
        spoke = self.has_spoken or say_something(events) or say_something(last)
        self._failure = self.parser.verdict(spoke=spoke, may_be_silent=self._may_be_silent)
        if self._failure is not None:
            return events
        if word := self.parser.unknown_word:
            log.info("model.unknown_finish_reason", provider=self._vendor.provider, word=word[:80])
        self._ended = True
        return events + last
