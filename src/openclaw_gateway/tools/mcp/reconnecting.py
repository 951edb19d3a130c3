"""One MCP server: a task that owns the connection, keeps it up, and knows what tools it offers.

The task alone enters and leaves the connection (the SDK's task groups demand it); calls come from the runs'
tasks. A server that is away keeps its tools on offer, so that an agent's prompt does not flicker. It is
started again with growing pauses. A call waits a while for one that has just gone; when its last start
failed, the call is a ToolError at once.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from openclaw_gateway.config.schema import McpServer
from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.base import ToolResult
from openclaw_gateway.tools.mcp.connection import Connect, Connection, LeftOut, NotConnected, Offered
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_STEADY_S = 60.0
_PROBE_S = 5.0
_CLOSE_S = 10.0
_RETURN_S = 10.0
_MOST_TOLD = 20


class ReconnectingClient:
    """All of `heard_by` are called whenever the offered tools are other ones than before. `inherited` is what
    of the environment its command gets."""

    def __init__(
        self,
        name: str,
        server: McpServer,
        inherited: Mapping[str, str],
        *,
        connect: Connect,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self.name = name
        self.server = server
        self.inherited = inherited
        self.heard_by: set[Callable[[], None]] = set()
        self.offered: tuple[Offered, ...] = ()
        self.left_out: tuple[LeftOut, ...] = ()
        # Why it is not connected, for the operator; None while it is.
        self.trouble: str | None = "starting"
        self._connect = connect
        self._pauses_s = pauses_s
        self._connection: Connection | None = None
        # It was up, and no start since then has failed.
        self._returning = False
        self._turn = asyncio.Event()
        self._starting: asyncio.Timeout | None = None
        self._stop = asyncio.Event()
        self._suspect = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name=f"mcp.{self.name}")

    async def close(self) -> None:
        """Ends the server too; at most some seconds."""
        self._stop.set()
        self._became(self._connection)
        if self._task is None:
            return
        if self._starting is not None and not self._starting.expired():
            # As if it had taken too long: to cancel the task could hit the SDK while it ends a process.
            self._starting.reschedule(asyncio.get_running_loop().time())
        done, _ = await asyncio.wait({self._task}, timeout=_CLOSE_S)
        if not done:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_CLOSE_S)

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Raises ToolError."""
        connection = await self._up()
        timeout_s = self.server.call_s
        try:
            return await connection.call(tool, arguments, timeout_s)
        except TimeoutError:
            self._suspect.set()
            raise ToolError(f"The MCP server {self.name} gave no result within {timeout_s:g} s.") from None
        except NotConnected:
            self._suspect.set()
            raise ToolError(
                f"The MCP server {self.name} went away during the call; it is being started again. "
                "Whether the call took effect is not known."
            ) from None

    async def _up(self) -> Connection:
        """Nothing is sent yet, so waiting harms nobody. Raises ToolError."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RETURN_S):
                while (connection := self._connection) is not None or self._returning:
                    if connection is not None and not connection.ended.is_set():
                        return connection
                    await self._turn.wait()
        raise ToolError(f"The MCP server {self.name} is not running at the moment. Go on without it.")

    def _became(self, connection: Connection | None, *, returning: bool = False) -> None:
        self._connection, self._returning = connection, returning
        self._turn.set()
        self._turn = asyncio.Event()

    async def _keep(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            since = loop.time()
            try:
                await self._serve_once()
            except NotConnected as error:
                self.trouble = str(error)
            # The edge of a server: its faults end no other's tools, nor its own.
            except (Exception, asyncio.CancelledError) as error:
                if is_being_cancelled():
                    raise
                log.exception("mcp.broken", server=self.name)
                self.trouble = f"it cannot be used: {type(error).__name__}"
            if self._stop.is_set():
                return
            failures = 0 if loop.time() - since > _STEADY_S else failures
            pause_s = self._pauses_s[min(failures, len(self._pauses_s) - 1)]
            failures += 1
            log.warning("mcp.away", server=self.name, reason=self.trouble, again_in_s=pause_s)
            await self._sleep(pause_s)

    async def _serve_once(self) -> None:
        """Connect, and stay until the server ends or is told to. Raises NotConnected."""
        async with contextlib.AsyncExitStack() as stack:
            try:
                connection = await self._started(stack)
            except BaseException:
                self._became(None)
                raise
            self._suspect.clear()
            self.trouble = None
            self._became(connection)
            log.info("mcp.connected", server=self.name, tools=len(self.offered))
            try:
                await self._stay(connection)
            finally:
                # Before the connection is taken down: who calls now waits for the next one.
                self._became(None, returning=not self._stop.is_set())
            self.trouble = "the server ended"

    async def _started(self, stack: contextlib.AsyncExitStack) -> Connection:
        deadline_s = self.server.connect_s
        try:
            async with asyncio.timeout(deadline_s) as self._starting:
                connect = self._connect(self.name, self.server, self.inherited)
                connection = await stack.enter_async_context(connect)
                self._offer(await connection.list_tools(), connection.left_out)
        except TimeoutError:
            raise NotConnected(f"no connection within {deadline_s:g} s") from None
        finally:
            self._starting = None
        return connection

    async def _stay(self, connection: Connection) -> None:
        while not (self._stop.is_set() or connection.ended.is_set()):
            await _any_of(self._stop, connection.ended, connection.changed, self._suspect)
            if self._suspect.is_set() and not self._stop.is_set():
                self._suspect.clear()
                # A slow tool is no dead server: ask, before it is thrown away.
                connection.changed.set()
            if connection.changed.is_set() and not (connection.ended.is_set() or self._stop.is_set()):
                connection.changed.clear()
                try:
                    async with asyncio.timeout(_PROBE_S):
                        self._offer(await connection.list_tools(), connection.left_out)
                except TimeoutError:
                    raise NotConnected("the server does not answer any more") from None

    def _offer(self, offered: tuple[Offered, ...], left_out: tuple[LeftOut, ...]) -> None:
        for one in left_out[:_MOST_TOLD] if left_out != self.left_out else ():
            log.warning("mcp.tool_left_out", server=self.name, tool=one.tool, reason=one.reason)
        self.left_out = left_out
        if offered != self.offered:
            self.offered = offered
            for heard in tuple(self.heard_by):
                heard()

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()


async def _any_of(*events: asyncio.Event) -> None:
    tasks = [asyncio.create_task(event.wait(), name="mcp.wait") for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
