"""What a process remembers of the others at which somebody attends."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.runs import questions as questions_module
from openclaw_gateway.runs.elsewhere import owners
from openclaw_gateway.runs.elsewhere.asked import AskedElsewhere
from openclaw_gateway.runs.elsewhere.news import NewsChannel, OwnersAttend
from openclaw_gateway.runs.open_questions import OpenQuestions
from openclaw_gateway.runs.questions import News, Questions
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.bus import Hear
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.wire.approvals import ApprovalRequested
from tests.runs.test_open_questions import QUESTION, asked

NO_STORE: Any = None


class Air(LocalBus):
    """A bus over which a test says what other processes say, and hears what is said to them."""

    def __init__(self) -> None:
        super().__init__()
        self.announced: list[bytes] = []
        self._heard: list[Hear] = []

    def announce(self, news: bytes) -> None:
        self.announced.append(news)

    def hear(self, heard: Hear) -> Callable[[], None]:
        self._heard.append(heard)
        return lambda: self._heard.remove(heard)

    def said(self, news: Struct) -> None:
        for hear in self._heard:
            hear(msgspec.msgpack.encode(news))

    def attended(self, by: str) -> None:
        self.said(OwnersAttend(by, ("ann",)))

    def ask(self, id_: str, **more: int) -> None:
        """As another process does it: one that expired long ago, by the clock here."""
        said = {"type": "asked", "owner": "ann", "asked": msgspec.to_builtins(asked(id_)), **more}
        for hear in self._heard:
            hear(msgspec.msgpack.encode(said))

    def asked(self) -> list[str]:
        every = [msgspec.msgpack.decode(news) for news in self.announced]
        return [news["asked"]["id"] for news in every if news["type"] == "asked"]


class Waiting(Questions):
    """With one question that is open."""

    def own(self, owner: str) -> tuple[ApprovalRequested, ...]:
        return (asked("q"),) if owner == "ann" else ()


@pytest.mark.parametrize(("lasts_s", "told"), [(1000.0, ["q"]), (0.0, ["q", "q"])])
async def test_who_was_cut_off_is_told_again_what_is_open(
    monkeypatch: pytest.MonkeyPatch, lasts_s: float, told: list[str]
) -> None:
    monkeypatch.setattr(owners, "_HEARD_FOR_S", lasts_s)
    air = Air()
    elsewhere = AskedElsewhere(NO_STORE, NewsChannel(air), Waiting(OpenQuestions()))
    elsewhere.open()
    try:
        for _ in range(2):
            air.attended("b")
        assert air.asked() == told
    finally:
        await elsewhere.close()


async def test_of_processes_that_went_without_a_word_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "_HEARD_FOR_S", 0.0)
    air = Air()
    elsewhere = AskedElsewhere(NO_STORE, NewsChannel(air), Questions())
    elsewhere.open()
    try:
        for n in range(100):
            air.attended(str(n))
            await asyncio.sleep(0)
        assert len(elsewhere._owners._there) == 1
        assert not elsewhere.is_attended("ann")
    finally:
        await elsewhere.close()


async def test_how_long_a_question_of_another_process_is_open_is_no_matter_of_clocks() -> None:
    """With clocks two minutes apart nobody was asked, and what a worker wanted to do was refused."""
    air, questions = Air(), Questions()
    heard: list[News] = []
    questions.attend("ann", heard.append)
    elsewhere = AskedElsewhere(NO_STORE, NewsChannel(air), questions)
    elsewhere.open()
    try:
        now = now_ms()
        air.ask("of an older release")
        air.ask("over", left_ms=0)
        air.ask("open", left_ms=60_000)
        (told,) = heard
        assert isinstance(told, ApprovalRequested)
        assert told.id == "open"
        assert told.expires_at_ms - told.created_at_ms == asked("").expires_at_ms - asked("").created_at_ms
        assert 0 <= told.expires_at_ms - 60_000 - now < 10_000, "by the clock of those who look"
        assert questions.find("ann", "open") == told
    finally:
        await elsewhere.close()


async def test_others_are_told_how_long_a_question_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    air, questions = Air(), Questions()
    monkeypatch.setattr(questions_module, "now_ms", lambda: 0)
    elsewhere = AskedElsewhere(NO_STORE, NewsChannel(air), questions)
    elsewhere.open()

    async def told(_: ApprovalRequested) -> None:
        asking.cancel()

    asking = asyncio.create_task(questions.put("ann", QUESTION, timeout_s=60.0, id_="q", told=told))
    try:
        await asyncio.wait({asking})
        every = [msgspec.msgpack.decode(news) for news in air.announced]
        (said,) = [news for news in every if news["type"] == "asked"]
        assert 50_000 < said["left_ms"] <= 60_000
        assert questions.left_ms("q") is None
    finally:
        await elsewhere.close()


async def test_what_another_process_asks_is_asked_once_whatever_it_is_called() -> None:
    """An id that a client chose may be one that somebody else's client chose at another process."""
    air, questions = Air(), Questions()
    elsewhere = AskedElsewhere(NO_STORE, NewsChannel(air), questions)
    elsewhere.open()

    async def told(_: ApprovalRequested) -> None:
        raise AssertionError("it was opened")

    try:
        air.ask("q", left_ms=60_000)
        with pytest.raises(InvalidRequest, match="already pending"):
            await questions.put("bob", QUESTION, timeout_s=60.0, id_="q", told=told)
        assert [each.id for each in questions.open("ann")] == ["q"]
        assert questions.open("bob") == ()
    finally:
        await elsewhere.close()
