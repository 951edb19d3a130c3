"""Rounds that a client without a session never saw: put back in its own conversation, and in no other."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from openclaw_gateway.runs.held import MOST_ASKED, HeldRounds
from openclaw_gateway.sessions.local.rounds import LocalRounds
from openclaw_gateway.sessions.rounds import Asker, Calls
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)
from openclaw_gateway.wire.run import Origin, RunRequest

Messages = tuple[Message, ...]
ID, OTHER = "aB3dE6gH9", "zY8xW5vU2"


class Elsewhere(LocalRounds):
    """Rounds that another process has kept; `asked` is for what."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[Calls]] = []

    def known(self, asker: Asker, calls: Calls) -> Messages | None:
        return None

    async def found(self, asker: Asker, several: Sequence[Calls]) -> Mapping[Calls, Messages]:
        self.asked.append(list(several))
        found = {calls: super(Elsewhere, self).known(asker, calls) for calls in several}
        return {calls: said for calls, said in found.items() if said is not None}


@pytest.fixture(params=[LocalRounds, Elsewhere], ids=["here", "elsewhere"])
def kept(request: pytest.FixtureRequest) -> LocalRounds:
    made: LocalRounds = request.param()
    return made


@pytest.fixture
def held(kept: LocalRounds) -> HeldRounds:
    return HeldRounds(kept)


def asks(text: str) -> Messages:
    return (UserMessage(text),)


def request(messages: Messages, **fields: Any) -> RunRequest:
    origin = Origin("me", "http", "conversation")
    return RunRequest(**{"origin": origin, "agent_id": "main", "messages": messages, **fields})


def call(call_id: str, city: str) -> AssistantMessage:
    return assistant("", (ToolCall(call_id, "get_weather", f'{{"city": "{city}"}}'),))


def hidden(secret: str, call_id: str, city: str) -> Messages:
    """A round with a tool of the agent's own, then the call of the client's."""
    own = ToolCall("look:0", "look", "{}")
    return (
        assistant("", (own,)),
        ToolMessage("look:0", secret, "look", own=True),
        call(call_id, city),
    )


async def keep(held: HeldRounds, sent: Messages, said: Messages) -> None:
    calls = said[-1].tool_calls if isinstance(said[-1], AssistantMessage) else ()
    await held.keep(request(sent), [call.id for call in calls], said)


def follow_up(question: str, call_id: str, city: str) -> Messages:
    return (*asks(question), call(call_id, city), ToolMessage(call_id, "rain"))


async def test_what_was_hidden_is_put_back_in_its_place(held: HeldRounds) -> None:
    await keep(held, asks("Oslo?"), hidden("seen", ID, "Oslo"))
    whole = await held.whole(request(follow_up("Oslo?", ID, "Oslo")))
    assert whole == (*asks("Oslo?"), *hidden("seen", ID, "Oslo"), ToolMessage(ID, "rain"))
    # Resent later in the conversation, with white space as clients change it.
    more: Messages = (*follow_up(" Oslo?\n", ID, "Oslo"), assistant("Rain."), UserMessage("Thanks"))
    assert await held.whole(request(more)) == (
        UserMessage(" Oslo?\n"),
        *whole[1:],
        assistant("Rain."),
        UserMessage("Thanks"),
    )


async def test_two_rounds_of_one_conversation(held: HeldRounds) -> None:
    await keep(held, asks("Oslo?"), hidden("one", ID, "Oslo"))
    second = follow_up("Oslo?", ID, "Oslo")
    await keep(held, second, hidden("two", OTHER, "Rome"))
    third: Messages = (*second, call(OTHER, "Rome"), ToolMessage(OTHER, "sun"))
    texts = [m.content for m in await held.whole(request(third)) if isinstance(m, ToolMessage)]
    assert texts == ["one", "rain", "two", "sun"]


@pytest.mark.promise("CVE-2026-89032")
@pytest.mark.parametrize(
    "fields",
    [
        {"origin": Origin("you", "http", "conversation")},
        {"origin": Origin("me", "http", "user", user="bob")},
        {"agent_id": "other"},
        {"instructions": "You are Bob's."},
    ],
    ids=["owner", "user", "agent", "instructions"],
)
async def test_nobody_else_gets_it(held: HeldRounds, fields: dict[str, Any]) -> None:
    await keep(held, asks("Oslo?"), hidden("seen", ID, "Oslo"))
    sent = follow_up("Oslo?", ID, "Oslo")
    assert await held.whole(request(sent)) != sent
    assert await held.whole(request(sent, **fields)) == sent


async def test_a_history_that_was_trimmed_is_completed_all_the_same(held: HeldRounds) -> None:
    await keep(held, (*asks("Hello"), assistant("Hi"), *asks("Oslo?")), hidden("seen", ID, "Oslo"))
    assert "seen" in str(await held.whole(request(follow_up("Oslo?", ID, "Oslo"))))


async def test_only_what_hides_something_is_kept(held: HeldRounds, kept: LocalRounds) -> None:
    await keep(held, asks("Oslo?"), (call(ID, "Oslo"),))
    assert len(kept) == 0


async def test_nobody_else_is_asked_but_for_calls_of_ours_that_are_answered() -> None:
    kept = Elsewhere()
    held = HeldRounds(kept)
    for sent in (
        asks("Oslo?"),
        (*asks("Oslo?"), assistant("Rain.")),
        # Not answered yet; a name that another system has given; one of two that is not answered.
        (*asks("Oslo?"), call(ID, "Oslo"), UserMessage("well?")),
        follow_up("Oslo?", "call_1234", "Oslo"),
        (
            assistant("", (ToolCall(ID, "x", "{}"), ToolCall(OTHER, "x", "{}"))),
            ToolMessage(ID, "rain"),
        ),
    ):
        assert await held.whole(request(sent)) == sent
    assert kept.asked == []
    await held.whole(request(follow_up("Oslo?", ID, "Oslo")))
    assert kept.asked == [[frozenset({ID})]]


async def test_of_a_long_conversation_the_newest_are_asked_for_at_once() -> None:
    kept = Elsewhere()
    several = [f"{number:09}" for number in range(MOST_ASKED + 3)]
    sent = tuple(message for each in several for message in follow_up("and?", each, "Oslo"))
    await HeldRounds(kept).whole(request(sent))
    assert kept.asked == [[frozenset({each}) for each in several[3:]]]
