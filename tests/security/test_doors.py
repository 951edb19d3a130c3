"""The doors: who may knock from where, with what, and what is said to the rest."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway.doors.ws.methods import TABLE
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import Answer, ask, http, user
from tests.doors.logged import logged
from tests.doors.raw import chat_body, post, wire
from tests.ws.peer import Peer, connect_params, dial

HI = {"messages": [user("hi")]}


def head(gateway: RunningGateway, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode("latin-1")


async def status(gateway: RunningGateway, *lines: str, path: str = "/v1/models") -> int:
    async with wire(gateway) as raw:
        raw.send(head(gateway, path, *lines))
        return (await raw.answer()).status


def upgrade(*lines: str) -> tuple[str, ...]:
    return (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *lines,
    )


@pytest.mark.parametrize("mode", ["token", "none"])
@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        (("Origin: https://evil.example",), 403),
        (("Origin: null",), 403),
        (("Origin: http://localhost.evil.example",), 403),
        (("Sec-Fetch-Site: Cross-Site",), 403),
    ],
)
async def test_a_foreign_page_gets_no_websocket(
    models: ModelServer, mode: str, lines: tuple[str, ...], refusal: int
) -> None:
    """CVE-2026-25253: before the handshake, so that no page hears even the challenge."""
    async with running_gateway(
        model_config(models.base_url, {"gateway": {"auth": {"mode": mode}}})
    ) as gateway:
        assert await status(gateway, *upgrade(*lines), path="/") == refusal


@pytest.mark.parametrize("mode", ["token", "none"])
@pytest.mark.parametrize(
    "name", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "localhost:80@x"]
)
async def test_a_name_that_was_made_to_resolve_here_is_nobody_s(
    models: ModelServer, mode: str, name: str
) -> None:
    """DNS rebinding (CVE-2025-66414, GHSA-9h52-p55h-vw2f): HTTP and WebSocket, with a secret or without."""
    async with running_gateway(
        model_config(models.base_url, {"gateway": {"auth": {"mode": mode}}})
    ) as gateway:
        async with wire(gateway) as raw:
            raw.send(post(gateway, chat_body(), host=name))
            assert (await raw.answer()).status == 421
        async with wire(gateway) as raw:
            raw.send("\r\n".join(["GET / HTTP/1.1", f"Host: {name}", *upgrade(), "", ""]).encode())
            assert (await raw.answer()).status == 421
        assert models.requests == []


@pytest.mark.parametrize(
    ("path", "lines", "told"),
    [
        ("/ready", (), 200),
        ("/readyz", (), 200),
        ("/health", (), 200),
        ("/healthz", (), 200),
        ("/ready", ("Origin: https://evil.example",), 403),
        ("/ready", ("Sec-Fetch-Site: cross-site",), 403),
        ("/ready", upgrade(), 421),
        ("/ready/", (), 421),
        ("/v1/models", (), 421),
    ],
)
async def test_a_proxy_looks_under_any_name_whether_a_process_is_ready(
    gateway: RunningGateway, path: str, lines: tuple[str, ...], told: int
) -> None:
    """Caddy asks under the names of its upstreams, and took every front of the compose file for dead."""
    async with wire(gateway) as raw:
        raw.send("\r\n".join([f"GET {path} HTTP/1.1", "Host: front-1:18789", *lines, "", ""]).encode())
        assert (await raw.answer()).status == told


@pytest.mark.parametrize(
    "path", ["/v1/models?token={0}", "/v1/models?password={0}&key={0}", "/v1/models?auth={0}"]
)
async def test_no_secret_is_taken_from_a_url(gateway: RunningGateway, path: str) -> None:
    """It would stand in histories, logs and Referer headers."""
    assert await status(gateway, path=path.format(gateway.token)) == 401
    async with dial(f"{gateway.ws_url}?token={gateway.token}") as peer:
        error = await peer.error("connect", connect_params(None))
    assert error["details"]["code"] == "AUTH_TOKEN_MISSING"


@pytest.mark.parametrize("method", sorted(TABLE))
async def test_no_method_for_who_was_not_let_in(gateway: RunningGateway, method: str) -> None:
    """CVE-2026-25593: also right behind a connect that is refused, on the same connection."""
    async with dial(gateway.ws_url) as peer:
        await peer.send({"type": "req", "id": "1", "method": "connect", "params": connect_params("wrong")})
        await peer.send(
            {"type": "req", "id": "2", "method": method, "params": {"message": "x", "idempotencyKey": "k"}}
        )
        answers: list[dict[str, Any]] = []
        with pytest.raises(EOFError):
            while True:
                answers.append(await peer.frame())
    assert [(answer["id"], answer["ok"]) for answer in answers if answer["type"] == "res"] == [("1", False)]
    assert gateway.gateway.live_runs() == 0


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
async def test_a_plain_bearer_token_works_however_it_is_written(gateway: RunningGateway, scheme: str) -> None:
    """OpenClaw #57550: hardening must not break every client there is."""
    assert await status(gateway, f"Authorization: {scheme} {gateway.token}") == 200


ODD = [
    "Bearer",
    "Bearer ",
    "Bearer\t",
    "Basic {token}",
    "{token}",
    "Bearer {token} {token}",
    "Bearer {token},",
    "Bearer \xff\xfe",
    "Bearer пароль".encode().decode("latin-1"),
    "Bearer ' OR 1=1 --",
    "Bearer '; DROP TABLE runs; --",
    "Bearer {token}' UNION SELECT * FROM sessions --",
    "Bearer ${TOKEN}",
    "Bearer {{7*7}}",
    "Bearer %00",
    "Bearer ../../etc/passwd",
    "Bearer null",
    "Bearer undefined",
    "Bearer " + "a" * 15_000,
    "Negotiate YII=",
]


async def test_no_odd_credential_lets_in_or_breaks_anything(models: ModelServer) -> None:
    """LiteLLM CVE-2026-42208: what stands in Authorization is compared, and used for nothing else."""
    with logged() as log:
        async with running_gateway(unlimited(models)) as gateway:
            for odd in ODD:
                line = odd.replace("{token}", gateway.token)
                assert (odd, await status(gateway, f"Authorization: {line}")) == (odd, 401)
            assert await status(gateway, f"Authorization: Bearer {gateway.token}") == 200
            assert gateway.token.encode() not in log.written
        assert not [line for line in log.all() if line["level"] in {"error", "critical"}]
        assert b"DROP TABLE" not in log.written


def unlimited(models: ModelServer) -> dict[str, Any]:
    return model_config(models.base_url, {"gateway": {"auth": {"rateLimit": {"lockoutMs": 0}}}})


async def test_any_bytes_as_a_credential_are_refused_and_never_a_fault(models: ModelServer) -> None:
    async with running_gateway(unlimited(models)) as gateway:
        for data in (
            bytes(range(1, 256)),
            b"\x80" * 40,
            "\ud800".encode("utf-8", "surrogatepass"),
            b"\x7f",
            b"\x01",
        ):
            clean = bytes(byte for byte in data if byte not in b"\r\n\x00")
            line = f"Authorization: Bearer {clean.decode('latin-1')}"
            assert await status(gateway, line) in {400, 401}
        assert await status(gateway, f"Authorization: Bearer {gateway.token}") == 200


async def test_an_answer_kept_under_a_name_is_only_for_who_is_let_in(
    models: ModelServer, gateway: RunningGateway
) -> None:
    """Hermes #39643, LiteLLM CVE-2026-89032: key and body alone open nothing."""
    key = {"Idempotency-Key": "of-somebody"}
    first = await ask(gateway, HI, headers=key)
    assert first.status == 200
    stranger = await ask(gateway, HI, headers={**key, "Authorization": "Bearer of-somebody-else"})
    assert stranger.status == 401
    assert first.content not in stranger.text
    assert len(models.requests) == 1


INJECTED = ["a\r\nSet-Cookie: x=1", "a\nX-Evil: 1", "a\x00b", "a\u2028b", "ü\r\n\r\n<script>"]


@pytest.mark.parametrize("text", INJECTED)
async def test_nothing_a_request_says_becomes_a_header_or_a_line_of_the_log(
    gateway: RunningGateway, text: str
) -> None:
    with logged() as log:
        answers = [
            await ask(gateway, {**HI, "user": text}),
            await ask(gateway, {**HI, "model": f"openclaw/{text}"}),
            await ask(gateway, {**HI, "model": text}),
        ]
        for answer in answers:
            assert answer.status in {200, 400, 404}
            assert "set-cookie" not in {name.lower() for name in answer.headers}
            assert "x-evil" not in {name.lower() for name in answer.headers}
        written = log.written.splitlines()
        assert all(isinstance(msgspec.json.decode(line), dict) for line in written)


@pytest.mark.parametrize("allowed", [[], ["*"], ["https://app.example"]])
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "GET"])
async def test_no_origin_is_ever_everybody_and_no_credentials_are_offered(
    models: ModelServer, allowed: list[str], method: str
) -> None:
    cors = {"gateway": {"http": {"cors": {"allowedOrigins": allowed}}}}
    async with running_gateway(model_config(models.base_url, cors)) as gateway, http(gateway) as session:
        for origin in ("https://evil.example", "https://app.example", "null"):
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            async with session.request(method, "/v1/models", headers=asked) as response:
                assert response.headers.get("Access-Control-Allow-Origin", origin) == origin
                assert "Access-Control-Allow-Credentials" not in response.headers
                may = "Access-Control-Allow-Origin" in response.headers
                assert may == (origin in allowed)


PATHS = ["/v1/models", "/v1/chat/completions", "/v1/models/x", "/nowhere", "/v1/responses"]


@pytest.mark.parametrize("path", PATHS)
async def test_no_refusal_shows_a_secret_a_path_or_a_version(models: ModelServer, path: str) -> None:
    async with running_gateway(unlimited(models)) as gateway, aiohttp.ClientSession(gateway.url) as session:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Host": "evil.example"}, {"Origin": "null"}):
            async with session.get(path, headers=headers) as response:
                text = await response.text() + repr(dict(response.headers))
                assert response.status >= 400
                for secret in (
                    gateway.token,
                    "mock-key",
                    str(gateway.state_dir),
                    "Traceback",
                    "aiohttp",
                    "Python",
                ):
                    assert secret not in text, (headers, text)


VERDICTS = {
    "": (False, False),
    "operator.read": (True, False),
    "operator.write": (True, True),
    "operator.admin": (True, True),
}


@pytest.mark.parametrize("scopes", sorted(VERDICTS))
async def test_both_doors_ask_one_authoriser(models: ModelServer, scopes: str) -> None:
    """GHSA-68f8-9mhj-h2mp, GHSA-5jvj-hxmh-6h6j: what one door refuses for a scope the other does, too."""
    trusted = {"userHeader": "x-user", "allowLoopback": True}
    config = model_config(models.base_url)
    config["gateway"] |= {
        "trustedProxies": ["127.0.0.1", "::1"],
        "auth": {"mode": "trusted-proxy", "trustedProxy": trusted},
    }
    said = {"X-User": "ada", "X-OpenClaw-Scopes": scopes, "Authorization": ""}
    async with running_gateway(config) as gateway, aiohttp.ClientSession(gateway.url) as session:
        async with session.get("/v1/models", headers=said) as response:
            reads = response.status != 403
        writes = (await ask(gateway, HI, headers=said)).status != 403
        async with dial(gateway.ws_url, headers={"X-User": "ada", "X-OpenClaw-Scopes": scopes}) as peer:
            await peer.result("connect", connect_params(None, scopes=["operator.admin"]))
            ws_reads = await permitted(peer, "models.list", {})
            ws_writes = await permitted(peer, "agent.wait", {"runId": "none", "timeoutMs": 1})
    assert (reads, writes) == (ws_reads, ws_writes) == VERDICTS[scopes]


async def permitted(peer: Peer, method: str, params: Mapping[str, Any]) -> bool:
    answer = await peer.call(method, params)
    return bool(answer["ok"]) or answer["error"]["code"] != "FORBIDDEN"


async def test_no_header_gives_a_token_more_or_less_than_it_has(gateway: RunningGateway) -> None:
    """GHSA-rqpp-rjj8-7wv8: scopes come from the gateway's own table."""
    answers: list[Answer] = [
        await ask(gateway, HI, headers={"x-openclaw-scopes": said}) for said in ("", "operator.read", "root")
    ]
    assert [answer.status for answer in answers] == [200, 200, 200]
    wrong = {"x-openclaw-scopes": "operator.admin", "Authorization": "Bearer wrong"}
    assert (await ask(gateway, HI, headers=wrong)).status == 401
