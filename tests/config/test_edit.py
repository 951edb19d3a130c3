"""A value is set or removed in the text of a file, and everything else in it stays."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyjson5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_gateway.config.edit import CannotEdit, with_value, without_value
from openclaw_gateway.config.write import ChangedMeanwhile, replace_text

COMMENT = re.compile(r"/\*.*?\*/|//[^\n\r]*", re.DOTALL)


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ("", ("a",), 1, "{\n  a: 1\n}"),
        ("{}", ("a", "b"), 1, "{\n  a: { b: 1 }\n}"),
        ("{ a: 1 }", ("a",), 2, "{ a: 2 }"),
        ("{ a: 1 }", ("b",), "x", '{ a: 1, b: "x" }'),
        ("{ a: 1, }", ("b",), 2, "{ a: 1, b: 2, }"),
        ('{"a": 1}', ("b",), True, '{"a": 1, "b": true}'),
        ("{\n  a: 1, // one\n}", ("b",), 2, "{\n  a: 1, // one\n  b: 2,\n}"),
        ('{\n\t"a": 1 // one\n}\n', ("b",), 2, '{\n\t"a": 1, // one\n\t"b": 2\n}\n'),
        ("{\r\n  a: 1\r\n}", ("b",), 2, "{\r\n  a: 1,\r\n  b: 2\r\n}"),
        ("{\n  a: {\n    // empty\n  },\n}", ("a", "b"), 1, "{\n  a: {\n    // empty\n    b: 1\n  },\n}"),
        ("{ a: [1, 2] }", ("a", 1), 3, "{ a: [1, 3] }"),
        ("{ a: [1, 2] }", ("a", "2"), 3, "{ a: [1, 2, 3] }"),
        ("{ a: 1, a: 2 }", ("a",), 3, "{ a: 1, a: 3 }"),
        ("{ a: { b: 1, /* b */ c: 2 } }", ("a",), {"b": 1, "c": 3}, "{ a: { b: 1, /* b */ c: 3 } }"),
        ("{ 'a.b': 1 }", ("a.b",), 2, "{ 'a.b': 2 }"),
        ("{\n  a: {},\n}", ("a",), {"b": 1}, "{\n  a: { b: 1 },\n}"),
    ],
)
def test_a_value_is_set(before: str, path: Any, value: Any, after: str) -> None:
    assert with_value(before, path, value) == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("{ a: 1, b: 2 }", ("b",), "{ a: 1 }"),
        ("{ a: 1, b: 2 }", ("a",), "{ b: 2 }"),
        ("{\n  a: 1, // one\n  b: 2,\n}", ("b",), "{\n  a: 1, // one\n}"),
        ('{\n  "a": 1, // one\n  "b": 2\n}\n', ("b",), '{\n  "a": 1 // one\n}\n'),
        ("{\n  // about a\n  a: 1,\n}", ("a",), "{\n  // about a\n}"),
        ("{ a: { b: 1 } }", ("a", "b"), "{ a: {} }"),
        ("{ a: [1, 2, 3] }", ("a", 1), "{ a: [1, 3] }"),
    ],
)
def test_a_value_is_removed(before: str, path: Any, after: str) -> None:
    assert without_value(before, path) == after


@pytest.mark.parametrize("path", [("b",), ("a", "b"), ("l", 5), ("l", "x")])
def test_what_is_not_there_cannot_be_removed(path: Any) -> None:
    with pytest.raises(CannotEdit):
        without_value("{ a: 1, l: [1] }", path)


@pytest.mark.parametrize("path", [("a", "b"), ("l", 5), ("l", "x")])
def test_nothing_is_written_into_what_holds_nothing(path: Any) -> None:
    with pytest.raises(CannotEdit):
        with_value("{ a: 1, l: [1] }", path, 1)


_KEYS = st.sampled_from(["a", "b", "c d", "ü", "gateway", "1"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["x", "", "// no", "/* no */", '"', "ü,}"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def texts(draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """JSON5 as people write it: with comments, odd spacing, quotes or not, and last commas."""
    notes = iter(range(1000))

    def blank() -> str:
        n = next(notes)
        kinds = ["", " ", "\n", "\n    ", f" /* n{n} */ ", f" // n{n}\n  ", f"\n\t// n{n}\n"]
        return str(draw(st.sampled_from(kinds)))

    def written(value: Any) -> str:
        match value:
            case dict():
                parts = [
                    f"{blank()}{name(key)}{blank()}:{blank()}{written(item)}{blank()}"
                    for key, item in value.items()
                ]
                return "{" + ",".join(parts) + ("," if parts and draw(st.booleans()) else "") + blank() + "}"
            case list():
                parts = [f"{blank()}{written(item)}{blank()}" for item in value]
                return "[" + ",".join(parts) + ("," if parts and draw(st.booleans()) else "") + blank() + "]"
            case _:
                return str(pyjson5.encode(value))

    def name(key: str) -> str:
        return key if key.isidentifier() and draw(st.booleans()) else str(pyjson5.encode(key))

    return blank() + written(draw(st.dictionaries(_KEYS, _VALUES, max_size=4))) + blank()


def _comments(text: str) -> list[str]:
    """Those the generator wrote; a text may look like one."""
    return sorted(re.findall(r"n\d+(?= \*/|\n)", text))


def _as_wanted(document: Any, path: list[str], value: Any) -> tuple[Any, bool]:
    """(the document with the value there, whether nothing stood there before)."""
    key, rest = path[0], path[1:]
    if isinstance(document, list):
        fresh = int(key) == len(document)
        old = {} if fresh else document[int(key)]
        new, inner = _as_wanted(old, rest, value) if rest else (value, fresh)
        return [*document[: int(key)], new, *document[int(key) + 1 :]], fresh or inner
    new, inner = _as_wanted(document.get(key, {}), rest, value) if rest else (value, key not in document)
    return {**document, key: new}, inner


@settings(max_examples=60)
@given(texts(), st.lists(_KEYS, min_size=1, max_size=3), _VALUES)
def test_what_is_set_is_there_and_nothing_else_changes(text: str, path: list[str], value: Any) -> None:
    try:
        after = with_value(text, tuple(path), value)
    except CannotEdit:
        return
    wanted, fresh = _as_wanted(pyjson5.decode(text), path, value)
    assert pyjson5.decode(after) == wanted
    if fresh:
        assert _comments(after) == _comments(text)


@settings(max_examples=60)
@given(texts(), _KEYS, _VALUES)
def test_what_was_set_and_is_removed_leaves_what_was_there(text: str, key: str, value: Any) -> None:
    if key in pyjson5.decode(text):
        return
    after = without_value(with_value(text, (key,), value), (key,))
    assert pyjson5.decode(after) == pyjson5.decode(text)
    assert _comments(after) == _comments(text)


def test_a_file_that_was_changed_meanwhile_is_left_as_it_is_and_so_is_its_backup(tmp_path: Path) -> None:
    file, backup = tmp_path / "openclaw.json", tmp_path / "openclaw.json.bak"
    file.write_text("theirs")
    backup.write_text("kept")
    for read in ("mine", None):
        with pytest.raises(ChangedMeanwhile):
            replace_text(file, read, "new")
    assert (file.read_text(), backup.read_text()) == ("theirs", "kept")
