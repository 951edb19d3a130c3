"""Guessing the gateway's secret, at both doors: it is seen, it is slowed, and it costs the owner nothing."""

from typing import Any

import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import Answer, ask, user
from tests.doors.logged import logged
from tests.ws.peer import connect_params, connected, dial

HI = {"messages": [user("hi")]}


def config(models: ModelServer, **gateway: Any) -> dict[str, Any]:
    return model_config(models.base_url, {"gateway": gateway})


async def guess(gateway: RunningGateway, token: str, **headers: str) -> Answer:
    return await ask(gateway, HI, headers={"Authorization": f"Bearer {token}", **headers})


async def ws_guess(gateway: RunningGateway, token: str, **params: Any) -> dict[str, Any]:
    """The error."""
    async with dial(gateway.ws_url) as peer:
        return await peer.error("connect", connect_params(token, **params))


@pytest.mark.promise("lock-out", "lock-out-right")
async def test_loopback_is_limited_without_any_configuration(models: ModelServer) -> None:
    """ "ClawJacked": a page, or a program, on the operator's machine could guess as fast as it liked."""
    async with running_gateway(config(models)) as gateway:
        guesses = [await guess(gateway, f"guess-{number}") for number in range(12)]
        assert [answer.status for answer in guesses] == [401] * 10 + [429] * 2
        assert guesses[-1].error["code"] == "rate_limited"
        assert 0 < int(guesses[-1].headers["Retry-After"]) <= 300
        assert (await guess(gateway, gateway.token)).status == 200


async def test_what_a_connect_says_beside_the_secret_switches_nothing_off(models: ModelServer) -> None:
    """GHSA-5847-rm3g-23mw: a made-up device token took a guess around the limiter."""
    more = {"deviceToken": "made-up", "bootstrapToken": "made-up"}
    async with running_gateway(config(models)) as gateway:
        for number in range(10):
            error = await ws_guess(gateway, "", auth={"token": f"guess-{number}", **more})
            assert error["details"]["code"] == "AUTH_TOKEN_MISMATCH"
        error = await ws_guess(gateway, "", auth={"token": "guess", **more})
        assert error["details"]["code"] == "AUTH_RATE_LIMITED"


async def test_the_two_doors_count_together(models: ModelServer) -> None:
    async with running_gateway(config(models, auth={"rateLimit": {"maxAttempts": 4}})) as gateway:
        for _ in range(2):
            assert (await guess(gateway, "wrong")).status == 401
            await ws_guess(gateway, "wrong")
        assert (await guess(gateway, "wrong")).status == 429
        assert (await ws_guess(gateway, "wrong"))["details"]["code"] == "AUTH_RATE_LIMITED"
        assert (await guess(gateway, gateway.token)).status == 200
        async with connected(gateway) as peer:
            assert await peer.result("health")


async def test_a_lock_out_is_one_line_of_the_log_and_shows_no_guess(models: ModelServer) -> None:
    with logged() as log:
        async with running_gateway(config(models)) as gateway:
            for _ in range(40):
                await guess(gateway, "a-guess-of-mine")
        (line,) = log.lines("auth.locked_out")
        assert (line["address"], line["tries"], line["seconds"]) == ("loopback", 10, 300)
        assert b"a-guess-of-mine" not in log.written
        assert gateway.token.encode() not in log.written


@pytest.mark.parametrize(
    ("limits", "statuses"),
    [
        ({"maxAttempts": 0}, [401, 429]),
        ({"windowMs": 0, "maxAttempts": 2}, [401] * 4),
        ({"lockoutMs": 0, "maxAttempts": 1}, [401] * 3),
        ({"exemptLoopback": True, "maxAttempts": 1}, [401] * 3),
    ],
)
async def test_limits_of_nothing_are_taken_as_openclaw_takes_them(
    models: ModelServer, limits: dict[str, Any], statuses: list[int]
) -> None:
    async with running_gateway(config(models, auth={"rateLimit": limits})) as gateway:
        assert [(await guess(gateway, "wrong")).status for _ in statuses] == statuses
        assert (await guess(gateway, gateway.token)).status == 200


@pytest.mark.parametrize(
    "header", [{"X-Forwarded-For": "198.51.100.7"}, {"Forwarded": "for=198.51.100.7;proto=https"}]
)
async def test_a_proxy_here_that_nobody_named_is_told_so_once(
    models: ModelServer, header: dict[str, str]
) -> None:
    with logged() as log:
        async with running_gateway(config(models)) as gateway:
            for _ in range(3):
                assert (await ask(gateway, HI, headers=header)).status == 200
        (line,) = log.lines("proxy.not_trusted")
    assert line["peer"] in {"127.0.0.1", "::1"}
    assert "gateway.trustedProxies" in line["detail"]


@pytest.mark.parametrize("header", [{}, {"X-Forwarded-For": "198.51.100.7"}])
async def test_a_proxy_that_is_named_and_a_client_without_one_are_not(
    models: ModelServer, header: dict[str, str]
) -> None:
    with logged() as log:
        async with running_gateway(config(models, trustedProxies=["127.0.0.0/8", "::1"])) as gateway:
            assert (await ask(gateway, HI, headers=header)).status == 200
        assert not log.lines("proxy.not_trusted")


async def test_an_exempt_machine_is_not_exempt_for_whom_its_proxy_brings(models: ModelServer) -> None:
    limits = {"exemptLoopback": True, "maxAttempts": 2}
    async with running_gateway(config(models, auth={"rateLimit": limits})) as gateway:
        brought = {"X-Forwarded-For": "198.51.100.7"}
        assert [(await guess(gateway, "wrong", **brought)).status for _ in range(3)] == [401, 401, 429]
        assert (await guess(gateway, "wrong")).status == 401
