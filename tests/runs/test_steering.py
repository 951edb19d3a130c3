"""Who is taken up by a run at work, and what becomes of him where its turn cannot be recorded."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from openclaw_gateway.errors import StoreError
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claim, Ending, Released, Store
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, calls, says
from openclaw_gateway.tools.base import ToolContext, ToolResult
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Idempotency, Origin, Queue, RunRequest
from tests.runs.house import SESSION, House, OneTool, house

OPERATOR = Origin("me", "websocket", "operator")
ADA = Origin("me", "websocket", "user", "ada")
BOB = Origin("me", "websocket", "user", "bob")


class Gated:
    """A tool that works until the test says so."""

    def __init__(self) -> None:
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.tool = OneTool("work", self._work)

    async def _work(self, _: Mapping[str, Any], __: ToolContext) -> ToolResult:
        self.begun.set()
        await self.gate.wait()
        return ToolResult("worked")


async def asked(runs: House, text: str, origin: Origin, queue: Queue = "wait") -> Run:
    named = Idempotency(text, b"d")
    request = RunRequest(
        origin, "main", (UserMessage(text),), session_key=SESSION, idempotency=named, queue=queue
    )
    return await runs.live.start(request, runs._plan)


async def both(runs: House, tool: Gated, first: Origin, second: Origin) -> tuple[Run, Run]:
    one = await asked(runs, "one", first)
    async with asyncio.timeout(5):
        await tool.begun.wait()
    two = await asked(runs, "two", second, "steer")
    tool.gate.set()
    await runs.result(one)
    await runs.result(two)
    return one, two


@pytest.mark.parametrize(
    ("at_work", "steers", "taken"),
    [
        (OPERATOR, OPERATOR, True),
        (ADA, ADA, True),
        (ADA, OPERATOR, True),
        (OPERATOR, ADA, False),
        (BOB, ADA, False),
    ],
)
async def test_nobody_is_heard_who_could_not_end_the_run(
    models: ModelServer, tmp_path: Path, at_work: Origin, steers: Origin, taken: bool
) -> None:
    """What its tools may do is decided by who asked it."""
    tool = Gated()
    models.script("m", calls(Call("work")), says("1"), says("2"))
    async with house(tmp_path, models, tool.tool) as runs:
        one, two = await both(runs, tool, at_work, steers)
        assert two.result is not None
        assert (two.result.taken_by, two.result.text) == (("one", "") if taken else ("", "2"))
        assert two.result.status == "completed"
        record = await runs.store.get_run("me", two.id)
        assert record is not None
        assert (record.answered_by, record.status) == (one.id if taken else None, "completed")


class Refusing:
    """A store that records no turn."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def finish(self, claim: Claim, ending: Ending) -> Released:
        if ending.turn:
            raise StoreError("The disk is full.")
        return await self._store.finish(claim, ending)


async def test_where_the_turn_is_not_recorded_both_have_failed_and_the_lane_goes_on(
    models: ModelServer, tmp_path: Path
) -> None:
    tool = Gated()
    models.script("m", calls(Call("work")), says("1"))
    async with house(tmp_path, models, tool.tool, faults=lambda store: cast(Store, Refusing(store))) as runs:
        one, two = await both(runs, tool, OPERATOR, OPERATOR)
        assert [run.result and run.result.status for run in (one, two)] == ["failed", "failed"]
        assert one.result and two.result and one.result.error == two.result.error
        record = await runs.store.get_run("me", two.id)
        assert record is not None
        assert (record.status, record.answered_by) == ("failed", None)
        assert await runs.transcript() == []
        async with asyncio.timeout(5):
            await runs.live.idle()
        assert not two.keeps_answer, "the same message may be sent again"
        assert await runs.store.open_runs("me", SESSION) in ((), (one.id,)), "it does not wait any more"


async def test_what_was_taken_up_stands_in_the_turn_though_its_own_run_was_cut_off(
    models: ModelServer, tmp_path: Path
) -> None:
    """As at a shutdown that does not wait any longer: the message belongs to the run that answers it."""
    tool, later = Gated(), asyncio.Event()
    models.script("m", calls(Call("work")), says("1", Hold(later)))
    async with house(tmp_path, models, tool.tool) as runs:
        one = await asked(runs, "one", OPERATOR)
        async with asyncio.timeout(5):
            await tool.begun.wait()
        two = await asked(runs, "two", OPERATOR, "steer")
        tool.gate.set()
        await models.wait_requests(2)
        runs.live._running[two.id][1].cancel()
        async with asyncio.timeout(5):
            await runs.live.gone(two)
        later.set()
        assert (await runs.result(one)).status == "completed"
        said = [each for each in await runs.transcript() if isinstance(each, UserMessage)]
        assert said == [UserMessage("one"), UserMessage("two")]
        record = await runs.store.get_run("me", two.id)
        assert record is not None
        assert (record.status, record.answered_by) == ("completed", one.id)
