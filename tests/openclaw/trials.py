"""What each program of OpenClaw and Clawdbot is to show at our gateway. A trial that fails raises
AssertionError."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from msgspec import Struct

from openclaw_gateway.testing.model_server import Hang, Hold, says
from tests.openclaw.frames import faults
from tests.openclaw.page import browsing, served
from tests.openclaw.stage import Stage, Terminal

_MODEL = "mock-echo"


class Trial(Struct, frozen=True):
    """`program` and what it `does`, as the page of compatibility says it."""

    program: str
    does: str
    run: Callable[[Stage], Awaitable[None]]


async def _agent(stage: Stage) -> None:
    assert (await stage.runs("agent", "--agent", "main", "-m", "one two three")).strip() == "one two three"


async def _health(stage: Stage) -> None:
    assert "main (default), poet" in await stage.runs("health")
    told = json.loads(await stage.runs("health", "--json"))
    assert [agent["agentId"] for agent in told["agents"]] == ["main", "poet"]


async def _status(stage: Stage) -> None:
    assert "reachable" in (text := await stage.runs("status")), text
    assert "unreachable" not in text
    told = json.loads(await stage.runs("status", "--json"))
    assert told["gateway"]["reachable"] is True, told["gateway"]


async def _probe(stage: Stage) -> None:
    assert "Connect: ok" in (text := await stage.runs("gateway", "probe")), text
    assert "Read probe: ok" in text


async def _usage(stage: Stage) -> None:
    assert "tokens" in await stage.runs("gateway", "usage-cost")


async def _logs(stage: Stage) -> None:
    await _agent(stage)
    assert "run.ended" in (text := await stage.runs("logs", "--limit", "20")), text
    lines = (await stage.runs("logs", "--json", "--limit", "20")).splitlines()
    assert any("run.ended" in line for line in lines if json.loads(line))


async def _call(stage: Stage) -> None:
    await _agent(stage)
    asked = json.dumps({"sessionKey": "main"})
    told = json.loads(await stage.runs("gateway", "call", "chat.history", "--params", asked, "--json"))
    assert told["messages"][-1]["role"] == "assistant"
    listed = json.loads(await stage.runs("gateway", "call", "sessions.list", "--json"))
    assert listed["sessions"][0]["key"] == "agent:main:main"


async def _models(stage: Stage) -> None:
    assert "mock/mock-echo" in (text := await stage.runs("models", "list")), text
    (row,) = json.loads(await stage.runs("models", "list", "--json"))["models"]
    assert (row["key"], row["available"]) == ("mock/mock-echo", True)


async def _presence(stage: Stage) -> None:
    assert "operator" in await stage.runs("system", "presence", "--json")


async def _tui(stage: Stage) -> None:
    async with stage.in_a_terminal("tui") as terminal:
        await terminal.shows("connected")
        await _talks(terminal, "four five six")
    async with stage.in_a_terminal("tui") as terminal:
        await terminal.shows("four five six")
        terminal.types("/new\r")
        await terminal.shows("session")
        await _talks(terminal, "seven eight")


async def _talks(terminal: Terminal, text: str) -> None:
    terminal.types(f"{text}\r")
    await terminal.shows(text)
    await terminal.shows(text)


async def _clawdbot_page(stage: Stage) -> None:
    gate = asyncio.Event()
    with served(stage.program.package, stage.origin):
        async with browsing() as page:
            await page.signs_in_at_once(stage.origin, stage.url)
            stage.models.script(_MODEL, says("The first half ", Hold(gate), "and the second."))
            await page.writes("Tell me something.")
            await page.shows("The first half")
            gate.set()
            await page.shows("The first half and the second.")
            await page.loads_again()
            await page.shows("The first half and the second.")


async def _frames(stage: Stage) -> None:
    found = await faults(stage.program.package, stage.url)
    assert not found, "\n".join(found)


async def _clawdbot_tui(stage: Stage) -> None:
    async with stage.in_a_terminal("tui") as terminal:
        await terminal.shows("connected")
        await _talks(terminal, "four five six")


async def _clawdbot_status(stage: Stage) -> None:
    assert "reachable" in (text := await stage.runs("status")), text
    assert "unreachable" not in text
    assert json.loads(await stage.runs("status", "--json"))["gateway"]["reachable"] is True


async def _clawdbot_probe(stage: Stage) -> None:
    assert "RPC: ok" in (text := await stage.runs("gateway", "probe")), text


async def _page(stage: Stage) -> None:
    models, gate = stage.models, asyncio.Event()
    with served(stage.program.package, stage.origin):
        async with browsing() as page:
            await page.signs_in(stage.origin, stage.url)
            models.script(_MODEL, says("The first half ", Hold(gate), "and the second."))
            await page.writes("Tell me something.")
            await page.shows("The first half")
            gate.set()
            await page.shows("The first half and the second.")
            await page.is_done()
            await page.loads_again()
            await page.shows("The first half and the second.")
            models.script(_MODEL, says("Never ", Hang()))
            await page.writes("And now without an end.")
            await page.shows("Never")
            await page.stops()
            await page.writes("Are you there?")
            await page.shows("Are you there?")


OPENCLAW = (
    Trial("openclaw agent", "talks with an agent", _agent),
    Trial("openclaw health", "tells the agents and their sessions, as text and as JSON", _health),
    Trial("openclaw status", "finds the gateway, as text and as JSON", _status),
    Trial("openclaw gateway probe", "says that it is reachable, and that it can be read", _probe),
    Trial("openclaw gateway call", "calls what is served", _call),
    Trial("openclaw models list", "tells the models, as text and as JSON", _models),
    Trial("openclaw gateway usage-cost", "tells tokens and costs by day", _usage),
    Trial("openclaw logs", "shows the gateway's log, where `logging.file` names a file", _logs),
    Trial("openclaw system presence", "tells who is connected", _presence),
    Trial("openclaw tui", "chats, shows the history when it is started again, `/new`", _tui),
    Trial("the control page", "signs in, chats, streams, shows the history when loaded again, stops", _page),
)

CLAWDBOT = (
    Trial("clawdbot agent", "talks with an agent", _agent),
    Trial("clawdbot health", "tells the agents and their sessions, as text and as JSON", _health),
    Trial("clawdbot status", "finds the gateway, as text and as JSON", _clawdbot_status),
    Trial("clawdbot gateway probe", "says that it is reachable, and that it can be called", _clawdbot_probe),
    Trial("clawdbot gateway call", "calls what is served", _call),
    Trial("clawdbot logs", "shows the gateway's log, where `logging.file` names a file", _logs),
    Trial("clawdbot tui", "chats", _clawdbot_tui),
    Trial("Clawdbot's control page", "signs in, chats, streams, shows the history again", _clawdbot_page),
    Trial("Clawdbot's published schema", "fits greeting, results and events of protocol 3", _frames),
)
