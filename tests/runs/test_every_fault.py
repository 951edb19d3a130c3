"""Whatever a run calls raises once: it ends all the same, its lane is free, nothing of it stays open."""

import asyncio
import inspect
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import GatewayError, StoreError
from openclaw_gateway.runs import lanes, live, loop
from openclaw_gateway.runs.context.keeper import ContextKeeper
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.lanes import Lanes
from openclaw_gateway.runs.memory import Memory
from openclaw_gateway.runs.rounds import Rounds
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.events import RunEnded
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import RunResult
from tests.runs.house import House, house

CALLED: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (SqliteStore, ("begin", "claim", "finish", "withdraw", "renew")),
    (LocalBus, ("emit", "ring", "watch", "forget")),
    (Memory, ("recall", "stateless")),
    (Rounds, ("play",)),
    (ContextKeeper, ("open",)),
    (Lanes, ("enter", "leave")),
    (Run, ("emit", "forget_words")),
)
FAULTS = (RuntimeError, StoreError, asyncio.CancelledError)


class Once:
    """One of the calls of a test, the `nth` over all of them, raises: before it does something, or after."""

    def __init__(self, nth: int, fault: type[BaseException], *, after: bool) -> None:
        self.at = ""
        self._left = nth
        self._fault = fault
        self._after = after

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def perhaps(*args: Any, **more: Any) -> Any:
            self._left -= 1
            fails = self._left == 0
            if fails:
                self.at = name
                if not self._after:
                    raise self._fault(self.at)
            result = call(*args, **more)
            if fails:
                raise self._fault(self.at)
            return result

        async def perhaps_later(*args: Any, **more: Any) -> Any:
            self._left -= 1
            fails = self._left == 0
            if fails:
                self.at = name
                if not self._after:
                    raise self._fault(self.at)
            result = await call(*args, **more)
            if fails:
                raise self._fault(self.at)
            return result

        return perhaps_later if inspect.iscoroutinefunction(call) else perhaps


class Log:
    """Of a module; each kind of line is a call that may raise."""

    def __init__(self, once: Once, module: str) -> None:
        for level in ("debug", "info", "warning", "error", "exception"):
            setattr(self, level, once.around(f"{module}.log.{level}", lambda *_, **__: None))


async def outcome(
    house: House, text: str, session: str | None
) -> tuple[Run | None, RunResult | BaseException]:
    try:
        run = await house.start(UserMessage(text), session=session)
        return run, await house.result(run)
    except (GatewayError, RuntimeError, asyncio.CancelledError) as error:
        return None, error


def ends(run: Run) -> int:
    """How many ends its readers see."""
    log = run._bus._logs.get(run.id)  # type: ignore[attr-defined]
    return sum(isinstance(event, RunEnded) for event in log.events) if log else 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_one_call_raises(
    models: ModelServer, tmp_path: Path, fault: type[BaseException], after: bool
) -> None:
    seen: set[str] = set()
    nth = 0
    while True:
        nth += 1
        once = Once(nth, fault, after=after)
        folder = tmp_path / str(nth)
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            models.script("m", says("a"))
            async with house(folder, models) as runs:
                for owner, names in CALLED:
                    for name in names:
                        wrapped = once.around(f"{owner.__name__}.{name}", getattr(owner, name))
                        patch.setattr(owner, name, wrapped)
                for module in (loop, lanes, live):
                    patch.setattr(module, "log", Log(once, module.__name__))
                # Its line of a run's end goes to a logger of its own.
                patch.setattr(runs.live._terms.loop, "_log", Log(once, loop.__name__))
                told: list[Run] = []
                runs.live.hub.listen(Listener(told.append))
                runs.live.hub.listen(Listener(once.around("listener", lambda _: None)))
                outcomes = await asyncio.gather(
                    *(outcome(runs, text, "agent:main:x") for text in ("one", "two")),
                    outcome(runs, "three", None),
                )
                patch.undo()
                async with asyncio.timeout(5):
                    await runs.live.idle()
                assert len(runs.live) == 0
                for run in told:
                    assert run.result is not None, once.at
                    assert ends(run) == 1, once.at
                for started, result in outcomes:
                    assert started is None or isinstance(result, RunResult), once.at
                last = await runs.say(UserMessage("last"))
                assert last.status == "completed", once.at
        with sqlite3.connect(folder / "sessions.sqlite") as db:
            left = db.execute("SELECT id, status FROM runs WHERE ended_ms IS NULL").fetchall()
        db.close()
        assert left == [], once.at
        if not once.at:
            break
        seen.add(once.at)
    assert {
        "SqliteStore.begin",
        "SqliteStore.finish",
        "LocalBus.emit",
        "Memory.recall",
        "Rounds.play",
    } <= seen
    assert {
        "Lanes.enter",
        "Lanes.leave",
        "Run.emit",
        "listener",
        "openclaw_gateway.runs.loop.log.info",
    } <= seen


async def test_a_tool_that_takes_no_notice_of_the_end_leaves_no_open_run(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RECORD_S", 0.05)
    monkeypatch.setattr(live, "CANCEL_S", 5)
    stuck = asyncio.Event()

    async def play(*_: Any) -> Any:
        try:
            stuck.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    monkeypatch.setattr(Rounds, "play", play)
    async with house(tmp_path, models) as runs:
        run = await runs.start(UserMessage("hi"))
        await stuck.wait()
        await runs.live.drain(0)
        assert len(runs.live) == 0
        assert (await run.wait()).status in ("failed", "aborted")
    with sqlite3.connect(tmp_path / "sessions.sqlite") as db:
        assert db.execute("SELECT id FROM runs WHERE ended_ms IS NULL").fetchall() == []
    db.close()
