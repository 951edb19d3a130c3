"""The sections that say what agents may do: tools, sandbox and MCP servers."""

import msgspec

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
