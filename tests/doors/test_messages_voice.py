"""The voice of Anthropic's Messages API, byte by byte."""

from typing import Any

import msgspec
import pytest

from openclaw_gateway.doors.anthropic import voice as module
from openclaw_gateway.doors.anthropic.errors import error_object, status_of, type_of
from openclaw_gateway.doors.anthropic.voice import PING, MessageVoice
from openclaw_gateway.errors import GatewayError, InvalidRequest, Overloaded, ProviderError, ShuttingDown
from openclaw_gateway.wire.error_info import error_info
from openclaw_gateway.wire.events import (
    Event,
    ReasoningDelta,
    TextDelta,
    ToolCallArguments,
    ToolCallStarted,
)
from openclaw_gateway.wire.messages import ToolCall
from openclaw_gateway.wire.run import RunResult, Usage

RUN = "chatcmpl_00000000-1111-2222-3333-444444444444"
DONE = RunResult("completed", finish_reason="stop", usage=Usage(10, 3, 13, 4, 0, 2))
USAGE = (
    b'"usage":{"input_tokens":4,"cache_creation_input_tokens":2,'
    b'"cache_read_input_tokens":4,"output_tokens":3,'
    b'"cache_creation":null,"inference_geo":null,"output_tokens_details":null,"server_tool_use":null,'
    b'"service_tier":"standard"}'
)
LAST = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
    b'"stop_sequence":null},' + USAGE + b'}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
)


def voice(*, aloud: bool = True) -> MessageVoice:
    return MessageVoice(RUN, "openclaw/main", "req_1", thinks_aloud=aloud)


def start(index: int, block: str) -> bytes:
    said = f'{{"type":"content_block_start","index":{index},"content_block":{block}}}'
    return f"event: content_block_start\ndata: {said}\n\n".encode()


def delta(index: int, inside: str) -> bytes:
    said = f'{{"type":"content_block_delta","index":{index},"delta":{inside}}}'
    return f"event: content_block_delta\ndata: {said}\n\n".encode()


def stop(index: int) -> bytes:
    said = f'{{"type":"content_block_stop","index":{index}}}'
    return f"event: content_block_stop\ndata: {said}\n\n".encode()


def text(index: int, said: str) -> bytes:
    return delta(index, f'{{"type":"text_delta","text":{said}}}')


def written(index: int, said: str) -> bytes:
    return delta(index, f'{{"type":"input_json_delta","partial_json":{said}}}')


def call(id_: str, name: str) -> str:
    return f'{{"type":"tool_use","id":"{id_}","name":"{name}","input":{{}},"caller":{{"type":"direct"}}}}'


TEXT = '{"type":"text","text":"","citations":null}'
THOUGHT = '{"type":"thinking","thinking":"","signature":""}'


def test_the_head_is_an_empty_message() -> None:
    assert voice().head() == (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_'
        b'00000000111122223333444444444444","type":"message","role":"assistant","model":"openclaw/main",'
        b'"content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,'
        b'"usage":{"input_tokens":0,'
        b'"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0,'
        b'"cache_creation":null,"inference_geo":null,"output_tokens_details":null,'
        b'"server_tool_use":null,"service_tier":"standard"}}}\n\n'
    )


def test_silence_is_a_ping() -> None:
    assert PING == b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize(
    ("events", "said"),
    [
        pytest.param((), start(0, TEXT) + stop(0), id="nothing"),
        pytest.param(
            (TextDelta("ab", ("a", "b")), TextDelta("c")),
            start(0, TEXT) + text(0, '"a"') + text(0, '"b"') + text(0, '"c"') + stop(0),
            id="text in the provider's pieces",
        ),
        pytest.param(
            (TextDelta("\u2028\x85\n"),),
            start(0, TEXT) + text(0, '"\\u2028\\u0085\\n"') + stop(0),
            id="what some readers take for the end of a line",
        ),
        pytest.param(
            (ReasoningDelta("hm"), TextDelta("a"), ReasoningDelta("so")),
            start(0, THOUGHT)
            + delta(0, '{"type":"thinking_delta","thinking":"hm"}')
            + stop(0)
            + start(1, TEXT)
            + text(1, '"a"')
            + stop(1)
            + start(2, THOUGHT)
            + delta(2, '{"type":"thinking_delta","thinking":"so"}')
            + stop(2),
            id="thoughts before and after",
        ),
        pytest.param(
            (
                TextDelta("a"),
                ToolCallStarted(0, "c1", "look"),
                ToolCallArguments(0, '{"x"'),
                ToolCallArguments(0, ":1}"),
                ToolCallStarted(1, "c2", "see"),
                ToolCallArguments(1, "{}"),
            ),
            start(0, TEXT)
            + text(0, '"a"')
            + stop(0)
            + start(1, call("c1", "look"))
            + written(1, '"{\\"x\\""')
            + written(1, '":1}"')
            + stop(1)
            + start(2, call("c2", "see"))
            + written(2, '"{}"')
            + stop(2),
            id="calls one after the other",
        ),
        pytest.param(
            (
                ToolCallStarted(0, "c1", "look"),
                ToolCallStarted(1, "c2", "see"),
                ToolCallArguments(1, '{"y"'),
                ToolCallArguments(0, "{}"),
                ToolCallArguments(1, ":2}"),
                TextDelta("b"),
            ),
            start(0, call("c1", "look"))
            + written(0, '"{}"')
            + stop(0)
            + start(1, call("c2", "see"))
            + written(1, '"{\\"y\\":2}"')
            + stop(1)
            + start(2, TEXT)
            + text(2, '"b"')
            + stop(2),
            id="calls in turns wait for each other",
        ),
        pytest.param(
            (ToolCallStarted(0, "c1", "look"), ToolCallStarted(1, "c2", "see")),
            start(0, call("c1", "look")) + stop(0) + start(1, call("c2", "see")) + stop(1),
            id="calls without arguments",
        ),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_blocks(events: tuple[Event, ...], said: bytes, *, together: bool) -> None:
    told, one = b"", voice()
    for batch in [events] if together else [(event,) for event in events]:
        told += one.deltas(batch)
    assert told + one.end(DONE) == said + LAST


def test_how_often_a_call_is_looked_at_for_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model may say something between any two pieces of its arguments: all looks together are linear."""
    looks: list[int] = []
    look = module._object

    def counted(arguments: str) -> dict[str, Any] | None:
        looks.append(len(arguments))
        return look(arguments)

    monkeypatch.setattr(module, "_object", counted)
    one = voice()
    said = one.deltas((ToolCallStarted(0, "c1", "look"),))
    for _ in range(2_000):
        said += one.deltas((ToolCallArguments(0, "[" * 50), TextDelta("a"), ReasoningDelta("b")))
    assert sum(looks) < 5 * 2_000 * 50
    said += one.end(DONE)
    assert said.count(b"event: content_block_start") == said.count(b"event: content_block_stop") == 4_001


def test_thoughts_are_for_who_asked_for_them() -> None:
    quiet = voice(aloud=False)
    assert quiet.deltas((ReasoningDelta("hm"),)) == b""
    assert quiet.deltas((TextDelta("a"),)) == start(0, TEXT) + text(0, '"a"')
    result = RunResult("completed", "a", "hm", "stop")
    assert [block["type"] for block in decoded(quiet.whole(result))["content"]] == ["text"]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("content_filter", "refusal"),
        (None, "end_turn"),
    ],
)
def test_why_it_ended(reason: Any, said: str) -> None:
    result = RunResult("completed", "a", finish_reason=reason)
    assert decoded(voice().whole(result))["stop_reason"] == said
    assert f'"stop_reason":"{said}"'.encode() in voice().end(result)


def test_a_whole_message() -> None:
    calls = (ToolCall("c1", "look", '{"x":[1]}'), ToolCall("c2", "see", "no JSON"))
    result = RunResult("completed", "a", "hm", "tool_calls", DONE.usage, tool_calls=calls)
    assert voice().whole(result) == (
        b'{"id":"msg_00000000111122223333444444444444","type":"message","role":"assistant",'
        b'"model":"openclaw/main","content":[{"type":"thinking","thinking":"hm","signature":""},'
        b'{"type":"text","text":"a","citations":null},{"type":"tool_use","id":"c1","name":"look",'
        b'"input":{"x":[1]},"caller":{"type":"direct"}},{"type":"tool_use","id":"c2","name":"see",'
        b'"input":{"INVALID_JSON":"no JSON"},"caller":{"type":"direct"}}],"stop_reason":"tool_use",'
        b'"stop_sequence":null,"stop_details":null,"container":null,' + USAGE + b"}"
    )


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InvalidRequest("no"), 400, "invalid_request_error"),
        (ProviderError("auth", "no"), 401, "authentication_error"),
        (ProviderError("billing", "no"), 402, "billing_error"),
        (ProviderError("permission", "no"), 403, "permission_error"),
        (ProviderError("model_not_found", "no"), 404, "not_found_error"),
        (ProviderError("rate_limit", "no"), 429, "rate_limit_error"),
        (ProviderError("overloaded", "no"), 529, "overloaded_error"),
        (ProviderError("timeout", "no"), 504, "timeout_error"),
        (ProviderError("cut", "no"), 502, "api_error"),
        (Overloaded("no"), 529, "overloaded_error"),
        (ShuttingDown(), 529, "overloaded_error"),
        (GatewayError("no"), 500, "api_error"),
    ],
)
def test_errors(error: GatewayError, status: int, kind: str) -> None:
    info = error_info(error)
    assert status_of(info) == status
    said = {"type": kind, "message": error.message, "details": {"error_code": error.code}}
    whole = {"type": "error", "error": said, "request_id": "req_1"}
    assert decoded(voice().refusal(info)) == whole
    frame = voice().failure(info)
    assert frame == b"event: error\ndata: " + error_object(info, "req_1") + b"\n\n"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(405, "invalid_request_error"), (413, "request_too_large"), (499, "api_error"), (507, "api_error")],
)
def test_types_of_other_statuses(status: int, kind: str) -> None:
    assert type_of(status) == kind


def decoded(data: bytes) -> Any:
    return msgspec.json.decode(data)


@pytest.mark.parametrize("arguments", ['{"at":"sk', "[1]", "sky", '{"at":sky}'])
def test_broken_arguments_are_told_as_they_are(arguments: str) -> None:
    result = RunResult("completed", "", "", "length", tool_calls=(ToolCall("c1", "look", arguments),))
    whole = msgspec.json.decode(voice().whole(result))
    assert whole["content"][0]["input"] == {"INVALID_JSON": arguments}
    streamed = voice().deltas([ToolCallStarted(0, "c1", "look"), ToolCallArguments(0, arguments)])
    told = msgspec.json.decode(streamed.split(b"data: ")[-1])
    assert told["delta"] == {"type": "input_json_delta", "partial_json": arguments}


def test_no_arguments_are_none() -> None:
    for arguments in ("", " ", "{}"):
        result = RunResult("completed", "", "", "tool_calls", tool_calls=(ToolCall("c1", "look", arguments),))
        assert msgspec.json.decode(voice().whole(result))["content"][0]["input"] == {}
