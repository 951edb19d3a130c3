"""Whatever a provider sends, the outcome is an answer or an error that says what is wrong; never a success
without a word."""

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.apis.reading import OddError, repaired
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.sse import SseSplitter
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.testing.model_server import Flush, ModelServer, Reply, sends
from openclaw_gateway.wire.events import Event, TextDelta, ToolCallArguments, ToolCallStarted, UsageReported
from openclaw_gateway.wire.run import ToolSpec
from tests.models.calls import Outcome, caller, run, target

CHAT, CLAUDE, RESPONSES, GEMINI = (
    "openai-completions",
    "anthropic-messages",
    "openai-responses",
    "google-generative-ai",
)


def sse(*payloads: Any, done: bool = True) -> bytes:
    lines = [f"data: {json.dumps(payload)}\n\n" for payload in payloads]
    return ("".join(lines) + ("data: [DONE]\n\n" if done else "")).encode()


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}], **more}


MESSAGE = {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
CLAUDE_MESSAGE = {
    "type": "message",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "usage": {},
}
RESPONSE = {
    "object": "response",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}],
}
GEMINI_CHUNK = {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}

BOM = b"\xef\xbb\xbf"

# dialect, body, content type: all of them say "Hi".
ANSWERS: dict[str, tuple[str, bytes, str]] = {
    "a whole message inside a stream": (CHAT, sse(MESSAGE), "text/event-stream"),
    "a message behind its deltas": (CHAT, sse(chunk({"content": "Hi"}), MESSAGE), "text/event-stream"),
    "JSON that is called a stream": (CHAT, json.dumps(MESSAGE).encode(), "text/event-stream"),
    "a stream that is called JSON": (CHAT, sse(chunk({"content": "Hi"}, "stop")), "application/json"),
    "a stream that is called text": (CHAT, sse(chunk({"content": "Hi"}, "stop")), "text/plain"),
    "a stream that is called nothing known": (CHAT, sse(chunk({"content": "Hi"}, "stop")), "text/html"),
    "a comment before a stream": (CHAT, b": hi\n\n" + sse(chunk({"content": "Hi"}, "stop")), "text/plain"),
    "blank lines before JSON": (CHAT, b"\r\n\n  " + json.dumps(MESSAGE).encode(), "application/json"),
    "a number for an id": (CHAT, sse(chunk({"content": "Hi"}, "stop", id=7, model=[])), "text/event-stream"),
    "a number for a finish reason": (CHAT, sse(chunk({"content": "Hi"}, 1)), "text/event-stream"),
    "words for usage": (CHAT, sse(chunk({"content": "Hi"}, "stop", usage="none")), "text/event-stream"),
    "a list for details": (
        CHAT,
        sse(chunk({"content": "Hi"}, "stop", usage={"prompt_tokens": 1, "prompt_tokens_details": []})),
        "text/event-stream",
    ),
    "an empty list for a delta": (
        CHAT,
        sse({"choices": [{"delta": []}]}, chunk({"content": "Hi"}, "stop")),
        "text/event-stream",
    ),
    "text after an early finish word": (
        CHAT,
        sse(chunk({"content": "H"}, "stop"), chunk({"content": "i"})),
        "text/event-stream",
    ),
    "an unknown finish word after text": (CHAT, sse(chunk({"content": "Hi"}, "zapped")), "text/event-stream"),
    "Claude's whole message inside a stream": (CLAUDE, sse(CLAUDE_MESSAGE), "text/event-stream"),
    "Claude's message called a stream": (CLAUDE, json.dumps(CLAUDE_MESSAGE).encode(), "text/event-stream"),
    "a whole response inside a stream": (RESPONSES, sse(RESPONSE), "text/event-stream"),
    "a response called a stream": (RESPONSES, json.dumps(RESPONSE).encode(), "text/event-stream"),
    "Gemini's list called a stream": (GEMINI, json.dumps([GEMINI_CHUNK]).encode(), "text/event-stream"),
    "a mark of the byte order before JSON": (CHAT, BOM + json.dumps(MESSAGE).encode(), "application/json"),
    "the same, and a blank line": (
        CLAUDE,
        BOM + b"\r\n " + json.dumps(CLAUDE_MESSAGE).encode(),
        "text/event-stream",
    ),
    "no number among the numbers": (
        CHAT,
        sse(chunk({"content": "Hi"}, "stop", usage={"prompt_tokens": math.nan})),
        "text/event-stream",
    ),
    "usage with a message that says nothing": (
        CHAT,
        sse(chunk({"content": "Hi"}), {"choices": [], "message": "", "usage": {}}, chunk({}, "stop")),
        "text/event-stream",
    ),
    "a text that is told whole": (
        RESPONSES,
        sse(
            {"type": "response.output_text.done", "output_index": 0, "text": "Hi"},
            {"type": "response.completed", "response": RESPONSE},
        ),
        "text/event-stream",
    ),
    "a response told only at its end": (
        RESPONSES,
        sse(
            {"type": "response.created", "response": {"status": "in_progress", "output": []}},
            {"type": "response.completed", "response": RESPONSE},
        ),
        "text/event-stream",
    ),
    "a response told on the way and at its end": (
        RESPONSES,
        sse(
            {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"},
            {"type": "response.completed", "response": RESPONSE},
        ),
        "text/event-stream",
    ),
}

VLLM_ERROR = {"object": "error", "message": "slow down", "type": "TooManyRequests", "code": 429}

# dialect, body, the reason of the error.
FAILURES: dict[str, tuple[str, bytes, str]] = {
    "Claude's shape for a chat": (
        CHAT,
        sse(
            {"type": "message_start", "message": {}}, {"type": "content_block_delta", "delta": {"text": "x"}}
        ),
        "bad_response",
    ),
    "a chat's shape for Claude": (CLAUDE, sse(chunk({"content": "Hi"}, "stop")), "bad_response"),
    "a chat's shape for a response": (RESPONSES, sse(chunk({"content": "Hi"}, "stop")), "bad_response"),
    "a chat's shape for Gemini": (GEMINI, sse(chunk({"content": "Hi"}, "stop")), "bad_response"),
    "a chat's shape for Claude, not ended": (
        CLAUDE,
        sse(chunk({"content": "Hi"}, "stop"), done=False),
        "bad_response",
    ),
    "events of nobody": (CHAT, sse({"tick": 1}, {"tick": 2}), "bad_response"),
    "a page": (CHAT, b"<html>hello</html>", "bad_response"),
    "nothing at all": (CHAT, b"", "cut"),
    "an empty answer": (CHAT, sse(chunk({"role": "assistant", "content": ""}, "stop")), "empty"),
    "an empty message": (CHAT, sse({"choices": [{"message": {}, "finish_reason": "stop"}]}), "empty"),
    "Claude has nothing to say": (
        CLAUDE,
        sse({"type": "message_start", "message": {}}, {"type": "message_stop"}, done=False),
        "empty",
    ),
    "an unknown finish word without text": (CHAT, sse(chunk({}, "zapped")), "server_error"),
    "a failure for a finish word": (CHAT, sse(chunk({"content": "Hi"}, "network_error")), "server_error"),
    "no resources": (CHAT, sse(chunk({}, "insufficient_system_resource")), "server_error"),
    "a call nobody can read": (
        GEMINI,
        sse({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}, done=False),
        "server_error",
    ),
    "an error with a detail": (CHAT, sse({"detail": "model is loading"}), "server_error"),
    "an error that is an object": (
        CHAT,
        sse({"object": "error", "message": "no", "code": 429}),
        "rate_limit",
    ),
    "an error with a type": (CHAT, sse({"error": "busy", "error_type": "overloaded"}), "overloaded"),
    "an error with a name": (CHAT, b'event: error\ndata: {"message": "no"}\n\n', "server_error"),
    "an error of Claude's proxy": (CLAUDE, sse({"detail": "no"}), "server_error"),
    "an error without an answer, in JSON": (CHAT, b'{"detail": "Not authenticated"}', "server_error"),
    "an overflow in a stream": (
        CHAT,
        sse({"error": {"message": "the request exceeds the available context size"}}),
        "context_overflow",
    ),
    "vLLM's error, asked as Claude": (CLAUDE, sse(VLLM_ERROR, done=False), "rate_limit"),
    "vLLM's error, asked for a response": (RESPONSES, sse(VLLM_ERROR, done=False), "rate_limit"),
    "a proxy's error as Claude's answer": (CLAUDE, b'{"detail": "over budget"}', "server_error"),
    "a proxy's error as a response": (RESPONSES, b'{"message": "over budget"}', "server_error"),
    "Gemini with a seal and no word": (
        GEMINI,
        sse(
            {
                "candidates": [
                    {"content": {"parts": [{"text": "", "thoughtSignature": "s"}]}, "finishReason": "STOP"}
                ]
            },
            done=False,
        ),
        "empty",
    ),
    "a response with a seal and no word": (
        RESPONSES,
        sse(
            {"type": "response.output_item.done", "item": {"type": "reasoning", "encrypted_content": "s"}},
            {"type": "response.completed", "response": {"status": "completed"}},
        ),
        "empty",
    ),
    "cut behind Azure's first event": (
        CHAT,
        sse({"choices": [], "prompt_filter_results": []}, done=False),
        "cut",
    ),
    "MiniMax's error": (
        CHAT,
        sse({"choices": None, "base_resp": {"status_code": 1004, "status_msg": "login fail"}}, done=False),
        "auth",
    ),
    "cut where there is no finish word, written out": (
        CHAT,
        sse(chunk({}, "null"), done=False),
        "cut",
    ),
    "cut behind a seal": (
        RESPONSES,
        sse(
            {"type": "response.output_item.done", "item": {"type": "reasoning", "encrypted_content": "s"}},
            done=False,
        ),
        "cut",
    ),
}
# The answers above that say what is wrong.
SAID = {
    "MiniMax's error": "login fail",
    "vLLM's error, asked as Claude": "slow down",
    "vLLM's error, asked for a response": "slow down",
    "a proxy's error as Claude's answer": "over budget",
    "a proxy's error as a response": "over budget",
    "an error of Claude's proxy": "no",
}


async def outcome_of(api: str, reply: Reply) -> Outcome:
    async with ModelServer() as models, caller() as models_:
        models.script("m", reply)
        outcome = Outcome()
        try:
            await run(models_, target(models, api=api), outcome)
        except ProviderError as error:
            outcome.error = error
        outcome.asked = len(models.requests)
        return outcome


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_can_be_understood_is(name: str) -> None:
    api, body, kind = ANSWERS[name]
    outcome = await outcome_of(api, sends(body, content_type=kind))
    assert (outcome.error, "".join(outcome.texts)) == (None, "Hi")
    assert outcome.finish_reason == "stop"


@pytest.mark.promise("error.provider_empty_answer")
@pytest.mark.parametrize("name", FAILURES)
async def test_what_is_no_answer_is_an_error(name: str) -> None:
    api, body, reason = FAILURES[name]
    outcome = await outcome_of(api, sends(body))
    assert outcome.error is not None
    assert outcome.error.reason == reason
    assert SAID.get(name, "") in outcome.error.message
    if reason == "empty":
        # Once more, and no oftener.
        assert outcome.asked == 2
    if reason == "cut":
        assert outcome.asked == 3


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" read ", "read"),
        ("Read", "read"),
        ("functions.read", "read"),
        ("read<|channel|>commentary", "read"),
        ("memory.search", "memory_search"),
        ("functions.Memory-Search", "memory_search"),
        ("mcp__files__list", "mcp__files__list"),
        ("Same", "Same"),
        ("nothing like it", "nothing like it"),
    ],
)
def test_a_tool_is_found_however_it_is_written(written: str, meant: str) -> None:
    parser = DIALECTS[CHAT].parser(Vendor("acme"))
    names = ("read", "memory_search", "mcp__files__list", "same", "SAME")
    parser.offer(tuple(ToolSpec(name, "", b"{}") for name in names))  # type: ignore[arg-type]
    call = {"index": 0, "id": "c", "function": {"name": written, "arguments": "{}"}}
    events = parser.feed([json.dumps(chunk({"tool_calls": [call]}, "tool_calls")).encode()])
    events += parser.ending()
    assert events[0] == ToolCallStarted(0, "c", meant)
    assert parser.tool_calls[0].name == meant


def calls_of(*deltas: Any) -> list[tuple[str, str]]:
    parser = DIALECTS[CHAT].parser(Vendor("acme"))
    parser.feed([json.dumps(delta).encode() for delta in deltas])
    parser.ending()
    return [(call.name, call.arguments) for call in parser.tool_calls]


def piece(arguments: str, name: str | None = None, **more: Any) -> Any:
    return chunk({"tool_calls": [{"index": 0, "function": {"name": name, "arguments": arguments}, **more}]})


def test_the_next_piece_of_a_call_may_have_another_id() -> None:
    assert calls_of(
        piece('{"a"', "look", id="1"), piece(":1", id="2"), piece("}", id="3"), chunk({}, "tool_calls")
    ) == [("look", '{"a":1}')]


def test_another_name_at_the_same_index_is_another_call() -> None:
    assert calls_of(piece('{"a":1}', "look"), piece("{}", "listen"), chunk({}, "tool_calls")) == [
        ("look", '{"a":1}'),
        ("listen", "{}"),
    ]
    again = [piece('{"a"', " look "), piece(":1}", " look ")]
    assert calls_of(*again, chunk({}, "tool_calls")) == [("look", '{"a":1}')]


def test_calls_in_a_second_choice_are_calls() -> None:
    said = {"index": 0, "delta": {"content": "Let me."}, "finish_reason": "tool_calls"}
    call = {"id": "1", "function": {"name": "look", "arguments": "{}"}}
    beside = {"index": 1, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    assert calls_of({"choices": [said, beside]}) == [("look", "{}")]
    parser = DIALECTS[CHAT].parser(Vendor("acme"))
    whole = [{"message": {"content": "Let me."}}, {"message": {"tool_calls": [call]}}]
    parser.whole(json.dumps({"choices": whole}).encode())
    parser.ending()
    assert [each.name for each in parser.tool_calls] == ["look"]


@pytest.mark.parametrize("deltas", [(), ('{"a":', "1}")])
def test_the_same_input_at_the_start_and_in_deltas_counts_once(deltas: tuple[str, ...]) -> None:
    parser = DIALECTS[CLAUDE].parser(Vendor("acme"))
    block = {"type": "tool_use", "id": "t", "name": "look", "input": {"a": 1}}
    events: list[Any] = [{"type": "content_block_start", "index": 0, "content_block": block}]
    for text in deltas:
        delta = {"type": "input_json_delta", "partial_json": text}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    events += [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
    ]
    heard = parser.feed([json.dumps(event).encode() for event in events]) + parser.ending()
    assert [call.arguments for call in parser.tool_calls] == ['{"a":1}']
    assert "".join(e.text for e in heard if isinstance(e, ToolCallArguments)) == '{"a":1}'


@pytest.mark.parametrize(
    ("api", "told"),
    [
        (
            RESPONSES,
            [
                {"type": "response.output_item.added", "item": {"type": "function_call", "name": "look"}},
                {"type": "response.function_call_arguments.done", "arguments": '{"a":1}'},
                {"type": "response.completed", "response": {"status": "completed"}},
            ],
        ),
        (
            CLAUDE,
            [
                {
                    "type": "content_block_start",
                    "content_block": {"type": "tool_use", "name": "look", "input": '{"a":1}'},
                },
                {"type": "content_block_stop"},
                {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
            ],
        ),
        (
            GEMINI,
            [
                {
                    "candidates": [
                        {
                            "content": {"parts": [{"functionCall": {"name": "look", "args": '{"a":1}'}}]},
                            "finishReason": "STOP",
                        }
                    ]
                }
            ],
        ),
    ],
)
def test_arguments_that_are_told_whole_or_as_text_are_the_arguments(api: str, told: list[Any]) -> None:
    parser = DIALECTS[api].parser(Vendor("acme"))
    parser.feed([json.dumps(event).encode() for event in told])
    parser.ending()
    assert [(call.name, call.arguments) for call in parser.tool_calls] == [("look", '{"a":1}')]


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "stop"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["text", "id", "name"]), inner, max_size=2)
    ),
    max_leaves=4,
)
GOOD: dict[str, list[Any]] = {
    CHAT: [chunk({"role": "assistant", "content": "Hi"}), chunk({}, "stop", usage={"prompt_tokens": 1})],
    CLAUDE: [
        {"type": "message_start", "message": {"usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ],
    RESPONSES: [
        {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"},
        {"type": "response.completed", "response": {"status": "completed", "usage": {"input_tokens": 1}}},
    ],
    GEMINI: [{"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}, GEMINI_CHUNK],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        found += places(each, (*path, key))
    return found


@pytest.mark.parametrize("api", sorted(GOOD))
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_an_odd_field_costs_no_more_than_itself_or_is_an_error(api: str, data: Any) -> None:
    events = json.loads(json.dumps(GOOD[api]))
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(events)))
        value = events
        try:
            for step in way:
                value = value[step]
            value[last] = data.draw(ODD)
        except (LookupError, TypeError):
            continue
    raw = sse(*events, done=api == CHAT)
    cut = data.draw(st.integers(0, len(raw)))
    parser, splitter = DIALECTS[api].parser(Vendor("acme")), SseSplitter("acme")
    heard: list[Event] = []
    for part in (raw[:cut], raw[cut:]):
        if not (parser.done or parser.failure):
            heard += parser.feed(splitter.feed(part))
    if not (parser.done or parser.failure):
        heard += parser.feed(splitter.finish())
    if parser.failure is None:
        heard += parser.ending()
        spoke = any(not isinstance(event, UsageReported) for event in heard)
        error = parser.verdict(spoke=spoke, may_be_silent=False)
        assert spoke or error is not None or parser.finish_reason != "stop" or not parser.finished
    for event in heard:
        assert not isinstance(event, TextDelta) or isinstance(event.text, str)


async def test_blanks_before_an_answer_cost_nothing_but_their_reading() -> None:
    blank = [b" \r\n"] * 200
    body = json.dumps(MESSAGE).encode()
    outcome = await outcome_of(CHAT, sends(*[part for each in blank for part in (each, Flush())], body))
    assert (outcome.error, "".join(outcome.texts)) == (None, "Hi")


def test_an_event_that_is_long_and_odd_is_read_anew_once() -> None:
    tries = 0

    def decode(payload: bytes) -> int:
        nonlocal tries
        tries += 1
        raise msgspec.ValidationError("Expected `int`, got `str` - at `$.a`")

    assert repaired(decode, b'{"a":"%b"}' % (b"x" * (300 << 10))) is None
    assert tries == 1


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (1000, "unknown error", "server_error"),
        (1001, "request timeout", "timeout"),
        (1002, "rate limit", "rate_limit"),
        (1004, "not authorized", "auth"),
        (1008, "insufficient balance", "billing"),
        (1039, "token limit", "rate_limit"),
        (2013, "invalid params", "format"),
        (2013, "invalid params, context window exceeds limit", "context_overflow"),
        (2049, "invalid api key", "auth"),
        ("2049", "odd", "server_error"),
    ],
)
def test_minimax_numbers_its_reasons(code: object, message: str, reason: str) -> None:
    said = OddError(base_resp={"status_code": code, "status_msg": message}).said
    assert from_stream(Vendor("minimax"), said).reason == reason
