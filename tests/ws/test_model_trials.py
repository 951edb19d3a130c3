"""`models.test` and `models.probe`: one short question to a model, bounded in time and number."""

import asyncio
from typing import Any

import msgspec

from openclaw_gateway.gateway.operator.model_trials import MOST
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, fails, hangs, says
from tests.ws.peer import Peer, connected, request


async def test_a_model_answers(peer: Peer, models: ModelServer) -> None:
    models.enqueue(says("ready"))
    first = await peer.result("models.test")
    assert (first["ref"], first["ok"], first["text"], first["error"]) == (
        "mock/mock-echo",
        True,
        "ready",
        None,
    )
    assert first["durationMs"] >= 0
    models.enqueue(says("also"))
    other = await peer.result("models.test", {"model": "mock/other"})
    assert (other["ref"], other["text"]) == ("mock/other", "also")
    assert models.requests[-1].body["model"] == "other"
    assert "tools" not in models.requests[-1].body
    assert (await peer.result("sessions.list"))["sessions"] == []


async def test_what_fails_says_what_to_do(peer: Peer, models: ModelServer) -> None:
    models.enqueue(fails(401))
    refused = await peer.result("models.test")
    assert (refused["ok"], refused["error"]["code"]) == (False, "provider_auth_failed")
    models.enqueue(hangs())
    late = await peer.result("models.test", {"timeoutMs": 100})
    assert late["error"]["code"] == "provider_timeout"
    for wrong, code in (
        ({"model": "nobody/x"}, "model_not_allowed"),
        ({"model": "\x00\n"}, "model_not_allowed"),
        ({"agentId": "nobody"}, "agent_not_found"),
        ({"model": ""}, "invalid_params"),
        ({"model": "x" * 300}, "invalid_params"),
        ({"timeoutMs": 0}, "invalid_params"),
        ({"model": {"a": 1}}, "invalid_params"),
    ):
        error = await peer.error("models.test", wrong)
        assert error["details"]["code"] == code, error
        assert error["details"].get("param") in (None, "model", "agentId", "timeoutMs")


async def test_a_provider_is_probed(peer: Peer, models: ModelServer) -> None:
    models.enqueue(says("ready"), fails(429))
    well = await peer.result("models.probe", {"provider": "mock"})
    assert (well["status"], well["results"][0]["label"]) == ("ok", "mock/mock-echo")
    ill = await peer.result("models.probe", {"provider": "mock"})
    assert (ill["status"], bool(ill["error"])) == ("rate_limit", True)
    none = await peer.result("models.probe", {"provider": "nobody"})
    assert (none["status"], none["results"]) == ("no_model", [])
    error = await peer.error("models.probe", {"provider": "mock", "profileId": "p"})
    assert error["details"]["param"] == "profileId"


async def test_a_few_at_once(gateway: RunningGateway, models: ModelServer) -> None:
    models.enqueue(*(hangs() for _ in range(MOST)))
    async with connected(gateway) as peer:
        for at in range(MOST):
            await peer.send(request(f"t{at}", "models.test", {"timeoutMs": 1_500}))
        async with asyncio.timeout(10):
            await models.wait_requests(MOST)
        assert (await peer.error("models.test"))["details"]["code"] == "overloaded"
        for at in range(MOST):
            assert (await peer.answer(f"t{at}"))["payload"]["error"]["code"] == "provider_timeout"


async def test_a_key_is_never_said(models: ModelServer) -> None:
    secret = "sk-of-the-provider-0123456789"
    more: dict[str, Any] = {"models": {"providers": {"mock": {"apiKey": secret}}}}
    async with running_gateway(model_config(models.base_url, more)) as gateway, connected(gateway) as peer:
        models.enqueue(fails(401, f"the key {secret} is wrong"))
        said = await peer.result("models.test")
    assert secret not in msgspec.json.encode(said).decode()
