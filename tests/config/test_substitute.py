import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.config.substitute import MissingVariable, substitute

NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "1"),
        ("x${A}y${B}z", "x1y2z"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("${a} $A ${A ${A-B} $", "${a} $A ${A ${A-B} $"),
        ("${REF}", "${A}"),
        ("", ""),
    ],
)
def test_table(text: str, expected: str) -> None:
    assert substitute(text, {"A": "1", "B": "2", "REF": "${A}"}) == expected


def test_every_missing_or_blank_variable_is_named_once() -> None:
    with pytest.raises(MissingVariable) as caught:
        substitute("${A}${B}${A}${C}", {"B": " ", "C": "c"})
    assert caught.value.names == ["A", "B"]


@given(st.text().filter(lambda text: "${" not in text))
def test_text_without_references_stays(text: str) -> None:
    assert substitute(text, {}) == text


@given(st.lists(st.text().filter(lambda t: "$" not in t and "{" not in t)), NAMES, st.text(min_size=1))
def test_each_reference_becomes_the_value_and_each_escape_the_name(
    parts: list[str], name: str, value: str
) -> None:
    value = f"v{value}"
    assert substitute(f"${{{name}}}".join(parts), {name: value}) == value.join(parts)
    assert substitute(f"$${{{name}}}".join(parts), {}) == f"${{{name}}}".join(parts)
