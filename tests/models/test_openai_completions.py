"""The dialect: what a request looks like, and what becomes of whatever a provider may send."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from openclaw_gateway.models.apis.openai_completions import api as openai_completions
from openclaw_gateway.models.apis.openai_completions.api import refuses_stream_options
from openclaw_gateway.models.apis.openai_completions.stream import ChunkParser
from openclaw_gateway.models.family import Family, Thinking
from openclaw_gateway.models.replay import NO_IMAGE, replay
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import (
    Event,
    ReasoningDelta,
    TextDelta,
    ToolCallArguments,
    ToolCallStarted,
    UsageReported,
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
from openclaw_gateway.wire.run import FinishReason, NamedTool, Sampling, ToolSpec, Usage
from tests.models.calls import apart

ENDPOINT = Endpoint("acme", "http://127.0.0.1:1/v1")
VENDOR = Vendor("acme")


def body(
    *messages: Message,
    target: ModelTarget | None = None,
    system: str = "",
    sampling: Sampling | None = None,
    stream_usage: bool = True,
    **more: Any,
) -> dict[str, Any]:
    target = target or ModelTarget(ENDPOINT, "m")
    request = ModelRequest(system, replay(messages, target), sampling or Sampling(), **more)
    raw = openai_completions.body(target, request, stream_usage=stream_usage)
    return dict(msgspec.json.decode(raw))


def chunk(delta: dict[str, Any] | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": fields.pop("finish", None)}
    return msgspec.json.encode({"id": "x", "model": "m", "choices": [choice], **fields})


def parse(*payloads: bytes) -> tuple[ChunkParser, list[Event]]:
    parser = ChunkParser(VENDOR)
    return parser, apart(parser.feed(list(payloads)))


def test_a_bare_request_says_no_more_than_it_must() -> None:
    assert body(UserMessage("hi")) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_every_role_keeps_its_own_shape() -> None:
    sent = body(
        UserMessage("hi", name="ada"),
        assistant("", (ToolCall("c1", "f", '{"a": 1}'),), reasoning="hm", aborted=True),
        ToolMessage("c1", "42"),
        assistant("done", name="bot"),
        assistant(""),
        system="Be nice.",
    )
    call = {"type": "function", "id": "c1", "function": {"name": "f", "arguments": '{"a": 1}'}}
    assert sent["messages"] == [
        {"role": "system", "content": "Be nice."},
        {"role": "user", "content": "hi", "name": "ada"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
        {"role": "assistant", "content": "done", "name": "bot"},
    ]


def test_reasoning_goes_back_only_where_it_must() -> None:
    call = ToolCall("c1", "f", "{}")
    said = (
        assistant("", (call,), reasoning="hm"),
        assistant("", (call,)),
        assistant("done", reasoning="so"),
        assistant("done"),
    )

    def back(family: Family) -> list[str | None]:
        sent = body(*said, target=ModelTarget(ENDPOINT, "m", family=family))
        return [
            message.get("reasoning_content") for message in sent["messages"] if message["role"] == "assistant"
        ]

    assert back(Family(reasoning_back=True)) == ["hm", " ", "so", None]
    assert back(Family()) == [None] * 4


@pytest.mark.parametrize("long", [False, True])
def test_there_is_one_leading_system_message(long: bool) -> None:
    first = 'a "quote"\n' * (10_000 if long else 1)
    sent = body(SystemMessage("second"), UserMessage("hi"), SystemMessage("third"), system=first)
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert sent["messages"][0]["content"] == f"{first}\n\nsecond\n\nthird"


def test_a_target_s_own_system_text_fills_an_empty_one_only() -> None:
    target = ModelTarget(ENDPOINT, "m", system="neutral")
    assert body(target=target)["messages"][0]["content"] == "neutral"
    assert body(target=target, system="mine")["messages"][0]["content"] == "mine"


def test_sampling_of_the_request_is_above_the_operator_s() -> None:
    target = ModelTarget(
        ENDPOINT, "m", sampling=Sampling(temperature=0.1, top_p=0.5, max_tokens=100), max_tokens=8000
    )
    asked = Sampling(
        temperature=0.9,
        max_tokens=7,
        stop=("a", "b"),
        seed=1,
        frequency_penalty=0.2,
        presence_penalty=0.3,
        reasoning_effort="low",
        response_format=Raw(b'{"type":"json_object"}'),
    )
    sent = body(UserMessage("hi"), target=target, sampling=asked)
    del sent["messages"], sent["model"], sent["stream"], sent["stream_options"]
    assert sent == {
        "temperature": 0.9,
        "top_p": 0.5,
        "max_tokens": 7,
        "stop": ["a", "b"],
        "seed": 1,
        "frequency_penalty": 0.2,
        "presence_penalty": 0.3,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
    }


def test_the_model_s_limit_is_used_when_nobody_asked_for_one() -> None:
    target = ModelTarget(ENDPOINT, "m", max_tokens=8000)
    assert body(target=target)["max_tokens"] == 8000
    assert body(target=target, sampling=Sampling(max_tokens=5))["max_tokens"] == 5


def test_compat_changes_names_and_leaves_out_what_is_not_known_there() -> None:
    target = ModelTarget(
        ENDPOINT,
        "m",
        family=Family(
            max_tokens_field="max_completion_tokens", usage_in_stream=False, thinking=Thinking("never")
        ),
    )
    sent = body(target=target, sampling=Sampling(max_tokens=5, reasoning_effort="high"))
    assert sent == {"model": "m", "messages": [], "stream": True, "max_completion_tokens": 5}
    assert "stream_options" not in body(stream_usage=False)


def test_extra_body_is_added() -> None:
    target = ModelTarget(ENDPOINT, "m", extra_body={"top_k": 5, "chat_template_kwargs": {"think": False}})
    sent = body(UserMessage("hi"), target=target)
    assert sent["top_k"] == 5
    assert sent["chat_template_kwargs"] == {"think": False}
    assert sent["stream"] is True


def test_images_are_parts_beside_the_text() -> None:
    said = UserMessage(
        "What is it?", name="ada", images=(Image("image/png", "aGk="), Image("image/jpeg", "eW8="))
    )
    sent = body(said, UserMessage("", images=(Image("image/png", "aGk="),)))
    png = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    jpeg = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,eW8="}}
    assert sent["messages"] == [
        {"role": "user", "name": "ada", "content": [{"type": "text", "text": "What is it?"}, png, jpeg]},
        {"role": "user", "content": [png]},
    ]
    blind = body(said, target=ModelTarget(ENDPOINT, "m", family=Family(images=False)))
    assert blind["messages"][0]["content"] == "\n".join(["What is it?", NO_IMAGE, NO_IMAGE])


TOOLS = (
    ToolSpec("weather", "The weather.", Raw(b'{"type":"object","properties":{"city":{"type":"string"}}}')),
    ToolSpec("time", "", Raw(b'{"type":"object"}')),
)


def test_tools() -> None:
    sent = body(UserMessage("hi"), tools=TOOLS)
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "The weather.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
        },
        {"type": "function", "function": {"name": "time", "parameters": {"type": "object"}}},
    ]
    assert "tool_choice" not in sent
    assert "parallel_tool_calls" not in sent


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ("none", "none"),
        ("required", "required"),
        (NamedTool("time"), {"type": "function", "function": {"name": "time"}}),
    ],
)
def test_tool_choice(choice: Any, written: Any) -> None:
    sent = body(UserMessage("hi"), tools=TOOLS, tool_choice=choice, parallel_tool_calls=False)
    assert (sent["tool_choice"], sent["parallel_tool_calls"]) == (written, False)
    assert "tool_choice" not in body(UserMessage("hi"), tool_choice=choice)


def test_a_result_has_only_what_every_server_knows() -> None:
    said = (assistant("", (ToolCall("c1", "f", "{}"),)), ToolMessage("c1", "42", is_error=True))
    assert body(*said)["messages"][1] == {"role": "tool", "tool_call_id": "c1", "content": "42"}
    named = ModelTarget(ENDPOINT, "m", family=Family(results_named=True))
    assert body(*said, target=named)["messages"][1]["name"] == "f"


@pytest.mark.parametrize(
    ("asked", "family", "sent"),
    [
        ("xhigh", Family(), "xhigh"),
        ("off", Family(), None),
        ("off", Family(thinking=Thinking(levels=("none", "low"))), "none"),
        ("none", Family(), "none"),
        ("xhigh", Family(thinking=Thinking(levels=("low", "high"))), "high"),
        ("minimal", Family(thinking=Thinking(levels=("low", "high"))), "low"),
        ("medium", Family(thinking=Thinking(words={"medium": "balanced"})), "balanced"),
        ("medium", Family(thinking=Thinking("never")), None),
    ],
)
def test_levels_of_thinking(asked: str, family: Family, sent: str | None) -> None:
    target = ModelTarget(ENDPOINT, "m", family=family)
    assert body(target=target, sampling=Sampling(reasoning_effort=asked)).get("reasoning_effort") == sent


def test_deltas_stay_as_the_provider_cut_them() -> None:
    parser, events = parse(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({}, finish="stop"),
        b"[DONE]",
        chunk({"content": "after the end"}),
    )
    assert events == [TextDelta("Hel"), TextDelta("lo")]
    assert parser.done
    assert parser.failure is None
    assert parser.finish_reason == "stop"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_has_two_names(field: str) -> None:
    assert parse(chunk({field: "hm"}))[1] == [ReasoningDelta("hm")]


def test_reasoning_under_both_names_counts_once_and_comes_before_text() -> None:
    delta = {"reasoning_content": "hm", "reasoning": "hm", "content": "so"}
    assert parse(chunk(delta))[1] == [ReasoningDelta("hm"), TextDelta("so")]


def test_think_tags_are_reasoning_in_a_stream_and_whole() -> None:
    _, events = parse(chunk({"content": "<think>x</think>\n\nso"}), chunk({"content": "<think>"}))
    assert events == [ReasoningDelta("x"), TextDelta("so<think>")]
    whole = ChunkParser(VENDOR)
    message = {"content": "<think>x</think>so"}
    assert whole.whole(msgspec.json.encode({"choices": [{"message": message}]})) == [
        ReasoningDelta("x"),
        TextDelta("so"),
    ]


def test_what_is_kept_back_is_told_at_the_end() -> None:
    parser, events = parse(chunk({"content": "<thi"}, finish="stop"))
    assert (events, parser.ending()) == ([], [TextDelta("<thi")])
    whole = ChunkParser(VENDOR)
    assert whole.whole(msgspec.json.encode({"choices": [{"message": {"content": "<thi"}}]})) == []
    assert whole.ending() == [TextDelta("<thi")]


def test_numbers_may_be_written_as_text() -> None:
    call = {"index": "0", "id": "a", "function": {"name": "f", "arguments": "{}"}}
    parser, events = parse(
        chunk({"content": "null"}),
        chunk({"tool_calls": [call]}),
        chunk(usage={"prompt_tokens": "12"}),
        b"[DONE]",
    )
    assert events == [TextDelta("null"), ToolCallStarted(0, "a", "f"), ToolCallArguments(0, "{}")]
    assert parser.ending() == [UsageReported(Usage(12, 0, 12))]


def test_usage_may_stand_in_the_choice() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "cached_tokens": 4}
    choice = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage}
    parser, _ = parse(msgspec.json.encode({"choices": [choice]}), b"[DONE]")
    assert parser.ending() == [UsageReported(Usage(10, 5, 15, 4))]


@pytest.mark.parametrize(
    ("delta", "events"),
    [
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, [TextDelta("ab")]),
        ({"content": ["a", "b"]}, [TextDelta("ab")]),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Okay, "}, "so"]}]},
            [ReasoningDelta("Okay, so")],
        ),
        (
            {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}]},
            [ReasoningDelta("hm"), TextDelta("a")],
        ),
        ({"content": [{"type": "thinking", "thinking": {"x": 1}}]}, []),
        ({"content": []}, []),
        ({"content": [{"type": "image"}]}, []),
        ({"content": None}, []),
        ({"refusal": "I will not."}, [TextDelta("I will not.")]),
    ],
)
def test_content_in_other_shapes(delta: dict[str, Any], events: list[Event]) -> None:
    parser, found = parse(chunk(delta))
    assert found == events
    assert parser.failure is None


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b'{"choices":null}',
        b'{"choices":[]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"delta":null,"finish_reason":null}]}',
        b'{"choices":[],"usage":null,"error":null}',
        b'{"choices":[],"error":""}',
        b"",
        b"  ",
    ],
)
def test_missing_and_null_fields_are_nothing(payload: bytes) -> None:
    parser, events = parse(payload)
    assert events == []
    assert parser.failure is None
    assert not parser.finished


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "stop"),
        ("function_call", "stop"),
        ("eos", "stop"),
    ],
)
def test_finish_reasons(said: str, meant: FinishReason) -> None:
    parser, _ = parse(chunk({}, finish=said))
    assert parser.finished
    assert not parser.done
    assert parser.finish_reason == meant


def test_usage_that_repeats_is_not_added_up() -> None:
    parser, _ = parse(
        chunk({"content": "a"}, usage={"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}),
        chunk({}, finish="stop", usage={"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}),
        msgspec.json.encode(
            {
                "choices": [],
                "usage": {
                    "prompt_tokens": 5,
                    "completion_tokens": 3.0,
                    "total_tokens": 8,
                    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 2},
                    "cost": {"usd": 0.1},
                },
            }
        ),
    )
    assert parser.ending() == [UsageReported(Usage(5, 3, 8, 4, 2))]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 2, "completion_tokens": 3}, Usage(2, 3, 5)),
        ({"prompt_tokens": None, "total_tokens": None}, Usage()),
        ({"prompt_tokens": -1, "completion_tokens": 1e300, "prompt_tokens_details": None}, Usage()),
        (None, None),
    ],
)
def test_usage_with_gaps(usage: Any, expected: Usage | None) -> None:
    parser, _ = parse(chunk({}, usage=usage))
    assert parser.ending() == ([UsageReported(expected)] if expected is not None else [])


def test_an_error_comes_after_the_text_before_it() -> None:
    error = msgspec.json.encode({"error": {"message": "Overloaded", "code": 529}})
    parser, events = parse(chunk({"content": "a"}), error, chunk({"content": "b"}))
    assert events == [TextDelta("a")]
    assert parser.failure is not None
    assert parser.failure.reason == "overloaded"
    assert "acme" in parser.failure.message
    assert "Overloaded" in parser.failure.message


@pytest.mark.parametrize(
    "payload",
    [b"<html>", b"{", b"[1]", b'"x"', b"null", b"[" * 5000],
)
def test_what_is_no_chunk_is_a_failure(payload: bytes) -> None:
    parser, events = parse(chunk({"content": "a"}), payload)
    assert events == [TextDelta("a")]
    assert parser.failure is not None
    assert parser.failure.reason == "bad_response"


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"choices":[{"delta":{"content":"a\\ud83d"}}]}', "a?"),
        (b'{"choices":[{"delta":{"content":"a\xc3"}}]}', "a\ufffd"),
        (b'{"choices":[{"delta":{"content":"\\ud83d\\ude00"}}]}', "\U0001f600"),
    ],
)
def test_a_character_cut_in_half_costs_the_character_only(payload: bytes, text: str) -> None:
    parser, events = parse(payload)
    assert events == [TextDelta(text)]
    assert parser.failure is None


def test_done_with_spaces_is_done() -> None:
    assert parse(b"[DONE] ")[0].done


def test_a_whole_answer() -> None:
    answer = {
        "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
    parser = ChunkParser(VENDOR)
    assert parser.whole(msgspec.json.encode(answer)) == [TextDelta("hi")]
    assert parser.done
    assert parser.finish_reason == "length"
    assert parser.ending() == [UsageReported(Usage(1, 2, 3))]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{}", "bad_response"),
        (b"nonsense", "bad_response"),
        (b'{"choices":[]}', "bad_response"),
        (b'{"error":{"message":"no","code":"insufficient_quota"}}', "billing"),
        (b'{"error":"no"}', "server_error"),
    ],
)
def test_a_whole_answer_that_is_none(raw: bytes, reason: str) -> None:
    parser = ChunkParser(VENDOR)
    assert parser.whole(raw) == []
    assert parser.failure is not None
    assert parser.failure.reason == reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("choices", "delta", "content", "usage", "error", "message", "finish_reason", "code"),
                    *("text", "tool_calls", "function", "arguments", "name", "id", "index"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


EVENTS = TextDelta | ReasoningDelta | ToolCallStarted | ToolCallArguments


@given(st.lists(st.binary(max_size=60) | json_values.map(msgspec.json.encode), max_size=6))
def test_whatever_comes_is_events_or_a_failure(payloads: list[bytes]) -> None:
    parser, events = parse(*payloads)
    assert all(isinstance(event, EVENTS) for event in events)
    assert sum(isinstance(event, UsageReported) for event in parser.ending()) <= 1
    whole = ChunkParser(VENDOR)
    whole.whole(b"".join(payloads))
    assert whole.done or whole.failure is not None


def test_who_refuses_stream_options() -> None:
    assert refuses_stream_options(400, b'{"error":{"message":"unknown field stream_options"}}')
    assert refuses_stream_options(422, b'{"detail":[{"loc":["body","stream_options"]}]}')
    assert not refuses_stream_options(500, b"stream_options")
    assert not refuses_stream_options(400, b"temperature")


def test_unset_is_what_nobody_said() -> None:
    assert Sampling().temperature is UNSET


class Careful(ChunkParser):
    """Takes nothing for a mere word."""

    _in_words = property(lambda self: False, lambda self, value: None)


_NULLS = st.none()
_DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant"),
        "content": st.one_of(_NULLS, st.text(max_size=3), st.just([{"type": "text", "text": "part"}])),
        "reasoning_content": st.one_of(_NULLS, st.sampled_from(["", "hm"])),
        "reasoning": st.one_of(_NULLS, st.just("hm")),
        "refusal": st.one_of(_NULLS, st.just("no")),
        "tool_calls": st.one_of(
            _NULLS,
            st.just([]),
            st.just([{"index": 0, "id": "c", "function": {"name": "t", "arguments": "{}"}}]),
        ),
        "function_call": st.one_of(_NULLS, st.just({"name": "t", "arguments": "{}"})),
    },
)
_CHOICES = st.fixed_dictionaries(
    {"index": st.just(0)},
    optional={
        "delta": st.one_of(_NULLS, _DELTAS),
        "finish_reason": st.sampled_from([None, "", "stop", "length", "tool_calls"]),
        "usage": st.one_of(_NULLS, st.just({"prompt_tokens": 3})),
        "logprobs": _NULLS,
    },
)
_CHUNKS = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.just("x"),
            "choices": st.one_of(_NULLS, st.lists(_CHOICES, max_size=2)),
            "usage": st.one_of(_NULLS, st.just({"prompt_tokens": "1", "completion_tokens": 2})),
            "error": st.sampled_from([None, {}, {"message": "bad", "code": 500}]),
        },
    ).map(msgspec.json.encode),
    st.sampled_from([b"[DONE]", b" [DONE]", b"", b"{", b"[]", b"null", b'{"choices":{}}']),
)


def nameless(events: list[Event]) -> list[Event]:
    """Ids that we make are others each time."""
    return [
        ToolCallStarted(event.index, "", event.name) if isinstance(event, ToolCallStarted) else event
        for event in events
    ]


@given(st.lists(st.lists(_CHUNKS, max_size=6), max_size=4))
def test_a_word_is_read_as_any_chunk(reads: list[list[bytes]]) -> None:
    quick, careful = ChunkParser(VENDOR), Careful(VENDOR)
    for payloads in reads:
        told = [nameless(apart(parser.feed(list(payloads)))) for parser in (quick, careful)]
        assert told[0] == told[1]
        assert (quick.done, quick.finished) == (careful.done, careful.finished)
        assert str(quick.failure) == str(careful.failure)
        if quick.done or quick.failure:
            break
    ids = [[(call.name, call.arguments) for call in parser.tool_calls] for parser in (quick, careful)]
    assert ids[0] == ids[1]
    assert nameless(apart(quick.ending())) == nameless(apart(careful.ending()))
