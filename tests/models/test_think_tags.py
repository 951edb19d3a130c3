"""Reasoning between tags at the beginning of a text, however it is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.models.apis.openai_completions.think_tags import ThinkTags
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, ToolCallStarted


def sort(pieces: list[str]) -> list[Event]:
    tags = ThinkTags()
    events = [event for piece in pieces for event in tags.sort([TextDelta(piece)])]
    return events if tags.decided else events + tags.end()


def told(events: list[Event]) -> tuple[str, str]:
    """All reasoning, all text."""
    thought = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    return thought, "".join(event.text for event in events if isinstance(event, TextDelta))


CASES = [
    ("<think>hm</think>so", ("hm", "so")),
    ("<think>\nhm\n</think>\n\nso", ("\nhm\n", "so")),
    ("\n<think>hm</think>so", ("hm", "so")),
    (" \n so", ("", " \n so")),
    ("<think></think>so", ("", "so")),
    ("<think>a</thin b</think>so</think>", ("a</thin b", "so</think>")),
    ("<think>cut off </th", ("cut off </th", "")),
    ("<think>hm</think>\n", ("hm", "")),
    ("so <think>hm</think>", ("", "so <think>hm</think>")),
    ("<thinking>hm", ("", "<thinking>hm")),
    ("<thi", ("", "<thi")),
    ("<", ("", "<")),
    ("", ("", "")),
]


@pytest.mark.parametrize(("text", "meant"), CASES)
def test_letter_by_letter_and_whole(text: str, meant: tuple[str, str]) -> None:
    assert told(sort([text])) == meant
    assert told(sort(list(text))) == meant


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<", "</", "think", ">", "a", "\n"]), max_size=8),
    st.lists(st.integers(0, 40), max_size=6),
)
def test_any_cut_gives_the_same(words: list[str], cuts: list[int]) -> None:
    text = "".join(words)
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[start:end] for start, end in pairwise(edges)]
    assert told(sort(pieces)) == told(sort([text]))


def test_an_ordinary_answer_is_not_touched() -> None:
    tags = ThinkTags()
    events: list[Event] = [TextDelta("a"), TextDelta("<think>")]
    assert tags.sort(events) == events
    assert tags.decided


@pytest.mark.parametrize("first", [ReasoningDelta("hm"), ToolCallStarted(0, "c", "f")])
def test_who_says_something_else_first_uses_no_tags(first: Event) -> None:
    events = [first, TextDelta("<think>")]
    assert ThinkTags().sort(events) == events
    assert ThinkTags().sort([TextDelta("<th"), *events]) == [TextDelta("<th"), *events]


def test_what_is_no_text_passes_while_it_thinks() -> None:
    call = ToolCallStarted(0, "c", "f")
    said = ThinkTags().sort([TextDelta("<think>hm"), call, TextDelta("</think>so")])
    assert said == [ReasoningDelta("hm"), call, TextDelta("so")]
