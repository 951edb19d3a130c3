"""What a summariser is given to read, and what stands in for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from openclaw_gateway.runs.context.size import text_tokens
from openclaw_gateway.runs.context.summary import (
    as_text,
    clipped,
    fitted,
    mechanical_summary,
    parts,
    summary_request,
    summary_tokens,
)
from openclaw_gateway.wire.messages import (
    Image,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (UserMessage("hi"), "User: hi"),
        (UserMessage("see", images=(Image("image/png", "AA"),)), "User: see\n[1 image(s)]"),
        (
            assistant("wait", (ToolCall("1", "read", '{"path":"a"}'),)),
            'Assistant: wait\n[called read {"path":"a"}]',
        ),
        (ToolMessage("1", "text", "read"), "Result of read: text"),
        (ToolMessage("1", "no such file", is_error=True), "Error: no such file"),
        (SystemMessage("so far"), "Note: so far"),
    ],
)
def test_a_message_as_it_is_read(message: Message, text: str) -> None:
    assert as_text(message) == text


def test_long_results_are_clipped() -> None:
    text = as_text(ToolMessage("1", "a" * 50_000 + "end", "read"))
    assert len(text) < 2100
    assert text.endswith("end")


def test_the_earlier_summary_is_part_of_the_request() -> None:
    request = summary_request("They met.", "User: hi", 200_000)
    (asked,) = request.messages
    assert "They met." in asked.content
    assert "User: hi" in asked.content
    assert request.sampling.max_tokens is UNSET
    alone = summary_request(" ", "User: hi", 2048)
    assert "earlier_summary" not in alone.messages[0].content
    assert alone.sampling.max_tokens == 512


@pytest.mark.parametrize(("most", "asked"), [(None, 2000), (4000, 2000), (500, 500)])
def test_no_longer_summary_is_asked_for_than_the_model_can_give(most: int | None, asked: int) -> None:
    assert summary_request("", "User: hi", 8000, most).sampling.max_tokens == asked


TEXTS = st.lists(st.text(max_size=300))


@given(TEXTS, st.integers(8, 200))
def test_parts_have_all_texts_and_keep_to_the_limit(texts: list[str], limit: int) -> None:
    made = list(parts(texts, limit))
    for part in made:
        # Two characters between the texts, and what rounding costs.
        assert text_tokens(part) <= 2 * limit + 2 + part.count("\n\n")
    if all(text_tokens(text) <= limit for text in texts):
        assert "\n\n".join(made) == "\n\n".join(texts)


@given(st.text(max_size=400), st.integers(0, 100))
def test_clipped_keeps_to_its_limit(text: str, limit: int) -> None:
    short = clipped(text, limit)
    assert len(short) <= max(limit, 0) or short == text
    if len(text) <= limit:
        assert short == text


@given(st.text(max_size=400), TEXTS, st.integers(64, 400))
def test_a_mechanical_summary_keeps_to_its_limit(earlier: str, texts: list[str], limit: int) -> None:
    made = mechanical_summary(earlier, texts, limit)
    assert made.strip()
    # Clipping goes by characters, which are up to four bytes each.
    assert text_tokens(made) <= 4 * limit


def test_a_mechanical_summary_has_the_first_and_the_last() -> None:
    texts = [f"User: question {n} " + "x" * 500 for n in range(200)]
    made = mechanical_summary("They met.", texts, 512)
    assert "They met." in made
    assert "question 0 " in made
    assert "question 199 " in made
    assert "question 50 " not in made
    assert text_tokens(made) <= 512


def test_a_summary_grows_with_the_window_up_to_a_limit() -> None:
    assert [summary_tokens(window) for window in (100, 2048, 200_000)] == [64, 256, 4096]
    assert fitted("abcd" * 10, 10) == "abcd" * 10
    assert len(fitted("abcd" * 100, 10)) == 40
