"""Names and patterns with stars: what fits, and that a long name costs no more than its length."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.tools.name_pattern import matches


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("read", "read", True),
        ("read", "rea", False),
        ("read", "*", True),
        ("", "*", True),
        ("read", "r*d", True),
        ("rd", "r*d", True),
        ("r", "r*r", False),
        ("acme/large-2", "acme/*ge*2", True),
        ("acme/large-2", "acme/*2*2", False),
        ("a\nb", "a*b", True),
        ("a.b", "a.b*", True),
        ("axb", "a.b*", False),
    ],
)
def test_a_star_is_any_run_of_characters(name: str, pattern: str, fits: bool) -> None:
    assert matches(name, ("none", pattern)) is fits


@given(st.text("ab", max_size=8), st.text("ab*", max_size=8))
def test_it_is_what_a_regular_expression_says(name: str, pattern: str) -> None:
    said = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name)
    assert matches(name, (pattern,)) is (said is not None)


def test_a_long_name_that_nearly_fits_costs_no_more_than_its_length() -> None:
    """Tried from each place for each star, this would not end."""
    assert not matches("a" * 16_000, ("*a*a*a*a*b",))
    assert not matches("a" * 16_000 + "c", ("*" * 16_000 + "b*",))
