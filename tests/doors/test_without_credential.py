"""What a web page can send without asking first reaches no agent of a gateway that wants no credential."""

import aiohttp
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.raw import wire

OPEN = {"gateway": {"auth": {"mode": "none"}}}
ASK = b'{"messages":[{"role":"user","content":"hi"}]}'


@pytest.mark.promise("error.unsupported_media_type")
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=application/json", 415),
        ("text/plain; application/json", 415),
        ("", 415),
    ],
)
async def test_only_json_is_taken(models: ModelServer, kind: str, status: int) -> None:
    models.script("mock-echo", says("hello"))
    async with (
        running_gateway(model_config(models.base_url, OPEN)) as gateway,
        aiohttp.ClientSession() as client,
        client.post(
            f"{gateway.url}/v1/chat/completions",
            data=ASK,
            headers={"Content-Type": kind} if kind else {},
            skip_auto_headers=() if kind else ("Content-Type",),
        ) as answer,
    ):
        told = await answer.json()
    assert answer.status == status, told
    assert bool(models.requests) is (status == 200)
    if status == 415:
        assert told["error"]["code"] == "unsupported_media_type"


async def test_with_a_credential_any_kind_is_taken(gateway: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("hello"))
    headers = {"Content-Type": "text/plain", "Authorization": f"Bearer {gateway.token}"}
    async with aiohttp.ClientSession() as client:
        url = f"{gateway.url}/v1/chat/completions"
        async with client.post(url, data=ASK, headers=headers) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("said", ["cross-site", "Cross-Site", " CROSS-SITE "])
async def test_a_foreign_page_is_one_in_any_case(gateway: RunningGateway, said: str) -> None:
    headers = {"Sec-Fetch-Site": said, "Authorization": f"Bearer {gateway.token}"}
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{gateway.url}/v1/models", headers=headers) as answer,
    ):
        assert answer.status == 403


async def test_chunks_in_http_1_0_are_refused_and_the_connection_ends(gateway: RunningGateway) -> None:
    """What stands behind them is nobody's request."""
    async with wire(gateway) as raw:
        raw.send(
            b"POST /v1/chat/completions HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n"
            + f"Authorization: Bearer {gateway.token}\r\n".encode()
            + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        said = await raw.closed()
    assert said.count(b"Content-Length: ") == 1
    assert said.split(b" ", 2)[1] == b"400"
    assert b'"invalid_http"' in said
