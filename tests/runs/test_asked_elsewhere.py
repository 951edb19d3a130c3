"""What a process remembers of the others at which somebody attends."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from msgspec import Struct

from openclaw_gateway.runs.elsewhere import asked as asked_elsewhere
from openclaw_gateway.runs.elsewhere.asked import AskedElsewhere
from openclaw_gateway.runs.elsewhere.news import NewsChannel, OwnersAttend
from openclaw_gateway.runs.open_questions import OpenQuestions
from openclaw_gateway.runs.questions import Questions
from openclaw_gateway.sessions.bus import Hear
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.wire.approvals import ApprovalRequested
from tests.runs.test_open_questions import asked


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
    monkeypatch.setattr(asked_elsewhere, "_HEARD_FOR_S", lasts_s)
    air = Air()
    elsewhere = AskedElsewhere(NewsChannel(air), Waiting(OpenQuestions()))
    elsewhere.open()
    try:
        for _ in range(2):
            air.attended("b")
        assert air.asked() == told
    finally:
        await elsewhere.close()


async def test_of_processes_that_went_without_a_word_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_elsewhere, "_HEARD_FOR_S", 0.0)
    air = Air()
    elsewhere = AskedElsewhere(NewsChannel(air), Questions())
    elsewhere.open()
    try:
        for n in range(100):
            air.attended(str(n))
            await asyncio.sleep(0)
        assert len(elsewhere._there) == 1
        assert not elsewhere.is_attended("ann")
    finally:
        await elsewhere.close()
