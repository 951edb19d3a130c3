"""A transport of the SDK that tells when its other end has gone: the SDK itself tells only who is calling.

What a server lists is mended on its way (`tool_listing`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

from mcp.client._transport import TransportStreams

from openclaw_gateway.tools.mcp.connection import LeftOut
from openclaw_gateway.tools.mcp.tool_listing import mend


class WatchedTransport:
    """`left_out` hears of the tools that a list is told without."""

    def __init__(
        self,
        transport: AbstractAsyncContextManager[TransportStreams],
        ended: asyncio.Event,
        left_out: Callable[[Iterable[LeftOut]], None],
    ) -> None:
        self._transport = transport
        self._ended = ended
        self._left_out = left_out

    async def __aenter__(self) -> TransportStreams:
        read, write = await self._transport.__aenter__()
        return _WatchedStream(read, self._ended, self._left_out), write

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._ended.set()
        return await self._transport.__aexit__(kind, error, trace)


class _WatchedStream:
    def __init__(
        self, stream: Any, ended: asyncio.Event, left_out: Callable[[Iterable[LeftOut]], None]
    ) -> None:
        self._stream = stream
        self._ended = ended
        self._left_out = left_out

    async def receive(self) -> Any:
        return await self._heard(self._stream.receive())

    async def aclose(self) -> None:
        self._ended.set()
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return await self._heard(self._stream.__anext__())

    async def _heard(self, message: Awaitable[Any]) -> Any:
        try:
            heard = await message
        except BaseException:
            # Whatever ends the reading, the connection ends with it.
            self._ended.set()
            raise
        self._left_out(mend(getattr(getattr(heard, "message", None), "result", None)))
        return heard

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._ended.set()
        closed: bool | None = await self._stream.__aexit__(kind, error, trace)
        return closed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
