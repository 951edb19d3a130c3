"""Rounds that a client without a session never saw: put back in its own conversation, and in no other."""

from typing import Any

import pytest

from openclaw_gateway.runs.held import KEEP_S, MAX_HELD, MAX_HELD_CHARS, HeldRounds
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


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


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


def keep(held: HeldRounds, sent: Messages, said: Messages) -> None:
    calls = said[-1].tool_calls if isinstance(said[-1], AssistantMessage) else ()
    held.keep(request(sent), [call.id for call in calls], said)


def follow_up(question: str, call_id: str, city: str) -> Messages:
    return (*asks(question), call(call_id, city), ToolMessage(call_id, "rain"))


def test_what_was_hidden_is_put_back_in_its_place() -> None:
    held = HeldRounds()
    keep(held, asks("Oslo?"), hidden("seen", "1", "Oslo"))
    whole = held.whole(request(follow_up("Oslo?", "1", "Oslo")))
    assert whole == (*asks("Oslo?"), *hidden("seen", "1", "Oslo"), ToolMessage("1", "rain"))
    # Resent later in the conversation, with white space as clients change it.
    more: Messages = (*follow_up(" Oslo?\n", "1", "Oslo"), assistant("Rain."), UserMessage("Thanks"))
    assert held.whole(request(more)) == (
        UserMessage(" Oslo?\n"),
        *whole[1:],
        assistant("Rain."),
        UserMessage("Thanks"),
    )


def test_two_rounds_of_one_conversation() -> None:
    held = HeldRounds()
    keep(held, asks("Oslo?"), hidden("one", "1", "Oslo"))
    second = follow_up("Oslo?", "1", "Oslo")
    keep(held, second, hidden("two", "2", "Rome"))
    third: Messages = (*second, call("2", "Rome"), ToolMessage("2", "sun"))
    texts = [m.content for m in held.whole(request(third)) if isinstance(m, ToolMessage)]
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
def test_nobody_else_gets_it(fields: dict[str, Any]) -> None:
    held = HeldRounds()
    keep(held, asks("Oslo?"), hidden("seen", "1", "Oslo"))
    sent = follow_up("Oslo?", "1", "Oslo")
    assert held.whole(request(sent)) != sent
    assert held.whole(request(sent, **fields)) == sent


def test_a_history_that_was_trimmed_is_completed_all_the_same() -> None:
    held = HeldRounds()
    keep(held, (*asks("Hello"), assistant("Hi"), *asks("Oslo?")), hidden("seen", "1", "Oslo"))
    assert "seen" in str(held.whole(request(follow_up("Oslo?", "1", "Oslo"))))


def test_only_what_hides_something_is_kept() -> None:
    held = HeldRounds()
    keep(held, asks("Oslo?"), (call("1", "Oslo"),))
    assert len(held) == 0


def test_after_ten_minutes_it_is_gone() -> None:
    clock = Clock()
    held = HeldRounds(clock)
    keep(held, asks("Oslo?"), hidden("seen", "1", "Oslo"))
    sent = follow_up("Oslo?", "1", "Oslo")
    clock.now += KEEP_S - 1
    assert held.whole(request(sent)) != sent
    clock.now += 1
    assert held.whole(request(sent)) == sent
    keep(held, asks("Rome?"), hidden("seen", "1", "Rome"))
    assert len(held) == 1


@pytest.mark.parametrize(
    ("size", "kept"), [(10, MAX_HELD), (MAX_HELD_CHARS // 4, 3), (MAX_HELD_CHARS + 1, 0)]
)
def test_the_number_and_the_size_are_bounded_and_the_oldest_go_first(size: int, kept: int) -> None:
    held = HeldRounds()
    many = kept + 2
    for number in range(many):
        # The same once more takes no room.
        for _ in range(2):
            keep(held, asks("Oslo?"), hidden("x" * size, f"{number}", "Oslo"))
    assert len(held) == kept
    found = [len(held.whole(request(follow_up("Oslo?", f"{number}", "Oslo")))) == 5 for number in range(many)]
    assert found == [number >= many - kept for number in range(many)]
