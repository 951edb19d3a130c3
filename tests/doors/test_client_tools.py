"""The request's own tools, through the real `openai` client: offered, called, answered, gone on with."""

import re
from typing import Any

import openai
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import Answer, ask, assistant, sdk, user
from tests.doors.logged import logged
from tests.doors.tool_replies import calls

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather somewhere",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TIME: Any = {"type": "function", "function": {"name": "get_time", "parameters": None}}
OSLO = '{"city": "Oslo"}'


def ids(answer: Answer) -> list[str]:
    """Of the calls that the client is to make."""
    return [call["id"] for call in answer.json["choices"][0]["message"]["tool_calls"]]


@pytest.mark.promise("client-tools", "client-tools-go-on")
async def test_a_call_is_given_back_and_its_result_goes_on(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", calls(("call_1", "get_weather", OSLO), text="One moment."), says("Sunny."))
    messages: list[Any] = [user("How is Oslo?")]
    async with sdk(gateway) as client:
        first = await client.chat.completions.create(model="openclaw", messages=messages, tools=[WEATHER])
        choice = first.choices[0]
        assert choice.finish_reason == "tool_calls"
        assert choice.message.content == "One moment."
        assert choice.message.tool_calls is not None
        (call,) = choice.message.tool_calls
        assert (call.function.name, call.function.arguments) == ("get_weather", OSLO)  # type: ignore[union-attr]
        # Ours, which nobody can guess, and which the strictest vendor takes.
        assert re.fullmatch(r"[A-Za-z0-9]{9}", call.id)
        messages += [choice.message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
        second = await client.chat.completions.create(model="openclaw", messages=messages, tools=[WEATHER])
    assert second.choices[0].message.content == "Sunny."
    offered = models.requests[0].body["tools"]
    assert offered[-1]["function"]["name"] == "get_weather"
    assert "read" in {tool["function"]["name"] for tool in offered}
    upstream = models.requests[1].messages[1:]
    assert [m["role"] for m in upstream] == ["user", "assistant", "tool"]
    assert upstream[1]["tool_calls"][0]["id"] == call.id
    assert upstream[2] == {"role": "tool", "tool_call_id": call.id, "content": "sunny"}


async def test_calls_are_streamed_in_fragments(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", calls(("a", "get_weather", OSLO), ("b", "get_time", "{}")))
    async with sdk(gateway) as client:
        stream = await client.chat.completions.create(
            model="openclaw", messages=[{"role": "user", "content": "x"}], tools=[WEATHER, TIME], stream=True
        )
        names: dict[int, str] = {}
        arguments: dict[int, str] = {}
        finish = None
        async for chunk in stream:
            finish = chunk.choices[0].finish_reason or finish
            for call in chunk.choices[0].delta.tool_calls or ():
                assert call.function is not None
                if call.id:
                    assert call.function.arguments == ""
                    names[call.index] = call.function.name or ""
                arguments[call.index] = arguments.get(call.index, "") + (call.function.arguments or "")
    assert finish == "tool_calls"
    assert names == {0: "get_weather", 1: "get_time"}
    assert arguments == {0: OSLO, 1: "{}"}


@pytest.mark.promise("client-tools-go-on")
async def test_with_a_session_only_the_result_is_needed(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", calls(("call_1", "get_weather", OSLO)), says("Sunny."), says("Bye."))
    asked = await ask(gateway, {"messages": [user("How is Oslo?")], "tools": [WEATHER], "user": "ada"})
    result = {"role": "tool", "tool_call_id": ids(asked)[0], "content": "sunny"}
    answer = await ask(gateway, {"messages": [result], "tools": [WEATHER], "user": "ada"})
    assert answer.content == "Sunny."
    await ask(gateway, {"messages": [user("bye")], "user": "ada"})
    upstream = models.requests[2].messages[1:]
    assert [m["role"] for m in upstream] == ["user", "assistant", "tool", "assistant", "user"]


async def test_everything_resent_with_a_session_is_not_doubled(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", calls(("call_1", "get_weather", OSLO)), says("Sunny."))
    history: list[Any] = [user("How is Oslo?")]
    first = await ask(gateway, {"messages": history, "tools": [WEATHER], "user": "ada"})
    history += [
        first.json["choices"][0]["message"],
        {"role": "tool", "tool_call_id": ids(first)[0], "content": "sunny"},
    ]
    second = await ask(gateway, {"messages": history, "tools": [WEATHER], "user": "ada"})
    history += [second.json["choices"][0]["message"], user("and now?")]
    await ask(gateway, {"messages": history, "tools": [WEATHER], "user": "ada"})
    upstream = models.requests[2].messages[1:]
    assert [m["role"] for m in upstream] == ["user", "assistant", "tool", "assistant", "user"]


async def test_calls_that_were_never_answered_get_a_result_of_nothing(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", calls(("call_1", "get_weather", OSLO)), says("Fine."))
    asked = await ask(gateway, {"messages": [user("How is Oslo?")], "tools": [WEATHER], "user": "ada"})
    await ask(gateway, {"messages": [user("never mind")], "user": "ada"})
    upstream = models.requests[1].messages[1:]
    assert [m["role"] for m in upstream] == ["user", "assistant", "tool", "user"]
    assert [upstream[2]["tool_call_id"]] == ids(asked)


@pytest.mark.parametrize("session", [{}, {"user": "ada"}])
async def test_a_history_cut_at_its_beginning_is_served(
    gateway: RunningGateway, models: ModelServer, session: dict[str, str]
) -> None:
    """Results whose calls were cut off, calls whose results are gone: none of it reaches the model."""
    lonely: Any = {"role": "tool", "tool_call_id": "call_9", "content": "lost"}
    older: Any = {"role": "function", "name": "get_weather", "content": "lost"}
    asked: Any = {"role": "assistant", "content": None, "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    ]}  # fmt: skip
    history: list[Any] = [lonely, older, assistant("It was sunny."), user("and now?"), asked, user("well?")]
    answer = await ask(gateway, {"messages": history, **session})
    assert (answer.status, answer.content) == (200, "well?")
    history += [assistant("well?"), user("bye")]
    assert (await ask(gateway, {"messages": history, **session})).content == "bye"
    for request in models.requests:
        sent = request.messages[1:]
        results = [message["tool_call_id"] for message in sent if message["role"] == "tool"]
        assert results == ["call_1"]
        assert "lost" not in str(sent)
    texts = [message["content"] for message in models.requests[-1].messages if message["role"] == "user"]
    assert texts == ["and now?", "well?", "bye"]


@pytest.mark.promise("error.unknown_tool_call_id")
@pytest.mark.parametrize("session", [{}, {"user": "ada"}])
async def test_a_result_of_an_unknown_call_alone_is_refused(
    gateway: RunningGateway, models: ModelServer, session: dict[str, str]
) -> None:
    result = {"role": "tool", "tool_call_id": "call_9", "content": "x"}
    answer = await ask(gateway, {"messages": [result], **session})
    assert (answer.status, answer.error["code"]) == (400, "unknown_tool_call_id")
    assert "call_9" in answer.error["message"]
    assert models.requests == []


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
async def test_a_demanded_call(gateway: RunningGateway, models: ModelServer, choice: Any) -> None:
    models.script("mock-echo", calls(("c", "get_weather", OSLO), text="Let me see. "))
    body = {"messages": [user("x")], "tools": [WEATHER], "tool_choice": choice, "stream": True}
    answer = await ask(gateway, body)
    deltas = [frame["choices"][0]["delta"] for frame in answer.frames[:-1]]
    assert [sorted(delta) for delta in deltas][:3] == [["role"], ["content"], ["tool_calls"]]
    assert models.requests[0].body["tool_choice"] == choice


@pytest.mark.promise("error.tool_choice_unsatisfied")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_demanded_call_that_does_not_come(
    gateway: RunningGateway, models: ModelServer, stream: bool
) -> None:
    models.script("mock-echo", says("I would rather talk."))
    body = {"messages": [user("x")], "tools": [WEATHER], "tool_choice": "required", "stream": stream}
    answer = await ask(gateway, body)
    assert (answer.status, answer.error["code"]) == (502, "tool_choice_unsatisfied")
    assert "rather" not in answer.text


async def test_choice_none_offers_only_the_agent_s_own(gateway: RunningGateway, models: ModelServer) -> None:
    body = {"messages": [user("x")], "tools": [WEATHER], "tool_choice": "none"}
    assert (await ask(gateway, body)).content == "x"
    offered = {tool["function"]["name"] for tool in models.requests[0].body["tools"]}
    assert "read" in offered
    assert "get_weather" not in offered


@pytest.mark.parametrize(
    ("choice", "upstream"),
    [
        ({"type": "auto"}, None),
        ({"type": "required"}, "required"),
        ("any", "required"),
        ({"type": "any"}, "required"),
        ({"type": "function", "name": "get_weather"}, {"name": "get_weather"}),
        ({"function": {"name": "get_weather"}}, {"name": "get_weather"}),
        ({"type": "tool", "name": "get_weather"}, {"name": "get_weather"}),
    ],
)
async def test_choices_in_the_words_of_other_clients(
    gateway: RunningGateway, models: ModelServer, choice: Any, upstream: Any
) -> None:
    models.script("mock-echo", calls(("c", "get_weather", OSLO)))
    answer = await ask(gateway, {"messages": [user("x")], "tools": [WEATHER], "tool_choice": choice})
    assert answer.status == 200
    sent = models.requests[0].body.get("tool_choice")
    assert sent == ({"type": "function", "function": upstream} if isinstance(upstream, dict) else upstream)


async def test_choice_none_as_an_object(gateway: RunningGateway, models: ModelServer) -> None:
    body = {"messages": [user("x")], "tools": [WEATHER], "tool_choice": {"type": "none"}}
    assert (await ask(gateway, body)).status == 200
    assert "get_weather" not in str(models.requests[0].body["tools"])


async def test_tools_in_the_flat_form_of_the_newer_api(gateway: RunningGateway, models: ModelServer) -> None:
    flat = {"type": "function", **WEATHER["function"]}
    assert (await ask(gateway, {"messages": [user("x")], "tools": [flat]})).status == 200
    assert models.requests[0].body["tools"][-1] == WEATHER
    twice = await ask(gateway, {"messages": [user("x")], "tools": [flat, WEATHER]})
    assert (twice.status, twice.error["param"]) == (400, "tools[1].function.name")
    unnamed = await ask(gateway, {"messages": [user("x")], "tools": [{**flat, "name": "a b"}]})
    assert (unnamed.status, unnamed.error["param"]) == (400, "tools[0].name")


@pytest.mark.parametrize("strict", [True, False, None])
async def test_strict_is_passed_on(gateway: RunningGateway, models: ModelServer, strict: bool | None) -> None:
    said = {} if strict is None else {"strict": strict}
    tool = {"type": "function", "function": {**WEATHER["function"], **said}}
    answer = await ask(gateway, {"messages": [user("x")], "tools": [tool]})
    assert "x-openclaw-ignored-params" not in answer.headers
    assert models.requests[0].body["tools"][-1]["function"].get("strict") is strict


async def test_parallel_calls_may_be_forbidden(gateway: RunningGateway, models: ModelServer) -> None:
    body = {"messages": [user("x")], "tools": [WEATHER], "parallel_tool_calls": False}
    await ask(gateway, body)
    assert models.requests[0].body["parallel_tool_calls"] is False


async def test_a_missing_call_id_is_refused(gateway: RunningGateway) -> None:
    messages: list[Any] = [user("x"), {"role": "tool", "content": "y"}]
    async with sdk(gateway) as client:
        with pytest.raises(openai.BadRequestError, match="tool_call_id") as caught:
            await client.chat.completions.create(
                model="openclaw",
                messages=messages,
            )
    assert caught.value.param == "messages[1].tool_call_id"


@pytest.mark.promise("error.missing_tool_results")
async def test_results_of_one_message_come_together(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", calls(("a", "get_weather", OSLO), ("b", "get_time", "{}")), says("Fine."))
    asked = await ask(gateway, {"messages": [user("x")], "tools": [WEATHER, TIME], "user": "ada"})
    first, second = ids(asked)
    one: Any = {"role": "tool", "tool_call_id": first, "content": "sunny"}
    other: Any = {"role": "tool", "tool_call_id": second, "content": "noon"}
    alone = await ask(gateway, {"messages": [one], "tools": [WEATHER, TIME], "user": "ada"})
    assert (alone.status, alone.error["code"]) == (400, "missing_tool_results")
    assert second in alone.error["message"]
    both = await ask(gateway, {"messages": [one, other], "tools": [WEATHER, TIME], "user": "ada"})
    assert both.content == "Fine."
    assert [m["role"] for m in models.requests[-1].messages[1:]] == ["user", "assistant", "tool", "tool"]


async def test_a_call_of_another_tool_than_the_demanded_one(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", calls(("a", "get_time", "{}")))
    named = {"type": "function", "function": {"name": "get_weather"}}
    body = {"messages": [user("x")], "tools": [WEATHER, TIME], "tool_choice": named}
    answer = await ask(gateway, body)
    assert (answer.status, answer.error["code"]) == (502, "tool_choice_unsatisfied")


async def test_a_tool_that_was_not_offered_is_not_given_back(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", calls(("a", "get_time", "{}")), says("Never mind."))
    body = {"messages": [user("x")], "tools": [TIME], "tool_choice": "none"}
    answer = await ask(gateway, body)
    assert answer.content == "Never mind."
    assert answer.json["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
async def test_a_demanded_call_lets_out_what_was_held_in_order(
    gateway: RunningGateway, models: ModelServer, choice: Any
) -> None:
    models.script("mock-echo", calls(("a", "get_time", "{}"), ("b", "get_weather", OSLO), text="Hm."))
    body = {"messages": [user("x")], "tools": [WEATHER, TIME], "tool_choice": choice, "stream": True}
    answer = await ask(gateway, body)
    deltas = [frame["choices"][0]["delta"] for frame in answer.frames[:-1]]
    assert "".join(delta.get("content", "") for delta in deltas) == "Hm."
    begun = [call for delta in deltas for call in delta.get("tool_calls", ()) if "id" in call]
    assert [call["function"]["name"] for call in begun] == ["get_time", "get_weather"]


async def test_the_wrong_call_is_an_error_and_not_streamed(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", calls(("a", "get_time", "{}"), text="Hm."))
    choice = {"type": "function", "function": {"name": "get_weather"}}
    body = {"messages": [user("x")], "tools": [WEATHER, TIME], "tool_choice": choice, "stream": True}
    answer = await ask(gateway, body)
    assert (answer.status, answer.error["code"]) == (502, "tool_choice_unsatisfied")


async def test_tools_that_a_model_cannot_call_are_named_in_the_log(models: ModelServer) -> None:
    plain = {"id": "m", "compat": {"supportsTools": False}}
    provider = {"mock": {"baseUrl": models.base_url, "apiKey": "mock-key", "models": [plain]}}
    config = model_config(models.base_url, {"models": {"providers": provider}}, model="m")
    with logged() as log:
        async with running_gateway(config) as gateway:
            ordinary = await ask(gateway, {"messages": [user("x")]})
            ignoring = await ask(gateway, {"messages": [user("x")], "tools": [WEATHER]})
    assert "x-openclaw-ignored-params" not in ordinary.headers
    assert ignoring.headers["x-openclaw-ignored-params"] == "tools"
    (line,) = log.lines("run.ignored_params")
    ended = log.lines("run.ended")[-1]
    assert (line["run"], line["agent"], line["params"]) == (ended["run"], "main", ["tools"])
