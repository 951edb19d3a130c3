"""Who was turned away stands in the log: once, with the key to set, and without what strangers smuggle in."""

from collections.abc import Iterator, Mapping

import aiohttp
import pytest

from openclaw_gateway.doors.refusals import MOST_LINES, WINDOW_S, Refusals, shortened
from openclaw_gateway.errors import (
    BodyTooLarge,
    GatewayError,
    InvalidRequest,
    MissingScope,
    NotFound,
    Overloaded,
    RateLimited,
    SessionBusy,
    ShuttingDown,
)
from openclaw_gateway.testing.gateway import RunningGateway
from tests.doors.logged import Log, logged
from tests.doors.raw import wire
from tests.ws.peer import connect_params, dial

PREFLIGHT = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}


@pytest.fixture
def log() -> Iterator[Log]:
    with logged() as log:
        yield log


async def ask(
    gateway: RunningGateway, method: str, path: str, headers: Mapping[str, str] | None = None
) -> None:
    async with (
        aiohttp.ClientSession(gateway.url) as session,
        session.request(method, path, headers=headers) as response,
    ):
        assert response.status >= 400


@pytest.mark.parametrize(
    ("asked", "headers", "shown"),
    [
        ("GET /v1/models", {}, {"code": "invalid_api_key", "key": "gateway.auth.token"}),
        (
            "POST /v1/chat/completions",
            {"Authorization": "Bearer wrong-secret-1234"},
            {"code": "invalid_api_key", "key": "gateway.auth.token"},
        ),
        (
            "OPTIONS /v1/chat/completions",
            PREFLIGHT,
            {
                "code": "origin_not_allowed",
                "origin": "https://app.example",
                "key": "gateway.http.cors.allowedOrigins",
            },
        ),
        (
            "GET /v1/models",
            {"Sec-Fetch-Site": "cross-site"},
            {
                "code": "origin_not_allowed",
                "origin": "a site that is not named",
                "key": "gateway.http.cors.allowedOrigins",
            },
        ),
        (
            "GET /v1/models",
            {"Host": "gate.example"},
            {"code": "host_not_allowed", "host": "gate.example", "key": "gateway.allowedHosts"},
        ),
        ("GET /v1/nosuch?key=sk-12345678", {}, {"code": "not_found", "path": "/v1/nosuch"}),
        (
            "POST /v1/responses",
            {},
            {
                "code": "endpoint_disabled",
                "path": "/v1/responses",
                "key": "gateway.http.endpoints.responses.enabled",
            },
        ),
    ],
)
async def test_each_kind_of_refusal_leaves_one_line(
    gateway: RunningGateway, log: Log, asked: str, headers: dict[str, str], shown: dict[str, str]
) -> None:
    method, path = asked.split(" ")
    for _ in range(3):
        await ask(gateway, method, path, headers)
    (line,) = log.lines("http.refused")
    assert line.items() >= shown.items()
    assert line["peer"] in {"127.0.0.1", "::1"}
    assert line["path"] == path.partition("?")[0]
    assert line["request"].startswith("req_")
    assert line["detail"]
    assert b"wrong-secret" not in log.written
    assert b"sk-1234" not in log.written


async def test_a_wrong_secret_over_the_websocket_leaves_the_same_line(
    gateway: RunningGateway, log: Log
) -> None:
    async with dial(gateway.ws_url) as peer:
        await peer.event("connect.challenge")
        await peer.send({"type": "req", "id": "c", "method": "connect", "params": connect_params("wrong")})
        await peer.answer("c")
    (line,) = log.lines("http.refused")
    assert (line["code"], line["key"]) == ("invalid_api_key", "gateway.auth.token")


async def test_what_a_stranger_writes_stays_in_its_line(gateway: RunningGateway, log: Log) -> None:
    async with wire(gateway) as raw:
        raw.send(b"GET /v1/\x1b[31mred\xe2\x80\xae%0aevent HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await raw.closed()
    assert b"\x1b" not in log.written
    for line in log.lines("http.refused"):
        assert line["path"].isprintable()


def test_a_stranger_s_text_is_short_printable_and_without_secrets() -> None:
    assert shortened("a\nb\x1b[1m\u202e") == "a?b?[1m?"
    assert len(shortened("x" * 10_000)) <= 120
    assert "sk-abcdef" not in shortened("/sk-abcdefghijkl/v1")


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class _Asked:
    """What `Refusals` reads of a request."""

    method = "GET"

    def __init__(self, path: str) -> None:
        self.route_path = path
        self.headers: dict[str, str] = {}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BodyTooLarge("too large"), True),
        (RateLimited("locked out"), True),
        (MissingScope("operator.admin"), True),
        (Overloaded("too many"), True),
        (ShuttingDown(), False),
        (InvalidRequest("no model"), False),
        (SessionBusy("busy"), False),
    ],
    ids=lambda each: getattr(each, "code", each),
)
def test_who_is_turned_away_is_told_of_and_no_mere_mistake(log: Log, error: GatewayError, told: bool) -> None:
    Refusals(lambda: 0.0).tell(_Asked("/v1/x"), "10.0.0.1", error, "token")  # type: ignore[arg-type]
    lines = [(line["code"], line["peer"], line["path"]) for line in log.lines("http.refused")]
    assert lines == ([(error.code, "10.0.0.1", "/v1/x")] if told else [])


def test_strangers_cannot_fill_the_log_nor_the_memory(log: Log) -> None:
    clock = _Clock()
    refusals = Refusals(clock)

    def tell(path: str) -> None:
        refusals.tell(_Asked(path), "10.0.0.1", NotFound("no such path"), "token")  # type: ignore[arg-type]

    for number in range(1000):
        tell(f"/{number}")
    assert len(log.lines("http.refused")) == MOST_LINES
    clock.now = WINDOW_S
    tell("/again")
    last = log.lines("http.refused")[-1]
    assert (last["path"], last["untold_before"]) == ("/again", 1000 - MOST_LINES)
