"""The traps of the design, each through a real socket: what the HTTP library does not do by itself."""

import asyncio
import gzip
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway import __version__
from openclaw_gateway.doors.answers import error_answer, raw_answer
from openclaw_gateway.errors import Overloaded
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Hang, ModelServer, hangs, says
from tests.doors.chat import CHAT, Answer, ask, http, say, user
from tests.doors.raw import chat_body, post, wire


def with_limits(models: ModelServer, **limits: Any) -> dict[str, Any]:
    return model_config(models.base_url, {"gateway": {"limits": limits}})


@pytest.mark.promise("limit.maxBodyBytes", "error.body_too_large")
async def test_a_large_content_length_is_refused_before_the_body_comes(gateway: RunningGateway) -> None:
    async with wire(gateway) as raw:
        raw.send(post(gateway, b"", length=21 * 1024 * 1024))
        answer = await raw.answer()
    assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.promise("limit.maxBodyBytes", "error.body_too_large")
async def test_a_chunked_body_is_cut_at_the_limit(models: ModelServer) -> None:
    async with running_gateway(with_limits(models, maxBodyBytes=1000)) as gateway, wire(gateway) as raw:
        raw.send(post(gateway, b"", "Transfer-Encoding: chunked"))
        raw.send(b"400\r\n" + b" " * 0x400 + b"\r\n")
        answer = await raw.answer()
    assert (answer.status, answer.code) == (413, "body_too_large")


async def test_100_continue_comes_only_to_whom_may_go_on(gateway: RunningGateway) -> None:
    body = chat_body()
    async with wire(gateway) as raw:
        raw.send(post(gateway, b"", "Expect: 100-continue", length=len(body)))
        assert (await raw.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 Continue")
        raw.send(body)
        assert (await raw.answer()).status == 200
    async with wire(gateway) as raw:
        request = post(gateway, b"", "Expect: 100-continue", length=len(body))
        raw.send(request.replace(gateway.token.encode(), b"wrong"))
        assert (await raw.answer()).status == 401


@pytest.mark.promise("limit.content-encoding", "error.unsupported_encoding", "CVE-2026-100542")
async def test_compressed_bodies_are_refused_unread(gateway: RunningGateway) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    answer = await ask(gateway, bomb, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.error["code"]) == (415, "unsupported_encoding")


@pytest.mark.promise("error.unsupported_transfer")
async def test_bodies_that_are_compressed_on_their_way_are_refused(
    gateway: RunningGateway, models: ModelServer
) -> None:
    body = chat_body("plain, whatever the head says")
    async with wire(gateway) as raw:
        raw.send(
            post(gateway, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), "Transfer-Encoding: gzip, chunked")
        )
        answer = await raw.answer()
    assert (answer.status, answer.code) == (501, "unsupported_transfer")
    assert models.requests == []


@pytest.mark.parametrize("coding", ["chunked", "Chunked", " chunked "])
async def test_chunks_alone_are_read(gateway: RunningGateway, coding: str) -> None:
    body = chat_body("plain")
    async with wire(gateway) as raw:
        raw.send(post(gateway, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), f"Transfer-Encoding: {coding}"))
        assert (await raw.answer()).status == 200


async def test_no_answer_names_the_server_software(gateway: RunningGateway) -> None:
    async with http(gateway) as session:
        for path in ("/", "/health", "/nosuch", "/v1/models"):
            async with session.get(path) as response:
                assert "Server" not in response.headers
    async with wire(gateway) as raw:
        raw.send(b"NONSENSE\r\n\r\n")
        answer = await raw.answer()
    assert b"server:" not in answer.head.lower()
    assert (answer.status, answer.code) == (400, "invalid_http")


@pytest.mark.promise(
    "limit.maxHeaderBlockBytes",
    "limit.maxHeaderBytes",
    "limit.maxUrlBytes",
    "error.uri_too_long",
    "error.headers_too_large",
    "error.invalid_http",
)
@pytest.mark.parametrize(
    ("request_head", "status", "code"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, "uri_too_long"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Secret: " + b"s" * 20_000 + b"\r\n\r\n",
            431,
            "headers_too_large",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\n"
            + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 9_000) for n in range(4))
            + b"\r\n",
            431,
            "headers_too_large",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\n"
            + b"".join(b"X-%d: v\r\n" % n for n in range(300))
            + b"\r\n",
            431,
            "headers_too_large",
        ),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n", 400, "invalid_http"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "invalid_http"),
    ],
)
async def test_heads_out_of_bounds(
    gateway: RunningGateway, request_head: bytes, status: int, code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with wire(gateway) as raw:
        raw.send(request_head)
        answer = await raw.answer()
        await raw.closed()
    assert (answer.status, answer.code) == (status, code)
    assert "sssss" not in answer.body.decode()
    assert "sssss" not in "".join(capfd.readouterr())


@pytest.mark.promise("limit.headerTimeoutSeconds", "error.request_timeout")
async def test_a_head_that_does_not_end_is_given_up(models: ModelServer) -> None:
    async with (
        running_gateway(with_limits(models, headerTimeoutSeconds=0.2)) as gateway,
        wire(gateway) as raw,
    ):
        raw.send(b"GET / HTTP/1.1\r\nHost: local")
        answer = await raw.answer()
        await raw.closed()
    assert (answer.status, answer.code) == (408, "request_timeout")


@pytest.mark.promise("limit.bodyMinBytesPerSecond", "limit.bodyGraceSeconds", "error.request_timeout")
async def test_a_body_that_drips_is_given_up(models: ModelServer) -> None:
    async with (
        running_gateway(with_limits(models, bodyGraceSeconds=0.2)) as gateway,
        wire(gateway) as raw,
    ):
        raw.send(post(gateway, b'{"mess', length=100_000))
        answer = await raw.answer()
    assert (answer.status, answer.code) == (408, "request_timeout")


async def test_connections_beyond_the_caps_are_refused(models: ModelServer) -> None:
    async with (
        running_gateway(with_limits(models, maxConnectionsPerAddress=1)) as gateway,
        wire(gateway) as first,
    ):
        first.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await first.answer()).status == 200
        async with wire(gateway) as second:
            answer = await second.answer()
            await second.closed()
        assert (answer.status, answer.code) == (503, "overloaded")
        assert b"Retry-After" in answer.head
        first.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await first.answer()).status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_pipelining_behind_a_run_ends_both(
    gateway: RunningGateway, models: ModelServer, stream: bool
) -> None:
    models.script("mock-echo", says("one", Hang()) if stream else hangs())
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body(stream=stream)))
        await models.wait_requests(1)
        raw.send(post(gateway, b'{"half', length=1000))
        await raw.closed()
        await models.wait_aborted(1)


@pytest.mark.parametrize("together", [False, True])
async def test_what_stands_behind_an_upgrade_that_was_not_made_is_pipelined_too(
    gateway: RunningGateway, models: ModelServer, together: bool
) -> None:
    models.script("mock-echo", hangs())
    asked = post(gateway, chat_body(), "Connection: Upgrade", "Upgrade: websocket")
    async with wire(gateway) as raw:
        if together:
            raw.send(asked + b"frames")
        else:
            raw.send(asked)
            await models.wait_requests(1)
            raw.send(b"frames")
        await raw.closed()
        await gateway.wait_no_runs()


@pytest.mark.promise("client-leaves")
@pytest.mark.parametrize("leave", ["drop", "half_close"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_aborts_its_run(
    gateway: RunningGateway, models: ModelServer, leave: str, stream: bool
) -> None:
    models.script("mock-echo", says("one", Hang()) if stream else hangs())
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body(stream=stream)))
        await models.wait_requests(1)
        getattr(raw, leave)()
        await models.wait_aborted(1)
    assert gateway.gateway.live_runs() == 0


async def test_a_client_that_leaves_the_queue_loses_its_place(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", hangs(), says("second"), says("third"))
    async with wire(gateway) as first, wire(gateway) as second:
        first.send(post(gateway, chat_body("one", user="ada")))
        await models.wait_requests(1)
        second.send(post(gateway, chat_body("two", user="ada")))
        third = asyncio.create_task(say(gateway, "three", user="ada"))
        await gateway.wait_runs(3)
        second.drop()
        first.drop()
        answer = await third
    assert answer.content == "second"
    assert [m["content"] for m in models.requests[-1].messages if m["role"] == "user"] == ["three"]


@pytest.mark.promise("allowed-hosts")
@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:18789",
        "app.localhost",
        "127.0.0.1:1",
        "[::1]:18789",
        "192.168.1.20",
        "host.docker.internal:18789",
        "gateway.docker.internal",
        "box.tail1.ts.net",
        "my.name:80",
    ],
)
async def test_hosts_that_pass(models: ModelServer, host: str) -> None:
    config = model_config(models.base_url, {"gateway": {"allowedHosts": ["my.name"]}})
    async with running_gateway(config) as gateway, wire(gateway) as raw:
        raw.send(post(gateway, chat_body(), host=host))
        assert (await raw.answer()).status == 200


@pytest.mark.promise("allowed-hosts", "error.host_not_allowed")
@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "1.2.3", "[::1].evil.example"]
)
async def test_other_hosts_are_misdirected(gateway: RunningGateway, host: str) -> None:
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body(), host=host))
        answer = await raw.answer()
    assert (answer.status, answer.code) == (421, "host_not_allowed")
    assert b"gateway.allowedHosts" in answer.body


@pytest.mark.promise("error.origin_not_allowed")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_pages_of_other_sites_are_refused(gateway: RunningGateway, headers: dict[str, str]) -> None:
    answer = await ask(gateway, {"messages": [user("hi")]}, headers=headers | {"Content-Type": "text/plain"})
    assert (answer.status, answer.error["code"]) == (403, "origin_not_allowed")
    async with http(gateway) as session:
        upgrade = {**headers, "Connection": "Upgrade", "Upgrade": "websocket"}
        async with session.get("/", headers=upgrade) as response:
            assert response.status == 403


async def test_own_pages_and_allowed_origins_pass(models: ModelServer) -> None:
    config = model_config(
        models.base_url, {"gateway": {"http": {"cors": {"allowedOrigins": ["https://app.example"]}}}}
    )
    async with running_gateway(config) as gateway:
        own = await ask(gateway, {"messages": [user("hi")]}, headers={"Origin": gateway.url})
        assert own.status == 200
        origin = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
        allowed = await ask(gateway, {"messages": [user("hi")]}, headers=origin)
        assert allowed.status == 200
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example"
        exposed = allowed.headers["Access-Control-Expose-Headers"]
        assert all(f"x-{brand}-session-key" in exposed for brand in ("openclaw", "clawdbot"))
        async with http(gateway) as session:
            asked = {
                **origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,x-stainless-os",
            }
            async with session.options(CHAT, headers=asked) as response:
                assert response.status == 204
                assert response.headers["Access-Control-Allow-Headers"] == "authorization,x-stainless-os"


# What a browser asks for the `openai` package of npm: its request headers, in lower case and sorted.
_SDK_IN_A_PAGE = (
    "authorization,content-type,idempotency-key,openai-organization,openai-project,x-openclaw-session-key,"
    "x-stainless-arch,x-stainless-helper-method,x-stainless-lang,x-stainless-os,x-stainless-package-version,"
    "x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout"
)


async def test_a_page_with_the_browser_sdk_may_ask_and_read_the_answer(models: ModelServer) -> None:
    config = model_config(
        models.base_url, {"gateway": {"http": {"cors": {"allowedOrigins": ["https://app.example"]}}}}
    )
    page = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    preflight = {
        **page,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": _SDK_IN_A_PAGE,
    }
    async with running_gateway(config) as gateway, aiohttp.ClientSession(gateway.url) as session:
        async with session.options(CHAT, headers=preflight) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Headers"] == _SDK_IN_A_PAGE
            assert "POST" in response.headers["Access-Control-Allow-Methods"]
        # A refusal is read by the page too, with what its SDK goes by.
        for headers in (gateway.headers, {}):
            sent = {**page, **headers, **dict.fromkeys(_SDK_IN_A_PAGE.split(",")[7:], "0")}
            async with session.post(CHAT, json={"messages": [user("hi")]}, headers=sent) as response:
                assert response.status == (200 if headers else 401)
                assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
                exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
                told = {"x-request-id", "retry-after", "x-should-retry", "openai-processing-ms"}
                assert told | {"*", "x-openclaw-session-key", "x-openclaw-ignored-params"} <= set(exposed)


async def test_a_preflight_that_no_answer_can_repeat_is_refused(models: ModelServer) -> None:
    config = model_config(
        models.base_url, {"gateway": {"http": {"cors": {"allowedOrigins": ["https://app.example"]}}}}
    )
    asked = (
        b"OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\n"
        b"Access-Control-Request-Headers: x-\xff\r\n\r\n"
    )
    async with running_gateway(config) as gateway, wire(gateway) as raw:
        raw.send(asked)
        answer = await raw.answer()
    assert (answer.status, answer.code) == (400, "invalid_header")


@pytest.mark.promise("error.invalid_header")
async def test_a_header_that_is_no_utf8_is_refused(gateway: RunningGateway) -> None:
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body(), "x-openclaw-session-key: caf\xe9"))
        answer = await raw.answer()
    assert (answer.status, answer.code) == (400, "invalid_header")


async def test_a_utf8_session_key_comes_back_percent_encoded(gateway: RunningGateway) -> None:
    key = "Чат 日本"
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body(), f"x-openclaw-session-key: {key.encode().decode('latin-1')}"))
        answer = await raw.answer()
    assert answer.status == 200
    assert b"agent:main:%D1%87%D0%B0%D1%82%20%E6%97%A5%E6%9C%AC" in answer.head


async def test_line_separators_are_escaped(gateway: RunningGateway) -> None:
    text = "a\u2028b\u2029c\u0085d"
    plain = await say(gateway, text)
    stream = await say(gateway, text, stream=True)
    assert plain.content == text
    assert not {"\u2028", "\u2029", "\u0085"} & set(stream.text)
    assert "".join(f["choices"][0]["delta"].get("content", "") for f in stream.frames[:-1]) == text


async def test_model_text_cannot_forge_frames(gateway: RunningGateway) -> None:
    text = 'x\n\ndata: {"forged": true}\r\n\r\ndata: [DONE]\n\n'
    stream = await say(gateway, text, stream=True)
    assert "".join(f["choices"][0]["delta"].get("content", "") for f in stream.frames[:-1]) == text
    assert stream.frames.count("[DONE]") == 1


async def test_many_requests_on_one_connection(gateway: RunningGateway) -> None:
    async with wire(gateway) as raw:
        for number in range(20):
            raw.send(post(gateway, chat_body(f"n{number}")))
            answer = await raw.answer()
            assert msgspec.json.decode(answer.body)["choices"][0]["message"]["content"] == f"n{number}"


async def test_chunked_requests_are_read(gateway: RunningGateway) -> None:
    body = chat_body("in pieces")
    async with wire(gateway) as raw:
        raw.send(post(gateway, b"", "Transfer-Encoding: chunked"))
        for byte in body:
            raw.send(b"1\r\n" + bytes([byte]) + b"\r\n")
        raw.send(b"0\r\n\r\n")
        answer = await raw.answer()
    assert msgspec.json.decode(answer.body)["choices"][0]["message"]["content"] == "in pieces"


async def test_request_ids_are_echoed_when_fit(gateway: RunningGateway) -> None:
    fit = await ask(gateway, {"messages": [user("hi")]}, headers={"X-Client-Request-Id": "abc-1"})
    unfit = await ask(gateway, {"messages": [user("hi")]}, headers={"X-Client-Request-Id": "a b"})
    assert fit.headers["x-request-id"] == "abc-1"
    assert unfit.headers["x-request-id"].startswith("req_")


async def test_health_needs_no_credential(gateway: RunningGateway) -> None:
    async with wire(gateway) as raw:
        for path, expected in (("/health", b'"ok":true'), ("/ready", b'"ready":true')):
            raw.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = await raw.answer()
            assert answer.status == 200
            assert expected in answer.body


async def test_the_start_page_shows_only_that_the_gateway_is_there(models: ModelServer) -> None:
    """Anybody may read it: neither agents nor models, neither settings nor secrets are on it."""
    named = {
        "agents": {"list": [{"id": "butler", "name": "Jeeves"}, {"id": "accountant"}]},
        "gateway": {"controlUi": {"enabled": False}},
    }
    config = model_config(models.base_url, named)
    async with running_gateway(config) as gateway, aiohttp.ClientSession(gateway.url) as session:
        async with session.get("/") as response:
            answer = Answer(response.status, response.headers.copy(), await response.text())
        on_it = answer.text.lower()
        assert answer.status == 200
        assert "ready" in on_it
        assert f"{gateway.url}/v1" in on_it
        hidden = ("butler", "jeeves", "accountant", "mock", "chatcompletions", "$", __version__)
        for word in (*hidden, gateway.token, str(gateway.state_dir)):
            assert word.lower() not in on_it, word
        assert "curl" in on_it
        assert "anthropic_base_url" not in on_it, "what is off is not offered to be pasted"
        assert "openclaw config set gateway.http.endpoints.messages.enabled true" in on_it
        gateway.gateway.refuse_runs()
        async with session.get("/") as response:
            assert "not ready" in await response.text()


async def test_what_no_parser_can_read_is_answered_in_our_version(gateway: RunningGateway) -> None:
    async with wire(gateway) as raw:
        raw.send(b"NONSENSE\r\n\r\n")
        assert (await raw.answer()).head.startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_who_is_cut_off_in_a_head_may_finish_its_sentence_and_reads_why(models: ModelServer) -> None:
    """Closing at once would reset the connection under what the client still sends."""
    async with (
        running_gateway(with_limits(models, headerTimeoutSeconds=0.2)) as gateway,
        wire(gateway) as raw,
    ):
        raw.send(b"GET / HTTP/1.1\r\nHost: local")
        await raw.until(b"HTTP/1.1 408 Request Timeout\r\n")
        raw.send(b"host\r\n" + b"X: y\r\n" * 1000)
        assert b"request_timeout" in await raw.closed()


def test_an_answer_without_a_request_is_the_same_as_with_one() -> None:
    error = Overloaded("Full.", retry_after=6.2)
    head, _, body = raw_answer(error).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    answer = error_answer(error)
    assert lines[0] == "HTTP/1.1 503 Service Unavailable"
    assert {f"{name}: {value}" for name, value in answer.headers.items()} <= set(lines)
    assert "Retry-After: 7" in lines
    assert f"Content-Length: {len(body)}" in lines
    assert body == answer.body
