"""One code path: HTTP, WebSocket, the terminal and the terminal in process give the same run.

The same question is put through each door to a session of its own; what goes upstream, the events, the
transcript and the refusals must not tell which door it was.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.client.connection import GatewayClient
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.run import Run
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, Reasoning, Reply, fails, says, sends
from openclaw_gateway.wire.events import Event, RunEnded, RunStarted, ToolEnded
from openclaw_gateway.wire.messages import Message
from tests.doors.chat import ask, user

Outcome = tuple[str, str]  # ("text", the answer) or ("code", the error's code)
Door = Callable[[RunningGateway, str, str, str | None], Awaitable[Outcome]]


async def by_http(gateway: RunningGateway, text: str, session: str, agent: str | None) -> Outcome:
    headers = {"x-openclaw-session-key": session} | ({"x-openclaw-agent-id": agent} if agent else {})
    answer = await ask(gateway, {"messages": [user(text)]}, headers=headers)
    return ("text", answer.content) if answer.status == 200 else ("code", answer.error["code"])


async def by_stream(gateway: RunningGateway, text: str, session: str, agent: str | None) -> Outcome:
    headers = {"x-openclaw-session-key": session} | ({"x-openclaw-agent-id": agent} if agent else {})
    answer = await ask(gateway, {"messages": [user(text)], "stream": True}, headers=headers)
    if answer.status != 200:
        return "code", answer.error["code"]
    deltas = [frame["choices"][0]["delta"] for frame in answer.frames[:-1]]
    return "text", "".join(delta.get("content", "") for delta in deltas)


async def by_websocket(gateway: RunningGateway, text: str, session: str, agent: str | None) -> Outcome:
    params = {"message": text, "sessionKey": session} | ({"agentId": agent} if agent else {})
    async with GatewayClient(gateway.ws_url, token=gateway.token) as client:
        try:
            async with client.agent(params) as call:
                result = await call.result()
        except GatewayError as error:
            return "code", error.code
    return "text", result["payloads"][0]["text"]


async def by_terminal(gateway: RunningGateway, text: str, session: str, agent: str | None) -> Outcome:
    return await _terminal(gateway, text, session, agent, "--url", gateway.url, "--token", gateway.token)


async def in_process(gateway: RunningGateway, text: str, session: str, agent: str | None) -> Outcome:
    await gateway.daemon.close()
    return await _terminal(gateway, text, session, agent, "--local")


async def _terminal(
    gateway: RunningGateway, text: str, session: str, agent: str | None, *more: str
) -> Outcome:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "openclaw_gateway", "agent", "-m", text, "--session-key", session, "--json", *more),
        *(("--agent", agent) if agent else ()),
        stdout=asyncio.subprocess.PIPE,
        env={
            "OPENCLAW_STATE_DIR": str(gateway.state_dir),
            "HOME": str(gateway.state_dir),
            "PATH": os.environ["PATH"],
        },
    )
    async with asyncio.timeout(20):
        out, _ = await process.communicate()
    said = msgspec.json.decode(out)
    if process.returncode == 0:
        return "text", said["result"]["payloads"][0]["text"]
    return "code", said["error"]["code"]


LIVE_DOORS = [by_http, by_stream, by_websocket, by_terminal]
DOORS = [*LIVE_DOORS, in_process]


def comparable(event: Event) -> Any:
    """The event without what must differ: the run's id and the time."""
    match event:
        case RunStarted():
            return msgspec.structs.replace(event, run_id="", at_ms=0)
        case RunEnded():
            result = msgspec.structs.replace(event.result, completed_ms=None)
            return msgspec.structs.replace(event, at_ms=0, result=result)
        case ToolEnded():
            return msgspec.structs.replace(event, ms=0)
        case _:
            return event


async def log_of(gateway: RunningGateway, door: Door, text: str) -> tuple[Outcome, list[Any]]:
    """Put a question through a door and read the run's log as any other reader would."""
    events: list[Event] = []
    reading: list[asyncio.Task[None]] = []

    async def read(run: Run) -> None:
        with closing(run.events()) as log:
            while not events or not isinstance(events[-1], RunEnded):
                events.extend(await log.batch(10))

    silence = gateway.gateway.listen(
        OPERATOR, Listener(lambda run: reading.append(asyncio.create_task(read(run), name="test.reader")))
    )
    outcome = await door(gateway, text, "agent:main:shared", None)
    silence()
    await asyncio.gather(*reading)
    return outcome, [comparable(event) for event in events]


async def transcript(state_dir: Path, models: ModelServer) -> list[Message]:
    """What the store holds, read after a restart."""
    async with running_gateway(model_config(models.base_url), state_dir=state_dir) as gateway:
        entries = await gateway.gateway._store.transcript("operator", "agent:main:shared")
        return [entry.message for entry in entries]


async def test_the_same_events_by_every_door(models: ModelServer, tmp_path: Path) -> None:
    models.script("mock-echo", says(Reasoning("hm"), "one ", "two"))
    seen = []
    for number, door in enumerate(LIVE_DOORS):
        config = model_config(models.base_url)
        async with running_gateway(config, state_dir=tmp_path / str(number)) as gateway:
            seen.append(await log_of(gateway, door, "hello"))
    assert seen[0][0] == ("text", "one two")
    assert isinstance(seen[0][1][0], RunStarted)
    assert isinstance(seen[0][1][-1], RunEnded)
    assert all(each == seen[0] for each in seen[1:])


@pytest.mark.parametrize("door", DOORS)
async def test_the_same_request_upstream_and_the_same_transcript(
    models: ModelServer, tmp_path: Path, door: Door
) -> None:
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        await by_http(gateway, "before", "agent:main:shared", None)
        assert await door(gateway, "hello there", "agent:main:shared", None) == ("text", "hello there")
    upstream = models.requests[-1].body
    assert upstream["messages"][0] == models.requests[0].messages[0]
    assert upstream["messages"][1:] == [
        {"role": "user", "content": "before"},
        {"role": "assistant", "content": "before"},
        {"role": "user", "content": "hello there"},
    ]
    first = models.requests[0].body
    assert {key: value for key, value in upstream.items() if key != "messages"} == {
        key: value for key, value in first.items() if key != "messages"
    }
    said = [(type(message).__name__, message.content) for message in await transcript(tmp_path, models)]
    assert said == [
        ("UserMessage", "before"),
        ("AssistantMessage", "before"),
        ("UserMessage", "hello there"),
        ("AssistantMessage", "hello there"),
    ]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("session", "agent", "code"),
    [
        ("agent:nosuch:x", None, "agent_not_found"),
        ("x", "nosuch", "agent_not_found"),
        ("subagent:x", None, "session_key_reserved"),
        ("agent:main:cron:x", None, "session_key_reserved"),
        ("agent:main:x", "beta", "session_agent_mismatch"),
        ("k" * 300, None, "session_key_invalid"),
    ],
)
async def test_the_same_refusals(
    models: ModelServer, door: Door, session: str, agent: str | None, code: str
) -> None:
    agents = {"agents": {"list": [{"id": "main"}, {"id": "beta"}]}}
    async with running_gateway(model_config(models.base_url, agents)) as gateway:
        assert await door(gateway, "hi", session, agent) == ("code", code)
    assert models.requests == []


@pytest.mark.parametrize("door", DOORS)
async def test_the_same_failures(models: ModelServer, tmp_path: Path, door: Door) -> None:
    models.script("mock-echo", fails(402, "pay"))
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        assert await door(gateway, "hi", "agent:main:shared", None) == ("code", "provider_billing")
    assert await transcript(tmp_path, models) == []


def _stream(*chunks: Any) -> Reply:
    return sends(b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks))


# What a provider answers with, and what every door says of it; the tables whole are in tests/models.
WHAT_CAME_BACK: dict[str, tuple[Reply, Outcome]] = {
    "an overflow with any status": (
        fails(500, body=b'{"detail": "the request exceeds the available context size"}'),
        ("code", "context_length_exceeded"),
    ),
    "an overflow in Chinese in a stream": (
        _stream({"error": {"message": "上下文长度超过限制"}}),
        ("code", "context_length_exceeded"),
    ),
    "a field that is too long": (
        fails(400, "Invalid 'user': string too long. Expected at most 64 characters."),
        ("code", "provider_rejected_request"),
    ),
    "an error that is an object": (
        _stream({"object": "error", "message": "no", "code": 401}),
        ("code", "provider_auth_failed"),
    ),
    "a finish word that means failure": (
        _stream({"choices": [{"delta": {}, "finish_reason": "insufficient_system_resource"}]}),
        ("code", "provider_error"),
    ),
    "no word": (says(), ("code", "provider_empty_answer")),
    "another vendor's shape": (
        _stream({"type": "message_start", "message": {}}),
        ("code", "provider_bad_response"),
    ),
    "an unknown finish word after text": (says("Hi", finish="zapped"), ("text", "Hi")),
}


@pytest.mark.parametrize("door", [by_http, by_stream, by_websocket])
@pytest.mark.parametrize("name", WHAT_CAME_BACK)
@pytest.mark.usefixtures("asks_again_at_once")
async def test_what_came_back_is_the_same_by_every_door(models: ModelServer, door: Door, name: str) -> None:
    reply, outcome = WHAT_CAME_BACK[name]
    models.script("mock-echo", reply)
    async with running_gateway(model_config(models.base_url)) as gateway:
        # A failure that may pass is tried again first.
        async with asyncio.timeout(20):
            assert await door(gateway, "hi", "agent:main:shared", None) == outcome


@pytest.mark.parametrize("name", ["an overflow with any status", "a field that is too long", "no word"])
async def test_what_came_back_is_the_same_in_the_terminal(models: ModelServer, name: str) -> None:
    reply, outcome = WHAT_CAME_BACK[name]
    models.script("mock-echo", reply)
    async with running_gateway(model_config(models.base_url)) as gateway:
        assert await by_terminal(gateway, "hi", "agent:main:shared", None) == outcome
