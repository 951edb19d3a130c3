"""Who is let in, and what is said to the rest, through a real socket."""

import uuid
from typing import Any

import aiohttp
import pytest

from openclaw_gateway.doors.ws import knocking
from openclaw_gateway.doors.ws.connection import Timing
from openclaw_gateway.doors.ws.methods import TABLE
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.ws.peer import connect_params, connected, dial, door, request


async def refused(
    gateway: RunningGateway, frame: object, code: int = 1008, url: str | None = None
) -> dict[str, Any]:
    """The error that a first frame gets; the connection is closed with `code`."""
    async with dial(url or gateway.ws_url) as peer:
        await peer.send(frame)
        request_id = frame["id"] if isinstance(frame, dict) else "invalid"
        answer = await peer.answer(request_id)
        assert not answer["ok"]
        assert await peer.close_code() == code
        error: dict[str, Any] = answer["error"]
        return error


@pytest.mark.parametrize(("lowest", "highest", "spoken"), [(3, 3, 3), (4, 4, 4), (3, 4, 4), (1, 9, 4)])
async def test_hello(gateway: RunningGateway, lowest: int, highest: int, spoken: int) -> None:
    async with dial(gateway.ws_url) as peer:
        challenge = await peer.event("connect.challenge")
        uuid.UUID(challenge["payload"]["nonce"])
        assert challenge["payload"]["ts"] > 0
        params = {**connect_params(gateway.token), "minProtocol": lowest, "maxProtocol": highest}
        hello = await peer.result("connect", params)
    assert hello["type"] == "hello-ok"
    assert hello["protocol"] == spoken
    assert set(hello["server"]) == {"version", "connId"}
    assert set(hello["features"]["methods"]) == set(TABLE)
    assert hello["features"]["capabilities"] == ["published-model-catalog"]
    assert hello["features"]["events"] == [
        "connect.challenge",
        "agent",
        "chat",
        "sessions.changed",
        "presence",
        "health",
        "exec.approval.requested",
        "exec.approval.resolved",
        "device.pair.requested",
        "device.pair.resolved",
        "tick",
        "shutdown",
    ]
    snapshot = hello["snapshot"]
    assert [row["text"] for row in snapshot["presence"]] == ["Gateway", "test"]
    assert snapshot["stateVersion"]["presence"] == 1
    assert snapshot["health"]["ok"] is True
    assert snapshot["sessionDefaults"] == {
        "defaultAgentId": "main",
        "mainKey": "main",
        "mainSessionKey": "agent:main:main",
        "scope": "per-sender",
    }
    assert hello["auth"] == {"role": "operator", "scopes": ["operator.admin"]}
    assert hello["policy"] == {"maxPayload": 26214400, "maxBufferedBytes": 26214400, "tickIntervalMs": 30000}
    assert str(gateway.state_dir) not in str(hello)


async def test_any_path_will_do(gateway: RunningGateway) -> None:
    async with connected(gateway, f"{gateway.ws_url}some/where?x=1") as peer:
        assert await peer.result("agents.list")


async def test_a_wrong_secret(gateway: RunningGateway) -> None:
    error = await refused(gateway, request("1", "connect", connect_params("wrong")))
    assert error["code"] == "INVALID_REQUEST"
    assert error["details"]["code"] == "AUTH_TOKEN_MISMATCH"
    assert "wrong" not in error["message"]


async def test_no_secret(gateway: RunningGateway) -> None:
    error = await refused(gateway, request("1", "connect", connect_params(None)))
    assert error["details"]["code"] == "AUTH_TOKEN_MISSING"


async def test_the_secret_is_not_taken_from_the_address(gateway: RunningGateway) -> None:
    url = f"{gateway.ws_url}?token={gateway.token}"
    error = await refused(gateway, request("1", "connect", connect_params(None)), url=url)
    assert error["details"]["code"] == "AUTH_TOKEN_MISSING"


async def test_subprotocols_are_not_agreed_to_and_not_written_down(
    gateway: RunningGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Pages that cannot set a header put a token there."""
    async with dial(gateway.ws_url, protocols=("bearer", gateway.token)) as peer:
        await peer.event("connect.challenge")
        assert peer.socket.protocol is None
    assert gateway.token not in caplog.text


async def test_a_password_gateway_takes_it_from_either_field(models: ModelServer) -> None:
    config = model_config(models.base_url)
    config["gateway"]["auth"] = {"mode": "password", "password": "long-enough-password"}
    async with running_gateway(config) as gateway:
        for field in ("password", "token"):
            async with connected(gateway, auth={field: "long-enough-password"}) as peer:
                assert await peer.result("health")
        error = await refused(gateway, request("1", "connect", connect_params("wrong")))
        assert error["details"]["code"] == "AUTH_PASSWORD_MISMATCH"


async def test_too_many_wrong_secrets_lock_out_but_for_the_right_one(models: ModelServer) -> None:
    limit = {"maxAttempts": 2}
    config = model_config(models.base_url, {"gateway": {"auth": {"rateLimit": limit}}})
    async with running_gateway(config) as gateway:
        for _ in range(2):
            await refused(gateway, request("1", "connect", connect_params("wrong")))
        error = await refused(gateway, request("1", "connect", connect_params("wrong")))
        async with connected(gateway) as peer:
            assert await peer.result("health")
    assert error["details"]["code"] == "AUTH_RATE_LIMITED"
    assert error["retryable"] is True
    assert 0 < error["retryAfterMs"] <= 300_000


async def test_versions_that_do_not_meet(gateway: RunningGateway) -> None:
    params = {**connect_params(gateway.token), "minProtocol": 5, "maxProtocol": 6}
    error = await refused(gateway, request("1", "connect", params), code=1002)
    assert error["details"]["expectedProtocol"] == 4


async def test_nodes_are_told_that_they_have_no_place_here(gateway: RunningGateway) -> None:
    error = await refused(gateway, request("1", "connect", connect_params(gateway.token, role="node")))
    assert "operator" in error["message"]


@pytest.mark.parametrize("method", sorted(TABLE))
async def test_no_method_without_connect(gateway: RunningGateway, method: str) -> None:
    error = await refused(
        gateway, request("1", method, {"message": "hi", "idempotencyKey": "k", "runId": "r"})
    )
    assert error["message"] == "invalid handshake: first request must be connect"
    assert gateway.gateway.live_runs() == 0


@pytest.mark.parametrize("text", ["", "hello", "{}", "[1]", '{"type":"req"}', "\u2028", "null"])
async def test_what_is_no_frame(gateway: RunningGateway, text: str) -> None:
    error = await refused(gateway, text)
    assert error["message"].startswith("invalid request frame")


async def test_connect_only_once(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        error = await peer.error("connect", connect_params(gateway.token))
        assert error["message"] == "connect is only valid as the first request"
        assert await peer.result("health")


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_pages_of_other_sites_do_not_even_get_a_handshake(
    gateway: RunningGateway, headers: dict[str, str]
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with dial(gateway.ws_url, headers=headers):
            pass
    assert refusal.value.status == 403


async def test_a_foreign_host_name_does_not_get_a_handshake(gateway: RunningGateway) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with dial(gateway.ws_url, headers={"Host": "evil.example"}):
            pass
    assert refusal.value.status == 421


@pytest.mark.promise("error.invalid_upgrade")
async def test_an_upgrade_without_a_key_is_an_http_error(gateway: RunningGateway) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    async with aiohttp.ClientSession() as session, session.get(gateway.url, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["code"] == "invalid_upgrade"


@pytest.mark.promise("CVE-2026-100558")
async def test_whoever_says_nothing_is_closed(gateway: RunningGateway) -> None:
    async with door(gateway.gateway, Timing(handshake_s=0.05)) as opened, dial(opened.url) as peer:
        await peer.event("connect.challenge")
        assert await peer.close_code() == 1008
        assert peer.reason == "handshake timeout"
        await opened.wait_served()


async def test_of_many_who_say_nothing_the_first_go(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind one proxy they have one address, and would have all connections for fifteen seconds."""
    monkeypatch.setattr(knocking, "MOST", 2)
    async with dial(gateway.ws_url) as first, dial(gateway.ws_url) as second, dial(gateway.ws_url) as third:
        for each in (first, second, third):
            await each.event("connect.challenge")
        assert (await first.close_code(), first.reason) == (1008, "handshake timeout")
        async with dial(gateway.ws_url) as fourth:
            await fourth.event("connect.challenge")
            assert (await second.close_code(), second.reason) == (1008, "handshake timeout")
            assert await third.result("connect", connect_params(gateway.token))
            assert await fourth.result("connect", connect_params(gateway.token))


async def test_while_draining_nobody_is_let_in(gateway: RunningGateway) -> None:
    async with door(gateway.gateway, Timing()) as opened:
        opened.closing.set()
        error = await refused(
            gateway, request("1", "connect", connect_params(gateway.token)), code=1012, url=opened.url
        )
    assert error["code"] == "UNAVAILABLE"
    assert error["retryable"] is True
