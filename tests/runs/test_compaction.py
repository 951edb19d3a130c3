"""Long conversations against a real store and a scripted model: nothing is lost, nobody is refused."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from openclaw_gateway.config.schema import Compaction, ContextPruning
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.fallback import FallbackCaller
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.context.compaction import Compactor, without_model
from openclaw_gateway.runs.context.keeper import ContextKeeper, RunContext
from openclaw_gateway.runs.context.size import conversation_tokens, fits, fixed_tokens, plan_compaction
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claim, Claimed, Ending, NewRun, Store, Transcript
from openclaw_gateway.sessions.transcript import SUMMARY_HEAD, for_model
from openclaw_gateway.testing.model_server import Hang, ModelServer, Reply, fails, says
from openclaw_gateway.wire.events import Compacted, Event, ModelFailed, UsageReported
from openclaw_gateway.wire.messages import Message, SystemMessage, ToolMessage, UserMessage, assistant
from openclaw_gateway.wire.run import ToolSpec, Usage
from tests.runs.conversations import Turn, entries, tool_round, turns, words

SESSION = "agent:main:x"
WINDOW = 8000
NEW = (UserMessage("and now?"),)
NO_PRUNING = ContextPruning(mode="off")


class House:
    """The context room on a real store, in front of a scripted model."""

    def __init__(self, store: SqliteStore, models: ModelServer, calls: FallbackCaller) -> None:
        self.store = store
        self.models = models
        self.calls = calls
        self.told: list[Event] = []
        self._runs = 0
        self._holder: Claim | None = None

    async def seed(self, *turns: Turn) -> None:
        for turn in turns:
            claimed = await self.claim()
            await self.store.finish(claimed.claim, Ending("completed", turn=tuple(turn)))

    async def claim(self) -> Claimed:
        self._runs += 1
        begun = await self.store.begin(NewRun(f"run{self._runs}", "me", SESSION, "main"), lease_s=60)
        assert isinstance(begun, Claimed)
        self._holder = begun.claim
        return begun

    def keeper(
        self,
        pruning: ContextPruning = NO_PRUNING,
        compaction: Compaction | None = None,
        store: Store | None = None,
        now_ms: int = 0,
    ) -> ContextKeeper:
        settings = compaction or Compaction()
        compactor = Compactor(store or self.store, self.calls, settings)
        return ContextKeeper(compactor, pruning, settings, lambda: now_ms)

    async def open(
        self, keeper: ContextKeeper | None = None, window: int | None = WINDOW, fixed: int = 0
    ) -> tuple[RunContext, tuple[Message, ...]]:
        """A run's context, and what it would be sent."""
        claimed = await self.claim()
        transcript = await self.store.read(claimed.claim)
        context = (keeper or self.keeper()).open(
            (self.target(window),),
            self.told.extend,
            fixed_tokens=fixed,
            claimed=claimed,
            transcript=transcript,
            new=NEW,
        )
        return context, for_model(transcript, NEW)

    def target(self, window: int | None) -> ModelTarget:
        return ModelTarget(Endpoint("acme", self.models.base_url, "k"), "m", context_window=window)

    async def covered(self) -> tuple[int, str]:
        """What the newest stored summary covers, and its text."""
        assert self._holder is not None
        summary = (await self.store.read(self._holder)).summary
        return (summary.covers_to_seq, summary.text) if summary else (0, "")


@pytest.fixture
async def house(models: ModelServer, tmp_path: Path) -> AsyncIterator[House]:
    store = SqliteStore(tmp_path / "sessions.sqlite")
    await store.open()
    upstream = UpstreamClient()
    try:
        yield House(store, models, FallbackCaller(ModelCaller(upstream)))
    finally:
        await upstream.close()
        await store.close()


def chat(number: int, tokens: int = 1000) -> Turn:
    return [UserMessage(f"question {number}"), assistant(f"answer {number} " + words(tokens))]


def summaries(messages: Sequence[Message]) -> list[str]:
    return [message.content for message in messages if isinstance(message, SystemMessage)]


async def test_far_from_the_window_the_very_same_messages_are_sent(house: House) -> None:
    await house.seed(chat(1))
    context, messages = await house.open(house.keeper(ContextPruning()))
    assert await context.prepare(messages) is messages
    assert house.told == []
    assert house.models.requests == []


async def test_past_the_threshold_the_older_turns_become_a_summary(house: House) -> None:
    house.models.script("m", says("They talked about ", "nine things.", usage=Usage(100, 7, 107)))
    await house.seed(*(chat(n) for n in range(9)))
    context, messages = await house.open()
    shown = await context.prepare(messages)
    assert shown[0] == SystemMessage(SUMMARY_HEAD + "They talked about nine things.")
    assert shown[1] == UserMessage("question 8")
    assert shown[-1] == NEW[0]
    assert fits(conversation_tokens(shown), WINDOW, Compaction())
    counted = UsageReported(Usage(100, 7, 107), "acme/m")
    assert house.told == [counted] * len(house.models.requests) + [Compacted(16)]
    assert await house.covered() == (16, "They talked about nine things.")
    assert await context.prepare(shown) is shown
    # The whole conversation is still there.
    assert len(await house.store.transcript("me", SESSION)) == 18


async def test_what_a_run_that_forks_has_summarised_is_stored(house: House) -> None:
    house.models.script("m", says("They talked."))
    await house.seed(*(chat(n) for n in range(12)))
    await house.store.summarise("me", SESSION, 22, "All of it.")
    claimed = await house.claim()
    entries = await house.store.transcript("me", SESSION, limit=18)
    context = house.keeper().open(
        (house.target(WINDOW),),
        house.told.extend,
        claimed=claimed,
        transcript=Transcript(entries),
        new=NEW,
        forks=True,
    )
    await context.prepare(for_model(Transcript(entries), NEW))
    assert house.told[-1] == Compacted(16)
    await house.store.finish(claimed.claim, Ending("completed", turn=(*NEW, assistant("ok")), keeps=18))
    await house.claim()
    assert await house.covered() == (16, "They talked.")


async def test_the_model_reads_the_conversation_and_the_earlier_summary(house: House) -> None:
    house.models.script("m", says("First."), says("Second."))
    await house.seed(*(chat(n) for n in range(9)))
    await house.store.summarise("me", SESSION, 4, "Earlier still.")
    context, messages = await house.open()
    await context.prepare(messages)
    asked = [request.messages[-1]["content"] for request in house.models.requests]
    assert "Earlier still." in asked[0]
    assert "question 0" not in asked[0]
    assert "question 2" in asked[0]
    # What does not go into one request goes into two, the first summary into the second.
    assert len(asked) == 2
    assert "First." in asked[1]
    assert "answer 7" in asked[1]
    assert "question 8" not in asked[1]
    assert (await house.covered())[1] == "Second."


async def test_rounds_of_this_run_stay_as_they_are(house: House) -> None:
    house.models.script("m", says("Short."))
    await house.seed(*(chat(n) for n in range(4)))
    context, messages = await house.open()
    assert await context.prepare(messages) is messages
    said = tool_round("c1", words(2500))
    shown = await context.prepare([*messages, *said], said)
    assert summaries(shown) == [SUMMARY_HEAD + "Short."]
    assert list(shown[-3:]) == [*NEW, *said]


@pytest.mark.parametrize("reply", [fails(401), fails(500), says(Hang())])
async def test_a_summary_that_cannot_be_had_costs_nothing_as_long_as_there_is_room(
    house: House, reply: Reply
) -> None:
    house.models.script("m", reply)
    await house.seed(*(chat(n) for n in range(7)))
    context, messages = await house.open(house.keeper(compaction=Compaction(timeout_seconds=0.05)))
    assert await context.prepare(messages) is messages
    assert not any(isinstance(event, Compacted) for event in house.told)
    asked = len(house.models.requests)
    assert await context.prepare(messages) is messages
    assert len(house.models.requests) == asked
    assert await house.covered() == (0, "")


async def test_without_room_this_run_goes_on_with_less_and_the_next_asks_again(house: House) -> None:
    house.models.script("m", fails(401), says("Better."))
    await house.seed(*(chat(n) for n in range(9)))
    context, messages = await house.open()
    shown = await context.prepare(messages)
    (summary,) = summaries(shown)
    assert "question 0" in summary
    assert fits(conversation_tokens(shown), WINDOW, Compaction())
    assert [event.code for event in house.told if isinstance(event, ModelFailed)] == ["provider_auth_failed"]
    assert not any(isinstance(event, Compacted) for event in house.told)
    assert await house.covered() == (0, "")


@pytest.mark.parametrize("reply", [says(""), says("I must not.", finish="content_filter")])
async def test_an_answer_that_is_no_summary_is_replaced(house: House, reply: Reply) -> None:
    house.models.script("m", reply)
    await house.seed(*(chat(n) for n in range(9)))
    context, messages = await house.open()
    shown = await context.prepare(messages)
    (summary,) = summaries(shown)
    assert "question 0" in summary
    assert Compacted(16) in house.told
    assert (await house.covered())[0] == 16


async def test_a_part_that_is_too_long_is_halved(house: House) -> None:
    house.models.enqueue(fails(413), fails(413))
    house.models.script("m", says("Done."))
    await house.seed(*(chat(n) for n in range(9)))
    context, messages = await house.open()
    assert summaries(await context.prepare(messages)) == [SUMMARY_HEAD + "Done."]
    sizes = [len(request.raw) for request in house.models.requests]
    assert sizes[0] > 1.5 * sizes[1] > 2 * sizes[2]


async def test_a_store_that_does_not_take_the_summary_does_not_fail_the_run(house: House) -> None:
    house.models.script("m", says("Done."))
    await house.seed(*(chat(n) for n in range(9)))
    context, messages = await house.open()
    await house.store.summarise("me", SESSION, 18, "Somebody else was here.")
    assert summaries(await context.prepare(messages)) == [SUMMARY_HEAD + "Done."]
    assert not any(isinstance(event, Compacted) for event in house.told)


async def test_an_abort_ends_the_summary(house: House) -> None:
    house.models.script("m", says(Hang()))
    await house.seed(*(chat(n) for n in range(9)))
    context, messages = await house.open()

    scope = asyncio.timeout(None)

    async def summarise() -> None:
        async with scope:
            await context.prepare(messages)

    task = asyncio.create_task(summarise())
    await house.models.wait_requests(1)
    # As Run.abort does it.
    scope.reschedule(asyncio.get_running_loop().time())
    with pytest.raises(TimeoutError):
        await task
    await house.models.wait_aborted(1)
    assert await house.covered() == (0, "")


@given(turns(max_turns=12), st.integers(1000, 40_000))
def test_what_a_summary_leaves_is_legal_and_never_larger(said: list[Turn], window: int) -> None:
    transcript = Transcript(entries(*said))
    before = for_model(transcript, NEW)
    used = conversation_tokens(before)
    covers = plan_compaction(transcript.entries, used, window, Compaction())
    if covers is None:
        return
    left = without_model(transcript, covers, window)
    shown = for_model(left, NEW)
    assert conversation_tokens(shown) <= used
    assert shown[-1] == NEW[0]
    assert isinstance(shown[0], SystemMessage)
    kept = len(before) - len(shown) + 1
    assert shown[1:] == before[kept:]


async def test_compaction_may_be_switched_off(house: House) -> None:
    await house.seed(*(chat(n) for n in range(12)))
    context, messages = await house.open(house.keeper(compaction=Compaction(enabled=False)))
    assert await context.prepare(messages) is messages
    assert await context.after_overflow(messages) is None


async def test_instructions_and_tools_count(house: House) -> None:
    house.models.script("m", says("Short."))
    await house.seed(*(chat(n) for n in range(4)))
    tools = (ToolSpec("read", "Reads a file.", Raw(b'{"type":"object"}')),)
    fixed = fixed_tokens(words(3000), tools)
    assert 3000 < fixed < 3050
    context, messages = await house.open(fixed=fixed)
    assert summaries(await context.prepare(messages)) == [SUMMARY_HEAD + "Short."]


async def test_the_providers_count_is_believed(house: House) -> None:
    house.models.script("m", says("Short."))
    await house.seed(*(chat(n) for n in range(4)))
    context, messages = await house.open()
    assert await context.prepare(messages) is messages
    context.measured(0)
    assert await context.prepare(messages) is messages
    context.measured(7500)
    assert summaries(await context.prepare(messages)) == [SUMMARY_HEAD + "Short."]


async def test_an_overflow_the_provider_reports_is_one_compaction(house: House) -> None:
    house.models.script("m", says("Short."))
    await house.seed(*(chat(n) for n in range(9)))
    context, messages = await house.open(window=None)
    assert await context.prepare(messages) is messages
    shown = await context.after_overflow(messages)
    assert shown is not None
    assert summaries(shown) == [SUMMARY_HEAD + "Short."]
    assert conversation_tokens(shown) < conversation_tokens(messages) * 0.75
    assert shown[-1] == NEW[0]
    assert await context.prepare(shown) is shown
    assert await context.after_overflow(shown) is None


async def test_an_overflow_with_the_provider_away_still_goes_on_with_less(house: House) -> None:
    house.models.script("m", fails(413))
    await house.seed(*(chat(n) for n in range(9)))
    context, messages = await house.open()
    shown = await context.after_overflow(messages)
    assert shown is not None
    assert "question 0" in summaries(shown)[0]


async def test_an_overflow_nothing_can_be_done_about(house: House) -> None:
    context, _ = await house.open()
    messages = (UserMessage(words(50_000)),)
    assert await context.after_overflow(messages) is None
    assert house.models.requests == []


def results(messages: Sequence[Message]) -> list[int]:
    return [len(message.content) for message in messages if isinstance(message, ToolMessage)]


async def test_old_results_are_pruned_before_anything_is_summarised(house: House) -> None:
    many: Turn = [UserMessage("look")]
    for number in range(6):
        many += tool_round(f"c{number}", words(1100))
    await house.seed([*many, assistant("seen")])
    context, messages = await house.open(house.keeper(ContextPruning()))
    shown = await context.prepare(messages)
    assert results(shown)[-2:] == [4400, 4400]
    assert all(size < 3200 for size in results(shown)[:-2])
    assert house.models.requests == []
    stored = await house.store.transcript("me", SESSION)
    assert results([entry.message for entry in stored]) == [4400] * 6


@pytest.mark.parametrize(("later_ms", "pruned"), [(1000, False), (301_000, True)])
async def test_a_warm_cache_is_left_alone(house: House, later_ms: int, pruned: bool) -> None:
    many: Turn = [UserMessage("look")]
    for number in range(4):
        many += tool_round(f"c{number}", words(1100))
    await house.seed([*many, assistant("seen")])
    record = await house.store.get_session("me", SESSION)
    assert record is not None
    keeper = house.keeper(ContextPruning(mode="cache-ttl"), now_ms=record.updated_ms + later_ms)
    context, messages = await house.open(keeper)
    assert (await context.prepare(messages) is not messages) == pruned


async def test_a_run_without_a_session_is_pruned_only(house: House) -> None:
    context = house.keeper(ContextPruning()).open((house.target(WINDOW),), house.told.extend)
    messages: list[Message] = [UserMessage("go")]
    for number in range(9):
        messages += tool_round(f"c{number}", words(1100))
    shown = await context.prepare(messages)
    assert conversation_tokens(shown) < conversation_tokens(messages)
    assert house.models.requests == []
    assert len(shown) == len(messages)
