"""POST /v1/completions: through the real `openai` client, and what is refused."""

from typing import Any

import openai
import pytest

from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer, Reasoning, fails, says
from openclaw_gateway.wire.run import Usage
from tests.doors.chat import Answer, http, sdk


@pytest.mark.promise("completions")
async def test_a_prompt_is_a_chat_of_one_message(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says(Reasoning("hm"), "a", "b", usage=Usage(7, 3, 10), finish="length"))
    fields: Any = {"model": "openclaw", "prompt": "Say ab", "max_tokens": 5, "stop": ["c"], "user": "ann"}
    async with sdk(gateway) as client:
        whole = await client.completions.create(**fields)
        stream = await client.completions.create(
            **fields, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    assert (whole.choices[0].text, whole.choices[0].finish_reason, whole.object) == (
        "ab",
        "length",
        "text_completion",
    )
    assert whole.usage is not None
    assert whole.usage.total_tokens == 10
    assert [chunk.choices[0].text for chunk in chunks[:-1]] == ["a", "b", ""]
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []
    sent = models.requests[0].body
    assert sent["messages"][-1] == {"role": "user", "content": "Say ab"}
    assert (sent["max_tokens"], sent["stop"]) == (5, ["c"])


async def test_failures_are_the_client_s_own(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", fails(401))
    async with sdk(gateway) as client:
        for stream in (False, True):
            with pytest.raises(openai.AuthenticationError):
                await client.completions.create(model="openclaw", prompt="hi", stream=stream)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 2, 3]}, "prompt"),
        ({"prompt": "a", "n": 2}, "n"),
        ({"prompt": "a", "n": 0}, "n"),
        ({"prompt": "a", "best_of": 2}, "best_of"),
        ({"prompt": "a", "best_of": 0}, "best_of"),
        ({"prompt": "a", "max_tokens": 0}, "max_tokens"),
    ],
)
async def test_what_is_wrong_is_named(gateway: RunningGateway, fields: dict[str, Any], param: str) -> None:
    body = {"model": "openclaw", **fields}
    async with http(gateway) as session, session.post("/v1/completions", json=body) as response:
        answer = Answer(response.status, response.headers.copy(), await response.text())
    assert (answer.status, answer.error["param"]) == (400, param)


async def test_what_has_no_effect_is_named(gateway: RunningGateway) -> None:
    body = {"model": "openclaw", "prompt": ["hi"], "suffix": "x", "echo": True, "logprobs": 3}
    body["stream_options"] = {"include_obfuscation": True}
    async with http(gateway) as session, session.post("/completions", json=body) as response:
        assert response.status == 200
        assert response.headers["x-openclaw-ignored-params"] == (
            "suffix, echo, logprobs, stream_options.include_obfuscation"
        )
