"""The upstream client below HTTP: addresses that do not answer, servers that speak something else."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.errors import Overloaded, ProviderError
from openclaw_gateway.models.apis.openai_completions.api import headers
from openclaw_gateway.models.direct import LARGEST
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.http_errors import Phase, translate
from openclaw_gateway.models.target import Endpoint
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.testing.model_server import Hang, ModelServer, says, sends
from tests.models.calls import upstream

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def speaking(handler: Handler) -> AsyncIterator[str]:
    """A TCP server; gives its base URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def answer(client: UpstreamClient, endpoint: Endpoint, body: bytes = b"{}") -> tuple[int, bytes]:
    response = await client.post(endpoint, "/chat/completions", body, headers)
    try:
        return response.status, await response.read_all()
    finally:
        response.close()


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    async with upstream() as client:
        yield client


async def test_nobody_listens(client: UpstreamClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(
            ProviderError, match=r"acme cannot be reached.*models\.providers\.acme\.baseUrl"
        ) as e:
            await answer(client, Endpoint("acme", url))
    assert (e.value.reason, e.value.retryable) == ("unreachable", True)
    assert "127.0.0.1" not in e.value.message


async def test_a_host_that_does_not_exist(client: UpstreamClient) -> None:
    with pytest.raises(ProviderError, match="host name that is not found") as caught:
        await answer(client, Endpoint("acme", "http://nosuchhost.invalid/v1"))
    assert caught.value.reason == "unreachable"


async def test_plain_http_where_tls_is_expected(client: UpstreamClient, models: ModelServer) -> None:
    url = models.base_url.replace("http://", "https://")
    with pytest.raises(ProviderError) as caught:
        await answer(client, Endpoint("acme", url))
    assert (caught.value.reason, caught.value.retryable) == ("unreachable", False)


async def test_a_server_that_closes_without_a_word(client: UpstreamClient) -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    async with speaking(close) as url:
        with pytest.raises(ProviderError, match="before it answered") as caught:
            await answer(client, Endpoint("acme", url))
    assert caught.value.reason == "cut"


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab",
    ],
)
async def test_a_server_that_does_not_speak_http(client: UpstreamClient, said: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(said)
        await writer.drain()

    async with speaking(say) as url:
        with pytest.raises(ProviderError, match="proper HTTP") as caught:
            await answer(client, Endpoint("acme", url))
    assert (caught.value.reason, caught.value.retryable) == ("bad_response", False)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Transfer-Encoding: chunked", b"zz\r\nabc\r\n"),
        (b"Transfer-Encoding: chunked", b"5\r\nab"),
        (b"Content-Length: 10", b"abc"),
        (b"Content-Encoding: gzip\r\nContent-Length: 3", b"abc"),
    ],
)
async def test_a_body_that_breaks_off_or_is_wrong(
    client: UpstreamClient, headers: bytes, body: bytes
) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n\r\n" + body)
        await writer.drain()

    async with speaking(say) as url:
        with pytest.raises(ProviderError) as caught:
            await answer(client, Endpoint("acme", url))
    assert caught.value.reason in ("cut", "bad_response")


async def test_a_server_that_takes_no_body_has_a_deadline_too() -> None:
    stop = asyncio.Event()

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stop.wait()

    limits = Limits(upstream_connect_s=0.1, upstream_first_byte_s=0.1)
    async with upstream(limits) as client, speaking(ignore) as url:
        with pytest.raises(ProviderError) as caught:
            await answer(client, Endpoint("acme", url), b"x" * (30 << 20))
        stop.set()
    assert caught.value.reason == "timeout"


async def test_an_early_answer_to_a_large_body_is_heard(client: UpstreamClient) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await writer.drain()
        while await reader.read(1 << 20):
            pass

    async with speaking(refuse) as url:
        response = await client.post(Endpoint("acme", url), "/x", b"x" * (8 << 20))
        assert (response.status, await response.read_error()) == (413, b"big")
        response.close()


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://", "nonsense", "ftp://host/v1", "http://h:99999999/v1"]
)
async def test_a_base_url_that_is_none(client: UpstreamClient, url: str) -> None:
    with pytest.raises(ProviderError) as caught:
        await answer(client, Endpoint("acme", url))
    assert (caught.value.reason, caught.value.retryable) == ("bad_response", False)


async def test_headers_credentials_and_query_of_the_base_url(
    client: UpstreamClient, models: ModelServer
) -> None:
    models.enqueue(*[sends(b"ok")] * 3)
    url = models.base_url.replace("http://", "http://user:p%40ss@") + "/?api-version=1"
    await answer(client, Endpoint("a", url, headers={"X-Own": "1", "user-agent": "mine"}))
    await answer(client, Endpoint("b", url, "the-key", {"api-key": "the-key"}, auth_header=False))
    await answer(client, Endpoint("c", url, "the-key"))
    first, second, third = models.requests
    assert first.path == "/v1/chat/completions"
    assert first.headers["Authorization"] == "Basic dXNlcjpwQHNz"
    assert (first.headers["X-Own"], first.headers["User-Agent"]) == ("1", "mine")
    assert second.headers["api-key"] == "the-key"
    assert third.headers["Authorization"] == "Bearer the-key"


async def test_cookies_are_not_kept_and_redirects_not_followed(
    client: UpstreamClient, models: ModelServer
) -> None:
    endpoint = Endpoint("acme", models.base_url)
    models.enqueue(
        sends(b"", status=307, headers={"Set-Cookie": "a=b", "Location": "/elsewhere"}), sends(b"ok")
    )
    assert (await answer(client, endpoint))[0] == 307
    await answer(client, endpoint)
    assert [request.path for request in models.requests] == ["/v1/chat/completions"] * 2
    assert "Cookie" not in models.requests[1].headers


async def test_a_proxy_is_for_other_machines(models: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:pass@127.0.0.1:{models.port}")
    monkeypatch.setenv("no_proxy", "direct.invalid")
    models.enqueue(*[sends(b"ok")] * 2)
    async with upstream() as client:
        assert (await answer(client, Endpoint("a", "http://model.invalid/v1")))[0] == 200
        assert (await answer(client, Endpoint("b", models.base_url)))[0] == 200
        with pytest.raises(ProviderError, match="host name"):
            await answer(client, Endpoint("c", "http://direct.invalid/v1"))
    proxied, direct = models.requests
    assert proxied.headers["Host"] == "model.invalid"
    assert proxied.headers["Proxy-Authorization"] == "Basic dXNlcjpwYXNz"
    assert "Proxy-Authorization" not in direct.headers


async def test_an_error_s_body_is_read_as_far_as_it_comes(
    client: UpstreamClient, models: ModelServer
) -> None:
    models.enqueue(sends(b"x" * (200 << 10), Hang(), status=500))
    response = await client.post(Endpoint("acme", models.base_url), "/x", b"{}")
    assert await response.read_error() == b"x" * (64 << 10)
    response.close()
    await models.wait_aborted(1)


async def test_a_path_may_have_a_query(client: UpstreamClient, models: ModelServer) -> None:
    seen: list[str] = []

    def headers_of(endpoint: Endpoint) -> dict[str, str]:
        seen.append(endpoint.provider)
        return {"X-Key": "1"}

    models.enqueue(sends(b"ok"), sends(b"ok"))
    endpoint = Endpoint("a", models.base_url + "/?version=1")
    for _ in range(2):
        response = await client.post(endpoint, "/models/x:stream?alt=sse", b"{}", headers_of)
        await response.read_all()
        response.close()
    assert models.requests[0].path == "/v1/models/x:stream"
    assert models.requests[0].headers["X-Key"] == "1"
    assert seen == ["a"]


@pytest.mark.promise("error.shutting_down")
async def test_closing_ends_calls_and_refuses_more(models: ModelServer) -> None:
    models.script("", says("a", Hang()))
    client = UpstreamClient()
    response = await client.post(Endpoint("acme", models.base_url), "/chat/completions", b'{"stream":true}')
    assert await response.read()
    await client.close()
    with pytest.raises(ProviderError):
        await response.read_all()
    response.close()
    with pytest.raises(Overloaded):
        await client.post(Endpoint("acme", models.base_url), "/x", b"{}")
    await client.close()
    await models.wait_aborted(1)


KEY = ConnectionKey("h", 1, is_ssl=False, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)


@pytest.mark.parametrize(
    ("error", "reason", "retryable"),
    [
        (aiohttp.ConnectionTimeoutError(), "timeout", True),
        (aiohttp.SocketTimeoutError(), "timeout", True),
        (TimeoutError(), "timeout", True),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLError()), "unreachable", False),
        (aiohttp.ClientConnectorSSLError(KEY, OSError(1, "x")), "unreachable", False),
        (aiohttp.ClientProxyConnectionError(KEY, OSError(1, "x")), "unreachable", True),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(1, "x")), "unreachable", True),
        (aiohttp.ClientConnectorError(KEY, OSError(1, "x")), "unreachable", True),
        (aiohttp.ServerDisconnectedError(), "cut", True),
        (aiohttp.ClientPayloadError(), "cut", True),
        (aiohttp.ClientOSError(104, "x"), "cut", True),
        (ConnectionResetError(), "cut", True),
        (aiohttp.ClientConnectionError(), "cut", True),
        (aiohttp.InvalidURL("x"), "bad_response", False),
        (ValueError(), "bad_response", False),
    ],
)
def test_what_each_failure_means(error: BaseException, reason: str, retryable: bool) -> None:
    found = translate(error, Vendor("acme"), Phase.ANSWER)
    assert (found.reason, found.retryable) == (reason, retryable)
    assert found.message.startswith("The provider acme ")


async def test_a_small_body_and_a_large_one_are_sent_with_the_same_headers(
    client: UpstreamClient, models: ModelServer
) -> None:
    """Though they go two ways: in one piece past aiohttp's own request, and by it."""
    models.script("m", *(says("a") for _ in range(4)))
    endpoint = Endpoint("acme", models.base_url, "hunter2hunter2", headers={"X-Own": "é"})
    for size in (1, LARGEST - 200, LARGEST, 300 << 10):
        body = b'{"model":"m","stream":true,"pad":"%b"}' % (b"x" * size)
        assert (await answer(client, endpoint, body))[0] == 200
    small, *others = [dict(request.headers) for request in models.requests]
    assert models.requests[0].body["pad"] == "x"
    lengths = [int(headers.pop("Content-Length")) for headers in (small, *others)]
    assert lengths == sorted(lengths)
    assert all(headers == small for headers in others)


@pytest.mark.parametrize("bad", ["a\r\nX-Evil: b", "a\nb", "a\0b"])
async def test_a_header_with_a_line_end_reaches_nobody(
    client: UpstreamClient, models: ModelServer, bad: str
) -> None:
    for size in (1, LARGEST):
        with pytest.raises(ProviderError, match="cannot be asked"):
            await answer(client, Endpoint("acme", models.base_url, headers={"X-Own": bad}), b" " * size)
    assert not models.requests


@pytest.mark.parametrize("body", [b"%d", b"%d" + b" " * LARGEST], ids=["in one piece", "by aiohttp"])
async def test_what_comes_unasked_is_nobodys_answer(client: UpstreamClient, body: bytes) -> None:
    """Some servers say 408 on a connection that is idle, and keep it open."""
    unasked = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            sent = await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + sent[:1])
            await unasked.wait()
            writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 2\r\n\r\nto")
            await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await handle(reader, writer)

    async with speaking(serve) as url:
        endpoint = Endpoint("acme", url)
        for number in range(3):
            unasked.clear()
            assert await answer(client, endpoint, body % number) == (200, b"%d" % number)
            unasked.set()
            async with asyncio.timeout(5):
                # Until it has come to the connection that lies in the pool.
                await until_spoken_to(client)


async def until_spoken_to(client: UpstreamClient) -> None:
    assert client._pool is not None
    while True:
        if any(kept.should_close for some in client._pool._conns.values() for kept, _ in some):
            return
        await asyncio.sleep(0)


@pytest.mark.parametrize("size", [2, LARGEST + 1], ids=["in one piece", "by aiohttp"])
@pytest.mark.parametrize(
    "head", [b"Content-Length: 9\r\n\r\nok", b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"\r\nok"]
)
async def test_an_answer_under_way_fails_when_the_client_is_closed(head: bytes, size: int) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + head)
        while await reader.read(LARGEST):
            pass

    async with upstream() as client, speaking(handle) as url:
        response = await client.post(Endpoint("acme", url), "/chat/completions", b"x" * size, headers)
        try:
            assert await response.read() == b"ok"
            reading = asyncio.create_task(response.read())
            await asyncio.sleep(0)
            await client.close()
            async with asyncio.timeout(5):
                with pytest.raises(ProviderError):
                    await reading
        finally:
            response.close()
