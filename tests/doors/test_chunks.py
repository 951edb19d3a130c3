"""Events to chunks and results to objects, without a socket."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.doors.openai.chunks import ChatVoice
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import ReasoningDelta, TextDelta
from openclaw_gateway.wire.run import RunResult, Usage

texts = st.text(st.characters(codec="utf-8"))


def frames(data: bytes) -> list[object]:
    """As a strict reader has it: blocks end at a blank line, lines at any of Unicode's line ends."""
    blocks = data.decode().split("\n\n")
    assert blocks.pop() == ""
    assert all(len(block.splitlines()) == 1 for block in blocks)
    data_lines = [block.removeprefix("data: ") for block in blocks]
    return [line if line == "[DONE]" else json.loads(line) for line in data_lines]


@given(st.lists(texts), texts)
def test_any_text_survives_in_one_line_per_frame(pieces: list[str], model: str) -> None:
    voice = ChatVoice("chatcmpl_1", 5, model, include_usage=True)
    deltas = voice.deltas([TextDelta(p) for p in pieces])
    seen = frames(voice.head() + deltas + voice.end(RunResult("completed")))
    contents = [f["choices"][0]["delta"]["content"] for f in seen[1:-3]]  # type: ignore[index]
    assert contents == pieces
    assert all(f["model"] == model for f in seen[:-1])  # type: ignore[index]
    assert seen[-1] == "[DONE]"


@given(st.lists(st.text(min_size=1), min_size=2))
def test_text_that_came_together_is_cut_as_its_provider_cut_it(pieces: list[str]) -> None:
    voice = ChatVoice("chatcmpl_x", 1, "m")
    whole = voice.deltas([TextDelta("".join(pieces), tuple(pieces))])
    assert whole == voice.deltas([TextDelta(piece) for piece in pieces])


def test_reasoning_has_a_field_of_its_own() -> None:
    data = ChatVoice("c", 5, "m").deltas([ReasoningDelta("hm"), TextDelta("so")])
    assert [f["choices"][0]["delta"] for f in frames(data)] == [  # type: ignore[index]
        {"reasoning_content": "hm"},
        {"content": "so"},
    ]


def test_the_usage_chunk_only_when_asked() -> None:
    result = RunResult("completed", finish_reason="length", usage=Usage(3, 2, 5, 1, 1, 2))
    assert len(frames(ChatVoice("c", 5, "m").end(result))) == 2
    usage = frames(ChatVoice("c", 5, "m", include_usage=True).end(result))[1]
    assert usage["choices"] == []  # type: ignore[index]
    assert usage["usage"] == {  # type: ignore[index]
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }


@pytest.mark.promise("error-keys", "real-status")
def test_a_failure_in_mid_stream_has_all_four_keys() -> None:
    error, done = frames(
        ChatVoice("c", 5, "m").failure(ErrorInfo("what\u2028now", "api_error", "provider_error", 502))
    )
    assert error == {
        "error": {
            "message": "what\u2028now",
            "type": "api_error",
            "param": None,
            "code": "provider_error",
        }
    }
    assert done == "[DONE]"


def test_the_whole_answer() -> None:
    voice = ChatVoice("chatcmpl_1", 5, "m")
    answer = json.loads(voice.whole(RunResult("completed", "hi", finish_reason="stop")))
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hi", "refusal": None},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ]
    assert answer["usage"]["total_tokens"] == 0
    assert set(answer) == {"id", "object", "created", "model", "choices", "usage"}
