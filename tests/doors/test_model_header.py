"""`x-openclaw-model`: which models a request may choose, and what is said of the others."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, fails, says
from tests.doors.chat import Answer, ask, user
from tests.doors.test_housekeeping import TITLE
from tests.doors.test_responses import post

LISTED: dict[str, Any] = {
    "gateway": {"http": {"endpoints": {"responses": {"enabled": True}}}},
    "agents": {
        "defaults": {
            "model": {"primary": "mock/mock-echo", "fallbacks": ["mock/second"]},
            "models": {"mock/large": {"alias": "Big", "params": {"temperature": 0.25}}, "mock/small": {}},
        },
        "list": [
            {"id": "main", "default": True},
            {"id": "own", "models": {"mock/mine": {}}},
            {"id": "narrow", "modelPolicy": {"allow": ["MOCK/la*", "gone/*"]}},
        ],
    },
    "tools": {"byProvider": {"mock/small": {"deny": ["exec"]}}},
}


@pytest.fixture
async def there(models: ModelServer) -> AsyncIterator[RunningGateway]:
    async with running_gateway(model_config(models.base_url, LISTED)) as gateway:
        yield gateway


async def choose(gateway: RunningGateway, wanted: str, agent: str = "main", **fields: Any) -> Answer:
    body = {"model": f"openclaw/{agent}", "messages": [user("hi")], **fields}
    return await ask(gateway, body, headers={"x-openclaw-model": wanted})


@pytest.mark.promise("model-header")
@pytest.mark.parametrize(
    ("wanted", "agent", "used"),
    [
        ("mock/large", "main", "mock/large"),
        (" MOCK/large ", "main", "mock/large"),
        ("big", "main", "mock/large"),
        ("mock/second", "main", "mock/second"),
        ("mock/mock-echo", "narrow", "mock/mock-echo"),
        ("mock/mine", "own", "mock/mine"),
        ("Big", "own", "mock/large"),
        ("mock/large", "narrow", "mock/large"),
        ("mock/last", "narrow", "mock/last"),
    ],
)
async def test_a_listed_model_is_asked(
    there: RunningGateway, models: ModelServer, wanted: str, agent: str, used: str
) -> None:
    for stream in (False, True):
        answer = await choose(there, wanted, agent, stream=stream)
        assert (answer.status, answer.headers["x-openclaw-model"]) == (200, used), answer.text
        assert "x-openclaw-ignored-params" not in answer.headers
        assert f"{models.requests[-1].model}" == used.partition("/")[2]
    sent = await ask(there, {"messages": [user("hi")]}, headers={"x-clawdbot-model": "Big"})
    assert sent.headers["x-clawdbot-model"] == sent.headers["x-openclaw-model"] == "mock/large"


@pytest.mark.promise("CVE-2026-62186", "error.model_not_allowed")
@pytest.mark.parametrize(
    ("wanted", "agent"),
    [
        ("mock/other", "main"),
        ("nonsense", "main"),
        ("mock/mine", "main"),
        ("mock/small", "narrow"),
        ("openai/gpt-5", "own"),
        ("mock/l", "narrow"),
        ("*", "narrow"),
    ],
)
async def test_any_other_model_is_refused(
    there: RunningGateway, models: ModelServer, wanted: str, agent: str
) -> None:
    refused = await choose(there, wanted, agent)
    assert (refused.status, refused.error["code"]) == (400, "model_not_allowed")
    assert refused.error["param"] == "x-openclaw-model"
    assert "agents.defaults.models" in refused.error["message"]
    assert "mock/mock-echo" in refused.error["message"]
    assert not models.requests


async def test_what_is_listed_and_cannot_be_had_is_said(there: RunningGateway) -> None:
    refused = await choose(there, "gone/m", "narrow")
    assert (refused.status, refused.error["code"]) == (400, "model_not_found")


async def test_nobody_gets_another_model_s_answer_instead(there: RunningGateway, models: ModelServer) -> None:
    models.script("large", fails(401))
    models.script("mock-echo", fails(401))
    assert (await choose(there, "Big")).status >= 400
    assert {request.model for request in models.requests} == {"large"}
    plain = await ask(there, {"messages": [user("hi")]})
    assert (plain.status, plain.headers.get("x-openclaw-model")) == (200, None)
    assert models.requests[-1].model == "second"


async def test_its_settings_and_what_its_provider_s_tools_may_be_count(
    there: RunningGateway, models: ModelServer
) -> None:
    await choose(there, "Big")
    assert models.requests[-1].body["temperature"] == 0.25
    names: dict[str, set[str]] = {}
    for model in ("large", "small"):
        await choose(there, f"mock/{model}")
        names[model] = {tool["function"]["name"] for tool in models.requests[-1].body["tools"]}
    assert names["large"] - names["small"] == {"exec"}


async def test_a_name_of_a_request_is_of_one_model(there: RunningGateway, models: ModelServer) -> None:
    statuses = []
    for wanted in ("Big", "mock/large", "mock/small"):
        headers = {"x-openclaw-model": wanted, "Idempotency-Key": "k"}
        statuses.append((await ask(there, {"messages": [user("hi")]}, headers=headers)).status)
    assert statuses == [200, 200, 422]
    assert len(models.requests) == 1


async def test_what_a_front_end_asks_for_itself_stays_with_the_utility_model(
    there: RunningGateway, models: ModelServer
) -> None:
    models.enqueue(says("A title"))
    answer = await ask(there, TITLE, headers={"x-openclaw-model": "Big"})
    assert answer.headers["x-openclaw-ignored-params"] == "x-openclaw-model"
    assert models.requests[-1].model == "mock-echo"


async def test_responses_choose_too(there: RunningGateway, models: ModelServer) -> None:
    answer = await post(there, {"model": "openclaw", "input": "hi"}, {"x-openclaw-model": "Big"})
    assert (answer.status, answer.headers["x-openclaw-model"]) == (200, "mock/large")
    assert models.requests[-1].model == "large"
