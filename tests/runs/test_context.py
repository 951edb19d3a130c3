"""How much of a conversation a model is told: sizes, where it is cut, which results are shortened."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.config.schema import Compaction, ContextPruning, PrunedTools
from openclaw_gateway.config.schema.context import HardClear
from openclaw_gateway.runs.context.pruning import prune
from openclaw_gateway.runs.context.size import (
    conversation_tokens,
    fits,
    message_tokens,
    plan_compaction,
    reserve,
    text_tokens,
)
from openclaw_gateway.sessions.store import Summary, Transcript
from openclaw_gateway.sessions.transcript import for_model
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    Message,
    SystemMessage,
    ToolMessage,
    UserMessage,
    assistant,
)
from tests.runs.conversations import Turn, entries, tool_round, turns, words

PRUNING = ContextPruning()
COMPACTION = Compaction()


def chat(question: str, tokens: int = 0) -> Turn:
    return [UserMessage(question), assistant("ok " + words(tokens))]


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2), ("ä" * 4, 2), ("漢字", 2)])
def test_a_token_is_about_four_bytes(text: str, tokens: int) -> None:
    assert text_tokens(text) == tokens


def test_what_a_message_takes() -> None:
    plain = message_tokens(UserMessage("abcd"))
    assert message_tokens(UserMessage("abcd", images=(Image("image/png", "A" * 10**6),))) == plain + 1200
    called = tool_round("1", words(10))
    assert conversation_tokens(called) == sum(map(message_tokens, called))
    assert message_tokens(called[0]) > message_tokens(assistant(""))


@pytest.mark.parametrize(
    ("window", "kept_free"), [(200_000, 20_000), (80_000, 20_000), (32_000, 8_000), (2048, 512)]
)
def test_the_reserve_is_at_most_a_quarter(window: int, kept_free: int) -> None:
    assert reserve(window, COMPACTION) == kept_free
    assert fits(window - kept_free, window, COMPACTION)
    assert not fits(window - kept_free + 1, window, COMPACTION)


def test_far_from_the_window_nothing_is_summarised() -> None:
    stored = entries(chat("a", 5000), chat("b", 5000))
    assert plan_compaction(stored, 179_999, 200_000, COMPACTION) is None
    off = Compaction(enabled=False)
    assert plan_compaction(stored, 250_000, 200_000, off) is None


def test_the_newest_turns_stay() -> None:
    stored = entries(*(chat(f"q{n}", 9_000) for n in range(20)))
    assert plan_compaction(stored, 185_000, 200_000, COMPACTION) == 36
    more = Compaction(keep_recent_tokens=40_000)
    assert plan_compaction(stored, 185_000, 200_000, more) == 32


def test_a_small_window_keeps_less() -> None:
    stored = entries(*(chat(f"q{n}", 300) for n in range(6)))
    assert plan_compaction(stored, 2000, 2048, COMPACTION) == 10


def test_what_instructions_and_tools_take_is_no_room_for_turns() -> None:
    stored = entries(*(chat(f"q{n}", 300) for n in range(20)))
    assert plan_compaction(stored, 6200, 8000, COMPACTION) == 28
    assert plan_compaction(stored, 8600, 8000, COMPACTION, fixed_tokens=2400) == 34
    assert plan_compaction(stored, 12_200, 8000, COMPACTION, fixed_tokens=6000) == 38


def test_the_newest_turn_stays_even_when_it_is_long() -> None:
    stored = entries(chat("old", 20_000), chat("new", 150_000))
    assert plan_compaction(stored, 185_000, 200_000, COMPACTION) == 2


def test_only_a_turn_beyond_the_window_is_summarised_itself() -> None:
    assert plan_compaction(entries(chat("a", 190_000)), 195_000, 200_000, COMPACTION) == 2
    stored = entries(chat("old", 1), chat("new", 190_000))
    assert plan_compaction(stored, 195_000, 200_000, COMPACTION) == 4
    assert plan_compaction((), 195_000, 200_000, COMPACTION) is None


def test_a_summary_of_next_to_nothing_is_not_worth_a_call() -> None:
    assert plan_compaction(entries(chat("a"), chat("b")), 195_000, 200_000, COMPACTION) is None


def test_never_between_a_call_and_its_result() -> None:
    first: Turn = [UserMessage("look"), *tool_round("c1", words(50_000))[:1]]
    second: Turn = [ToolMessage("c1", words(50_000)), assistant("seen")]
    third = chat("thanks", 90_000)
    assert plan_compaction(entries(first, second, third), 195_000, 200_000, COMPACTION) == 4
    open_call: Turn = [UserMessage(words(190_000)), *tool_round("c2", "")[:1]]
    assert plan_compaction(entries(open_call), 195_000, 200_000, COMPACTION) is None


@given(turns(), st.integers(100, 30_000))
def test_what_is_left_after_a_cut_is_a_legal_conversation(said: list[Turn], window: int) -> None:
    stored = entries(*said)
    used = conversation_tokens(entry.message for entry in stored)
    covers = plan_compaction(stored, used, window, COMPACTION)
    if fits(used, window, COMPACTION):
        assert covers is None
    if covers is None:
        return
    rest = stored[covers:]
    shown = for_model(Transcript(rest, Summary(covers, "They talked.")))
    assert isinstance(shown[0], SystemMessage)
    left: list[Message] = [entry.message for entry in rest]
    # The last calls may wait for results that the client has yet to bring.
    assert list(shown[1 : len(left) + 1]) == left
    assert len(shown) - 1 - len(left) <= 1
    assert not {entry.run_id for entry in rest} & {entry.run_id for entry in stored[:covers]}
    room = window - reserve(window, COMPACTION)
    if not rest:
        newest: list[Message] = []
        while not newest or isinstance(newest[0], ToolMessage):
            newest = said.pop() + newest
        assert conversation_tokens(newest) > room


def long_chat(rounds: int, chars: int) -> list[Message]:
    messages: list[Message] = [UserMessage("go")]
    for number in range(rounds):
        messages += tool_round(f"c{number}", f"{number:03}" + "x" * (chars - 6) + "end")
    return [*messages, UserMessage("and now?")]


def sizes(messages: Any) -> list[int]:
    return [len(message.content) for message in messages if isinstance(message, ToolMessage)]


def test_below_the_first_ratio_the_very_same_messages_come_back() -> None:
    messages = long_chat(10, 10_000)
    assert prune(messages, 29_999, 100_000, PRUNING) == (messages, 0)
    assert prune(messages, 29_999, 100_000, PRUNING)[0] is messages
    assert prune(messages, 99_999, 100_000, ContextPruning(mode="off"))[0] is messages


def test_above_it_long_results_keep_their_head_and_tail() -> None:
    messages = long_chat(10, 10_000)
    pruned, saved = prune(messages, 30_000, 100_000, PRUNING)
    assert all(3000 < size < 3200 for size in sizes(pruned)[:7])
    assert sizes(pruned)[7:] == [10_000] * 3
    first = pruned[2].content
    assert first.startswith("000xxx")
    assert "xend\n\n[Tool result trimmed" in first
    assert saved == conversation_tokens(messages) - conversation_tokens(pruned)
    assert prune(pruned, 30_000, 100_000, PRUNING)[0] is pruned


def test_above_the_second_the_oldest_are_cleared_until_it_is_enough() -> None:
    messages = long_chat(60, 4000)
    pruned, saved = prune(messages, 52_000, 100_000, PRUNING)
    placeholder = len(PRUNING.hard_clear.placeholder)
    assert sizes(pruned) == [placeholder] * 3 + [4000] * 57
    assert 52_000 - saved < 50_000
    off = ContextPruning(hard_clear=HardClear(enabled=False))
    assert prune(messages, 52_000, 100_000, off)[0] is messages


def test_little_is_not_worth_clearing() -> None:
    messages = long_chat(15, 4000)
    assert prune(messages, 99_000, 100_000, PRUNING)[0] is messages


def test_tools_may_be_named() -> None:
    messages = [UserMessage("go"), *tool_round("a", "x" * 9000, "web_fetch"), *tool_round("b", "x" * 9000)]
    messages += [assistant("1"), assistant("2"), assistant("3")]

    def left(**named: tuple[str, ...]) -> list[bool]:
        settings = ContextPruning(tools=PrunedTools(**named))
        return [size == 9000 for size in sizes(prune(messages, 90_000, 100_000, settings)[0])]

    assert left() == [False, False]
    assert left(deny=("WEB_*",)) == [True, False]
    assert left(allow=("web_*",)) == [False, True]
    assert left(allow=("*",), deny=("*",)) == [True, True]


def test_what_stands_before_the_first_question_is_not_touched() -> None:
    early = tool_round("a", "x" * 9000)
    messages = [*early, UserMessage("go"), *tool_round("b", "x" * 9000)]
    settings = ContextPruning(keep_last_assistants=0)
    assert sizes(prune(messages, 90_000, 100_000, settings)[0])[0] == 9000
    assert sizes(prune(messages, 90_000, 100_000, settings)[0])[1] < 9000


def test_too_few_answers_to_spare() -> None:
    messages = [UserMessage("go"), *tool_round("b", "x" * 90_000), assistant("hm")]
    assert prune(messages, 90_000, 100_000, PRUNING)[0] is messages


@given(turns(), st.integers(100, 30_000), st.integers(0, 4), st.integers(0, 30_000))
def test_pruning_only_ever_shortens(said: list[Turn], window: int, keep: int, enough: int) -> None:
    messages = for_model(Transcript(entries(*said)))
    used = conversation_tokens(messages)
    settings = ContextPruning(keep_last_assistants=keep, min_prunable_tool_chars=enough)
    pruned, saved = prune(messages, used, window, settings)
    assert conversation_tokens(pruned) == used - saved
    assert saved >= 0
    assert len(pruned) == len(messages)
    for before, after in zip(messages, pruned, strict=True):
        if isinstance(before, ToolMessage):
            assert isinstance(after, ToolMessage)
            assert after.tool_call_id == before.tool_call_id
            assert len(after.content) <= len(before.content)
        else:
            assert after is before
    answers = [at for at, message in enumerate(messages) if isinstance(message, AssistantMessage)]
    if keep and len(answers) >= keep:
        assert list(pruned[answers[-keep] :]) == list(messages[answers[-keep] :])
