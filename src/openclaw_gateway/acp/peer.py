"""A conversation in JSON-RPC: lines read and answered, lines written, questions to the editor.

Knows streams and no method. Each request is a task of its own, so that an editor can stop what it has asked.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from openclaw_gateway.acp import jsonrpc
from openclaw_gateway.acp.jsonrpc import (
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    Answered,
    Asked,
    Faulty,
    RpcError,
)

# What has come is answered, if that does not take long: the editor may have closed one end only.
_LAST_S = 1.0
# What is asked beyond so much is refused; what is only said is dealt with before more is read.
MOST_OPEN = 128
Handler = Callable[[dict[str, Any]], Awaitable[object]]
log = structlog.get_logger()


class Peer:
    """`explain` makes an answer of what a handler raises."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        explain: Callable[[Exception], RpcError | None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._explain = explain
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[jsonrpc.Id, asyncio.Future[Answered]] = {}
        self._count = 0

    async def serve(self, methods: Mapping[str, Handler]) -> None:
        """Until the editor closes its end. What is going on then is cancelled."""
        try:
            while line := await self._reader.readline():
                if line.strip():
                    await self._take(line, methods)
        except ConnectionError:
            pass  # the editor reads no more
        except ValueError:
            # A line beyond the reader's bound: where the next one begins nobody can tell.
            with contextlib.suppress(ConnectionError):
                await self._fail(None, RpcError(jsonrpc.INVALID_REQUEST, "The message is too long."))
        else:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_LAST_S)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def tell(self, method: str, params: object) -> None:
        await self._write(jsonrpc.notification(method, params))

    async def ask(self, method: str, params: object) -> object:
        """The answer. Raises RpcError."""
        self._count += 1
        id_ = self._count
        waiting: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = waiting
        try:
            await self._write(jsonrpc.request(id_, method, params))
            answered = await waiting
        finally:
            del self._waiting[id_]
        if answered.error is not None:
            raise RpcError(INTERNAL_ERROR, str(answered.error.get("message", "The editor refused.")))
        return answered.result

    async def _take(self, line: bytes, methods: Mapping[str, Handler]) -> None:
        match jsonrpc.read(line):
            case Faulty(id=id_, error=error):
                await self._fail(id_, error)
            case Answered() as answered:
                waiting = self._waiting.get(answered.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answered)
            case Asked(notifies=False) as asked if len(self._tasks) >= MOST_OPEN:
                full = f"{MOST_OPEN} requests are open: wait for their answers, or cancel some."
                await self._fail(asked.id, RpcError(INTERNAL_ERROR, full))
            case Asked() as asked:
                task = asyncio.create_task(
                    self._answered(asked, methods.get(asked.method, _unknown(asked.method)))
                )
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                if asked.notifies and len(self._tasks) > MOST_OPEN:
                    await asyncio.wait((task,))

    async def _answered(self, asked: Asked, handler: Handler) -> None:
        """Whoever reads the other end notices by himself that the editor has gone."""
        with contextlib.suppress(ConnectionError):
            await self._answer(asked, handler)

    async def _answer(self, asked: Asked, handler: Handler) -> None:
        try:
            value = await handler(asked.params)
        except RpcError as error:
            if not asked.notifies:
                await self._fail(asked.id, error)
            return
        except ConnectionError:
            raise
        # The edge to the editor: nothing that goes wrong with one request ends the conversation.
        except Exception as error:
            told = self._explain(error)
            if told is None:
                log.exception("acp.failed", method=asked.method)
                told = RpcError(
                    INTERNAL_ERROR, f"Internal error ({type(error).__name__}): see the log on stderr."
                )
            if not asked.notifies:
                await self._fail(asked.id, told)
            return
        if not asked.notifies:
            await self._write(jsonrpc.result(asked.id, value))

    async def _fail(self, id_: jsonrpc.Id, error: RpcError) -> None:
        await self._write(jsonrpc.failure(id_, error))

    async def _write(self, line: bytes) -> None:
        """Raises ConnectionError where the editor reads no more."""
        if self._writer.is_closing():
            raise ConnectionResetError("the editor has closed its end")
        self._writer.write(line)
        await self._writer.drain()


def _unknown(method: str) -> Handler:
    async def refuse(_: dict[str, Any]) -> object:
        raise RpcError(METHOD_NOT_FOUND, f"There is no method {method} here.")

    return refuse
