"""The JSON edge: whatever the bytes, a value or a DecodeError with a path."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.wire.decode import DecodeError, check_utf8, decode, depth_exceeds

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
        (b"{", "", "the JSON ends too early"),
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


ANYTHING = msgspec.json.Decoder()


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (rb'"\ud83d"', ""),
        (rb'{"a":"\ud83d"}', "a"),
        (rb'{"a":"\uDE00 x"}', "a"),
        (rb'{"a":["\ud83d\ude00",{"b":"x\ud83d"}]}', "a[1].b"),
        (rb'{"a":{"\ud83d":1}}', "a"),
        (rb'{"a":"\ud83d\ud83d\ude00"}', "a"),
        (b'{"a":"\xed\xa0\xbd"}', "a"),
    ],
)
def test_half_an_emoji_is_named_with_its_place(data: bytes, path: str) -> None:
    with pytest.raises(DecodeError, match="half of an emoji") as caught:
        decode(ANYTHING, data)
    assert caught.value.path == path


@pytest.mark.parametrize("data", [rb'{"a":"\ud83d\ude00"', rb'{"a":"\\ud83d"', b'{"a":"\xff"}'])
def test_what_is_wrong_in_another_way_is_not_half_an_emoji(data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(ANYTHING, data)
    assert "emoji" not in caught.value.reason


def test_the_search_for_half_an_emoji_has_an_end() -> None:
    data = b"[" + b"0," * 3_000_000 + rb'"\ud83d"]'
    with pytest.raises(DecodeError, match="half of an emoji") as caught:
        decode(ANYTHING, data)
    assert caught.value.path == ""


@pytest.mark.parametrize("before", range(65530, 65540))
def test_utf8_is_checked_piece_by_piece_and_as_a_whole(before: int) -> None:
    """Wherever the pieces end: within a character, before a broken one, within the last."""
    check_utf8(b"x" * before + "\N{GRINNING FACE}!".encode())
    for broken in (b"\xf0\x9f\x98!", b"\xf0\x9f\x98", b"\xff" + b"x" * 70_000):
        with pytest.raises(DecodeError, match="not valid UTF-8"):
            check_utf8(b"x" * before + broken)
