"""An editor that leaves, or asks too much, whatever the gateway does."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from openclaw_gateway.acp.agent import Agent
from openclaw_gateway.acp.jsonrpc import RpcError
from openclaw_gateway.acp.peer import MOST_OPEN, Peer
from openclaw_gateway.client.connection import GatewayClient, Hear
from tests.ws.impostor import impostor
from tests.ws.peer import DEADLINE_S
from tests.ws.test_link import linked

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def a_pair() -> AsyncIterator[tuple[Streams, Streams]]:
    """(the editor's end, ours)."""
    one, two = socket.socketpair()
    editor, ours = await asyncio.open_connection(sock=one), await asyncio.open_connection(sock=two)
    try:
        yield editor, ours
    finally:
        for _, writer in (editor, ours):
            writer.close()
            await writer.wait_closed()


def line(number: int | None, method: str, params: dict[str, Any]) -> bytes:
    asked = {"jsonrpc": "2.0", "method": method, "params": params}
    return msgspec.json.encode(asked if number is None else asked | {"id": number}) + b"\n"


def unexplained(_: Exception) -> None:
    return None


async def test_a_run_ends_whose_editor_left_before_the_gateway_had_answered() -> None:
    arrived, may_answer, aborted = asyncio.Event(), asyncio.Event(), asyncio.Event()
    runs: list[str] = []

    async def answer(method: str, params: dict[str, Any]) -> object:
        if method == "chat.send":
            runs.append(params["idempotencyKey"])
            arrived.set()
            await may_answer.wait()
        if method == "chat.abort":
            runs.append(params["runId"])
            aborted.set()
        return {}

    async with impostor(answer) as url, linked(url) as link, a_pair() as (editor, ours):

        def connect(hear: Hear) -> GatewayClient:
            return GatewayClient(url, hear=hear)

        peer = Peer(*ours, unexplained)
        agent = Agent(peer, link, connect, agent_id=None)
        serving = asyncio.create_task(peer.serve(agent.methods))
        prompt = {"sessionId": "main", "prompt": [{"type": "text", "text": "hi"}]}
        editor[1].write(line(1, "session/prompt", prompt))
        async with asyncio.timeout(DEADLINE_S):
            await arrived.wait()
            serving.cancel()
            may_answer.set()
            await aborted.wait()
            await asyncio.gather(serving, return_exceptions=True)
    assert runs == [runs[0]] * 2


async def test_an_editor_that_asks_without_end_is_refused_and_can_still_cancel() -> None:
    going = asyncio.Event()
    cancelled: list[object] = []

    async def waits(_: dict[str, Any]) -> object:
        await going.wait()
        return {}

    async def cancel(params: dict[str, Any]) -> object:
        cancelled.append(params)
        going.set()
        return None

    async with a_pair() as (editor, ours):
        serving = asyncio.create_task(Peer(*ours, unexplained).serve({"wait": waits, "cancel": cancel}))
        for number in range(MOST_OPEN + 10):
            editor[1].write(line(number, "wait", {}))
        async with asyncio.timeout(DEADLINE_S):
            refused = [msgspec.json.decode(await editor[0].readline()) for _ in range(10)]
            editor[1].write(line(None, "cancel", {}))
            answered = [msgspec.json.decode(await editor[0].readline()) for _ in range(MOST_OPEN)]
            editor[1].write_eof()
            await serving
    assert [one["id"] for one in refused] == list(range(MOST_OPEN, MOST_OPEN + 10))
    assert all("requests are open" in one["error"]["message"] for one in refused)
    assert sorted(one["id"] for one in answered) == list(range(MOST_OPEN))
    assert cancelled == [{}]


@pytest.mark.parametrize("method", ["session/new", "session/load", "session/list", "session/resume"])
async def test_what_the_gateway_garbles_is_told_to_the_editor(method: str) -> None:
    async def answer(_: str, __: dict[str, Any]) -> object:
        return {"session": {"updatedAt": "x"}, "sessions": [{}]}

    def explained(error: Exception) -> RpcError:
        return RpcError(1, str(error))

    async with impostor(answer) as url, linked(url) as link, a_pair() as (editor, ours):
        peer = Peer(*ours, explained)
        agent = Agent(peer, link, lambda hear: GatewayClient(url, hear=hear), agent_id=None)
        serving = asyncio.create_task(peer.serve(agent.methods))
        editor[1].write(line(1, method, {"cwd": "/w", "mcpServers": [], "sessionId": "main"}))
        async with asyncio.timeout(DEADLINE_S):
            said = msgspec.json.decode(await editor[0].readline())
            editor[1].write_eof()
            await serving
    assert "cannot be read" in said["error"]["message"]
