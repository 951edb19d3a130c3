"""The sections that say what agents may do: tools, sandbox and MCP servers."""

import msgspec
import pytest

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.config.masking import masked
from tests.config.conftest import House


def test_only_what_the_file_says_is_left_when_written_out(house: House) -> None:
    tools = house.load(
        "{ tools: { profile: 'coding', alsoAllow: ['web_fetch'], exec: { timeoutSec: 5, applyPatch: {} },"
        " fs: { workspaceOnly: false }, web: { fetch: { maxRedirects: 0 } },"
        " byProvider: { 'openai/gpt-5': { deny: ['exec'] } } } }"
    ).config.tools
    assert msgspec.to_builtins(tools) == {
        "profile": "coding",
        "alsoAllow": ("web_fetch",),
        "exec": {"timeoutSec": 5.0, "applyPatch": {}},
        "fs": {"workspaceOnly": False},
        "web": {"fetch": {"maxRedirects": 0}},
        "byProvider": {"openai/gpt-5": {"deny": ("exec",)}},
    }


def test_an_agent_has_tools_and_a_sandbox_of_its_own(house: House) -> None:
    config = house.load(
        "{ agents: { defaults: { sandbox: { mode: 'non-main', scope: 'agent', docker: { image: 'x' } } },"
        " entries: { a: { tools: { profile: 'full', deny: ['exec'] }, sandbox: { network: true } } } } }"
    )
    (agent,) = config.config.agents.entries
    assert (agent.tools.profile, agent.tools.deny) == ("full", ("exec",))
    assert agent.sandbox.network
    assert config.config.agents.defaults.sandbox.mode == "non-main"
    assert "agents.defaults.sandbox.docker" in config.notices[0]


def test_the_key_of_a_search_engine_is_a_secret_like_any_other(house: House) -> None:
    house.write(
        "{ tools: { web: { search: { provider: 'tavily', apiKey: { source: 'env', id: 'SEARCH_KEY' },"
        " searxng: { baseUrl: '${NOT_SET}' }, maxResults: 3, perplexity: { model: 'x' } } } } }"
    )
    options = Options(environ={"SEARCH_KEY": "private-thing"}, home=house.home, cwd=house.home)
    drawing = draw(options)
    loaded = drawing.read.loaded
    assert loaded.config.tools.web is not None
    search = loaded.config.tools.web.search
    assert search is not None
    assert (search.api_key, search.max_results) == ("private-thing", 3)
    assert "private-thing" not in repr(loaded.config)
    assert any("tools.web.search.perplexity" in notice for notice in loaded.notices)
    written = {"tools": {"web": {"search": {"apiKey": "abc-def", "brave": {"apiKey": "ghi-jkl"}}}}}
    assert not {"abc-def", "ghi-jkl"} & set(str(masked(written)).split("'"))


@pytest.mark.parametrize(
    ("written", "connect_s", "call_s"),
    [
        ("", 30, 60),
        ("connectTimeout: 5, timeout: 7.5", 5, 7.5),
        ("connect_timeout: 5", 5, 60),
        ("connectionTimeoutMs: 1500, requestTimeoutMs: 2500", 1.5, 2.5),
        ("connectionTimeoutMs: 1500, connectTimeout: 5, callTimeoutMs: 100, timeout: 5", 1.5, 0.1),
    ],
)
def test_mcp_servers_take_times_of_every_version(
    house: House, written: str, connect_s: float, call_s: float
) -> None:
    loaded = house.load(f"{{ mcp: {{ servers: {{ s: {{ command: 'x', {written} }} }} }} }}")
    server = loaded.config.mcp.servers["s"]
    assert (server.connect_s, server.call_s) == (connect_s, call_s)


@pytest.mark.parametrize(
    ("written", "transports"),
    [
        ("", ("streamable-http", "sse")),
        ("transport: 'sse'", ("sse",)),
        ("type: 'http'", ("streamable-http",)),
        ("transport: 'streamable-http', type: 'sse'", ("streamable-http",)),
    ],
)
def test_mcp_servers_name_their_transport_in_several_ways(
    house: House, written: str, transports: tuple[str, ...]
) -> None:
    loaded = house.load(f"{{ mcp: {{ servers: {{ s: {{ url: 'https://h.example', {written} }} }} }} }}")
    assert loaded.config.mcp.servers["s"].transports == transports


def test_mcp_servers_of_the_newest_version_load(house: House) -> None:
    loaded = house.load(
        "{ mcp: { sessionIdleTtlMs: 5, servers: {"
        " a: { transport: 'stdio', command: 'x', supportsParallelToolCalls: true,"
        "   toolFilter: { include: ['search_*'], exclude: ['admin_*'] }, codex: { agents: ['main'] } },"
        " b: { url: 'https://h.example', sslVerify: false, clientCert: '~/c.pem', clientKey: '~/k.pem',"
        "   headers: { 'X-Trace': true }, auth: 'oauth', oauth: { scope: 'docs.read' } } } } }"
    )
    a, b = (loaded.config.mcp.servers[name] for name in ("a", "b"))
    assert (a.supports_parallel_tool_calls, a.tool_filter.include) == (True, ("search_*",))
    assert (b.ssl_verify, b.client_cert, b.headers) == (
        False,
        str(house.home / "c.pem"),
        {"X-Trace": "true"},
    )


@pytest.mark.parametrize(
    ("written", "enabled"),
    [("disabled: true", False), ("disabled: false", True), ("disabled: true, enabled: true", True)],
)
def test_mcp_servers_are_switched_off_in_either_word(house: House, written: str, enabled: bool) -> None:
    loaded = house.load(f"{{ mcp: {{ servers: {{ s: {{ command: 'x', {written} }} }} }} }}")
    assert loaded.config.mcp.servers["s"].enabled is enabled


def test_mcp_servers_take_variables_numbers_and_references(house: House) -> None:
    loaded = house.load(
        "{ mcp: { servers: {"
        " files: { command: '~/bin/files', args: ['${WHERE}'], cwd: '~/w',"
        "   env: { PORT: 8080, QUIET: true, KEY: { source: 'env', id: 'MY_KEY' } } },"
        " far: { url: 'https://h.example/mcp', headers: { authorization: 'Bearer ${MY_KEY}' },"
        "   transport: 'sse', connectionTimeoutMs: 5 } } } }",
        environ={"MY_KEY": "private-thing", "WHERE": "/srv"},
    )
    files, far = (loaded.config.mcp.servers[name] for name in ("files", "far"))
    assert (files.args, files.env) == (
        ("/srv",),
        {"PORT": "8080", "QUIET": "true", "KEY": "private-thing"},
    )
    assert files.cwd == str(house.home / "w")
    assert (far.headers, far.transport, far.connection_timeout_ms) == (
        {"authorization": "Bearer private-thing"},
        "sse",
        5,
    )
    assert "private-thing" not in repr(loaded)
