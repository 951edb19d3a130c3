"""What a stream tells of the agent's own tools, to who asks for it and to nobody else."""

from typing import Any

import msgspec
import pytest

from openclaw_gateway.doors.openai.shapes import ChatCompletionChunk
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, ModelServer, Reasoning, calls, says
from tests.doors.chat import CHAT, Answer, ask, http, sdk, user

_READ = calls(Call("ls", "{}"), Call("read", '{"path":"nosuch.txt"}'))


async def streamed(gateway: RunningGateway, progress: str | None, **headers: str) -> Answer:
    wish = {} if progress is None else {"x-openclaw-progress": progress}
    return await ask(gateway, {"messages": [user("hi")], "stream": True}, headers={**wish, **headers})


def deltas(answer: Answer) -> list[dict[str, Any]]:
    return [frame["choices"][0]["delta"] for frame in answer.frames[:-1]]


@pytest.mark.parametrize("progress", [None, "off"])
async def test_nothing_unless_it_is_asked_for(
    models: ModelServer, gateway: RunningGateway, progress: str | None
) -> None:
    models.script("mock-echo", _READ, says("done"))
    answer = await streamed(gateway, progress)
    assert deltas(answer) == [{"role": "assistant"}, {"content": "done"}, {}]
    assert "x_openclaw" not in answer.text


@pytest.mark.promise("progress")
async def test_as_an_extension(models: ModelServer, gateway: RunningGateway) -> None:
    models.script("mock-echo", _READ, says("done"))
    answer = await streamed(gateway, "extension")
    told = [frame for frame in answer.frames[:-1] if "x_openclaw" in frame]
    tools = [frame["x_openclaw"]["tool"] for frame in told]
    assert sorted((tool["name"], tool["status"]) for tool in tools) == [
        ("ls", "completed"),
        ("ls", "started"),
        ("read", "failed"),
        ("read", "started"),
    ]
    assert all(("ms" in tool) == (tool["status"] != "started") for tool in tools)
    assert {frame["id"] for frame in told} == {answer.frames[0]["id"]}
    assert all(frame["choices"][0]["delta"] == {} for frame in told)
    assert all(msgspec.convert(frame, ChatCompletionChunk).x_openclaw for frame in told)
    assert "nosuch" not in answer.text
    assert [delta for delta in deltas(answer) if delta] == [{"role": "assistant"}, {"content": "done"}]


@pytest.mark.promise("progress-by-key")
async def test_as_the_configuration_says_where_the_request_does_not(models: ModelServer) -> None:
    models.script("mock-echo", *[_READ, says("done")] * 2)
    more = {"gateway": {"http": {"endpoints": {"chatCompletions": {"progress": "extension"}}}}}
    async with running_gateway(model_config(models.base_url, more)) as gateway:
        assert "x_openclaw" in (await streamed(gateway, None)).text
        assert "x_openclaw" not in (await streamed(gateway, "off")).text


async def test_as_lines_of_the_thoughts(models: ModelServer, gateway: RunningGateway) -> None:
    models.script("mock-echo", _READ, says(Reasoning("hm"), "done"))
    answer = await streamed(gateway, "reasoning")
    thoughts = [delta["reasoning_content"] for delta in deltas(answer) if "reasoning_content" in delta]
    assert sorted(thoughts[:3]) == ["[ls …]\n", "[read failed]\n", "[read …]\n"]
    assert thoughts[3:] == ["hm"]
    assert "x_openclaw" not in answer.text
    assert "tool_calls" not in answer.text


@pytest.mark.parametrize("progress", ["extension", "reasoning"])
async def test_the_official_client_reads_on(
    models: ModelServer, gateway: RunningGateway, progress: str
) -> None:
    models.script("mock-echo", _READ, says("done"))
    async with sdk(gateway, default_headers={"x-openclaw-progress": progress}) as client:
        async with client.chat.completions.stream(
            model="openclaw", messages=[{"role": "user", "content": "hi"}]
        ) as stream:
            final = await stream.get_final_completion()
        whole = await client.chat.completions.create(
            model="openclaw", messages=[{"role": "user", "content": "hi"}]
        )
    assert final.choices[0].message.content == "done"
    assert not final.choices[0].message.tool_calls
    assert whole.choices[0].message.content == "done"


@pytest.mark.parametrize("progress", ["extension", "reasoning"])
async def test_it_has_its_place_in_a_stream_that_is_resumed(
    models: ModelServer, gateway: RunningGateway, progress: str
) -> None:
    models.script("mock-echo", _READ, says("done"))
    whole = (await streamed(gateway, progress, **{"x-openclaw-detach": "true"})).text
    id_ = whole[whole.index("chatcmpl_") :].partition('"')[0]
    async with http(gateway) as session, session.get(f"{CHAT}/{id_}/events?after=2") as response:
        rest = await response.text()
    assert rest.replace(": keepalive\n\n", "") == whole[whole.index("id: 3\n") :]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", {"prompt": "hi"}),
        ("/v1/responses", {"input": "hi"}),
        ("/v1/messages", {"messages": [user("hi")]}),
        ("/v1/agents/sessions", {"input": "hi", "environment": {"type": "none"}}),
    ],
)
async def test_a_door_that_does_not_go_by_it_says_so(
    models: ModelServer, path: str, body: dict[str, Any]
) -> None:
    on = {name: {"enabled": True} for name in ("responses", "messages", "agents")}
    more = {"gateway": {"http": {"endpoints": on}}}
    wish = {"x-clawdbot-progress": "extension", "x-openclaw-detach": "true"}
    async with (
        running_gateway(model_config(models.base_url, more)) as gateway,
        http(gateway) as session,
        session.post(path, json=body, headers=wish) as response,
    ):
        assert response.status == 200
        ignored = response.headers["x-openclaw-ignored-params"].split(", ")
    assert {"x-openclaw-detach", "x-openclaw-progress"} <= set(ignored)
