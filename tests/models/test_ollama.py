"""Ollama's own API: what is asked, what comes back line by line, and what is said of its OpenAI mode."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from structlog.testing import CapturingLogger

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models import call
from openclaw_gateway.models.apis.ollama import api as ollama
from openclaw_gateway.models.dialects import unsupported
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.json_lines import LineSplitter
from openclaw_gateway.models.replay import replay
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.testing.model_server import ModelServer, calls, fails, says, sends
from openclaw_gateway.testing.replies import Call, Cut, Reasoning
from openclaw_gateway.testing.replies import Raw as Bytes
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, ToolCallStarted, UsageReported
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    Message,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from openclaw_gateway.wire.messages import (
    Reasoning as Thought,
)
from openclaw_gateway.wire.run import NamedTool, Sampling, ToolSpec, Usage
from tests.models.calls import HI, apart, caller, run
from tests.models.test_catalog import config, resolve

HERE = Endpoint("ollama", "http://127.0.0.1:11434")
TOOLS = (ToolSpec("time", "The time.", Raw(b'{"type":"object"}')),)
FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}


def here(model: str = "m", **settings: Any) -> ModelTarget:
    return ModelTarget(HERE, model, api="ollama", **settings)


def body(*messages: Message, to: ModelTarget | None = None, system: str = "", **more: Any) -> dict[str, Any]:
    to = to or here()
    request = ModelRequest(system, replay(messages, to), **more)
    return dict(msgspec.json.decode(ollama.body(to, request, stream_usage=True)))


def test_a_bare_request() -> None:
    assert body(*HI) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "options": {},
        "stream": True,
    }
    assert ollama.path(here()) == "/api/chat"
    assert ollama.headers(HERE) == {}


def test_a_conversation() -> None:
    asked = ToolCall("call_1", "time", '{"zone":"UTC"}')
    sent = body(
        UserMessage("look", images=(Image("image/png", "QUJD"),)),
        AssistantMessage((Thought("hm"), asked)),
        ToolMessage("call_1", "9 o'clock", "time"),
        AssistantMessage((Thought("so"), Text("It is 9."))),
        UserMessage("thanks"),
        system="Be brief.",
        tools=TOOLS,
    )
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "look", "images": ["QUJD"]},
        {
            "role": "assistant",
            "content": "",
            "thinking": "hm",
            "tool_calls": [{"id": "call_1", "function": {"name": "time", "arguments": {"zone": "UTC"}}}],
        },
        {"role": "tool", "content": "9 o'clock", "tool_name": "time", "tool_call_id": "call_1"},
        {"role": "assistant", "content": "It is 9."},
        {"role": "user", "content": "thanks"},
    ]
    function = {"name": "time", "description": "The time.", "parameters": {"type": "object"}}
    assert sent["tools"] == [{"type": "function", "function": function}]


def test_settings_are_options_and_an_operator_s_own_are_laid_under_them() -> None:
    asked = Sampling(0.5, 0.9, 77, ("END",), 1, 0.1, 0.2, response_format=Raw(msgspec.json.encode(FORM)))
    own = {"keep_alive": -1, "options": {"num_gpu": 0, "temperature": 1.5, "num_ctx": 1}}
    sent = body(*HI, to=here(context_window=8192, extra_body=own), sampling=asked)
    assert sent["options"] == {
        "num_gpu": 0,
        "num_ctx": 8192,
        "num_predict": 77,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 1,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
    }
    assert (sent["format"], sent["keep_alive"]) == ({"type": "object"}, -1)
    assert body(*HI, sampling=Sampling(response_format=Raw(b'{"type":"json_object"}')))["format"] == "json"


@pytest.mark.parametrize(
    ("model", "family", "asked", "think", "named"),
    [
        ("m", Family(), "high", None, True),
        ("m", Family(), "off", None, False),
        ("qwen3:8b", Family(reasons=True), "high", True, False),
        ("gpt-oss:20b", None, "max", "high", False),
        ("gpt-oss:20b", None, "off", "low", False),
        ("m", Family(), "none", False, False),
    ],
)
def test_thinking(model: str, family: Family | None, asked: str, think: Any, *, named: bool) -> None:
    to = here(model, **({} if family is None else {"family": family}))
    request = ModelRequest("", HI, Sampling(reasoning_effort=asked))
    assert body(*HI, to=to, sampling=request.sampling).get("think") == think
    assert unsupported(to, request) == (("reasoning_effort",) if named else ())


@pytest.mark.parametrize("choice", ["required", NamedTool("time")])
def test_a_call_cannot_be_insisted_on(choice: Any) -> None:
    request = ModelRequest("", HI, Sampling(), TOOLS, choice, parallel_tool_calls=False)
    assert unsupported(here(), request) == ("tool_choice", "parallel_tool_calls")
    assert "tools" not in body(*HI, tools=TOOLS, tool_choice="none")


LINES = (
    b'{"model":"m","message":{"role":"assistant","content":"","thinking":"h\xc3\xb6"},"done":false}\n'
    b'{"model":"m","message":{"role":"assistant","content":"One "},"done":false}\r\n\n'
    b'{"message":{"content":"two.","tool_calls":[{"function":{"name":"time","arguments":{"a":[1]}}}]}}\n'
    b'{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",'
    b'"prompt_eval_count":26,"eval_count":298}'
)


def heard(pieces: Sequence[bytes]) -> tuple[Any, list[Event]]:
    splitter, parser = LineSplitter("acme"), ollama.parser(Vendor("acme"))
    events: list[Event] = []
    for piece in pieces:
        events += parser.feed(splitter.feed(piece))
    events += parser.feed(splitter.finish())
    return parser, apart(events + parser.ending())


@given(st.lists(st.integers(0, len(LINES)), max_size=12))
def test_any_cut_gives_the_same_answer(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(LINES)]
    parser, events = heard([LINES[a:b] for a, b in pairwise(places)])
    assert [type(event) for event in events if isinstance(event, ReasoningDelta | TextDelta)] == [
        ReasoningDelta,
        TextDelta,
        TextDelta,
    ]
    assert events[-1] == UsageReported(Usage(26, 298, 324))
    ((name, arguments),) = [(each.name, each.arguments) for each in parser.tool_calls]
    assert (name, arguments, parser.finish_reason, parser.done) == ("time", '{"a":[1]}', "tool_calls", True)


def test_a_line_without_end_is_given_up() -> None:
    splitter = LineSplitter("acme", max_line_bytes=10)
    assert splitter.feed(b"12345\n1234567890") == [b"12345"]
    with pytest.raises(ProviderError, match="a line of more than"):
        splitter.feed(b"1")
    with pytest.raises(ProviderError):
        LineSplitter("acme", max_line_bytes=10).feed(b"12345678901\n")


def to(server: ModelServer, model: str = "m", **more: Any) -> ModelTarget:
    return ModelTarget(Endpoint("acme", server.base_url, "k"), model, api="ollama", **more)


async def test_an_answer_streams_and_a_tool_is_called(models: ModelServer) -> None:
    models.script(
        "m", says(Reasoning("hm"), "One ", "two."), calls(Call("time", '{"zone":"UTC"}')), says("x", split=1)
    )
    async with caller() as models_:
        said = await run(models_, to(models))
        called = await run(models_, to(models), tools=TOOLS)
        split = await run(models_, to(models))
    assert (said.texts, said.finish_reason) == (["One ", "two."], "stop")
    assert said.events[1] == ReasoningDelta("hm")
    assert [type(event) for event in called.events if isinstance(event, ToolCallStarted)]
    assert [(each.name, each.arguments) for each in called.tool_calls] == [("time", '{"zone":"UTC"}')]
    assert split.texts == ["x"]
    assert {request.path for request in models.requests} == {"/api/chat"}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            sends(Bytes(b'{"message":{"content":"a"}}\n{"error":"model runner has unexpectedly stopped"}\n')),
            "server_error",
        ),
        (says("a", Cut()), "cut"),
        (sends(Bytes(b'{"message":{"content":"a"},"done":false}\n')), "cut"),
        (sends(Bytes(b"<html>"), content_type="text/html"), "bad_response"),
        (fails(404, "model 'm' not found"), "model_not_found"),
        (fails(400, '"m" does not support tools'), "format"),
    ],
)
async def test_failures(models: ModelServer, reply: Any, reason: str) -> None:
    models.script("m", reply)
    async with caller() as models_:
        with pytest.raises(ProviderError) as caught:
            await run(models_, to(models))
    assert caught.value.reason == reason


async def test_its_openai_mode_is_warned_of_once_when_a_prompt_is_long(
    models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.script("m", says("ok"))
    log = CapturingLogger()
    monkeypatch.setattr(call, "log", log)
    plain = ModelTarget(Endpoint("acme", models.base_url), "m", family=Family(cuts_at=4096))
    async with caller() as models_:
        for text in ("short", "long " * 4096, "long " * 4096):
            await run(models_, plain, messages=(UserMessage(text),))
    (warning,) = log.calls
    assert warning.args == ("model.prompt_may_be_cut",)
    assert 'Set models.providers.acme.api to "ollama"' in warning.kwargs["detail"]


def test_the_catalog_knows_who_cuts() -> None:
    def family(url: str, **more: Any) -> Family:
        entry = {"baseUrl": url, "models": [{"id": "m"}], **more}
        return resolve("box/m", config({"box": entry})).family  # type: ignore[no-any-return]

    assert family("http://127.0.0.1:11434/v1").cuts_at == 4096
    assert family("http://127.0.0.1:11434/v1", api="ollama").cuts_at is None
    assert family("http://127.0.0.1:8000/v1").cuts_at is None


@pytest.mark.promise("ollama-context")
@pytest.mark.parametrize(
    ("model", "window", "keep"),
    [
        ({}, 16384, None),
        ({"contextWindow": 32768}, 32768, None),
        ({"contextWindow": 32768, "params": {"num_ctx": 4096, "keep_alive": "1h"}}, 4096, "1h"),
        ({"params": {"keepAlive": -1}}, 16384, -1),
    ],
)
def test_context_and_time_in_memory_are_said_per_model(model: dict[str, Any], window: int, keep: Any) -> None:
    entry = {"baseUrl": "http://127.0.0.1:11434", "api": "ollama", "models": [{"id": "m", **model}]}
    target = resolve("box/m", config({"box": entry}))
    sent = body(*HI, to=target)
    assert (sent["options"]["num_ctx"], sent.get("keep_alive"), target.context_window) == (
        window,
        keep,
        window,
    )


def test_what_is_loaded_elsewhere_is_not_ours_to_say() -> None:
    cloud = resolve("ollama-cloud/m", config(), {"OLLAMA_API_KEY": "k"})
    assert (cloud.api, cloud.context_window) == ("ollama", None)
    assert ollama.headers(cloud.endpoint) == {"Authorization": "Bearer k"}
