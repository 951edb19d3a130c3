"""The agent's own tools in a run: whatever comes out of one, the run ends and the session goes on."""

import asyncio
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.tools.base import ToolContext, ToolResult
from openclaw_gateway.wire.events import ToolEnded, ToolUpdated
from openclaw_gateway.wire.messages import ToolMessage, UserMessage, assistant
from tests.doors.tool_replies import calls
from tests.runs.house import OneTool, house, reading

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


async def test_at_most_eight_calls_of_a_run_work_at_once(models: ModelServer, tmp_path: Path) -> None:
    working, most = 0, 0

    async def busy(_: Arguments, __: ToolContext) -> ToolResult:
        nonlocal working, most
        working += 1
        most = max(most, working)
        for _turn in range(3):
            await asyncio.sleep(0)
        working -= 1
        return ToolResult("done")

    models.script("m", calls(*((f"c{n}", "busy", f'{{"n": {n}}}') for n in range(140))), says("fine"))
    async with house(tmp_path, models, OneTool("busy", busy, read_only=True)) as runs:
        assert (await runs.say(UserMessage("hi"))).text == "fine"
        said = await runs.transcript()
    assert most == 8
    results = [m for m in said if isinstance(m, ToolMessage)]
    assert [m.is_error for m in results] == [False] * 128 + [True] * 12
    assert "one message may hold 128 calls" in results[-1].content


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


async def test_an_abort_keeps_what_the_tools_had_done_by_then(models: ModelServer, tmp_path: Path) -> None:
    """And the client that resends what it saw is recognised."""
    began = asyncio.Event()

    async def quick(_: Arguments, __: ToolContext) -> ToolResult:
        return ToolResult("found it")

    async def slow(_: Arguments, __: ToolContext) -> ToolResult:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    models.script(
        "m", calls(("a", "quick", "{}"), ("b", "slow", "{}"), ("c", "quick", "{}"), text="Look."), says("ok")
    )
    async with house(tmp_path, models, OneTool("quick", quick), OneTool("slow", slow)) as runs:
        run = await runs.start(UserMessage("q1"))
        async with reading(run):
            await began.wait()
            run.abort("the user pressed stop")
            assert (await runs.result(run)).text == "Look."
        await runs.say(UserMessage("q1"), assistant("Look."), UserMessage("q2"))
        said = await runs.transcript()
    assert [type(m).__name__ for m in said] == [
        *("UserMessage", "AssistantMessage", "ToolMessage", "ToolMessage", "ToolMessage"),
        *("UserMessage", "AssistantMessage"),
    ]
    results = [m for m in said if isinstance(m, ToolMessage)]
    assert [m.tool_call_id for m in results] == ["a", "b", "c"]
    assert results[0].content == "found it"
    assert all("not known" in m.content and m.is_error and m.own for m in results[1:])
    assert models.requests[-1].messages[-1] == {"role": "user", "content": "q2"}


async def test_a_shutdown_during_a_tool_is_not_to_be_retried(models: ModelServer, tmp_path: Path) -> None:
    began = asyncio.Event()

    async def slow(_: Arguments, __: ToolContext) -> ToolResult:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    models.script("m", calls(("a", "slow", "{}")))
    async with house(tmp_path, models, OneTool("slow", slow)) as runs:
        run = await runs.start(UserMessage("q1"), session=None)
        await began.wait()
        await runs.live.drain(0)
        error = (await runs.result(run)).error
    assert error is not None
    assert (error.code, error.retryable, error.retry_after) == ("draining", False, None)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_result_is_made_fit_for_providers_and_for_the_window(
    models: ModelServer, tmp_path: Path, fails: bool
) -> None:
    text = "head \ud800 \x00" + "x" * 500_000 + "tail"

    async def page(_: Arguments, context: ToolContext) -> ToolResult:
        context.update(text)
        if fails:
            raise ToolError(text)
        return ToolResult(text)

    models.script("m", calls(("a", "page", "{}")), says("fine"))
    async with house(tmp_path, models, OneTool("page", page)) as runs:
        run = await runs.start(UserMessage("hi"))
        with closing(run.events()) as log:
            assert (await runs.result(run)).text == "fine"
            shown = [e.text for e in await log.batch() if isinstance(e, ToolUpdated | ToolEnded)]
    (result,) = [m["content"] for m in models.requests[-1].messages if m["role"] == "tool"]
    assert result.startswith("head ? \ufffdxxx")
    assert result.endswith("xtail")
    assert 100_000 <= len(result) < 100_100
    assert len(shown) == 2
    assert all(each.startswith("head ? \ufffdxxx") and len(each) == 20_000 for each in shown)
