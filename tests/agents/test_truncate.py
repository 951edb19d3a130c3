"""Long texts keep their head and their tail, and the mark says what is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.agents.truncate import truncate


@pytest.mark.parametrize(
    ("length", "limit", "head", "tail"),
    [
        (20_001, 20_000, 14_000, 4_000),
        (100_000, 20_000, 14_000, 4_000),
        (2_000, 1_000, 700, 200),
    ],
)
def test_seventy_percent_head_and_twenty_percent_tail(length: int, limit: int, head: int, tail: int) -> None:
    text = "a" * (length // 2) + "z" * (length - length // 2)
    cut = truncate("SOUL.md", text, limit)
    assert cut.startswith(text[:head] + "\n[")
    assert cut.endswith("]\n" + text[-tail:])
    assert (
        f"[SOUL.md is cut here: the first {head:,} and last {tail:,} of {length:,} characters are shown]"
        in cut
    )


@pytest.mark.parametrize("length", [0, 1, 999, 1_000])
def test_what_fits_stays_as_it_is(length: int) -> None:
    text = "x" * length
    assert truncate("A", text, 1_000) == text


def test_the_size_of_a_larger_whole_is_named() -> None:
    cut = truncate("A", "x" * 900, 1_000, whole="5,000,000 bytes")
    assert "of 5,000,000 bytes are shown" in cut


@given(st.text(max_size=3_000), st.integers(1, 2_000))
def test_never_longer_than_the_limit(text: str, limit: int) -> None:
    cut = truncate("USER.md", text, limit)
    assert len(cut) <= limit
    if len(text) <= limit:
        assert cut == text
    else:
        head, mark, tail = cut.partition("\n[USER.md is cut here")
        assert text.startswith(head)
        assert text.endswith(tail.partition("]\n")[2]) if mark else limit < 150
