"""One answer of a provider as it comes over the wire: its head, its bytes, its end.

Every read is bounded and every fault is a ProviderError. Must not know dialects, nor how it was asked for.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import aiohttp

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.aiohttp_private import Body
from openclaw_gateway.models.direct import DirectResponse
from openclaw_gateway.models.http_errors import FAILURES, Phase, translate
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.sizes import size_text

_ERROR_BODY = 64 << 10
_ERROR_BODY_S = 5.0
_DRAIN_S = 1.0
_DRAIN_BYTES = 64 << 10
# What is read in one go.
_PIECE = 16 << 10


class UpstreamResponse:
    """An answer whose status and headers have come. `close` it when done or when it is no longer wanted.

    `cap` is how many bytes it may have, `silence_s` how long nothing may come, None for ever; `in_background`
    lets somebody else `drain` it, or says False.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse | DirectResponse,
        vendor: Vendor,
        *,
        cap: int,
        silence_s: float | None,
        in_background: Callable[["UpstreamResponse"], bool],
    ) -> None:
        self._in_background = in_background
        self._response = response
        self._body = Body(response.content, silence_s)
        self._vendor = vendor
        self._left = cap
        self._cap = cap
        self._finished = False
        # Of `hand`: to whom, and what has been raised there.
        self._take: Callable[[bytes], bool] | None = None
        self._raised: BaseException | None = None
        self.status = response.status
        self.headers = response.headers

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case; empty when the provider sent none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    async def read(self) -> bytes:
        """What is there, at least one byte and at most a piece; b"" at the end. Raises ProviderError."""
        try:
            data = await self._body.read(_PIECE)
        except FAILURES as error:
            raise translate(error, self._vendor, Phase.ANSWER) from None
        self._count(data)
        return data

    async def hand(self, take: Callable[[bytes], bool]) -> None:
        """Call `take` with what is there and what comes, cut as by `read`, until it says False. It may be
        called where the bytes come in, outside of the task that waits here. Raises ProviderError, and what
        `take` raises."""
        self._take = take
        try:
            await self._body.hand(self._taken, _PIECE)
        except FAILURES as error:
            raise translate(error, self._vendor, Phase.ANSWER) from None
        finally:
            self._take = None
        if self._raised is not None:
            raise self._raised

    def _taken(self, data: bytes) -> bool:
        try:
            self._count(data)
            return self._take is not None and self._take(data)
        # Whoever waits for all of it hears of it.
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
            self._raised = error
            return False

    def _count(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise ProviderError(
                "bad_response",
                f"The provider {self._vendor.provider} sent more than {size_text(self._cap)} in one answer; "
                "the rest was dropped. The limit is gateway.limits.maxUpstreamResponseBytes.",
            )

    async def read_all(self) -> bytes:
        """The whole rest. Raises ProviderError."""
        parts = []
        while part := await self.read():
            parts.append(part)
        return b"".join(parts)

    async def read_error(self) -> bytes:
        """The start of an error's body, as much as there is: the error counts, not the end of its text."""
        parts: list[bytes] = []
        size = 0
        with suppress(ProviderError, TimeoutError):
            async with asyncio.timeout(_ERROR_BODY_S):
                while size < _ERROR_BODY and (part := await self.read()):
                    parts.append(part)
                    size += len(part)
        return b"".join(parts)[:_ERROR_BODY]

    def close(self) -> None:
        """Give the connection back if the answer has been read to its end, else close it at once."""
        if not self._finished:
            self.drained()

    def finish(self) -> None:
        """The caller has all it wants, and only the end of the body may be missing.

        That end is taken in the background, so that nobody waits for it and the connection can be used
        again; nothing more may be read.
        """
        if not self._body.has_ended:
            self._finished = self._in_background(self)

    async def drain(self) -> None:
        """Read what is left, if it is little and comes soon."""
        left = _DRAIN_BYTES
        with suppress(ProviderError, TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                while left > 0 and (data := await self.read()):
                    left -= len(data)

    def drained(self) -> None:
        """The other half of `drain`, for when its task has ended, was cancelled, or has never begun."""
        self._body.close()
        self._response.close()
