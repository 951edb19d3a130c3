"""What every KeptRounds must do. `there` is another process, where what is kept `here` is found."""

import pytest
from msgspec import Raw

from openclaw_gateway.sessions.rounds import Asker, Calls, KeptRounds, Messages
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    MadeBy,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
)

ME = Asker("me", None, "main", b"\0digest")
CALLS: Calls = frozenset({"one", "two"})
SAID: Messages = (
    AssistantMessage(
        (
            Reasoning("hm", Raw(b'{"signature": "s"}')),
            Text("Let me look.\U0001f600"),
            ToolCall("r1", "read", '{"path": "x"}'),
        ),
        made_by=MadeBy("acme", "openai-completions", "m"),
    ),
    ToolMessage("r1", "milk", "read", own=True, images=(Image("image/png", "iVBORw0KGgo="),)),
    AssistantMessage((ToolCall("one", "get_weather", "{}"), ToolCall("two", "get_weather", "{}"))),
)


async def found(rounds: KeptRounds, asker: Asker = ME, calls: Calls = CALLS) -> Messages | None:
    """As a run looks for it."""
    return rounds.known(asker, calls) or (await rounds.found(asker, [calls])).get(calls)


class RoundsContract:
    @pytest.fixture
    async def here(self) -> KeptRounds:
        raise NotImplementedError

    @pytest.fixture
    async def there(self, here: KeptRounds) -> KeptRounds:
        return here

    async def test_what_was_kept_is_found_whole(self, here: KeptRounds, there: KeptRounds) -> None:
        await here.keep(ME, CALLS, SAID)
        assert await found(here) == SAID
        assert await found(there) == SAID

    async def test_the_same_calls_again_have_what_was_kept_last(
        self, here: KeptRounds, there: KeptRounds
    ) -> None:
        await here.keep(ME, CALLS, SAID[:1])
        await here.keep(ME, CALLS, SAID)
        assert await found(here) == await found(there) == SAID

    async def test_several_are_found_at_once(self, here: KeptRounds, there: KeptRounds) -> None:
        others = frozenset({"three"})
        await here.keep(ME, CALLS, SAID)
        await here.keep(ME, others, SAID[1:])
        told = {calls: await found(there, calls=calls) for calls in (CALLS, others, frozenset({"none"}))}
        assert told == {CALLS: SAID, others: SAID[1:], frozenset({"none"}): None}

    @pytest.mark.promise("CVE-2026-89032")
    @pytest.mark.parametrize(
        "asker",
        [
            Asker("you", None, "main", b"\0digest"),
            Asker("me", "bob", "main", b"\0digest"),
            Asker("me", "None", "main", b"\0digest"),
            Asker("me", None, "other", b"\0digest"),
            Asker("me", None, "main", b"another"),
            Asker("\ud800", None, "main", b""),
        ],
    )
    async def test_nobody_else_finds_it(self, here: KeptRounds, there: KeptRounds, asker: Asker) -> None:
        await here.keep(ME, CALLS, SAID)
        assert await found(here, asker) is None
        assert await found(there, asker) is None

    async def test_a_part_of_the_calls_is_not_enough(self, here: KeptRounds, there: KeptRounds) -> None:
        await here.keep(ME, CALLS, SAID)
        for calls in (frozenset({"one"}), frozenset({"one", "two", "three"}), frozenset[str]()):
            assert await found(here, calls=calls) is None
            assert await found(there, calls=calls) is None
