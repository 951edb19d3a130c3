"""The slow scanner against the fast parser: the same documents, the same values, and every path found."""

import json
import math
from typing import Any

import pyjson5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.config.places import KeyPath, dotted, locate
from openclaw_gateway.config.scan import MAX_DEPTH, NotJson5, scan

SAMPLES = [
    '{a:1,"b":[1,2.5,.5,5.,+1,-0x1F,Infinity,-Infinity,NaN,null,true], // c\n d: {/* z */ $e_1: \'q"\'},}',
    '["\\ud83d\\ude00","\\0","\\q", "a\\\nb", "a\\\r\nb", 1e5, 1E-3, 0, -0, 0.0, 1_000, 4_, .5.]',
    '{ünï:1,\\u0061b:2, "\u2028":"\u2029"}\u00a0\ufeff',
]
ALPHABET = "{}[]:,\"'\\/*\n\r\t 0123456789abcefxXuUNeEI+-.$_\u2028\u00a0\u0085\x1fé\u180e\u3000#\x00😀½"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def paths_of(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [path, *(found for key, item in items for found in paths_of(item, (*path, key)))]


@st.composite
def nearly_json5(draw: st.DrawFn) -> str:
    text = list(draw(st.sampled_from(SAMPLES) | JSON.map(json.dumps)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 1))] = draw(st.text(ALPHABET, max_size=1))
    return "".join(text)


@given(nearly_json5())
def test_both_parsers_accept_the_same_and_understand_the_same(text: str) -> None:
    try:
        fast = pyjson5.decode(text, MAX_DEPTH)
    except pyjson5.Json5DecoderException:
        with pytest.raises(NotJson5):
            scan(text, "f")
        return
    assert same(fast, scan(text, "f"))


@given(JSON, st.sampled_from([None, 1]))
def test_every_path_is_found_at_its_own_key(document: Any, indent: int | None) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    lines = text.split("\n")
    placed = scan(text, "f")
    for path in paths_of(document):
        place = locate(placed, path)
        if not path:
            continue
        assert place is not None
        rest = lines[place.line - 1][place.column - 1 :]
        if isinstance(path[-1], str):
            assert rest.startswith(json.dumps(path[-1], ensure_ascii=False))
        else:
            assert rest


@given(st.text())
def test_no_text_crashes_the_scanner(text: str) -> None:
    try:
        scan(text, "f")
    except NotJson5 as error:
        assert error.place.line >= 1


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("", 1, 1, "the file ends where a value should be"),
        ("{\n  a: 1\n  b: 2\n}", 3, 3, "a comma or } is missing before this"),
        ("{\r\n a: tru\r\n}", 2, 5, "text must stand in quotes: tru"),
        ('{\r a: "x\r}', 2, 5, "the text that begins here is never closed on its line"),
        ("{\n a: {\n b: 1\n}", 1, 1, "the { that begins here is never closed"),
        ("[1,\n [2, 3", 2, 2, "the [ that begins here is never closed"),
        ("[1,", 1, 1, "the [ that begins here is never closed"),
        ("{ a 1 }", 1, 5, "a colon is missing after the key"),
        ("{ 1: 2 }", 1, 3, "a key is missing, or needs quotes"),
        ("{ a½: 2 }", 1, 3, "this key needs quotes"),
        ("{} {}", 1, 4, "there is more text after the end of the document"),
        ("{ /* }", 1, 3, "the comment that begins here is never closed"),
        ("{ a: , }", 1, 6, "a value is missing"),
        ('{ a: "\\ud800" }', 1, 6, "the text has an escape (\\) that means nothing"),
        ("{ a: 1-2 }", 1, 6, "not a number"),
        ("[" * 80 + "]" * 80, 1, 66, "nested more than 64 levels deep"),
    ],
)
def test_syntax_errors_say_where_and_what(text: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(NotJson5) as caught:
        scan(text, "f")
    assert (caught.value.place.line, caught.value.place.column) == (line, column)
    assert caught.value.reason == reason


def test_paths_are_written_the_way_people_write_them() -> None:
    assert dotted(("agents", "list", 0, "id")) == "agents.list[0].id"
    assert dotted(("models", "providers", "a.b/c", "apiKey")) == 'models.providers["a.b/c"].apiKey'
    assert dotted(('a"b',)) == '["a\\"b"]'


def test_a_path_that_was_not_written_is_placed_at_what_holds_it() -> None:
    placed = scan("{\n a: {\n  b: [1] } }", "f")
    missing = locate(placed, ("a", "c", "d"))
    assert missing is not None
    assert str(missing) == "f:2"
    beyond = locate(placed, ("a", "b", 7))
    assert beyond is not None
    assert beyond.line == 3
    assert locate({"a": 1}, ("a",)) is None
