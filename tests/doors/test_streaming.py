"""When a stream's status line leaves: with the first word, and in any case before long."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from openclaw_gateway.doors import delivery
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, fails, says
from openclaw_gateway.wire.events import Event, ModelFailed, ToolUpdated
from tests.doors.chat import CHAT, http, user
from tests.doors.tool_replies import calls


async def test_words_that_come_together_with_a_tool_do_not_wait_for_it(
    models: ModelServer, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    os.mkfifo(workspace / "gate")
    wait = ("e1", "exec", '{"command": "cat gate"}')
    models.script("mock-echo", fails(500), calls(wait, text="Looking."), says("Done."))
    config = model_config(models.base_url, {"tools": {"exec": {"security": "full", "ask": "off"}}})
    body = {"messages": [user("x")], "stream": True}
    async with (
        running_gateway(config, state_dir=tmp_path, environ={"PATH": os.environ["PATH"]}) as gateway,
        http(gateway) as client,
    ):
        async with asyncio.timeout(8):
            response = await client.post(CHAT, json=body)
            said = b""
            while b"Looking." not in said:
                said += await response.content.readany()
            # The command has opened its end, or this would wait for it.
            with await asyncio.to_thread(open, workspace / "gate", "w"):
                pass
            said += await response.content.read()
    assert b"Done." in said


@pytest.mark.promise("limit.streamKeepaliveSeconds")
async def test_a_tool_that_shows_its_work_does_not_silence_the_keepalive(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client sees nothing of what a command writes, but what is between needs a sign of life."""
    monkeypatch.setattr("openclaw_gateway.tools.builtin.exec._UPDATE_S", 0.01)
    work = ("e1", "exec", '{"command": "until [ -e stop ]; do echo x; sleep 0.005; done"}')
    models.script("mock-echo", calls(work, text="Working."), says("Done."))
    config = model_config(
        models.base_url,
        {
            "tools": {"exec": {"security": "full", "ask": "off"}},
            "gateway": {"limits": {"streamKeepaliveSeconds": 0.3}},
        },
    )
    body = {"messages": [user("x")], "stream": True}
    async with (
        running_gateway(config, state_dir=tmp_path, environ={"PATH": os.environ["PATH"]}) as gateway,
        http(gateway) as client,
        asyncio.timeout(8),
    ):
        response = await client.post(CHAT, json=body)
        said = b""
        while b": keepalive" not in said:
            said += await response.content.readany()
        (tmp_path / "workspace" / "stop").touch()
        said += await response.content.read()
    assert b"Done." in said


class Busy:
    """The log of a run that fails once and then works in silence, without end."""

    def __init__(self) -> None:
        self._events: list[Event] = [ModelFailed("mock", "m", 1, "provider_error")]

    async def batch(self, wait_s: float | None = None) -> Sequence[Event]:
        await asyncio.sleep(0)
        events, self._events = self._events, [ToolUpdated("c", "exec", "")]
        return events

    def offer(self, take: object) -> None:
        """An implementation need not offer anything."""

    def rouse(self) -> None:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError


async def test_work_in_silence_does_not_hold_the_status_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "HOLD_AFTER_FAILURE_S", 0.05)
    async with asyncio.timeout(5):
        events = await delivery.first_words(Busy())
    assert isinstance(events[0], ModelFailed)
