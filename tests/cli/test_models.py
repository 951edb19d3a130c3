"""`models list` and `models test`: which models there are, and whether they answer."""

import pytest

from openclaw_gateway.testing.model_server import ModelServer, fails, says
from openclaw_gateway.wire.run import Usage
from tests.cli.conftest import Program


@pytest.fixture
def listed(program: Program, models: ModelServer) -> Program:
    program.configure(
        {
            "models": {
                "providers": {
                    "mock": {
                        "baseUrl": models.base_url,
                        "models": [{"id": "m", "contextWindow": 9000}, {"id": "n"}],
                    }
                }
            },
            "agents": {
                "defaults": {"model": {"primary": "mock/m", "fallbacks": ["nvidia/x"]}},
                "list": [{"id": "one"}, {"id": "two", "model": "mock/n"}],
            },
        }
    )
    return program


@pytest.mark.promise("models-list")
async def test_list_tells_who_uses_what_and_what_cannot_be_had(listed: Program) -> None:
    done = await listed.run("models", "list", "--json")
    assert (done.code, done.json["ok"], done.json["default"]) == (0, True, "mock/m")
    models = {model["ref"]: model for model in done.json["models"]}
    assert models["mock/m"] | {"problem": None} == {
        "ref": "mock/m",
        "agents": ["one"],
        "available": True,
        "problem": None,
        "api": "openai-completions",
        "contextWindow": 9000,
    }
    assert models["mock/n"]["agents"] == ["two"]
    assert (models["nvidia/x"]["available"], "NVIDIA_API_KEY" in models["nvidia/x"]["problem"]) == (
        False,
        True,
    )
    shown = (await listed.run("models", "list")).out
    assert "used by two" in shown
    assert "9,000 tokens" in shown


@pytest.mark.promise("models-list")
async def test_list_asks_providers_which_models_they_have(listed: Program, models: ModelServer) -> None:
    done = await listed.run("models", "list", "--all", "--json")
    assert done.json["offered"] == {"mock": ["mock-20-0", "mock-echo"]}


@pytest.mark.promise("models-test")
async def test_test_asks_each_model_once_and_tells_what_it_said(listed: Program, models: ModelServer) -> None:
    models.script("m", says("ready", usage=Usage(9, 1, 10)))
    models.script("n", fails(401))
    done = await listed.run("models", "test", "mock/m", "--json")
    (tried,) = done.json["models"]
    assert (done.code, tried["ok"], tried["text"], tried["usage"]["total_tokens"]) == (0, True, "ready", 10)
    assert len(models.requests) == 1
    assert models.requests[0].body["max_tokens"] == 64
    done = await listed.run("models", "test", "--json")
    by_ref = {model["ref"]: model for model in done.json["models"]}
    assert (done.code, done.json["ok"]) == (1, False)
    assert by_ref["mock/m"]["ok"]
    assert by_ref["mock/n"]["error"]["code"] == "provider_auth_failed"
    assert by_ref["nvidia/x"]["error"]["code"] == "model_not_found"
    done = await listed.run("models", "test", "mock/n")
    assert (done.code, done.out) == (1, "")
    assert "models.providers.mock.apiKey" in done.err
