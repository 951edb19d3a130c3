"""Tools for a model that cannot call any."""

from typing import Any

import msgspec
import pytest

from openclaw_gateway.models.dialects import unsupported
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.toolless import without_tools
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.events import TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.messages import ToolCall, ToolMessage, UserMessage, assistant
from openclaw_gateway.wire.run import NamedTool, Sampling
from tests.models.calls import HI, caller, run, target
from tests.models.test_openai_completions import TOOLS

TOOLLESS = Family(tools=False)


@pytest.mark.parametrize(
    ("choice", "names"), [("auto", ("tools",)), ("none", ()), ("required", ()), (NamedTool("time"), ())]
)
async def test_what_is_offered(models: ModelServer, choice: Any, names: Any) -> None:
    models.script("m", says("{}"))
    to = target(models, family=TOOLLESS)
    async with caller() as calls:
        await run(calls, to, tools=TOOLS, tool_choice=choice)
    sent = models.requests[0].body
    assert "tools" not in sent
    assert "tool_choice" not in sent
    assert ("response_format" in sent) is (names == () and choice != "none")
    assert unsupported(to, ModelRequest("", HI, Sampling(), TOOLS, choice)) == names


async def test_a_named_tool_streams_its_arguments(models: ModelServer) -> None:
    models.script("m", says('{"zone"', ":1}"))
    async with caller() as calls:
        outcome = await run(
            calls,
            target(models, family=TOOLLESS),
            system="Be nice.",
            tools=TOOLS,
            tool_choice=NamedTool("time"),
        )
    (call,) = outcome.tool_calls
    assert (call.name, call.arguments, outcome.finish_reason) == ("time", '{"zone":1}', "tool_calls")
    assert outcome.events[1:4] == [
        ToolCallStarted(0, call.id, "time"),
        ToolCallArguments(0, '{"zone"'),
        ToolCallArguments(0, ":1}"),
    ]
    sent = models.requests[0].body
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert sent["messages"][0]["content"].startswith("Be nice.\n\nAnswer only with the JSON")


async def test_one_of_several(models: ModelServer) -> None:
    models.script("m", says('{"name":"weather",', '"arguments":{"city":"Oslo"}}'))
    async with caller() as calls:
        outcome = await run(calls, target(models, family=TOOLLESS), tools=TOOLS, tool_choice="required")
    (call,) = outcome.tool_calls
    assert (call.name, call.arguments) == ("weather", '{"city":"Oslo"}')
    assert outcome.texts == []
    schema = models.requests[0].body["response_format"]["json_schema"]["schema"]
    assert [each["properties"]["name"]["const"] for each in schema["anyOf"]] == ["weather", "time"]


@pytest.mark.parametrize("said", ["Hello.", '{"name":"weather"', "[]", '{"arguments":{}}'])
async def test_an_answer_that_is_no_call_stays_an_answer(models: ModelServer, said: str) -> None:
    models.script("m", says(said))
    async with caller() as calls:
        outcome = await run(calls, target(models, family=TOOLLESS), tools=TOOLS, tool_choice="required")
    assert (outcome.texts, outcome.tool_calls, outcome.finish_reason) == ([said], (), "stop")


async def test_a_call_that_was_cut_off_is_none(models: ModelServer) -> None:
    models.script("m", says('{"zone":', finish="length"))
    async with caller() as calls:
        outcome = await run(
            calls, target(models, family=TOOLLESS), tools=TOOLS, tool_choice=NamedTool("time")
        )
    assert (outcome.tool_calls, outcome.finish_reason) == ((), "length")
    assert not any(isinstance(event, TextDelta) for event in outcome.events)


def test_earlier_calls_become_text() -> None:
    messages = (
        UserMessage("a"),
        assistant("Wait.", (ToolCall("c", "f", "{}"),)),
        ToolMessage("c", "nine", name="f"),
    )
    assert list(without_tools(ModelRequest("", messages)).messages) == [
        UserMessage("a"),
        assistant("Wait.\nI call f with {}"),
        UserMessage("Result of f:\nnine"),
    ]
    assert msgspec.json.encode(without_tools(ModelRequest("s", (), tools=TOOLS)).tools) == b"[]"
