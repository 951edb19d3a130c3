"""Behind a proxy the client's address counts, and nobody can write himself another one."""

import asyncio

import pytest

from openclaw_gateway.gateway.proxies import Proxies
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import ask, http, user

TRUSTED = ("10.0.0.0/8", "127.0.0.1", "fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # not from a proxy of ours: anybody's word
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the first was the client's own idea
        ("127.0.0.1", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["203.0.113.9, 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        ("127.0.0.1", ["10.1.1.1, 10.1.2.3"], "10.1.1.1"),
        ("::ffff:10.0.0.5", ["198.51.100.7"], "198.51.100.7"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("127.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("127.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("127.0.0.1", ["198.51.100.7, unknown"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7, 10.0.0.9, , 10.0.0.8"], "10.0.0.8"),
        ("", ["198.51.100.7"], ""),
    ],
)
def test_the_last_address_a_trusted_one_vouches_for(peer: str, forwarded: list[str], client: str) -> None:
    assert Proxies(TRUSTED).client(peer, forwarded) == client


def test_nobody_is_trusted_unless_configured() -> None:
    assert Proxies(()).client("127.0.0.1", ["198.51.100.7"]) == "127.0.0.1"


async def attempt(gateway: RunningGateway, forwarded: str, *, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": forwarded}
    return (await ask(gateway, {"messages": [user("hi")]}, headers=headers)).status


@pytest.mark.promise("trusted-proxies")
async def test_wrong_credentials_lock_out_the_client_and_not_the_proxy(models: ModelServer) -> None:
    limited = {"auth": {"rateLimit": {"maxAttempts": 2}}, "trustedProxies": ["127.0.0.1", "::1"]}
    async with running_gateway(model_config(models.base_url, {"gateway": limited})) as gateway:
        bad, good = "198.51.100.7", "198.51.100.8"
        wrong = [await attempt(gateway, bad, token="wrong") for _ in range(3)]
        assert wrong == [401, 401, 429]
        assert await attempt(gateway, f"{good}, {bad}", token="wrong") == 429
        assert await attempt(gateway, f"{bad}, {good}", token="wrong") == 401
        assert await attempt(gateway, bad, token=gateway.token) == 200
        async with http(gateway) as session:
            upgrade = {"X-Forwarded-For": bad}
            async with asyncio.timeout(10), session.ws_connect("/", headers=upgrade) as socket:
                await socket.receive_json()
                auth = {"token": "wrong"}
                await socket.send_json(
                    {
                        "type": "req",
                        "id": "1",
                        "method": "connect",
                        "params": {"minProtocol": 3, "maxProtocol": 4, "client": CLIENT, "auth": auth},
                    }
                )
                refused = await socket.receive_json()
        assert not refused["ok"]
        assert "Too many failed" in refused["error"]["message"]


CLIENT = {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"}
