"""Of a question that is told to other processes: what becomes of its answers, and how they hear of that."""

import asyncio

import msgspec
import pytest

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.runs.elsewhere.asked import AskedElsewhere
from openclaw_gateway.runs.elsewhere.news import NewsChannel
from openclaw_gateway.runs.questions import News, Questions
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved, Decision
from tests.runs.test_asked_elsewhere import NO_STORE, Air
from tests.runs.test_open_questions import QUESTION


class Sky:
    """Processes that hear each other: what one announces has reached the others when `settle` returns."""

    def __init__(self, count: int) -> None:
        self.airs = [Air() for _ in range(count)]
        self.questions = [Questions() for _ in range(count)]
        self.told: list[list[News]] = [[] for _ in range(count)]
        self._passed = [0] * count
        self._open: list[AskedElsewhere] = []

    async def __aenter__(self) -> "Sky":
        for air, questions, told in zip(self.airs, self.questions, self.told, strict=True):
            self._open.append(AskedElsewhere(NO_STORE, NewsChannel(air), questions))
            self._open[-1].open()
            questions.attend("ann", told.append)
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._open:
            await each.close()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
            for n, air in enumerate(self.airs):
                news, self._passed[n] = air.announced[self._passed[n] :], len(air.announced)
                for other in self.airs:
                    for said in news if other is not air else ():
                        for hear in other._heard:
                            hear(said)

    async def ask(self, id_: str) -> "asyncio.Task[tuple[ApprovalRequested, Decision | None]]":
        """At the first of them."""

        async def told(_: ApprovalRequested) -> None:
            await asyncio.sleep(0)

        asking = asyncio.create_task(self.questions[0].put("ann", QUESTION, timeout_s=60, id_=id_, told=told))
        await self.settle()
        return asking

    def ends(self, at: int) -> list[tuple[str, str | None]]:
        return [
            (news.decision, news.resolved_by) for news in self.told[at] if isinstance(news, ApprovalResolved)
        ]

    def answers(self) -> int:
        every = [msgspec.msgpack.decode(news)["type"] for air in self.airs for news in air.announced]
        return every.count("answered")


async def test_an_answer_is_told_once_and_its_effect_by_whoever_asks() -> None:
    async with Sky(4) as sky:
        asking = await sky.ask("q")
        sky.questions[1].answer("ann", "q", "deny", "b")
        await sky.settle()
        assert (await asking)[1] == "deny"
        await sky.settle()
        assert [sky.ends(n) for n in range(4)] == [[("deny", "b")]] * 4
        assert sky.answers() == 1, "others do not pass it on"


async def test_whose_answer_came_second_is_told_what_was_decided() -> None:
    async with Sky(3) as sky:
        asking = await sky.ask("q")
        sky.questions[2].answer("ann", "q", "deny", "c")
        sky.questions[1].answer("ann", "q", "allow-once", "b")
        await sky.settle()
        assert (await asking)[1] == "allow-once", "that of the process which was heard first"
        await sky.settle()
        assert sky.ends(2) == [("deny", "c"), ("allow-once", "b")]
        with pytest.raises(InvalidRequest, match="b said allow-once"):
            sky.questions[2].answer("ann", "q", "deny", "c")


async def test_the_decision_of_a_question_is_waited_for_at_another() -> None:
    async with Sky(2) as sky:
        asking = await sky.ask("q")
        waiting = asyncio.create_task(sky.questions[1].decision("ann", "q"))
        await sky.settle()
        assert not waiting.done()
        sky.questions[0].answer("ann", "q", "allow-once", "a")
        await asking
        await sky.settle()
        assert (await waiting)[1] == "allow-once"
        unanswered = await sky.ask("p")
        waiting = asyncio.create_task(sky.questions[1].decision("ann", "p"))
        await sky.settle()
        unanswered.cancel()
        await sky.settle()
        assert (await waiting)[1] is None


async def test_a_name_is_taken_also_by_a_question_of_another() -> None:
    async with Sky(2) as sky:
        asking = await sky.ask("q")

        async def told(_: ApprovalRequested) -> None:
            raise AssertionError

        for owner in ("ann", "bob"):
            with pytest.raises(InvalidRequest, match="already pending"):
                await sky.questions[1].put(owner, QUESTION, timeout_s=60, id_="q", told=told)
        sky.questions[1].answer("ann", "q", "deny", "b")
        await sky.settle()
        assert (await asking)[1] == "deny"
