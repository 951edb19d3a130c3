"""The agent's own tools in a run: whatever comes out of one, the run ends and the session goes on."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.tools.base import ToolContext, ToolResult
from openclaw_gateway.wire.messages import ToolMessage, UserMessage
from tests.doors.tool_replies import calls
from tests.runs.house import OneTool, house

Arguments = Mapping[str, Any]


async def test_a_cancellation_nobody_asked_for_is_a_result(models: ModelServer, tmp_path: Path) -> None:
    async def cancelled(_: Arguments, __: ToolContext) -> ToolResult:
        raise asyncio.CancelledError

    models.script("m", calls(("a", "odd", "{}")), says("fine"), says("again"))
    async with house(tmp_path, models, OneTool("odd", cancelled)) as runs:
        assert (await runs.say(UserMessage("hi"))).text == "fine"
        assert (await runs.say(UserMessage("and now?"))).text == "again"
        result = (await runs.transcript())[2]
    assert isinstance(result, ToolMessage)
    assert result.is_error


async def test_a_cancellation_from_elsewhere_ends_the_run_and_frees_the_session(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.script("m", says("fine"))
    async with house(tmp_path, models) as runs:
        with monkeypatch.context() as patch:

            async def cancelled(*_: Any) -> None:
                raise asyncio.CancelledError

            patch.setattr("openclaw_gateway.runs.rounds.Rounds.play", cancelled)
            result = await runs.say(UserMessage("hi"))
        assert (result.status, result.error and result.error.code) == ("failed", "internal_error")
        assert (await runs.say(UserMessage("and now?"))).text == "fine"


async def test_an_abort_still_ends_what_runs(models: ModelServer, tmp_path: Path) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def slow(_: Arguments, __: ToolContext) -> ToolResult:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    models.script("m", calls(("a", "slow", "{}"), ("b", "slow", "{}")), says("fine"))
    async with house(tmp_path, models, OneTool("slow", slow, read_only=True)) as runs:
        run = await runs.start(UserMessage("hi"))
        await began.wait()
        run.abort("the user pressed stop")
        assert (await runs.result(run)).status == "aborted"
        assert ended.is_set()
        assert (await runs.say(UserMessage("and now?"))).text == "fine"
