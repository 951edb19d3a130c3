"""Conversations that outgrow the model: summarised at the threshold, and when the provider says so."""

from typing import Any

import pytest

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, ModelServer, calls, fails, says
from openclaw_gateway.wire.run import Usage
from tests.doors.chat import ask, assistant, say, user

LONG = "a" * 8000
SUMMARISE = "You write the summary"


def config(models: ModelServer, tokens: int) -> dict[str, Any]:
    agents = {"agents": {"defaults": {"contextTokens": tokens}}}
    return model_config(models.base_url, agents, model="m")


def contents(models: ModelServer) -> list[str]:
    return [message["content"] for message in models.requests[-1].messages]


@pytest.mark.promise("compaction", "compaction-whole")
async def test_at_the_threshold_the_past_becomes_a_summary(models: ModelServer) -> None:
    models.script("m", says(LONG))
    async with running_gateway(config(models, 12_000)) as gateway:
        for number in range(4):
            await say(gateway, f"q{number}", user="ada")
        models.enqueue(says("We spoke of many things."), says("fine"))
        answer = await say(gateway, "q4", user="ada")
        assert answer.content == "fine"
        assert len(models.requests) == 6
        assert any("We spoke of many things." in text for text in contents(models))
        assert "q0" not in contents(models)

        history = [m for number in range(4) for m in (user(f"q{number}"), assistant(LONG))]
        history += [user("q4"), assistant("fine"), user("q5")]
        await ask(gateway, {"messages": history, "user": "ada"})
        assert len(models.requests) == 7
        assert contents(models).count("q4") == 1
        assert contents(models)[-1] == "q5"
        entries = await gateway.gateway._store.transcript("operator", "agent:main:openai-user:ada", limit=100)
        assert [e.message.content for e in entries if e.message.content.startswith("q")] == [
            f"q{number}" for number in range(6)
        ]


async def test_an_overflow_told_by_the_provider_is_one_compaction_and_one_retry(models: ModelServer) -> None:
    models.script("m", says(LONG))
    async with running_gateway(config(models, 100_000)) as gateway:
        for number in range(4):
            await say(gateway, f"q{number}", user="ada")
        too_long = fails(400, "too long", code="context_length_exceeded")
        models.enqueue(too_long, says("In short."), says("fine"))
        answer = await say(gateway, "q4", user="ada")
        assert answer.content == "fine"
        assert any("In short." in text for text in contents(models))
        assert contents(models)[-1] == "q4"


async def test_the_providers_own_count_is_above_the_estimate(models: ModelServer) -> None:
    models.script("m", says(LONG[:4000]))
    async with running_gateway(config(models, 12_000)) as gateway:
        for number in range(3):
            await say(gateway, f"q{number}", user="ada")
        counted = Usage(11_000, 5, 11_005)
        models.enqueue(calls(Call("ls"), usage=counted), says("In short."), says("fine"))
        answer = await say(gateway, "q3", user="ada")
        assert answer.content == "fine"
        assert any("In short." in text for text in contents(models) if text)
        assert "q0" not in contents(models)


async def test_a_small_window_is_not_summarised_at_every_turn(models: ModelServer) -> None:
    said = "b" * 2250
    models.script("m", says(said))
    model = {"id": "m", "contextWindow": 8000, "maxTokens": 500}
    provider = {"baseUrl": models.base_url, "apiKey": "mock-key", "models": [model]}
    small = model_config(models.base_url, {"models": {"providers": {"mock": provider}}}, model="m")
    asked = [f"q{number} " + "a" * 2250 for number in range(8)]
    async with running_gateway(small) as gateway:
        for question in asked:
            await say(gateway, question, user="ada")
    summaries = [r for r in models.requests if r.messages[0]["content"].startswith(SUMMARISE)]
    assert 1 <= len(summaries) <= 3
    assert {request.body["max_tokens"] for request in summaries} == {500}
    answered = [[m["content"] for m in r.messages] for r in models.requests if r not in summaries]
    assert [sent[-1] for sent in answered] == asked
    assert [sent[-3:-1] for sent in answered[1:]] == [[question, said] for question in asked[:-1]]
