"""A call that the model's limit cut in the middle: the model is told, once, and what is stored shows it."""

from pathlib import Path

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, ModelServer, says
from openclaw_gateway.wire.run import Usage
from tests.doors.chat import say

CUT = says("Writing.", Call("write", '{"path": "a", "content": "on'), finish="length", usage=Usage(9, 64, 73))


async def test_the_model_is_told_and_says_it_in_a_shorter_call(tmp_path: Path) -> None:
    async with ModelServer() as models:
        models.script("mock-echo", CUT, says("Shorter."), says("Yes."))
        async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
            answer = await say(gateway, "write it", user="ada")
            assert (answer.status, answer.content) == (200, "Writing.\n\nShorter.")
            assert answer.json["choices"][0]["finish_reason"] == "stop"
            assert (await say(gateway, "and?", user="ada")).status == 200
    told = models.requests[1].messages[-1]
    assert told["role"] == "tool"
    assert "cut off at its limit (64 tokens)" in told["content"]
    assert [m["role"] for m in models.requests[2].messages[1:]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


async def test_it_is_told_once(tmp_path: Path) -> None:
    async with ModelServer() as models:
        models.script("mock-echo", CUT)
        async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
            answer = await say(gateway, "write it", user="ada")
            assert answer.json["choices"][0]["finish_reason"] == "length"
            assert len(models.requests) == 2
            # What is stored can be gone on with.
            models.script("mock-echo", says("So."))
            assert (await say(gateway, "go on", user="ada")).content == "So."


async def test_a_call_of_the_clients_is_as_it_was_shown(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "write", "parameters": {"type": "object"}}}
    async with ModelServer() as models:
        models.script("mock-echo", CUT)
        config = model_config(models.base_url, {"tools": {"profile": "minimal"}})
        async with running_gateway(config, state_dir=tmp_path) as gateway:
            answer = await say(gateway, "write it", tools=[tool])
            assert answer.json["choices"][0]["finish_reason"] == "length"
            assert len(models.requests) == 1
