"""The JSON edge: whatever the bytes, a value or a DecodeError with a path."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.wire.decode import DecodeError, decode, depth_exceeds

ANYTHING = msgspec.json.Decoder()
NUMBERS = msgspec.json.Decoder(dict[str, list[int]])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((depth_of(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth_of(item) for item in value), default=0)
    return 0


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_decode_error(data: bytes) -> None:
    try:
        decode(ANYTHING, data)
    except DecodeError as error:
        assert error.reason


@given(json_values, st.integers(0, 6))
def test_depth_is_counted_outside_strings_only(value: object, limit: int) -> None:
    data = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert depth_exceeds(data, limit) == (depth_of(value) > limit)


def naive_depth(text: str) -> int:
    deepest = depth = 0
    inside = escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif inside and character == "\\":
            escaped = True
        elif character == '"':
            inside = not inside
        elif not inside and character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif not inside and character in "]}":
            depth -= 1
    return deepest


pieces = st.sampled_from(
    ["[", "]", "{", "}", "[]", "[[[", "]]]", ",", '""', '"a"', '"[{"', '"]\\""', '"\\\\"', '"\\\\\\"["']
)
unended = st.sampled_from(["", '"', '"[', '"\\"['])


@given(st.lists(pieces, max_size=40).map("".join), unended, st.integers(0, 6))
def test_depth_of_anything_with_brackets(text: str, end: str, limit: int) -> None:
    assert depth_exceeds((text + end).encode(), limit) == (naive_depth(text + end) > limit)


@pytest.mark.parametrize(
    ("data", "path", "reason"),
    [
        (b'{"a":[1,"x"]}', "[...][1]", "expected an integer, got a string"),
        (b'{"a":5}', "[...]", "expected an array, got an integer"),
        (b"[]", "", "expected an object, got an array"),
        (b"{", "", "the JSON ends too early (or has a lone \\ud800 to \\udfff escape)"),
        (b"\xff", "", None),
        (b"[" * 5000, "", None),
    ],
)
def test_reasons_speak_of_json(data: bytes, path: str, reason: str | None) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(NUMBERS, data)
    assert caught.value.path == path
    if reason is not None:
        assert caught.value.reason == reason
