"""Whole files, as people have them: they load, or every fault in them is reported with its line."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_gateway.config.known import KNOWN
from openclaw_gateway.config.load import load_config
from openclaw_gateway.config.schema import Config, Limits
from openclaw_gateway.config.schema.root import Written
from openclaw_gateway.errors import ConfigError
from tests.config.conftest import DATA, House


def test_without_files_the_defaults_apply(house: House) -> None:
    loaded = house.load()
    assert loaded.config == Config()
    assert not loaded.exists
    assert loaded.notices == ()
    assert not house.state.exists()


def test_the_defaults_are_those_of_the_design() -> None:
    config = Config()
    assert config.gateway.bind == "loopback"
    assert not config.gateway.http.endpoints.chat_completions.enabled
    assert config.gateway.http.endpoints.chat_completions.unknown_model == "error"
    assert msgspec.to_builtins(Limits()) == {
        "maxBodyBytes": 20971520,
        "maxJsonDepth": 64,
        "maxHeaderBlockBytes": 32768,
        "maxHeaderBytes": 16384,
        "maxUrlBytes": 16384,
        "headerTimeoutSeconds": 10.0,
        "bodyMinBytesPerSecond": 1024,
        "bodyGraceSeconds": 10.0,
        "keepAliveSeconds": 75.0,
        "streamKeepaliveSeconds": 10.0,
        "maxConnections": 10000,
        "maxConnectionsPerAddress": None,
        "maxRuns": 2048,
        "startWithinSeconds": 5.0,
        "maxBodiesBytes": 268435456,
        "maxQueuedPerSession": 64,
        "upstreamConnectSeconds": 10.0,
        "upstreamFirstByteSeconds": 120.0,
        "upstreamSilenceSeconds": 120.0,
        "maxUpstreamResponseBytes": 33554432,
        "maxWsFrameBeforeConnectBytes": 65536,
        "maxWsFrameBytes": 26214400,
        "maxWsBufferedBytes": 26214400,
        "wsMessagesPerSecond": 50.0,
        "wsBurst": 100,
        "readerStallSeconds": 30.0,
        "drainSeconds": 30.0,
        "leaveSeconds": 2.0,
    }


@pytest.mark.promise("both-names")
def test_the_oldest_shape_loads_unchanged(house: House) -> None:
    loaded = house.load(
        config=DATA / "clawdbot-oldest.json",
        environ={"CLAWDBOT_GATEWAY_TOKEN": "t" * 20, "LM_KEY": "from-env"},
    )
    config = loaded.config
    assert config.gateway.http.endpoints.chat_completions.enabled
    assert config.gateway.auth.token == "t" * 20
    provider = config.models.providers["lmstudio"]
    assert (provider.api_key, provider.headers) == ("from-env", {"x-house": "Elm Street"})
    assert provider.models[0].compat.max_tokens_field == "max_tokens"
    assert provider.models[0].context_window == 32768
    defaults = config.agents.defaults
    assert defaults.model is not None
    assert (defaults.model.primary, defaults.model.fallbacks) == (
        "anthropic/claude-opus-4-5",
        ("lmstudio/qwen3-8b",),
    )
    assert defaults.models["anthropic/claude-opus-4-5"].alias == "opus"
    assert defaults.workspace == str(house.home / "clawd")
    assert (defaults.timeout_seconds, defaults.max_concurrent) == (600.0, 4)
    main, family = config.agents.entries
    assert (main.id, main.default, main.identity.emoji) == ("main", True, "🦞")
    assert family.id == "family-helper"
    assert family.model is not None
    assert family.model.primary == "lmstudio/qwen3-8b"
    assert (family.tools.profile, family.tools.deny) == ("messaging", ("exec",))
    assert family.sandbox.mode == "all"
    assert defaults.sandbox.workspace_access == "none"
    assert config.session.reset is not None
    assert (config.session.reset.at_hour, config.session.reset.idle_minutes) == (4, 120)
    assert config.logging.file == str(house.home / "logs/clawdbot.log")
    (notice,) = loaded.notices
    for name in ("channels", "cron", "hooks", "agents.defaults.heartbeat", "gateway.tailscale", "talk"):
        assert f" {name}," in notice
    assert notice.count("agents.list[].tools.exec.node") == 1
    assert "tools.exec.host" in notice
    for name in ("session.scope", "session.dmScope", "session.mainKey", "logging.redactSensitive"):
        assert name in notice
    assert "mcp" not in notice
    assert "wizard" not in notice
    assert "$schema" not in notice


def test_the_usual_shape_loads_unchanged(house: House) -> None:
    loaded = house.load(config=DATA / "openclaw-older.json", environ={"GW_TOKEN": "g"})
    assert loaded.config.gateway.custom_bind_host == "192.168.1.20"
    assert [entry.id for entry in loaded.config.agents.entries] == ["main", "beta"]
    assert loaded.config.agents.entries[1].skills == ("github",)
    assert loaded.config.agents.defaults.skip_bootstrap
    assert loaded.document["gateway"]["auth"]["token"] == "${GW_TOKEN}"


def test_the_skills_of_an_agent_are_checked_and_served(house: House) -> None:
    loaded = house.load('{ agents: { list: [{ id: "a", skills: ["github"] }, { id: "b", skills: [] }] } }')
    assert [entry.skills for entry in loaded.config.agents.entries] == [("github",), ()]
    assert loaded.unserved == ()
    problems = house.problems('{ agents: { list: [{ id: "a", skills: "github" }] } }')
    assert problems == ["openclaw.json:1: agents.list[0].skills: must be a list, but is text"]


def test_no_key_is_both_served_and_ignored() -> None:
    for struct, known in KNOWN.items():
        assert not known & {field.encode_name for field in msgspec.structs.fields(struct)}


def test_the_newest_shape_loads_unchanged(house: House) -> None:
    environ = {"GATEWAY_SECRET": "s" * 24, "MODEL_KEY": "mk"}
    config = house.load(config=DATA / "openclaw-newest.json", environ=environ).config
    assert config.gateway.auth.token == "s" * 24
    assert config.gateway.auth.rate_limit is not None
    assert (config.gateway.auth.rate_limit.max_attempts, config.gateway.auth.rate_limit.lockout_ms) == (
        5,
        300000,
    )
    assert config.models.providers["local"].api_key == "mk"
    assert config.models.providers["local"].timeout_seconds == 30
    assert config.models.providers["local"].models[0].name == "m"
    assert config.models.providers["bare"].api is None
    assert config.agents.system_agent_id == "main"
    assert config.agents.defaults.timeout_seconds == 0
    assert [entry.id for entry in config.agents.entries] == ["main", "beta"]
    assert config.agents.entries[1].models["local/m"].params == {"top_p": 0.9}
    for secret in environ.values():
        assert secret not in repr(house.load(config=DATA / "openclaw-newest.json", environ=environ))


def test_every_mistake_is_reported_with_its_line(house: House) -> None:
    problems = house.problems(config=DATA / "mistakes.json")
    starts = [
        "3: gateway.port: must be a whole number, but is text",
        '4: gateway.bind: is "lann" but must be one of',
        '5: gateway.custombindhost: is not a known key; did you mean "customBindHost"?',
        '6: gateway.auth.tokn: is not a known key; did you mean "token"?',
        '6: gateway.auth.mode: is "tokn" but must be one of "none", "password", "token", "trusted-proxy"',
        "7: gateway.password: is not a key; it belongs at gateway.auth.password",
        "8: gateway.limits.maxRuns: must be more than 0, but is 0",
        "8: gateway.limits.maxBodyBytes: must be a whole number, but is a fraction",
        "8: gateway.limits.drainSeconds: must be a number, but is true or false",
        "9: gateway.trustedProxies[1]: must be an IP address or network",
        '10: gateway.http.endpoints.chatCompletion: is not a known key; did you mean "chatCompletions"?',
        "12: modles: is not a known key; remove it",
        "14: agents.defaults.timeoutSeconds: must be at least 0, but is -1",
        "14: agents.defaults.model.fallbacks: must be a list, but is text",
        "14: agents.defaults.thinkingDefault: is null but must be one of",
        '16: agents.list[0].workspce: is not a known key; did you mean "workspace"?',
        '17: agents.list[1].id: is the agent "main", which is already at agents.list[0].id',
        "18: agents.list[2].id: is missing",
        "18: agents.list[2].tools: has both allow and alsoAllow",
        "22: models.providers.p.baseUrl: must be a URL",
        "23: models.providers.p.apiKey: cannot be resolved: the source 'vault' is not known",
        "25: models.providers.p.models: must be a list, but is an object",
        '27: logging.level: is "verbose" but must be one of',
    ]
    assert len(problems) == len(starts)
    for problem, start in zip(problems, starts, strict=True):
        assert problem.startswith(f"{DATA / 'mistakes.json'}:{start}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{ gateway: { port: 0 } }", "gateway.port: must be from 1 to 65535, but is 0"),
        ("{ gateway: { port: 65536 } }", "gateway.port: must be from 1 to 65535, but is 65536"),
        ("{ gateway: { port: true } }", "gateway.port: must be a whole number, but is true or false"),
        (
            "{ gateway: { limits: { drainSeconds: NaN } } }",
            "gateway.limits.drainSeconds: must be a number, but is not finite",
        ),
        ("{ gateway: { limits: { maxRuns: 1e300 } } }", "gateway.limits.maxRuns: is too large; the most is"),
        ("{ gateway: { bind: 'custom' } }", 'gateway.bind: is "custom"; set gateway.customBindHost'),
        ("{ gateway: { customBindHost: 'example.org' } }", "gateway.customBindHost: must be an IP address"),
        (
            "{ gateway: { auth: { token: 'a', password: 'b' } } }",
            "gateway.auth: has both a token and a password",
        ),
        (
            "{ gateway: { auth: { mode: 'proxy' } } }",
            'gateway.auth.mode: is "proxy" but must be',
        ),
        ("{ gateway: { auth: { token: { source: 'env' } } } }", 'gateway.auth.token: needs an "id"'),
        (
            "{ gateway: { auth: { token: { source: 'env', id: 'X' } } } }",
            "gateway.auth.token: refers to the env",
        ),
        (
            "{ gateway: { auth: { token: { id: 'X' } } } }",
            "gateway.auth.token: cannot be resolved: a reference wi",
        ),
        ("{ gateway: { auth: { token: { sauce: 1 } } } }", 'gateway.auth.token: has the unknown key "sauce"'),
        (
            "{ gateway: { auth: { token: 5 } } }",
            "gateway.auth.token: must be text in quotes, but is a number",
        ),
        ("{ gateway: null }", "gateway: is null but must be an object"),
        ("{ agents: { list: [ { id: ' ' } ] } }", "agents.list[0].id: is empty; give the agent an id"),
        (
            "{ agents: { list: [ { id: 'a' } ], entries: { A: {} } } }",
            'agents.entries.A: is the agent "a", which is already at agents.list[0].id',
        ),
        (
            "{ agents: { entries: { a: { id: 'b' } } } }",
            "agents.entries.a.id: is not a known key",
        ),
        (
            "{ agents: { defaults: { systemAgent: { agentId: 'c' } }, entries: { a: {} } } }",
            'agents.defaults.systemAgent.agentId: names the agent "c", which is not configured',
        ),
        (
            "{ agents: { list: [ { id: 'a' }, { id: '${SAME}' } ] }, env: { SAME: 'A' } }",
            'agents.list[1].id: is the agent "a"',
        ),
        (
            "{ tools: { byProvider: { x: { allow: ['a'], alsoAllow: ['b'] } } } }",
            "tools.byProvider.x: has both",
        ),
        (
            "{ tools: { exec: { mode: 'full', ask: 'off' } } }",
            "tools.exec.mode: stands for security and ask together",
        ),
        ("{ tools: { profile: 'codin' } }", 'tools.profile: is "codin" but must be one of'),
        ("{ tools: { alow: ['read'] } }", 'tools.alow: is not a known key; did you mean "allow"?'),
        (
            "{ agents: { entries: { a: { sandbox: { mode: 'some' } } } } }",
            'agents.entries.a.sandbox.mode: is "some" but must be one of',
        ),
        ("{ session: { reset: { atHour: 24 } } }", "session.reset.atHour: must be from 0 to 23, but is 24"),
        (
            "{ models: { providers: { p: { baseUrl: 'http://h:99999/' } } } }",
            "models.providers.p.baseUrl: must be a URL",
        ),
        ("{ agents: { defaults: { model: '' } } }", "agents.defaults.model.primary: is empty"),
        (
            "{ agents: { defaults: { model: ['a'] } } }",
            "agents.defaults.model: must be an object, but is a list",
        ),
        ("{ modls: {} }", 'modls: is not a known key; did you mean "models"?'),
        ("[]", "must hold one object"),
    ],
)
def test_single_faults(house: House, text: str, problem: str) -> None:
    (found,) = house.problems(text)
    assert found.startswith(f"openclaw.json:1: {problem}")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{ a: '\xff' }", "openclaw.json:1: it is not valid UTF-8"),
        (b"", "openclaw.json:1: not valid JSON5: the file ends where a value should be"),
        (b"{\n a: 1\n b: 2 }", "openclaw.json:3: not valid JSON5: a comma or } is missing"),
        (b" " * (10 * 1024 * 1024 + 1), "openclaw.json: it is larger than 10 MB"),
    ],
)
def test_a_file_that_is_no_document(house: House, content: bytes, problem: str) -> None:
    house.write("").write_bytes(content)
    assert house.problems()[0].startswith(problem)


def test_a_file_that_cannot_be_read(house: House) -> None:
    path = house.state / "openclaw.json"
    path.mkdir(parents=True)
    assert house.problems() == ["openclaw.json: it is a directory, not a file"]
    path.rmdir()
    path.symlink_to("gone.json")
    assert house.problems() == ["openclaw.json: it is a symbolic link to a file that does not exist"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(house: House) -> None:
    house.write("{}").chmod(0)
    assert house.problems() == [
        "openclaw.json: the gateway has no permission to read it; change its owner or mode"
    ]


def test_a_named_file_that_is_absent_is_worth_a_notice(house: House, tmp_path: Path) -> None:
    loaded = house.load(config=tmp_path / "gone.json")
    assert not loaded.exists
    assert "gone.json" in loaded.notices[0]


def test_every_known_key_is_accepted_whatever_it_holds(house: House) -> None:
    for key in sorted(KNOWN[Written] - {"agent", "identity"}):
        loaded = house.load(json.dumps({key: {"x": ["${NOT_SET}"]}}))
        assert loaded.config == Config()


KEYS = sorted(
    {
        "gateway",
        "agents",
        "models",
        "providers",
        "defaults",
        "list",
        "entries",
        "auth",
        "token",
        "id",
        "limits",
    }
    | {
        "maxRuns",
        "model",
        "session",
        "logging",
        "reset",
        "env",
        "vars",
        "tools",
        "skills",
        "port",
        "systemAgent",
    }
    | {
        "agentId",
        "baseUrl",
        "apiKey",
        "source",
        "headers",
        "input",
        "$include",
        "nonsense",
        "params",
        "default",
    }
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["main", "${X}", "http://h/v1", "env", "~", "token", ""])
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.dictionaries(st.sampled_from(KEYS), TREES, max_size=5))
def test_any_document_loads_or_is_explained(house: House, document: dict[str, Any]) -> None:
    house.write(json.dumps(document))
    try:
        load_config(environ={"X": "x"}, home=house.home, cwd=house.home)
    except ConfigError as error:
        assert error.problems
        assert all(str(house.state / "openclaw.json:1") in problem for problem in error.problems)


def test_white_space_around_what_goes_into_a_request_is_none_of_it(house: House) -> None:
    """Variables and files bring line breaks with them: `$(cat key)` does not, `KEY=$(cat key; echo)` does."""
    environ = {"URL": "http://127.0.0.1:9/v1\n", "KEY": " sk-1\r\n"}
    config = house.load(
        json.dumps(
            {
                "gateway": {
                    "auth": {"mode": "token\n", "token": " a-token\n"},
                    "allowedHosts": [" gw.example\n"],
                    "http": {"cors": {"allowedOrigins": ["https://app.example\n"]}},
                    "trustedProxies": [" 10.0.0.0/8\n"],
                },
                "models": {
                    "providers": {
                        "x": {
                            "baseUrl": "${URL}",
                            "apiKey": "${KEY}",
                            "apiKeys": [{"source": "env", "id": "KEY"}, "sk-2\n"],
                            "headers": {"X-Org": " org\n"},
                            "models": [{"id": "m\n"}],
                        }
                    }
                },
                "mcp": {"servers": {"y": {"url": " http://h/mcp\n", "headers": {"X-Key": "Bearer ${KEY}"}}}},
                "agents": {"defaults": {"model": "x/m\n"}},
            }
        ),
        environ=environ,
    ).config
    provider, server = config.models.providers["x"], config.mcp.servers["y"]
    assert (config.gateway.auth.mode, config.gateway.auth.token) == ("token", "a-token")
    assert config.gateway.allowed_hosts == ("gw.example",)
    assert config.gateway.http.cors.allowed_origins == ("https://app.example",)
    assert config.gateway.trusted_proxies == ("10.0.0.0/8",)
    assert (provider.base_url, provider.api_key) == ("http://127.0.0.1:9/v1", "sk-1")
    assert (provider.api_keys, provider.headers) == (("sk-1", "sk-2"), {"X-Org": "org"})
    assert provider.models[0].id == "m"
    assert (server.url, server.headers) == ("http://h/mcp", {"X-Key": "Bearer  sk-1"})
    assert config.agents.defaults.model is not None
    assert config.agents.defaults.model.primary == "x/m"


def test_variables_of_commands_stay_as_they_are(house: House) -> None:
    key = "-----BEGIN-----\nabc\n-----END-----\n"
    config = house.load(json.dumps({"mcp": {"servers": {"y": {"command": "x", "env": {"PEM": key}}}}})).config
    assert config.mcp.servers["y"].env == {"PEM": key}


@pytest.mark.parametrize(
    ("section", "path"),
    [
        ({"gateway": {"auth": {"token": "${KEY}"}}}, "gateway.auth.token"),
        ({"models": {"providers": {"x": {"baseUrl": "http://h", "apiKey": "${KEY}"}}}}, "apiKey"),
        (
            {
                "models": {
                    "providers": {"x": {"baseUrl": "http://h", "apiKey": {"source": "env", "id": "KEY"}}}
                }
            },
            "models.providers.x.apiKey",
        ),
        (
            {"models": {"providers": {"x": {"baseUrl": "http://h", "headers": {"A": "a\u0000b"}}}}},
            "headers.A",
        ),
        ({"mcp": {"servers": {"y": {"url": "http://h", "headers": {"A": "${KEY}"}}}}}, "headers.A"),
    ],
)
def test_what_no_header_can_hold_is_refused_and_not_shown(
    house: House, section: dict[str, Any], path: str
) -> None:
    (problem,) = house.problems(json.dumps(section), environ={"KEY": "secret-1\nsecret-2"})
    assert f"{path}: has a line break or another control character in it; write it on one line" in problem
    assert "secret" not in problem


@pytest.mark.parametrize("name", ["X Org", "X-Org\n", "", "Ä", "X:Y"])
def test_a_header_needs_a_proper_name(house: House, name: str) -> None:
    sections = {
        "models": {"providers": {"x": {"baseUrl": "http://h", "headers": {name: "a"}}}},
        "mcp": {"servers": {"y": {"url": "http://h", "headers": {name: "a"}}}},
    }
    problems = house.problems(json.dumps(sections))
    assert len(problems) == 2
    assert all("is no name of a header" in problem for problem in problems)
