"""A body that is decoded in one go says what it says field by field."""

from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_gateway.doors.openai import chat, responses
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
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["message", "reasoning", "function_call", "item_reference", "odd_call"]),
        "role": st.sampled_from(["user", "system", "assistant", "poet"]),
        "content": TEXT
        | st.none()
        | st.lists(st.fixed_dictionaries({"type": st.just("input_text"), "text": TEXT}), max_size=2),
        "id": TEXT,
        "odd": st.just([[[["deep"]]]]),
    },
)
RESPONSES = st.fixed_dictionaries(
    {},
    optional={
        "input": TEXT | st.lists(ITEM, max_size=3) | ODD,
        "instructions": TEXT | ODD,
        "model": TEXT | ODD,
        "user": TEXT | ODD,
        "stream": st.booleans() | ODD,
        "store": st.booleans() | ODD,
        "tools": ODD,
        "previous_response_id": ODD,
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


def response_by_fields(data: bytes, depth: int) -> responses.ResponsesRequest:
    return responses.read_responses(parse(data, depth))


@given(RESPONSES.map(msgspec.json.encode))
@example(b"")
@example(b'{"input":null}')
@example(b'{"input":""}')
@example(b'{"input":"hi","instructions":"","store":false,"store":null}')
@example(b'{"input":"hi","instructions":"\xff"}')
@example(b'{"input":"hi","instructions":"\\ud83d"}')
@example(b'{"input":"hi","messages":[]}')
@example(b'{"input":[{"type":"item_reference","id":"msg_1"}]}')
@example(b'{"input":[{"role":"user","content":"hi","odd":' + b"[" * 99 + b"]" * 99 + b"}]}")
def test_a_response_at_once_and_field_by_field_is_the_same(data: bytes) -> None:
    assert told(responses.decode_responses, data) == told(response_by_fields, data)


def test_a_usual_response_is_not_asked_for_field_by_field() -> None:
    data = b'{"input":"hi","instructions":"be short","model":"m","user":"u","stream":true,"store":false}'
    assert responses._usual(data) == response_by_fields(data, DEPTH)
