"""`gateway.auth.mode: "trusted-proxy"`: whose word counts, and what is said to everybody else."""

import contextlib
import socket
from collections.abc import Mapping
from typing import Any

import pytest

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.cli.running.address import with_secret
from openclaw_gateway.config.schema import TrustedProxyConfig
from openclaw_gateway.errors import Unauthorized
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.own_addresses import KEPT_S, OwnAddresses, own_addresses
from openclaw_gateway.gateway.principal import ADMIN, OPERATOR, READ, WRITE
from openclaw_gateway.gateway.proxies import Proxies
from openclaw_gateway.gateway.vouching import Vouching
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway, write_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import Answer, ask, user
from tests.ws.peer import connect_params, dial

HI = {"messages": [user("hi")]}
PASSWORD = "of-this-machine-s-own-programs"
POLICY = {
    "userHeader": "X-Forwarded-User",
    "requiredHeaders": ["x-forwarded-proto"],
    "allowUsers": ["ada@example.com", "bob@example.com"],
    "allowLoopback": True,
}
ADA = {"x-forwarded-user": "ada@example.com", "X-Forwarded-Proto": "https"}


def config(models: ModelServer | str, trusted: Any = POLICY, **gateway: Any) -> dict[str, Any]:
    url = models if isinstance(models, str) else models.base_url
    document = model_config(
        url,
        {
            "gateway": {
                "auth": {"mode": "trusted-proxy", "trustedProxy": trusted},
                "trustedProxies": ["127.0.0.1", "::1"],
            }
        },
    )
    del document["gateway"]["auth"]["token"]
    document["gateway"] |= gateway
    return document


async def from_proxy(gateway: RunningGateway, headers: Mapping[str, str]) -> Answer:
    """Without any credential of the client's."""
    return await ask(gateway, HI, headers={"Authorization": "", **headers})


@pytest.mark.promise("trusted-proxy-mode")
async def test_whom_the_proxy_names_is_let_in_at_both_doors(models: ModelServer) -> None:
    async with running_gateway(config(models)) as gateway:
        assert (await from_proxy(gateway, ADA)).status == 200
        async with dial(gateway.ws_url, headers=ADA) as peer:
            hello = await peer.result("connect", connect_params(None))
            assert (await peer.result("health"))["ok"]
    assert hello["snapshot"]["authMode"] == "trusted-proxy"


REFUSED = [
    ({}, "did not send a header"),
    ({"x-forwarded-user": "ada@example.com"}, "did not send a header"),
    ({**ADA, "X-Forwarded-Proto": " "}, "did not send a header"),
    ({"X-Forwarded-Proto": "https"}, "did not name one user"),
    ({**ADA, "x-forwarded-user": "  "}, "did not name one user"),
    ({**ADA, "x-forwarded-user": "mallory@example.com"}, "allowUsers"),
    ({**ADA, "x-forwarded-user": "ADA@example.com"}, "allowUsers"),
    ({**ADA, "x-forwarded-user": "ada@example.com, bob@example.com"}, "allowUsers"),
]


@pytest.mark.parametrize(("headers", "why"), REFUSED)
async def test_what_the_proxy_does_not_say_clearly_lets_nobody_in(
    models: ModelServer, headers: dict[str, str], why: str
) -> None:
    async with running_gateway(config(models)) as gateway:
        answer = await from_proxy(gateway, headers)
        assert (answer.status, answer.error["type"]) == (401, "unauthorized")
        assert why in answer.error["message"]
        async with dial(gateway.ws_url, headers=headers) as peer:
            error = await peer.error("connect", connect_params(None))
            assert error["details"]["code"] == "AUTH_UNAUTHORIZED"
            assert why in error["message"]
            assert await peer.close_code() == 1008
        for text in (answer.text, error["message"]):
            assert "ada@example.com" not in text, "who is allowed is nobody's business"
            assert "x-forwarded" not in text.lower(), "nor what the proxy is known by"


async def test_who_stands_beside_the_proxy_is_a_stranger(models: ModelServer) -> None:
    away = config(models, trustedProxies=["10.11.12.13"])
    async with running_gateway(away) as gateway:
        answer = await from_proxy(gateway, {**ADA, "X-Forwarded-For": "10.11.12.13"})
        assert answer.status == 401
        assert "reverse proxy only" in answer.error["message"]


async def test_no_token_opens_what_a_proxy_guards(models: ModelServer) -> None:
    async with running_gateway(config(models)) as gateway:
        for header in ({"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
            assert (await ask(gateway, HI, headers=header)).status == 401


async def test_a_page_cannot_use_the_proxy_s_cookie(models: ModelServer) -> None:
    """The proxy would name the user for whatever his browser sends, also for other sites."""
    async with running_gateway(config(models)) as gateway:
        foreign = await from_proxy(gateway, {**ADA, "Origin": "https://evil.example"})
        simple = await from_proxy(gateway, {**ADA, "Content-Type": "text/plain"})
    assert (foreign.status, simple.status) == (403, 415)


async def test_the_machine_s_own_programs_may_send_the_password(models: ModelServer) -> None:
    own = {"mode": "trusted-proxy", "trustedProxy": POLICY, "password": PASSWORD}
    own["rateLimit"] = {"maxAttempts": 1}
    async with running_gateway(config(models, auth=own)) as gateway:
        right = {"Authorization": f"Bearer {PASSWORD}"}
        assert (await ask(gateway, HI, headers=right)).status == 200
        brought = {**right, "X-Forwarded-For": "198.51.100.7"}
        assert (await ask(gateway, HI, headers=brought)).status == 401, "only what no proxy brought"
        vouched = {**ADA, "Authorization": "Bearer what-every-client-sends"}
        assert (await ask(gateway, HI, headers=vouched)).status == 200
        wrong = {"Authorization": "Bearer guess"}
        assert [(await ask(gateway, HI, headers=wrong)).status for _ in range(2)] == [401, 429]
        assert (await from_proxy(gateway, ADA)).status == 200


async def test_the_proxy_may_allow_less_and_nobody_more(models: ModelServer) -> None:
    async with running_gateway(config(models)) as gateway:
        less = await from_proxy(gateway, {**ADA, "x-openclaw-scopes": "operator.read"})
        assert (less.status, less.error["code"]) == (403, "missing_scope")
        none = await from_proxy(gateway, {**ADA, "x-clawdbot-scopes": ""})
        assert none.status == 403
        enough = await from_proxy(gateway, {**ADA, "x-openclaw-scopes": "operator.read, operator.write"})
        assert enough.status == 200
        chooses = {**ADA, "x-openclaw-scopes": "operator.write", "x-openclaw-model": "mock/mock-echo"}
        assert (await from_proxy(gateway, chooses)).error["code"] == "missing_scope"


def caller(peer: str, *lines: tuple[str, str]) -> Caller:
    return Caller(peer, peer, lambda name: [text for key, text in lines if key.lower() == name.lower()])


def vouching(*networks: str, own: str = "", **policy: Any) -> Vouching:
    trusted = TrustedProxyConfig(user_header="x-user", **policy)
    return Vouching(trusted, Proxies(networks), {own})


USER = ("X-User", "ada")


@pytest.mark.parametrize(
    ("believed", "who", "why"),
    [
        (vouching("10.0.0.5"), caller("10.0.0.6", USER), "reverse proxy only"),
        (vouching("10.0.0.5"), caller("", USER), "reverse proxy only"),
        (vouching("127.0.0.1"), caller("127.0.0.1", USER), "allowLoopback"),
        (vouching("::/0"), caller("::1", USER), "allowLoopback"),
        (vouching("127.0.0.1"), caller("::ffff:127.0.0.1", USER), "allowLoopback"),
        (vouching("10.0.0.0/8", own="10.0.0.7"), caller("10.0.0.7", USER), "own machine"),
        (
            vouching("10.0.0.0/8", own="10.0.0.7", allow_loopback=True),
            caller("10.0.0.7", USER),
            "own machine",
        ),
        (vouching("10.0.0.5"), caller("10.0.0.5", USER, ("x-user", "bob")), "one user"),
    ],
)
def test_where_a_proxy_s_word_may_come_from(believed: Vouching, who: Caller, why: str) -> None:
    with pytest.raises(Unauthorized, match=why):
        believed.principal(who)


@pytest.mark.parametrize("peer", ["10.0.0.5", "::ffff:10.0.0.5"])
def test_and_where_it_counts(peer: str) -> None:
    assert vouching("10.0.0.5", own="10.0.0.7").principal(caller(peer, USER)) == OPERATOR


def test_scopes_are_never_more_than_the_operator_s() -> None:
    said = caller("10.0.0.5", USER, ("x-openclaw-scopes", "operator.write, root"), ("X-Clawdbot-Scopes", ""))
    principal = vouching("10.0.0.5").principal(said)
    assert principal.owner == OPERATOR.owner
    assert principal.may(READ)
    assert principal.may(WRITE)
    assert not principal.may(ADMIN)


def test_a_machine_knows_its_own_addresses() -> None:
    known = OwnAddresses()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Sends nothing; the system chooses from where it would.
        with contextlib.suppress(OSError):
            probe.connect(("192.0.2.1", 9))
        assert probe.getsockname()[0] in {"0.0.0.0", *own_addresses()}
    assert "127.0.0.1" in known
    assert "192.0.2.1" not in known
    assert "no address" not in known


def test_what_it_knows_of_them_is_asked_again_but_not_at_each_request() -> None:
    now, asked = 0.0, list[float]()

    def ask() -> frozenset[str]:
        asked.append(now)
        if len(asked) == 3:
            raise OSError
        return frozenset({f"10.0.0.{len(asked)}"})

    known = OwnAddresses(ask, lambda: now)
    assert all("10.0.0.1" in known for _ in range(100))
    now = KEPT_S
    assert "10.0.0.1" not in known
    now = 2 * KEPT_S
    assert "10.0.0.2" in known, "where it is not said, what was said before counts"
    assert asked == [0.0, KEPT_S, 2 * KEPT_S]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trustedProxies": []}, "gateway.trustedProxies: is empty"),
        ({"trustedProxies": ["10.0.0.5", "0.0.0.0/0"]}, "gateway.trustedProxies[1]: is every address"),
        ({"trustedProxies": ["::/0"]}, "gateway.trustedProxies[0]: is every address"),
        ({"auth": {"mode": "trusted-proxy"}}, "gateway.auth.trustedProxy: is missing"),
        ({"auth": {"mode": "trusted-proxy", "trustedProxy": {}}}, "userHeader: is missing"),
        (
            {"auth": {"mode": "trusted-proxy", "trustedProxy": {"userHeader": "the user"}}},
            "userHeader: holds what is no name of a header",
        ),
        (
            {"auth": {"mode": "trusted-proxy", "trustedProxy": {"userHeader": "x-user"}}},
            "allowLoopback: must be true",
        ),
        (
            {"auth": {"mode": "trusted-proxy", "trustedProxy": POLICY, "token": "of-another-mode"}},
            "gateway.auth.token: is set although",
        ),
    ],
)
def test_what_could_not_work_does_not_start(tmp_path: Any, change: dict[str, Any], said: str) -> None:
    write_config(tmp_path, config("http://127.0.0.1:9/v1", **change))
    problems = draw(options(tmp_path)).explained().problems
    assert any(said in problem for problem in problems), problems


def options(folder: Any, **flags: Any) -> Options:
    return Options(environ={"OPENCLAW_STATE_DIR": str(folder)}, home=folder, cwd=folder, **flags)


def test_beyond_loopback_a_proxy_is_obstacle_enough(tmp_path: Any) -> None:
    write_config(tmp_path, config("http://127.0.0.1:9/v1", trustedProxies=["10.0.0.5"], bind="lan"))
    assert draw(options(tmp_path)).explained().problems == ()


def test_the_terminal_of_this_machine_comes_with_the_password(tmp_path: Any) -> None:
    own = {"mode": "trusted-proxy", "trustedProxy": POLICY, "password": PASSWORD}
    write_config(tmp_path, config("http://127.0.0.1:9/v1", auth=own))
    address = with_secret(draw(options(tmp_path)).plan.loaded, "http://127.0.0.1:1")
    assert (address.token, address.password) == (None, PASSWORD)


async def test_the_password_may_be_a_reference(models: ModelServer) -> None:
    secret = {"source": "env", "id": "SECRET"}
    own = {"mode": "trusted-proxy", "trustedProxy": POLICY, "password": secret}
    async with running_gateway(config(models, auth=own), environ={"SECRET": PASSWORD}) as gateway:
        assert (await ask(gateway, HI, headers={"Authorization": f"Bearer {PASSWORD}"})).status == 200


async def test_a_proxy_that_says_little_is_believed_before_a_client_s_key_is_looked_at(
    models: ModelServer,
) -> None:
    trusted = {"userHeader": "x-remote-user", "allowLoopback": True}
    own = {"mode": "trusted-proxy", "trustedProxy": trusted, "password": PASSWORD}
    async with running_gateway(config(models, auth=own)) as gateway:
        said = {"X-Remote-User": "ada", "Authorization": "Bearer sk-of-some-client"}
        assert [(await ask(gateway, HI, headers=said)).status for _ in range(12)] == [200] * 12
