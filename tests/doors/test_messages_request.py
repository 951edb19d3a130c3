"""Bodies of Anthropic's Messages API: what is made of them, and what is said of those that are wrong."""

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from openclaw_gateway.doors.anthropic.request import MessagesRequest, decode_messages, named_here
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.brought.sent import SentFile
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from openclaw_gateway.wire.run import NamedTool

HI = [{"role": "user", "content": "hi"}]
PNG = "iVBORw0KGgoAAAANSUhEUg=="
TOOL = {"name": "look", "description": "Looks", "input_schema": {"type": "object"}}


def decoded(**fields: Any) -> MessagesRequest:
    return decode_messages(msgspec.json.encode({"messages": HI, **fields}), 64)


def user(*blocks: Any) -> list[Any]:
    return [{"role": "user", "content": list(blocks)}]


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said, "cache_control": {"type": "ephemeral"}}


def image(**source: Any) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG, **source}}


def document(source: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "document", "source": source, **fields}


CALL = {"type": "tool_use", "id": "c1", "name": "look", "input": {"x": 1}, "caller": {"type": "direct"}}


@pytest.mark.parametrize(
    ("turns", "messages"),
    [
        pytest.param(HI, [UserMessage("hi")], id="a text"),
        pytest.param(user(text("a"), text("b")), [UserMessage("a\nb")], id="texts"),
        pytest.param(
            user(text("a"), image()), [UserMessage("a", images=(Image("image/png", PNG),))], id="an image"
        ),
        pytest.param(
            user(document({"type": "text", "media_type": "text/plain", "data": "d"}, title="T", context="C")),
            [UserMessage("<document>\nT\nC\nd\n</document>")],
            id="a document's text",
        ),
        pytest.param(
            user(document({"type": "content", "content": [text("d"), image()]})),
            [UserMessage("<document>\nd\n</document>", images=(Image("image/png", PNG),))],
            id="a document of blocks",
        ),
        pytest.param(
            user(
                document({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}, title="T"),
                document({"type": "url", "url": "https://x/a.pdf"}),
                text("a"),
            ),
            [
                UserMessage(
                    "a",
                    files=(
                        SentFile("application/pdf", "JVBERi0=", name="T", where="messages[0].content[0]"),
                        SentFile("", url="https://x/a.pdf", where="messages[0].content[1]"),
                    ),
                )
            ],
            id="documents in files",
        ),
        pytest.param(
            user({"type": "search_result", "source": "https://x", "title": "T", "content": [text("found")]}),
            [UserMessage("T\nhttps://x\nfound")],
            id="a search result",
        ),
        pytest.param(
            [
                *HI,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": ""},
                        {"type": "redacted_thinking", "data": "x"},
                        text("a"),
                        CALL,
                    ],
                },
                *user(
                    text("b"),
                    {
                        "type": "tool_result",
                        "tool_use_id": "c1",
                        "is_error": True,
                        "content": [text("r"), image()],
                    },
                ),
            ],
            [
                UserMessage("hi"),
                AssistantMessage((Reasoning("hm"), Text("a"), ToolCall("c1", "look", '{"x":1}'))),
                ToolMessage("c1", "r", "look", is_error=True, images=(Image("image/png", PNG),)),
                UserMessage("b"),
            ],
            id="a call and its result, before what is said with it",
        ),
        pytest.param(
            user(
                {"type": "tool_result", "tool_use_id": "c1"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "r"},
                {
                    "type": "tool_result",
                    "tool_use_id": "c3",
                    "content": [{"type": "tool_reference", "tool_name": "look"}],
                },
            ),
            [ToolMessage("c1", ""), ToolMessage("c2", "r"), ToolMessage("c3", "[tool: look]")],
            id="results alone",
        ),
        pytest.param(
            [*HI, {"role": "assistant", "content": "It is ("}],
            [UserMessage("hi"), AssistantMessage((Text("It is ("),))],
            id="the beginning of an answer",
        ),
    ],
)
def test_turns(turns: Any, messages: list[Message]) -> None:
    assert decoded(messages=turns).messages == tuple(messages)


def test_instructions_are_joined_without_what_changes_each_time() -> None:
    turns = [*HI, {"role": "system", "content": [text("later")]}]
    asks = decoded(system=[text("x-anthropic-billing-header: cc=1"), text("a"), text("b")], messages=turns)
    assert asks.instructions == "a\n\nb\n\nlater"
    assert decoded(system="a").instructions == "a"
    assert decoded().instructions == ""


def test_settings() -> None:
    asks = decoded(
        model="openclaw/main",
        max_tokens=7,
        temperature=0.5,
        top_p=0.9,
        stop_sequences=["a", "b", "c", "d", "e"],
        stream=True,
    )
    assert (asks.model, asks.stream, asks.ignored) == ("openclaw/main", True, ())
    one = asks.sampling
    assert (one.max_tokens, one.temperature, one.top_p) == (7, 0.5, 0.9)
    assert one.stop == ("a", "b", "c", "d", "e")
    assert decoded().sampling.max_tokens is UNSET


@pytest.mark.parametrize(
    ("fields", "effort", "aloud"),
    [
        ({}, UNSET, False),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}, "off", False),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "minimal", True),
        ({"thinking": {"type": "enabled", "budget_tokens": 31_999}}, "high", True),
        ({"thinking": {"type": "enabled", "budget_tokens": 1}}, "minimal", True),
        ({"thinking": {"type": "enabled"}}, "adaptive", True),
        ({"thinking": {"type": "adaptive"}}, "adaptive", True),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, "adaptive", False),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}, "xhigh", True),
        ({"output_config": {"effort": "low"}}, "low", False),
    ],
)
def test_thinking(fields: Any, effort: Any, *, aloud: bool) -> None:
    asks = decoded(**fields)
    assert asks.sampling.reasoning_effort == effort
    assert asks.thinks_aloud is aloud


def test_a_schema_of_the_answer() -> None:
    asks = decoded(output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}})
    form = asks.sampling.response_format
    assert not isinstance(form, msgspec.UnsetType)
    schema = {"name": "answer", "schema": {"type": "object"}}
    assert msgspec.json.decode(form) == {"type": "json_schema", "json_schema": schema}


@pytest.mark.parametrize(
    ("choice", "read", "parallel"),
    [
        (None, "auto", None),
        ({"type": "auto", "disable_parallel_tool_use": True}, "auto", False),
        ({"type": "any", "disable_parallel_tool_use": False}, "required", True),
        ({"type": "tool", "name": "look"}, NamedTool("look"), None),
        ({"type": "none"}, "none", None),
    ],
)
def test_tools(choice: Any, read: Any, parallel: Any) -> None:
    tools = decoded(
        tools=[TOOL, {**TOOL, "type": "custom", "name": "x" * 128}], tool_choice=choice
    ).client_tools
    assert [tool.name for tool in tools.tools] == ["look", "x" * 128]
    assert (tools.choice, tools.parallel) == (read, parallel)
    assert bytes(tools.tools[0].parameters) == b'{"type":"object"}'


def test_what_has_no_effect_is_named() -> None:
    asks = decoded(
        messages=[*HI, {"role": "assistant", "content": [{"type": "server_tool_use", "id": "s"}, text("a")]}],
        tools=[TOOL, {"type": "web_search_20250305", "name": "web_search"}],
        metadata={"user_id": "u"},
        top_k=5,
        service_tier="auto",
        cache_control={"type": "ephemeral"},
    )
    assert asks.ignored == (
        "metadata",
        "top_k",
        "service_tier",
        "tools.web_search_20250305",
        "messages.server_tool_use",
    )
    assert named_here(("stop", "temperature")) == ("stop_sequences", "temperature")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": HI * 10_001}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": user({"text": "hi"})}, "messages[0].content[0]"),
        ({"messages": user({"type": "container_upload"})}, "messages[0].content[0]"),
        ({"messages": user(image(type="url", url="ftp://x"))}, "messages[0].content[0].source"),
        ({"messages": user(image(type="file"))}, "messages[0].content[0]"),
        ({"messages": user(image(data="?"))}, "messages[0].content[0].source"),
        ({"messages": user({"type": "image"})}, "messages[0].content[0].source"),
        ({"messages": user({"type": "image", "source": 1})}, "messages[0].content[0].source"),
        ({"messages": user(*[image()] * 9)}, "messages"),
        ({"messages": user(document({"type": "url", "url": "x"}))}, "messages[0].content[0]"),
        ({"messages": user(document({"type": "file", "file_id": "f"}))}, "messages[0].content[0]"),
        ({"messages": user(document({"type": "base64", "data": "!"}))}, "messages[0].content[0]"),
        ({"messages": user({"type": "tool_result"})}, "messages[0].content[0].tool_use_id"),
        (
            {"messages": user({"type": "tool_result", "tool_use_id": "c", "content": [{"type": 1}]})},
            "messages[0].content[0].content[0].type",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{**CALL, "input": 1}]}]},
            "messages[0].content[0].input",
        ),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use"}]}]}, "messages[0].content[0]"),
        (
            {"messages": [{"role": "assistant", "content": [{**CALL, "id": str(n)} for n in range(129)]}]},
            "messages[0]",
        ),
        ({"messages": [{"role": "assistant", "content": [CALL] * 2}]}, "messages[0].content[1]"),
        ({"system": [image()]}, "system[0]"),
        ({"system": 1}, "system"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "7"}, "max_tokens"),
        ({"temperature": 1.5}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"stop_sequences": [" "]}, "stop_sequences"),
        ({"thinking": {"type": "often"}}, "thinking.type"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format"),
        ({"output_config": {"effort": "x" * 33}}, "output_config.effort"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": None}}},
            "output_config.format.schema",
        ),
        ({"tools": [{**TOOL, "name": "a b"}]}, "tools[0].name"),
        ({"tools": [{**TOOL, "name": "x" * 129}]}, "tools[0].name"),
        ({"tools": [{"name": "look"}]}, "tools[0].input_schema"),
        ({"tools": [{**TOOL, "input_schema": []}]}, "tools[0].input_schema"),
        ({"tools": [TOOL, TOOL]}, "tools[1].name"),
        ({"tools": [TOOL] * 513}, "tools"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "see"}}, "tool_choice.name"),
        ({"tools": [TOOL], "tool_choice": {"type": "all"}}, "tool_choice.type"),
    ],
)
def test_a_wrong_field_is_named(fields: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decoded(**fields)
    assert refused.value.param == param


def test_a_call_whose_input_is_null_has_none() -> None:
    said = {"role": "assistant", "content": [{**CALL, "input": None}]}
    (message, _) = decoded(messages=[said, {"role": "user", "content": "on"}]).messages
    assert isinstance(message, AssistantMessage)
    assert message.tool_calls[0].arguments == "{}"
