"""Secrets stay where they were written: out of what is shown of the configuration, of logs and of errors."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.config.masking import masked
from openclaw_gateway.config.schema import McpConfig, McpServer
from openclaw_gateway.redaction import MASK, redact, safe_text
from openclaw_gateway.secret_values import in_arguments, in_url
from openclaw_gateway.testing.gateway import model_config, write_config
from openclaw_gateway.tools.mcp.last_words import LastWords
from openclaw_gateway.tools.mcp.pool import McpPool
from openclaw_gateway.tools.mcp.secrets import secrets_of
from openclaw_gateway.tools.mcp.servers import McpServers

S = "hunter2-and-more"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"postgres://ada:{S}@db.example:5432/x", "postgres://ada:***@db.example:5432/x"),
        ("redis://:p@ss@cache/0", "redis://:***@cache/0"),
        ("amqp://u:x@h, amqp://v:y@h", "amqp://u:***@h, amqp://v:***@h"),
        ("https://0123456789abcdef0123@sentry.example/4", "https://***@sentry.example/4"),
        ("ssh://git@example.com/x", "ssh://git@example.com/x"),
        ("https://ada:${PASSWORD}@example.com/", "https://ada:${PASSWORD}@example.com/"),
        ("https://h/x?key=k&model=m", "https://h/x?key=***&model=m"),
        ("https://h/x?a=1&access_token=t#b", "https://h/x?a=1&access_token=***#b"),
        ("https://h/x?X-Amz-Signature=ab12&X-Amz-Date=1", "https://h/x?X-Amz-Signature=***&X-Amz-Date=1"),
        ("https://h/cb#access_token=abc", "https://h/cb#access_token=***"),
        ("https://h/x?key=${KEY}&a=1", "https://h/x?key=${KEY}&a=1"),
        ("https://h/x?keyword=cats&page=2", "https://h/x?keyword=cats&page=2"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("authorization: Bearer abcdefgh", "authorization: Bearer ***"),
        ("Cookie: sid=abcdef", "Cookie: ***"),
        ("the key ghp_abcdef123456 of AKIAABCDEFGHIJKLMNOP", "the key *** of ***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln sent", "*** sent"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0 sent", "*** sent"),
        ("of job-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln, sent", "of ***, sent"),
        ("a.eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "a.***"),
        ("reyJhbGciOiJIUzI1NiJ9.modules.python", "reyJhbGciOiJIUzI1NiJ9.modules.python"),
        ("nothing here: 12:30, a@b.example, C:/x", "nothing here: 12:30, a@b.example, C:/x"),
    ],
)
def test_what_looks_like_a_secret_is_masked_and_nothing_else(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_known_secret_is_masked_in_every_spelling() -> None:
    secret = 'a"b/c d\\é'
    for spelling in (
        secret,
        quote(secret, safe=""),
        'a\\"b/c d\\\\é',
        'a\\"b/c d\\\\\\u00e9',
        "a%22b%2Fc+d%5C%C3%A9",
    ):
        assert redact(f"<{spelling}>", known=(secret,)) == f"<{MASK}>"
    assert redact("abcd-efgh", known=("abcd", "abcd-efgh")) == MASK


def test_the_end_of_a_text_shows_no_part_of_a_secret() -> None:
    for at in range(3, 30):
        assert "hunter" not in safe_text("x" * (80 - at) + S + "y" * 900, known=(S,), limit=10)


@pytest.mark.parametrize(
    "piece",
    [
        "://",
        "://a:",
        "r://a:b/c?ssl",
        "?key",
        "&",
        "token",
        "token ",
        "sk-",
        "eyJaaaaaaaa.",
        "eyJ-",
        "eyJ-a.",
        "-----BEGIN ",
        "a",
        "/a",
        "-",
    ],
)
def test_masking_takes_time_in_proportion(piece: str) -> None:
    def cost(times: int) -> float:
        text, best = piece * times, 9.0
        for _ in range(3):
            begun = time.process_time()
            redact(text)
            best = min(best, time.process_time() - begun)
        return best

    assert cost(40_000) < 8 * cost(10_000) + 0.05


def document() -> dict[str, Any]:
    return {
        "gateway": {"auth": {"token": S, "password": "${PASSWORD}", "mode": "token"}, "port": 18789},
        "env": {"vars": {"ANYTHING": S, "PIN": 1234}, "OTHER": S},
        "models": {
            "providers": {
                "p": {
                    "baseUrl": f"https://ada:{S}@h.example/v1?api_key={S}&region=eu",
                    "apiKey": S,
                    "apiKeys": [S, "${SECOND}", "$THIRD"],
                    "headers": {"X-Anything": S, "Authorization": "Bearer ${KEY}"},
                    "models": [{"id": "m", "name": "M"}],
                },
                "q": {"baseUrl": "https://h.example", "apiKey": {"source": "env", "id": "Q"}},
            }
        },
        "mcp": {
            "servers": {
                "s": {
                    "command": "npx",
                    "args": ["-y", "server", "--token", S],
                    "env": {"PLAIN": S, "LEVEL": 9, "FLAG": True},
                    "url": f"https://h.example/s/0123456789abcdefghij/mcp?token={S}",
                    "headers": {"x": S},
                }
            }
        },
        "channels": {"telegram": {"botToken": S, "proxy": f"socks5://u:{S}@h"}},
        "auth": {"profiles": {"a": {"provider": "p", "key": S}}},
        "hooks": {"tokens": {"a": S}, "mappings": [{"command": ["run", "--api-key", S, "--fast", "$KEY"]}]},
        "agents": {"defaults": {"maxTokens": 5}, "list": [{"id": "main", "model": "p/m"}]},
    }


@pytest.mark.promise("config-get-masks")
def test_no_secret_of_a_configuration_is_shown() -> None:
    shown = masked(document())
    assert S not in repr(shown)
    assert "0123456789abcdefghij" not in repr(shown)
    assert "1234" not in repr(shown)


def test_and_the_rest_is_as_it_was_written() -> None:
    shown = masked(document())
    assert shown["gateway"] == {
        "auth": {"token": MASK, "password": "${PASSWORD}", "mode": "token"},
        "port": 18789,
    }
    provider = shown["models"]["providers"]["p"]
    assert provider["baseUrl"] == "https://ada:***@h.example/v1?api_key=***&region=eu"
    assert provider["apiKeys"] == [MASK, "${SECOND}", "$THIRD"]
    assert provider["headers"] == {"X-Anything": MASK, "Authorization": "Bearer ${KEY}"}
    assert provider["models"] == [{"id": "m", "name": "M"}]
    assert shown["models"]["providers"]["q"] == document()["models"]["providers"]["q"]
    server = shown["mcp"]["servers"]["s"]
    assert (server["command"], server["args"]) == ("npx", [MASK] * 4)
    assert server["env"] == {"PLAIN": MASK, "LEVEL": MASK, "FLAG": True}
    assert server["url"] == "https://h.example/s/***/mcp?token=***"
    assert shown["channels"]["telegram"]["proxy"] == "socks5://u:***@h"
    assert shown["hooks"]["mappings"] == [{"command": ["run", "--api-key", MASK, "--fast", "$KEY"]}]
    assert shown["agents"] == document()["agents"]


@pytest.mark.parametrize(
    ("arguments", "secrets"),
    [
        (["--token", S], {S}),
        ([f"--api-key={S}"], {S}),
        (["-e", f"GITHUB_TOKEN={S}"], {S}),
        (["--header", f"Authorization: Bearer {S}"], {S, f"Bearer {S}"}),
        (["--header", f"X-Api-Key:{S}"], {S}),
        ([f"postgresql://u:{S}@h/db"], {S}),
        ([f"WEBHOOK_SECRET=https://h/{S}"], {f"https://h/{S}"}),
        ([f"API_KEY={S}://x"], {f"{S}://x"}),
        ([f"DATABASE_URL=postgresql://u:{S}@h/db"], {S}),
        (["https://h/mcp/0123456789abcdefghij"], {"0123456789abcdefghij"}),
        (["sk-abcdef123456"], {"sk-abcdef123456"}),
        (["A1b2C3d4E5f6G7h8I9j0"], {"A1b2C3d4E5f6G7h8I9j0"}),
        (["-y", "@modelcontextprotocol/server-filesystem", "/home/ada/notes", "--port", "8080"], set()),
        (["--token", "--verbose", "run"], set()),
    ],
)
def test_arguments_that_are_secrets_are_known(arguments: list[str], secrets: set[str]) -> None:
    assert set(in_arguments(arguments)) == secrets


@pytest.mark.parametrize("scheme", ["postgresql", "redis", "redis+sentinel", "https"])
@pytest.mark.parametrize("mark", "/?#")
def test_a_password_that_tears_its_url_is_masked_all_the_same(scheme: str, mark: str) -> None:
    url = f"{scheme}://u:open{mark}hidden@h/db"
    assert masked({"store": {"url": url}, "bus": {"url": url}}) == {
        "store": {"url": f"{scheme}://u:***@h/db"},
        "bus": {"url": f"{scheme}://u:***@h/db"},
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:6379/hidden@h", "redis://:***@h"),
        ("redis://u:123?x@h", "redis://u:***@h"),
        ("rediss://u:123#x@h:6379/0", "rediss://u:***@h:6379/0"),
        ("redis+cluster://u:1?x=2@h1,h2", "redis+cluster://u:***@h1,h2"),
        ("postgresql://u:123?x@h/db?sslmode=require", "postgresql://u:***@h/db?sslmode=require"),
        ("postgresql://u:a/b@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:a@b/c@h1:5432,h2:5432/db", "postgresql://u:***@h1:5432,h2:5432/db"),
        ("postgresql://u:a@h/db?application_name=x@y", "postgresql://u:***@h/db?application_name=x@y"),
        ("https://u:123456/x@h/v1", "https://u:***@h/v1"),
    ],
)
def test_a_password_is_masked_whatever_it_looks_like_in_a_setting_and_in_a_text(url: str, shown: str) -> None:
    assert masked({"bus": {"url": url}}) == {"bus": {"url": shown}}
    assert redact(f'no answer from "{url}": gone') == f'no answer from "{shown}": gone'


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://h:5432/db?user=a@b",
        "redis+sentinel://h:26379/name?sentinel_username=a@b",
        "redis://[::1]:6379/0?x=a@b",
        "http://[::1]:8080/a@b",
        "https://h:8080/@scope/pkg",
        "http://h:8080?to=a@b",
        "postgresql://u:${PG_PASSWORD}@h/db?application_name=a@b",
    ],
)
def test_what_is_no_password_is_shown(url: str) -> None:
    assert masked({"store": {"url": url}}) == {"store": {"url": url}}
    assert redact(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://[",
        "",
        "no url",
        "https://h/x?a=1#b",
        "https://h:8080/@scope/pkg",
        "https://h/x?mail=a@b",
        "redis+sentinel://h:26379/name?sentinel_username=a@b",
    ],
)
def test_a_url_without_secrets_has_none(url: str) -> None:
    assert not any(in_url(url))


def test_all_that_a_server_is_given_is_known() -> None:
    server = McpServer(
        command="x",
        args=("--password", "in-arguments"),
        env={"PLAIN": "in-env", "HEADERS": '{"Authorization": "Bearer in-json"}', "N": "1"},
        headers={"X": "Bearer in-header"},
        url=f"https://u:in-url@h/{'0a' * 10}",
    )
    known = set(secrets_of(server))
    assert {
        "in-arguments",
        "in-env",
        "in-json",
        "in-header",
        "Bearer in-header",
        "in-url",
        "0a" * 10,
    } <= known
    assert "1" not in known


async def test_the_last_words_of_a_server_show_nothing_it_was_given() -> None:
    words = "import os,sys; sys.stderr.write(' '.join([*os.environ.values(), *sys.argv]) + ' that is all\\n')"
    server = McpServer(
        command=sys.executable,
        args=("-c", words, "--key", "given-as-an-argument", "redis://u:given-in-a-url@h"),
        env={"GIVEN": "given-in-the-environment"},
    )
    servers = McpServers(McpConfig(servers={"s": server}), os.environ, McpPool(pauses_s=(60,)))
    servers.start()
    try:
        async with asyncio.timeout(30):
            while (said := servers.states()[0].trouble) in (None, "starting"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
    finally:
        await servers.close()
    assert said is not None
    assert "that is all" in said
    assert "given" not in said


@pytest.mark.parametrize(
    ("secret", "cut"),
    [(S, cut) for cut in range(1, len(S))] + [("grüße-an-möhren-9", cut) for cut in range(1, 20)],
)
def test_words_kept_from_the_middle_of_a_secret_show_no_part_of_it(secret: str, cut: int) -> None:
    """`cut` is how many bytes of it are not kept. Blank lines take no room in what is shown."""
    words = LastWords((secret,))
    file = words.open()
    raw = secret.encode()
    file.write("x" * 500 + secret + "\n" * (2000 + len(secret) - len(raw) + cut - 3) + "yyy")
    words.close()
    deadline = time.monotonic() + 10
    while not words._kept.endswith(b"yyy") and time.monotonic() < deadline:
        time.sleep(0.001)
    assert words._kept.startswith(raw[cut:] + b"\n")
    assert words.text() == "yyy"


@pytest.mark.parametrize("key", ["mode", "token", "password"])
@pytest.mark.parametrize("written", ["${SECRET}", "${SECRET}\x07"])
def test_no_fault_of_the_configuration_quotes_what_a_variable_holds(
    tmp_path: Path, key: str, written: str
) -> None:
    config = model_config("http://127.0.0.1:9/v1", {"gateway": {"auth": {key: written}}})
    write_config(tmp_path, config)
    environ = {"OPENCLAW_STATE_DIR": str(tmp_path), "SECRET": S}
    said = draw(Options(environ=environ, home=tmp_path, cwd=tmp_path)).explained()
    assert S not in repr(said)
    assert bool(said.problems) == (key == "mode" or written != "${SECRET}")
