"""A body that is decoded in one go says what it says field by field."""

from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_gateway.doors.openai import chat
from openclaw_gateway.doors.openai.body import parse
from openclaw_gateway.errors import InvalidRequest

DEPTH = 8
TEXT = st.text(max_size=5)
CONTENT = (
    TEXT | st.none() | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), max_size=2)
)
MESSAGE = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "system", "assistant", "tool", "function", "poet"]),
        "content": CONTENT,
    },
    optional={"name": TEXT, "tool_call_id": TEXT, "refusal": TEXT, "odd": st.just([[[["deep"]]]])},
)
ODD: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | TEXT | st.just({"include_usage": True}) | st.just([])
)
BODY = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(MESSAGE, max_size=3) | ODD,
        "model": TEXT | ODD,
        "user": TEXT | ODD,
        "stream": st.booleans() | ODD,
        "stream_options": st.just({"include_usage": True, "more": 1}) | ODD,
        "temperature": ODD,
        "n": ODD,
        "metadata": ODD,
    },
)
SAYING = b'{"messages":[{"role":"user","content":"hi"%b}]%b}'


def by_fields(data: bytes, depth: int) -> chat.ChatRequest:
    return chat.read_chat(parse(data, depth))


def told(decode: Any, data: bytes) -> Any:
    try:
        return decode(data, DEPTH)
    except InvalidRequest as error:
        return (error.code, error.param, error.message)


@given(BODY.map(msgspec.json.encode))
@example(b"")
@example(b"[]")
@example(SAYING % (b"", b',"messages":null'))
@example(SAYING % (b"", b',"stream":true,"stream":null'))
@example(SAYING % (b"", b',"user":"\xff"'))
@example(SAYING % (b',"odd":"\xff"', b""))
@example(SAYING % (b',"odd":"\\ud83d"', b""))
@example(SAYING % (b',"odd":"\xed\xa0\x80"', b""))
@example(SAYING % (b',"odd":' + b"[" * 99 + b"]" * 99, b""))
@example(SAYING % (b"", b',"\\u006d\\u006fdel":"m"'))
@example(SAYING % (b"", b"") + b"x")
def test_at_once_and_field_by_field_are_the_same(data: bytes) -> None:
    assert told(chat.decode_chat, data) == told(by_fields, data)


def test_a_usual_body_is_not_taken_field_by_field() -> None:
    data = SAYING % (b"", b',"model":"m","user":"u","stream":true,"stream_options":{"include_usage":true}')
    assert chat._usual(data) == by_fields(data, DEPTH)
