"""What went wrong in programs of this kind, tried through the doors; the identifiers are public records."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, fails
from tests.doors.chat import ask, assistant, http, say, user
from tests.ws.peer import connect_params, dial


def traces(secret: bytes) -> list[str]:
    """A secret, and what could be made from it, as it would stand in a text."""
    digests = [hashlib.new(name, secret).digest() for name in ("md5", "sha1", "sha256", "sha512")]
    forms = [base64.b64encode(secret), *(d.hex()[:12].encode() for d in digests)]
    return [form.decode() for form in (secret, *forms, *(base64.b64encode(d)[:12] for d in digests))]


@pytest.mark.promise("CVE-2026-100543")
async def test_nothing_made_from_a_secret_leaves_the_process(models: ModelServer, tmp_path: Path) -> None:
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        told = []
        async with dial(gateway.ws_url) as peer:
            told.append(await peer.event("connect.challenge"))
            told.append(await peer.result("connect", connect_params(gateway.token)))
            for method in ("health", "status", "agents.list", "models.list", "sessions.list"):
                told.append(await peer.result(method))
        text = msgspec.json.encode(told).decode()
        async with http(gateway) as session:
            for path in ("/", "/health", "/ready", "/v1/models"):
                async with session.get(path) as response:
                    text += str(response.headers) + await response.text()
        answer = await say(gateway, "hi", user="ada")
        text += str(answer.headers) + answer.text
    config = (tmp_path / "openclaw.json").read_bytes()
    for secret in (gateway.token.encode(), b"mock-key", config):
        assert not [trace for trace in traces(secret) if trace in text]


@pytest.mark.promise("CVE-2026-100528")
async def test_no_field_of_a_request_chooses_where_it_goes(
    gateway: RunningGateway, models: ModelServer
) -> None:
    async with ModelServer() as elsewhere:
        url = elsewhere.base_url
        fields = dict.fromkeys(("base_url", "baseUrl", "api_base", "endpoint", "proxy", "webhook"), url)
        more: dict[str, Any] = {"api_key": "sk-mine", "provider": {"baseUrl": url}, "extra_body": fields}
        headers = {
            "x-openclaw-base-url": url,
            "x-api-base": url,
            "api-key": "sk-mine",
            "x-api-key": "sk-mine",
        }
        answer = await ask(gateway, {"messages": [user("hi")], **fields, **more}, headers=headers)
        assert answer.status == 200
        assert elsewhere.requests == []
    (request,) = models.requests
    assert request.headers["Authorization"] == "Bearer mock-key"
    assert url not in request.raw.decode() + str(request.headers)
    assert "sk-mine" not in request.raw.decode() + str(request.headers)


@pytest.mark.promise("CVE-2026-100528")
async def test_a_fallback_gets_its_own_key_and_no_other(models: ModelServer) -> None:
    models.script("first", fails(401))
    async with ModelServer() as second:
        providers = {"other": {"baseUrl": second.base_url, "apiKey": "other-key", "models": []}}
        model = {"primary": "mock/first", "fallbacks": ["other/second"]}
        config = {"models": {"providers": providers}, "agents": {"defaults": {"model": model}}}
        async with running_gateway(model_config(models.base_url, config)) as gateway:
            assert (await say(gateway, "hi")).status == 200
        assert {request.headers["Authorization"] for request in models.requests} == {"Bearer mock-key"}
        assert {request.headers["Authorization"] for request in second.requests} == {"Bearer other-key"}
        assert "mock-key" not in str([(request.headers, request.raw) for request in second.requests])


@pytest.mark.promise("CVE-2026-42208")
async def test_credentials_and_session_keys_are_text(gateway: RunningGateway, models: ModelServer) -> None:
    sql = "x' OR '1'='1'; DROP TABLE sessions; --"
    for credential in (sql, f"{gateway.token}' --", "' UNION SELECT 1 --"):
        async with (
            aiohttp.ClientSession() as session,
            session.get(
                f"{gateway.base_url}/models", headers={"Authorization": f"Bearer {credential}"}
            ) as got,
        ):
            assert got.status == 401
    for text in ("one", "two"):
        assert (await say(gateway, text, user=sql)).status == 200
    assert (await say(gateway, "another", user="x")).status == 200
    sent = [[m for m in request.messages if m["role"] != "system"] for request in models.requests]
    assert sent == [[user("one")], [user("one"), assistant("one"), user("two")], [user("another")]]


@pytest.mark.promise("CVE-2026-37004")
async def test_nothing_that_a_request_sends_is_a_template(
    gateway: RunningGateway, models: ModelServer
) -> None:
    text = "{{7*7}} ${HOME} ${OPENCLAW_GATEWAY_TOKEN} {0.__class__} %(x)s <%= 1 %> $(id) {user}"
    answer = await ask(gateway, {"messages": [{"role": "system", "content": text}, user(text)]})
    assert answer.content == text
    system, question = models.requests[0].messages
    assert question["content"] == text
    assert text in system["content"]
