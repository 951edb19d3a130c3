"""Runs that begin and end at the same time do so in one act; what befalls one of them befalls no other."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

import pytest

from openclaw_gateway.errors import Fenced, GatewayError, SessionBusy, StoreError
from openclaw_gateway.sessions.postgres import doubts, endings, runs, together
from openclaw_gateway.sessions.postgres.pool import DOUBTFUL, doubtful, may_have_been_done
from openclaw_gateway.sessions.postgres.store import PostgresStore
from openclaw_gateway.sessions.postgres.together import MOST, Together
from openclaw_gateway.sessions.store import Begun, Claim, Claimed, Queued, Released
from openclaw_gateway.wire.messages import Image, UserMessage
from tests.sessions.postgres_database import Connect, connect
from tests.sessions.store_contract import LEASE, ME, claimed, ending, new_run, turn
from tests.sessions.test_postgres_store import PATIENT_S

__all__ = ["connect"]

DEADLINE_S = 30.0
COUNT = 9


class Server:
    """Where acts are made: what is asked of it, and when it answers."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.may_answer = asyncio.Event()
        self.is_silent = False
        self.error: BaseException | None = None

    def line(self) -> Together[str, str]:
        return Together(self._alone, self._all, lambda act: ("", act))

    async def _alone(self, act: str) -> str:
        self.asked.append([act])
        await self.may_answer.wait()
        if act.startswith("bad"):
            raise Fenced(act)
        return act.upper()

    async def _all(self, acts: Sequence[str]) -> list[str | GatewayError | None]:
        self.asked.append(list(acts))
        await (asyncio.Event() if self.is_silent else self.may_answer).wait()
        if self.error is not None:
            raise self.error
        return [Fenced(act) if act.startswith("bad") else act.upper() for act in acts]


@pytest.fixture
async def server() -> Server:
    return Server()


async def started(line: Together[str, str], *acts: str) -> list["asyncio.Task[str]"]:
    tasks = [asyncio.create_task(line.make(act)) for act in acts]
    await asyncio.sleep(0)
    return tasks


async def outcomes(*work: Awaitable[Any]) -> list[Any]:
    async with asyncio.timeout(DEADLINE_S):
        return await asyncio.gather(*work, return_exceptions=True)


async def test_what_comes_meanwhile_goes_together_in_one_order(server: Server) -> None:
    tasks = await started(server.line(), "c", "z", "bad", "a")
    assert server.asked == [["c"]]
    server.may_answer.set()
    c, z, bad, a = await outcomes(*tasks)
    assert (c, z, a) == ("C", "Z", "A")
    assert isinstance(bad, Fenced)
    assert server.asked == [["c"], ["a", "bad", "z"]]


async def test_no_more_than_so_many_go_at_once(server: Server) -> None:
    tasks = await started(server.line(), *(f"{number:03}" for number in range(MOST + 3)))
    server.may_answer.set()
    assert await outcomes(*tasks) == [f"{number:03}" for number in range(MOST + 3)]
    assert [len(acts) for acts in server.asked] == [1, MOST, 2]


async def test_where_together_fails_each_is_made_alone(server: Server) -> None:
    tasks = await started(server.line(), "a", "bad", "c")
    server.error = StoreError("no lock")
    server.may_answer.set()
    a, bad, c = await outcomes(*tasks)
    assert (a, c) == ("A", "C")
    assert isinstance(bad, Fenced)
    assert sorted(server.asked[2:]) == [["bad"], ["c"]]


@pytest.mark.parametrize("error", [doubtful(TimeoutError()), RuntimeError("a bug")])
async def test_where_nobody_knows_what_came_of_it_each_is_in_doubt(
    server: Server, error: BaseException
) -> None:
    line = server.line()
    tasks = await started(line, "a", "b", "c")
    server.error = error
    server.may_answer.set()
    answers = await outcomes(*tasks)
    assert answers[0] == "A"
    assert isinstance(answers[2], StoreError)
    assert may_have_been_done(answers[2])
    assert answers[1] is error or may_have_been_done(answers[1])
    assert server.asked == [["a"], ["b", "c"]]
    assert await line.make("d") == "D"


async def test_who_waits_too_long_is_not_begun_and_one_on_its_way_is_in_doubt(server: Server) -> None:
    line = server.line()
    first = asyncio.create_task(line.make("a"))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await line.make("late", time.monotonic())
    soon = time.monotonic() + 0.05
    leads, sent = (asyncio.create_task(line.make(act, until)) for act, until in (("b", None), ("c", soon)))
    await asyncio.sleep(0)
    server.is_silent = True
    server.may_answer.set()
    await first
    (error,) = await outcomes(sent)
    assert error.__notes__ == [DOUBTFUL]
    assert server.asked == [["a"], ["b", "c"]]
    leads.cancel()
    await outcomes(leads)
    assert await line.make("d") == "D"


async def test_one_that_takes_long_holds_up_nobody_for_long(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "PATIENCE_S", 0.0)
    line = server.line()
    tasks = await started(line, "a", "b", "c")
    async with asyncio.timeout(DEADLINE_S):
        # The line tells nobody that it goes on.
        while len(server.asked) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert server.asked == [["a"], ["b", "c"]]
    server.may_answer.set()
    assert await outcomes(*tasks) == ["A", "B", "C"]
    assert await line.make("d") == "D"
    assert server.asked[2:] == [["d"]]


async def test_who_is_cancelled_as_its_turn_comes_passes_it_on(server: Server) -> None:
    line = server.line()
    a, b, c = await started(line, "a", "b", "c")
    server.may_answer.set()
    a.add_done_callback(lambda _: b.cancel())
    assert await outcomes(a, c) == ["A", "C"]
    assert b.cancelled() or b.result() == "B"
    assert await line.make("d") == "D"


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(store_url, begin_s=PATIENT_S, max_queued=1, size=3)
    await store.open()
    yield store
    await store.close()


def session(number: int) -> str:
    return f"agent:main:{number}"


async def begun(store: PostgresStore) -> list[Claim]:
    """So many at once, each of a session of its own."""
    begins = (store.begin(new_run(f"r{number}", session(number)), lease_s=LEASE) for number in range(COUNT))
    found = await outcomes(*begins)
    assert [each for each in found if not isinstance(each, Claimed)] == []
    return [each.claim for each in found]


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many went together each time."""
    seen: list[int] = []

    def counted(module: Any, name: str) -> None:
        original = getattr(module, name)

        async def act(db: Any, who: Any, some: Sequence[Any], *more: Any) -> Any:
            seen.append(len(some))
            return await original(db, who, some, *more)

        monkeypatch.setattr(module, name, act)

    counted(runs, "begin_all")
    counted(endings, "finish_all")
    return seen


async def test_runs_that_come_at_once_begin_and_end_in_one_act(
    store: PostgresStore, groups: list[int]
) -> None:
    claims = await begun(store)
    assert groups == [COUNT - 1]
    ends = [
        store.finish(claim, ending(turn(claim.run_id) * (number % 3))) for number, claim in enumerate(claims)
    ]
    assert await outcomes(*ends) == [Released(2 * (number % 3), None) for number in range(COUNT)]
    assert groups == [COUNT - 1] * 2
    for number, claim in enumerate(claims):
        entries = await store.transcript(ME, claim.session)
        assert [entry.message for entry in entries] == list(turn(claim.run_id) * (number % 3))
        record = await store.get_run(ME, claim.run_id)
        assert record is not None
        assert record.status == "completed"


async def test_what_is_refused_of_a_group_is_refused_alone(store: PostgresStore, groups: list[int]) -> None:
    first, second = await claimed(store, "one", session(1)), await claimed(store, "two", session(2))
    assert await store.begin(new_run("waits", session(2)), lease_s=LEASE) == Queued(1)
    wanted = [("r0", 0), ("r1", 1), ("r2", 2), ("two", 3), ("r4", 4)]
    begins = (store.begin(new_run(name, session(place)), lease_s=LEASE) for name, place in wanted)
    new, waits, busy, known, last = await outcomes(*begins)
    assert isinstance(new, Claimed)
    assert isinstance(last, Claimed)
    assert waits == Queued(1)
    assert isinstance(busy, SessionBusy)
    assert type(known).__name__ == "Duplicate"
    stale = Claim("one", ME, session(1), first.token - 1, LEASE)
    ended = await outcomes(
        *(store.finish(claim, ending(turn("x"))) for claim in (new.claim, stale, second, last.claim))
    )
    assert isinstance(ended[1], Fenced)
    assert [each for each in ended if isinstance(each, Released)] == [
        Released(2, None),
        Released(2, "waits"),
        Released(2, None),
    ]
    assert groups == [4, 3]


async def test_text_that_cannot_be_kept_fails_its_own_run_only(
    store: PostgresStore, groups: list[int]
) -> None:
    names = ["r0", "r1", "\ud800", "r3"]
    begins = (store.begin(new_run(name, session(place)), lease_s=LEASE) for place, name in enumerate(names))
    answers = await outcomes(*begins)
    assert groups == [3]
    assert [type(each).__name__ for each in answers] == ["Claimed", "Claimed", "StoreError", "Claimed"]
    assert answers[2].code == "store_rejected"


async def test_whoever_another_holds_up_holds_up_nobody(
    store: PostgresStore, connect: Connect, groups: list[int]
) -> None:
    claims = await begun(store)
    db = await connect()
    async with db.transaction():
        await db.execute("SELECT 1 FROM sessions WHERE key = $1 FOR UPDATE", session(4))
        ends = [asyncio.create_task(store.finish(claim, ending(turn("x")))) for claim in claims]
        await outcomes(*(end for number, end in enumerate(ends) if number != 4))
        assert [end.done() for end in ends] == [number != 4 for number in range(COUNT)]
    assert await outcomes(*ends) == [Released(2, None)] * COUNT
    assert groups[0] == COUNT - 1


async def test_large_turns_and_images_go_by_themselves(store: PostgresStore, groups: list[int]) -> None:
    claims = await begun(store)
    groups.clear()
    image = UserMessage("look", images=(Image("image/png", "A" * 300_000),))
    turns = [turn("x"), turn("y" * 70_000), (image,), turn("z"), turn("z")]
    ends = (store.finish(claim, ending(said)) for claim, said in zip(claims, turns, strict=False))
    assert [each.last_seq for each in await outcomes(*ends)] == [len(said) for said in turns]
    assert groups == [2]


async def test_of_a_group_whose_answer_is_lost_each_is_asked_for_again(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubts, "_FIRST_S", 0.0)
    original = runs.begin_all

    async def lost(*args: Any) -> Begun:
        await original(*args)
        raise ConnectionResetError

    monkeypatch.setattr(runs, "begin_all", lost)
    claims = await begun(store)
    assert len({claim.token for claim in claims}) == COUNT
    ends = await outcomes(*(store.finish(claim, ending(turn("x"))) for claim in claims))
    assert ends == [Released(2, None)] * COUNT


async def test_of_a_group_of_ends_whose_answer_is_lost_each_hears_so_and_a_repeat_the_answer(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = await begun(store)
    original = endings.finish_all

    async def lost(*args: Any) -> Begun:
        await original(*args)
        raise ConnectionResetError

    monkeypatch.setattr(endings, "finish_all", lost)
    ends = await outcomes(*(store.finish(claim, ending(turn("x"))) for claim in claims))
    assert ends[0] == Released(2, None)
    assert all(isinstance(each, StoreError) and may_have_been_done(each) for each in ends[1:])
    monkeypatch.undo()
    again = await outcomes(*(store.finish(claim, ending(turn("x"))) for claim in claims))
    assert again == [Released(2, None)] * COUNT
