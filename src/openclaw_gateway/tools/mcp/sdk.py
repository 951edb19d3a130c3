"""The one edge to the official `mcp` SDK: its client, its transports, its exceptions turned into ours.

Imported only when a server is configured (half a second and some tens of megabytes). A server that is a
command gets a scrubbed environment, its words on stderr are kept only for the log line about its end.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import httpx2
import mcp_types as types
import structlog
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError

from openclaw_gateway.children import marked
from openclaw_gateway.config.schema import McpServer
from openclaw_gateway.errors import ToolError
from openclaw_gateway.redaction import safe_text
from openclaw_gateway.tools.base import ToolResult
from openclaw_gateway.tools.mcp.connection import INHERITED, LeftOut, NotConnected, Offered
from openclaw_gateway.tools.mcp.last_words import LastWords
from openclaw_gateway.tools.mcp.results import result_of
from openclaw_gateway.tools.mcp.secrets import secrets_of
from openclaw_gateway.tools.mcp.watched import WatchedTransport

log = structlog.get_logger()

# How a connection that is no more shows itself below the SDK.
_BROKEN = (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream, OSError, httpx2.HTTPError)
_MAX_PAGES = 20
_MAX_TOOLS = 500
_TOO_MANY = f"its server has more than {_MAX_TOOLS}"
_MAX_SCHEMA_CHARS = 64_000


@asynccontextmanager
async def connect(name: str, server: McpServer, environ: Mapping[str, str]) -> AsyncIterator["SdkConnection"]:
    """In the first of the server's transports that works: each but the last has its share of the time for a
    start. Raises NotConnected, also when the connection breaks while it is being taken down."""
    # It logs tracebacks of its own; what matters reaches our log as the reason of a broken connection.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    refused: NotConnected | None = None
    transports = server.transports if server.command is None else ("stdio",)
    share_s = server.connect_s / len(transports)
    for transport in transports:
        stack = AsyncExitStack()
        try:
            async with asyncio.timeout(share_s if transport != transports[-1] else None):
                entered = _connected(name, server, environ, transport)
                connection = await stack.enter_async_context(entered)
        except (NotConnected, TimeoutError) as error:
            # What the first of them met says most.
            late = f"no answer in {transport} within {share_s:g} s"
            refused = refused or (error if isinstance(error, NotConnected) else NotConnected(late))
            continue
        async with stack:
            yield connection
        return
    raise refused or NotConnected("there is no way to speak to it")


@asynccontextmanager
async def _connected(
    name: str, server: McpServer, environ: Mapping[str, str], transport: str
) -> AsyncIterator["SdkConnection"]:
    known = secrets_of(server)
    words = LastWords(known)
    left = False
    try:
        async with AsyncExitStack() as stack:
            ended, changed = asyncio.Event(), asyncio.Event()
            left_out: list[LeftOut] = []
            streams = (
                _stdio(server, environ, words) if transport == "stdio" else _http(server, transport, stack)
            )

            async def heard(message: Any) -> None:
                if isinstance(message, types.ToolListChangedNotification):
                    changed.set()

            client = await stack.enter_async_context(
                Client(
                    WatchedTransport(streams, ended, left_out.extend),
                    read_timeout_seconds=server.call_s,
                    message_handler=heard,
                    cache=None,
                )
            )
            news = asyncio.create_task(_listen(client, changed), name=f"mcp.{name}.news")
            stack.push_async_callback(_cancel, news)
            yield SdkConnection(client, ended, changed, left_out, known)
            left = True
    except NotConnected:
        raise
    except Exception as error:  # noqa: BLE001 - the edge: the SDK raises whatever its parts raise, in groups
        if left:
            return
        raise NotConnected(_reason(error, words, known)) from None
    finally:
        words.close()


async def _listen(client: Client, changed: asyncio.Event) -> None:
    """Servers of the newest protocol tell of other tools only those who ask to be told."""
    tools = client.server_capabilities.tools
    if tools is None or not tools.list_changed:
        return
    with contextlib.suppress(ListenNotSupportedError, SubscriptionLost, MCPError, *_BROKEN):
        async with client.listen(tools_list_changed=True) as events:
            async for _ in events:
                changed.set()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class SdkConnection:
    """`left_out` is filled while a list is read. `known` are the server's secrets, which none of its messages
    shows."""

    def __init__(
        self,
        client: Client,
        ended: asyncio.Event,
        changed: asyncio.Event,
        left_out: list[LeftOut],
        known: tuple[str, ...],
    ) -> None:
        self._client = client
        self._left_out = left_out
        self._known = known
        self.ended = ended
        self.changed = changed

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        return tuple(self._left_out)

    async def list_tools(self) -> tuple[Offered, ...]:
        found: list[Offered] = []
        self._left_out.clear()
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            try:
                page = await self._client.list_tools(cursor=cursor)
            except MCPError as error:
                if error.code == types.METHOD_NOT_FOUND:
                    return ()  # a server without tools
                raise NotConnected(safe_text(error.message, known=self._known)) from None
            except _BROKEN:
                raise NotConnected("the connection broke") from None
            for tool in page.tools:
                size = len(str(tool.input_schema))
                if size > _MAX_SCHEMA_CHARS:
                    self._left_out.append(LeftOut(tool.name[:80], f"a schema of {size} characters"))
                elif len(found) < _MAX_TOOLS:
                    found.append(_offered(tool))
                else:
                    self._left_out.append(LeftOut(tool.name[:80], _TOO_MANY))
            cursor = page.next_cursor
            if not cursor:
                break
            if len(found) >= _MAX_TOOLS:
                self._left_out.append(LeftOut("…", _TOO_MANY))
                break
        return tuple(found)

    async def call(self, name: str, arguments: Mapping[str, Any], timeout_s: float) -> ToolResult:
        call = asyncio.ensure_future(self._client.call_tool(name, dict(arguments), timeout_s))
        gone = asyncio.ensure_future(self.ended.wait())
        try:
            # Whatever the SDK does about a call whose server is gone, nobody waits for it here.
            async with asyncio.timeout(timeout_s):
                await asyncio.wait({call, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise NotConnected("the server ended during a call")
            return result_of(call.result())
        except MCPError as error:
            raise self._failure(error) from None
        except TimeoutError:
            raise
        except _BROKEN:
            raise NotConnected("the connection broke during a call") from None
        except (ValueError, RuntimeError) as error:
            # Of pydantic and the SDK: an answer outside the protocol, or a question back to the user.
            raise ToolError(
                f"The server's answer cannot be used: {safe_text(str(error), known=self._known, limit=200)}"
            ) from None
        finally:
            for task in (call, gone):
                task.cancel()
            await asyncio.gather(call, gone, return_exceptions=True)

    def _failure(self, error: MCPError) -> Exception:
        if self.ended.is_set() or error.code == types.CONNECTION_CLOSED:
            return NotConnected("the server ended during a call")
        if error.code == types.REQUEST_TIMEOUT:
            return TimeoutError()
        # For a server at a URL nothing else tells that it is gone: have the link ask.
        self.changed.set()
        return ToolError(
            f"The server refused the call: {safe_text(error.message, known=self._known, limit=1000)}"
        )


def _stdio(server: McpServer, environ: Mapping[str, str], words: LastWords) -> Any:
    inherited = {name: environ[name] for name in INHERITED if name in environ}
    parameters = StdioServerParameters(
        command=server.command or "",
        args=list(server.args),
        env=marked({**inherited, **server.env}),
        cwd=server.cwd or server.working_directory,
        encoding_error_handler="replace",
    )
    return stdio_client(parameters, errlog=words.open())


def _http(server: McpServer, transport: str, stack: AsyncExitStack) -> Any:
    url, headers, make = server.url or "", dict(server.headers), _client_maker(server)
    if transport == "sse":
        return sse_client(url, headers=headers, httpx_client_factory=make)
    client = make(headers=headers)
    stack.push_async_callback(client.aclose)
    return streamable_http_client(url, http_client=client)


def _client_maker(server: McpServer) -> Any:
    """The SDK's own, or one that shows a certificate, or takes any."""
    if server.ssl_verify and server.client_cert is None:
        return create_mcp_http_client
    try:
        context = ssl.create_default_context()
        if not server.ssl_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if server.client_cert is not None:
            context.load_cert_chain(server.client_cert, server.client_key)
    except (OSError, ssl.SSLError):
        raise NotConnected("clientCert or clientKey cannot be used: they are PEM files") from None

    def make(headers: Any = None, timeout: Any = None, auth: Any = None) -> httpx2.AsyncClient:
        usual = httpx2.Timeout(30.0, read=300.0)
        return httpx2.AsyncClient(headers=headers, timeout=timeout or usual, auth=auth, verify=context)

    return make


def _offered(tool: types.Tool) -> Offered:
    hints = tool.annotations
    return Offered(
        name=tool.name,
        description=tool.description or "",
        schema={**tool.input_schema, "type": "object"},
        read_only=bool(hints and hints.read_only_hint),
    )


def _reason(error: BaseException, words: LastWords, known: tuple[str, ...]) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, NotConnected):
        return str(error)
    if isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError):
        return "its command, or its working directory, was not found or may not be used"
    told = safe_text(f"{type(error).__name__}: {error}", known=known, limit=300)
    said = words.text()
    return f"{told} (it said: {said})" if said else told
