"""One part that cannot be served does not stop the rest: it is named, and whoever asks for it hears why."""

import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import ConfigError
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import ask, http, say, user

KEY = "sk-stored-and-private"


def agents(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"agents": {"list": [{"id": "main"}, *entries]}, **more}


async def refused(gateway: RunningGateway, agent: str) -> str:
    answer = await say(gateway, "hi", model=f"openclaw/{agent}")
    assert (answer.status, answer.error["code"]) == (503, "agent_unavailable")
    assert answer.headers["x-should-retry"] == "false"
    return str(answer.error["message"])


@pytest.mark.promise("error.agent_unavailable")
@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("nosuch/m", 'The provider "nosuch"'),
        ("groq/m", "set GROQ_API_KEY"),
        ("openai-codex/gpt-5", "signs in with a ChatGPT account; use openai/<model>"),
        ({"primary": "amazon-bedrock/x", "fallbacks": ["gone/y"]}, 'The provider "gone"'),
        ("acme/m", "NOPE, which is not set"),
    ],
)
async def test_an_agent_that_cannot_be_served_says_why_and_the_others_serve(
    models: ModelServer, model: Any, said: str
) -> None:
    acme = {"providers": {"acme": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "${NOPE}"}}}
    config = model_config(models.base_url, agents({"id": "other", "model": model}, models=acme))
    async with running_gateway(config) as gateway:
        assert said in await refused(gateway, "other")
        assert (await say(gateway, "hi")).status == 200
        body = {"model": "openclaw/other", "messages": [user("hi")], "stream": True}
        assert (await ask(gateway, body)).status == 503
        async with http(gateway) as session, session.get("/ready") as ready:
            assert ready.status == 200
    assert len(models.requests) == 1


@pytest.mark.promise("left-out")
async def test_a_fallback_that_cannot_be_had_is_left_out(models: ModelServer) -> None:
    model = {"primary": "nosuch/m", "fallbacks": ["github-copilot/m", "mock/mock-echo"]}
    config = model_config(models.base_url, {"agents": {"defaults": {"model": model}}})
    async with running_gateway(config) as gateway:
        assert (await say(gateway, "hi")).status == 200
        left_out = [str(problem) for problem in gateway.daemon.plan.left_out]
    assert [text.partition(":")[0] for text in left_out] == ["agents.defaults.model"] * 2


@pytest.mark.promise("nothing-left")
async def test_where_nothing_can_be_served_the_start_says_why(models: ModelServer) -> None:
    config = model_config(
        models.base_url,
        agents({"id": "b", "model": "groq/m"}) | {"agents": {"defaults": {"model": "nosuch/m"}}},
    )
    with pytest.raises(ConfigError, match='The provider "nosuch"'):
        async with running_gateway(config):
            pass


async def test_the_default_agent_may_be_the_one_that_cannot_be_served(models: ModelServer) -> None:
    config = model_config(models.base_url, agents({"id": "other", "model": "mock/mock-echo"}))
    config["agents"]["defaults"]["model"] = "nosuch/m"
    async with running_gateway(config) as gateway:
        assert (await say(gateway, "hi")).status == 503
        assert (await say(gateway, "hi", model="openclaw/other")).status == 200


@pytest.mark.promise("stored-keys")
async def test_a_key_that_openclaw_has_stored_is_used_and_its_file_left_alone(
    models: ModelServer, tmp_path: Path
) -> None:
    path = tmp_path / "agents" / "main" / "agent" / "auth-profiles.json"
    path.parent.mkdir(parents=True)
    stored = {"mock:default": {"type": "api_key", "provider": "mock", "key": KEY}}
    path.write_text(json.dumps({"version": 1, "profiles": stored}))
    before = path.read_bytes()
    config = model_config(models.base_url, agents({"id": "other"}))
    del config["models"]["providers"]["mock"]["apiKey"]
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        assert (await say(gateway, "hi")).status == 200
        assert (await say(gateway, "hi", model="openclaw/other")).status == 200
    assert [each.headers["Authorization"] for each in models.requests] == [f"Bearer {KEY}"] * 2
    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["auth-profiles.json"]


@pytest.mark.promise("keys-again")
async def test_keys_are_read_again_with_the_files(models: ModelServer, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk-first-and-private")
    path.chmod(0o600)
    config = model_config(
        models.base_url,
        {"secrets": {"providers": {"box": {"source": "file", "path": str(path), "mode": "singleValue"}}}},
    )
    config["models"]["providers"]["mock"]["apiKey"] = {"source": "file", "provider": "box", "id": "value"}
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        assert (await say(gateway, "hi")).status == 200
        path.write_text(KEY)
        reload = gateway.daemon.reload
        assert reload is not None
        before = gateway.gateway.standing.count
        reload.check()
        assert (await reload.attempts_after(before)).problems == ()
        assert (await say(gateway, "hi")).status == 200
        # A source that is away for a moment takes nobody's agents away.
        path.unlink()
        before = gateway.gateway.standing.count
        reload.check()
        assert (await reload.attempts_after(before)).problems == ()
        assert (await say(gateway, "hi")).status == 200
    used = [each.headers["Authorization"] for each in models.requests]
    assert used == ["Bearer sk-first-and-private", f"Bearer {KEY}", f"Bearer {KEY}"]
