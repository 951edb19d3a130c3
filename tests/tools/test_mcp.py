"""MCP servers as real processes: their tools, deaths and slowness; and nothing of them is left behind."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from openclaw_gateway.config.schema import McpConfig, McpServer, McpToolFilter
from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.base import Tool, ToolContext, ToolResult
from openclaw_gateway.tools.mcp.connection import Connection, LeftOut, NotConnected, Offered
from openclaw_gateway.tools.mcp.naming import mcp_name, server_prefix
from openclaw_gateway.tools.mcp.pool import McpPool
from openclaw_gateway.tools.mcp.servers import McpServers
from tests.tools.rooms import OPERATOR

SCRIPT = str(Path(__file__).with_name("mcp_server.py"))
CONTEXT = ToolContext("run", "call", "main", OPERATOR, None, lambda text: None)
PAUSES = (0.05, 0.2)


async def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running(**servers: McpServer) -> AsyncIterator[McpServers]:
    async with running_in(os.environ, servers) as made:
        yield made


@contextlib.asynccontextmanager
async def running_in(environ: Mapping[str, str], servers: dict[str, McpServer]) -> AsyncIterator[McpServers]:
    made = McpServers(McpConfig(servers=servers), environ, McpPool(pauses_s=PAUSES))
    made.start()
    try:
        yield made
    finally:
        await made.close()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("mcp.")]


def small(*words: str, **settings: Any) -> McpServer:
    return McpServer(command=sys.executable, args=(SCRIPT, *words), **settings)


def tool(servers: McpServers, name: str, server: str = "small") -> Tool:
    return {one.spec.name: one for one in servers.tools()}[f"mcp__{server}__{name}"]


async def say(servers: McpServers, name: str, server: str = "small", **arguments: Any) -> str:
    return (await tool(servers, name, server).run(arguments, CONTEXT)).text


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_tools_of_a_command(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "OPENAI_API_KEY": "sk-secret", "HOME": str(tmp_path)}
    async with running_in(environ, {"small": small(env={"GIVEN": "yes"}, cwd=str(tmp_path))}) as servers:
        assert servers.tools() == ()
        await until(servers.tools)
        assert troubles(servers) == {"small": None}
        add = tool(servers, "add")
        assert add.summary == "Add two numbers."
        assert b'"type":"object"' in bytes(add.spec.parameters)
        assert await say(servers, "add", a=1, b=2) == "3"
        told = await say(servers, "environment")
        assert "GIVEN=yes" in told
        assert f"cwd={tmp_path}" in told
        assert "OPENAI" not in told
        failed = await tool(servers, "fail").run({}, CONTEXT)
        assert failed.is_error
        assert await say(servers, "odd_name_") == "one\ntwo"
        pid = int(await say(servers, "pid"))
        assert alive(pid)
    assert not alive(pid)


async def test_killed_during_a_call(tmp_path: Path) -> None:
    async with running(small=small()) as servers:
        await until(servers.tools)
        pid = int(await say(servers, "pid"))
        offered = servers.tools()
        begun = tmp_path / "begun"
        call = asyncio.ensure_future(say(servers, "sleep", seconds=60, begun=str(begun)))
        await until(begun.exists)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ToolError, match="went away during the call"):
            async with asyncio.timeout(5):
                await call
        assert servers.tools()
        assert int(await say(servers, "pid")) != pid
        assert troubles(servers) == {"small": None}
        assert servers.tools() is offered


async def test_calls_side_by_side_and_a_cancelled_one(tmp_path: Path) -> None:
    async with running(small=small()) as servers:
        await until(servers.tools)
        begun = tmp_path / "begun"
        slow = asyncio.ensure_future(say(servers, "sleep", seconds=60, begun=str(begun)))
        await until(begun.exists)
        assert await asyncio.gather(*(say(servers, "add", a=n, b=n) for n in range(20))) == [
            str(2 * n) for n in range(20)
        ]
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert await say(servers, "add", a=1, b=2) == "3"


async def test_a_slow_call_is_given_up_and_the_server_kept() -> None:
    async with running(small=small(call_timeout_ms=300)) as servers:
        await until(servers.tools)
        pid = await say(servers, "pid")
        with pytest.raises(ToolError, match=r"gave no result within 0\.3 s"):
            await say(servers, "sleep", seconds=60)
        assert await say(servers, "pid") == pid


async def test_a_slow_start_holds_nobody() -> None:
    async with asyncio.timeout(20), running(slow=small("slow"), small=small()) as servers:
        await until(servers.tools)
        assert troubles(servers) == {"slow": "starting", "small": None}
        assert {one.spec.name.split("__")[1] for one in servers.tools()} == {"small"}


async def test_servers_that_cannot_start_say_why() -> None:
    servers = {
        "none": McpServer(command="/no/such/program", env={"KEY": "very-private-value"}),
        "broken": small("broken"),
        "stuck": small("slow", connection_timeout_ms=200),
        "off": McpServer(command="x", enabled=False),
        "refused": McpServer(url="http://127.0.0.1:1/mcp", headers={"x-key": "very-private-value"}),
    }
    async with running(**servers) as made:
        assert set(troubles(made)) == {"none", "broken", "stuck", "refused"}
        await until(lambda: "starting" not in troubles(made).values())
        states = troubles(made)
        assert made.tools() == ()
    assert "was not found" in (states["none"] or "")
    assert "some words on stderr" in (states["broken"] or "")
    assert "within 0.2 s" in (states["stuck"] or "")
    assert states["refused"]
    assert not any("private" in (text or "") or "secret-value" in (text or "") for text in states.values())


async def test_a_server_that_offers_more() -> None:
    async with running(small=small()) as servers:
        await until(servers.tools)
        before = servers.tools()
        async with asyncio.timeout(20):
            # It tells only those who listen, and listening starts a moment after the connection.
            while servers.tools() is before:
                await say(servers, "grow")
                await asyncio.sleep(0.1)
        assert len(servers.tools()) == len(before) + 1
        assert await say(servers, "grown") == "grown"


async def test_only_the_tools_that_the_filter_lets_pass() -> None:
    some = McpToolFilter(include=("a*", "pid", "f?il"), exclude=("fail", "ad*x"))
    none = McpToolFilter(exclude=("*",))
    async with running(some=small(tool_filter=some), none=small(tool_filter=none)) as servers:
        await until(lambda: troubles(servers) == {"some": None, "none": None})
        assert [one.spec.name for one in servers.tools()] == ["mcp__some__add", "mcp__some__pid"]


async def test_calls_of_a_server_that_takes_them_side_by_side() -> None:
    several = small(supports_parallel_tool_calls=True)
    async with running(several=several, small=small()) as servers:
        await until(lambda: troubles(servers) == {"several": None, "small": None})
        assert tool(servers, "add", "several").read_only
        assert not tool(servers, "add").read_only


@pytest.mark.parametrize("written", [None, "sse"])
async def test_a_server_that_speaks_the_older_way(written: Literal["sse"] | None) -> None:
    """Nobody needs to say so."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await serve(port, "sse")
    try:
        async with running(far=McpServer(url=f"http://127.0.0.1:{port}/sse", transport=written)) as servers:
            await until(servers.tools)
            assert await say(servers, "add", "far", a=1, b=2) == "3"
    finally:
        process.kill()
        await process.wait()


async def test_a_way_to_speak_that_hangs_leaves_time_for_the_next() -> None:
    """A server whose POST never answers, and which speaks the older way at the same address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await serve(port, "sse")
    held: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST /sse"):
            return
        behind_reader, behind = await asyncio.open_connection("127.0.0.1", port)
        held.append(behind)
        behind.write(head)
        await asyncio.gather(_pump(reader, behind), _pump(behind_reader, writer))

    front = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{front.sockets[0].getsockname()[1]}/sse"
    try:
        async with running(far=McpServer(url=url, connection_timeout_ms=4000)) as servers:
            await until(servers.tools)
            assert await say(servers, "add", "far", a=1, b=2) == "3"
    finally:
        front.close()
        for writer in held:
            writer.close()
        process.kill()
        await process.wait()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_a_certificate_that_is_none() -> None:
    async with running(
        far=McpServer(url="https://127.0.0.1:9/mcp", client_cert=SCRIPT, client_key=SCRIPT)
    ) as servers:
        await until(lambda: "clientCert" in (troubles(servers)["far"] or ""))


async def serve(port: int, how: str) -> asyncio.subprocess.Process:
    devnull = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, how, str(port), stdout=devnull, stderr=devnull
    )


async def test_a_server_at_a_url() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    far = McpServer(url=f"http://127.0.0.1:{port}/mcp", call_timeout_ms=5000)
    async with running(far=far) as servers:
        await until(lambda: troubles(servers)["far"] != "starting")
        process = await serve(port, "http")
        try:
            await until(servers.tools)
            assert await say(servers, "add", "far", a=1, b=2) == "3"
            process.kill()
            await process.wait()
            with pytest.raises(ToolError):
                await say(servers, "add", "far", a=1, b=2)
            await until(lambda: troubles(servers)["far"] is not None)
            process = await serve(port, "http")
            await until(lambda: troubles(servers)["far"] is None)
            assert await say(servers, "add", "far", a=2, b=2) == "4"
        finally:
            process.kill()
            await process.wait()


def troubles(servers: McpServers) -> dict[str, str | None]:
    return {state.name: state.trouble for state in servers.states()}


class Scripted:
    """Connections that fail so many times, then offer what they are told to, each once the gate is open."""

    def __init__(
        self,
        failures: int = 0,
        offered: tuple[Offered, ...] = (),
        failure: BaseException = NotConnected("not yet"),  # noqa: B008 - one for all
    ) -> None:
        self.failure = failure
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures = failures
        self.offered = offered
        self.left_out: tuple[LeftOut, ...] = ()
        self.attempts = 0
        self.open = 0
        self.ended = asyncio.Event()
        self.changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def connect(
        self, name: str, server: McpServer, environ: Mapping[str, str]
    ) -> AsyncIterator[Connection]:
        self.attempts += 1
        await self.gate.wait()
        if self.attempts <= self.failures:
            raise self.failure
        self.open += 1
        self.ended.clear()
        try:
            yield self
        finally:
            self.open -= 1

    async def list_tools(self) -> tuple[Offered, ...]:
        return self.offered

    async def call(self, name: str, arguments: Mapping[str, Any], timeout_s: float) -> ToolResult:
        return ToolResult(name)


def offer(*names: str) -> tuple[Offered, ...]:
    return tuple(Offered(name, "", {"type": "object"}, read_only=True) for name in names)


async def test_it_is_tried_again_and_changes_are_told() -> None:
    scripted = Scripted(2, offer("a.b", "a_b", "x" * 100, "x" * 99))
    config = McpConfig(servers={"s": McpServer(command="x")})
    servers = McpServers(config, {}, McpPool(connect=scripted.connect, pauses_s=(0.001,)))
    servers.start()
    await until(servers.tools)
    names = [one.spec.name for one in servers.tools()]
    assert scripted.attempts == 3
    assert len(set(names)) == 4
    assert names[0] == "mcp__s__a_b"
    assert all(len(name) <= 64 for name in names)
    assert [(await one.run({}, CONTEXT)).text[:3] for one in servers.tools()] == ["a.b", "a_b", "xxx", "xxx"]
    scripted.offered = offer("only")
    scripted.changed.set()
    await until(lambda: len(servers.tools()) == 1)
    await servers.close()
    assert scripted.open == 0


@contextlib.asynccontextmanager
async def playing(scripted: Scripted) -> AsyncIterator[McpServers]:
    config = McpConfig(servers={"s": McpServer(command="x")})
    servers = McpServers(config, {}, McpPool(connect=scripted.connect, pauses_s=(0.001,)))
    servers.start()
    try:
        yield servers
    finally:
        await servers.close()


async def fallen(scripted: Scripted, servers: McpServers) -> None:
    """Up, then gone, and its next start waits at the gate."""
    await until(servers.tools)
    scripted.gate.clear()
    scripted.ended.set()
    await until(lambda: scripted.attempts == 2)


async def test_a_call_waits_for_a_server_that_is_started_again() -> None:
    scripted = Scripted(0, offer("a"))
    async with playing(scripted) as servers:
        await fallen(scripted, servers)
        call = asyncio.create_task(say(servers, "a", "s"))
        await asyncio.sleep(0)
        assert not call.done()
        scripted.gate.set()
        assert await call == "a"


async def test_a_call_does_not_wait_for_a_server_that_cannot_be_started() -> None:
    scripted = Scripted(0, offer("a"))
    async with playing(scripted) as servers:
        await fallen(scripted, servers)
        call = asyncio.create_task(say(servers, "a", "s"))
        await asyncio.sleep(0)
        scripted.failures = 10**9
        scripted.gate.set()
        with pytest.raises(ToolError, match="s is not running"):
            async with asyncio.timeout(5):
                await call
        scripted.gate.clear()
        with pytest.raises(ToolError, match="s is not running"):
            await say(servers, "a", "s")


async def test_closing_keeps_no_call_waiting() -> None:
    scripted = Scripted(0, offer("a"))
    async with playing(scripted) as servers:
        await fallen(scripted, servers)
        call = asyncio.create_task(say(servers, "a", "s"))
        await asyncio.sleep(0)
    with pytest.raises(ToolError, match="s is not running"):
        async with asyncio.timeout(5):
            await call


class SlowToLeave:
    """A start that never ends, and whose end takes until the gate is open."""

    def __init__(self) -> None:
        self.leaving = asyncio.Event()
        self.gate = asyncio.Event()
        self.torn = False

    @contextlib.asynccontextmanager
    async def connect(
        self, name: str, server: McpServer, environ: Mapping[str, str]
    ) -> AsyncIterator[Connection]:
        try:
            await asyncio.Event().wait()
            yield Scripted()
        finally:
            self.leaving.set()
            self.torn = True
            await self.gate.wait()
            self.torn = False


@pytest.mark.parametrize("timeout_ms", [1, 60_000])
async def test_closing_lets_a_start_that_is_given_up_tidy_up(timeout_ms: int) -> None:
    """The SDK ends a server's process there: cut short, the process would stay."""
    slow = SlowToLeave()
    config = McpConfig(servers={"s": McpServer(command="x", connection_timeout_ms=timeout_ms)})
    servers = McpServers(config, {}, McpPool(connect=slow.connect))
    servers.start()
    if timeout_ms == 1:
        await slow.leaving.wait()
    closing = asyncio.create_task(servers.close())
    async with asyncio.timeout(5):
        await slow.leaving.wait()
        await asyncio.sleep(0)
        slow.gate.set()
        await closing
    assert not slow.torn


@pytest.mark.parametrize(
    "fault",
    [ImportError("cannot import name 'Client' from 'mcp'"), asyncio.CancelledError()],
    ids=["import", "a cancellation that leaked"],
)
async def test_a_fault_nobody_knew_of_is_told_and_tried_again(fault: BaseException) -> None:
    scripted = Scripted(10**9, offer("a"), failure=fault)
    async with playing(scripted) as servers:
        await until(lambda: troubles(servers) == {"s": f"it cannot be used: {type(fault).__name__}"})
        scripted.failures = 0
        await until(servers.tools)
        assert troubles(servers) == {"s": None}


async def test_without_the_package_there_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    servers = McpServers(McpConfig(servers={"s": McpServer(command="x")}), {}, McpPool())
    assert 'pip install "$(ls dist/*.whl)[mcp]"' in (servers.notice() or "")
    servers.start()
    assert troubles(servers) == {}
    await servers.close()
    assert McpServers(McpConfig(), {}, McpPool()).notice() is None


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, openclaw_gateway.tools.mcp.servers, openclaw_gateway.tools.builtin.web_fetch;"
        "print(sorted({'mcp', 'pydantic', 'anyio', 'html_to_markdown'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("server", "tool_name", "name"),
    [
        ("files", "read_file", "mcp__files__read_file"),
        ("my files!", "read", "mcp__my_files__read"),
        ("a__b", "c__d", "mcp__a_b__c__d"),
    ],
)
def test_names(server: str, tool_name: str, name: str) -> None:
    assert mcp_name(server, tool_name) == name


def test_long_names_stay_apart() -> None:
    assert mcp_name("s", "t" * 80) != mcp_name("s", "t" * 81)
    assert len(mcp_name("s" * 80, "t" * 80)) == 64
    assert server_prefix("ü") != server_prefix("ö")


async def test_a_server_that_two_configurations_use_runs_once_and_ends_with_the_last() -> None:
    scripted = Scripted(0, offer("a"))
    pool = McpPool(connect=scripted.connect)
    same, other = McpServer(command="x"), McpServer(command="x", args=("y",))
    first = McpServers(McpConfig(servers={"s": same, "gone": other}), {}, pool)
    first.start()
    await until(lambda: len(first.tools()) == 2)
    second = McpServers(McpConfig(servers={"s": same, "changed": other}), {"UNRELATED": "1"}, pool)
    second.start()
    assert [one.spec.name for one in second.tools()] == ["mcp__s__a"]
    await until(lambda: len(second.tools()) == 2)
    assert scripted.attempts == 3
    await first.close()
    assert scripted.open == 2
    assert len(second.tools()) == 2
    await second.close()
    assert scripted.open == 0
    await pool.close()
