"""Shapes that older versions wrote are read as what they are called today, in memory, and said."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_gateway.config.legacy import migrated
from tests.config.conftest import House

ONE_AGENT = """{
  // The oldest shape of all.
  agent: {
    model: "anthropic/claude-opus-4-5",
    modelFallbacks: ["openai/gpt-5"],
    modelAliases: { opus: "anthropic/claude-opus-4-5" },
    allowedModels: ["openai/gpt-5"],
    workspace: "~/clawd",
    thinkingDefault: "low",
    tools: { allow: ["read", "exec"] },
    bash: { timeoutSec: 30 },
    sandbox: { mode: "non-main", tools: { deny: ["exec"] } },
  },
  identity: { name: "Samantha", emoji: "🦥" },
  routing: {
    agents: { work: { workspace: "~/work", mentionPatterns: ["@work"],
      sandbox: { tools: { deny: ["web_fetch"] } } } },
    defaultAgentId: "work",
    agentToAgent: { enabled: true },
    groupChat: { historyLimit: 5 },
  },
}"""


@pytest.mark.promise("older-shapes")
def test_the_oldest_shape_means_what_it_meant(house: House) -> None:
    loaded = house.load(ONE_AGENT)
    config, defaults = loaded.config, loaded.config.agents.defaults
    assert defaults.model is not None
    assert (defaults.model.primary, defaults.model.fallbacks) == (
        "anthropic/claude-opus-4-5",
        ("openai/gpt-5",),
    )
    assert defaults.models["anthropic/claude-opus-4-5"].alias == "opus"
    assert "openai/gpt-5" in defaults.models
    assert (defaults.workspace, defaults.thinking_default) == (str(house.home / "clawd"), "low")
    assert (defaults.sandbox.mode, config.tools.allow) == ("non-main", ("read", "exec"))
    assert config.tools.exec is not None
    assert config.tools.exec.timeout_sec == 30
    assert config.tools.sandbox is not None
    assert config.tools.sandbox.tools is not None
    assert config.tools.sandbox.tools.deny == ("exec",)
    assert config.tools.agent_to_agent is not None
    assert config.tools.agent_to_agent.enabled
    (work,) = config.agents.entries
    assert (work.id, work.default, work.identity.name) == ("work", True, "Samantha")
    assert work.tools.sandbox is not None
    assert work.tools.sandbox.tools is not None
    assert work.tools.sandbox.tools.deny == ("web_fetch",)
    (said,) = (notice for notice in loaded.notices if notice.startswith("Older shapes"))
    for change in ("agent -> agents.defaults", "routing.agents -> agents.list", "identity -> the agent work"):
        assert change in said


@pytest.mark.parametrize(
    ("gateway", "bind", "address"),
    [
        ({"host": "0.0.0.0"}, "lan", None),
        ({"host": "localhost"}, "loopback", None),
        ({"host": "192.168.1.4"}, "custom", "192.168.1.4"),
        ({"bind": "0.0.0.0"}, "lan", None),
        ({"bind": "*"}, "lan", None),
        ({"bind": "[::]"}, "lan", None),
        ({"bind": "127.0.0.1"}, "loopback", None),
        ({"bind": "::1"}, "loopback", None),
        ({"bind": "10.1.2.3"}, "custom", "10.1.2.3"),
        ({"bind": "10.1.2.3", "customBindHost": "10.1.2.4"}, "custom", "10.1.2.4"),
        ({"bind": "loopback", "host": "0.0.0.0"}, "loopback", None),
    ],
)
def test_an_address_is_the_right_bind(house: House, gateway: Any, bind: str, address: str | None) -> None:
    loaded = house.load(json.dumps({"gateway": gateway}))
    assert (loaded.config.gateway.bind, loaded.config.gateway.custom_bind_host) == (bind, address)
    assert any("Older shapes" in notice for notice in loaded.notices)


@pytest.mark.parametrize(
    ("document", "path", "value"),
    [
        ({"gateway": {"token": "abc"}}, ("gateway", "auth"), {"token": "abc", "mode": "token"}),
        ({"gateway": {"token": "a", "auth": {"token": "b"}}}, ("gateway", "auth", "token"), "b"),
        ({"tools": {"bash": {"ask": "off"}}}, ("tools", "exec"), {"ask": "off"}),
        ({"defaultModel": "a/b"}, ("agents", "defaults", "model"), "a/b"),
        ({"agents": {"model": "a/b"}}, ("agents", "defaults", "model"), "a/b"),
        ({"agents": {"defaults": {"tools": {"deny": ["exec"]}}}}, ("tools", "deny"), ["exec"]),
        ({"agents": {"main": {"name": "x"}}}, ("agents", "entries", "main"), {"name": "x"}),
        ({"session": {"maintenance": {"pruneDays": 7}}}, ("session", "maintenance", "pruneAfter"), 7),
        ({"session": {"maintenance": {"pruneAfter": "0d"}}}, ("session",), None),
        (
            {"agents": {"entries": {"A": {}}}, "identity": {"name": "x"}},
            ("agents", "entries", "A", "identity"),
            {"name": "x"},
        ),
        ({"identity": {"name": "x"}}, ("agents", "list"), [{"id": "main", "identity": {"name": "x"}}]),
    ],
)
def test_what_moves_where(house: House, document: Any, path: tuple[str, ...], value: Any) -> None:
    found: Any = house.load(json.dumps(document)).document
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    assert found == value


def test_the_file_stays_as_it_is(house: House) -> None:
    house.load(ONE_AGENT)
    assert (house.state / "openclaw.json").read_text(encoding="utf-8") == ONE_AGENT


def test_a_mistake_in_an_old_shape_has_its_line(house: House) -> None:
    problems = house.problems('{\nagent: { model: "a/b",\n workspac: "x" },\nidentity: { nam: "x" },\n}')
    assert problems == [
        'openclaw.json:3: agents.defaults.workspac: is not a known key; did you mean "workspace"?',
        'openclaw.json:4: agents.list[0].identity.nam: is not a known key; did you mean "name"?',
    ]


def test_a_slip_in_writing_a_section_is_no_agent(house: House) -> None:
    (problem,) = house.problems('{ agents: { default: { model: "a/b" } } }')
    assert problem.endswith('agents.default: is not a known key; did you mean "defaults"?')


_LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(["main", "a/b", "0.0.0.0", "0", ""])
_WORDS = """
    agent agents routing identity gateway bind host token auth defaults list entries model models id main exec
    modelFallbacks modelAliases allowedModels defaultAgentId tools bash session maintenance pruneAfter
"""
_NAMES = st.sampled_from(_WORDS.split())
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(_NAMES, _TREES, max_size=5))
@example({"routing": {"agents": {}}})
def test_any_document_is_migrated_once_and_not_changed_itself(document: dict[str, Any]) -> None:
    before = json.dumps(document)
    once, _ = migrated(document)
    assert json.dumps(document) == before
    again, said = migrated(once)
    assert (again, [each for each in said if "->" in each]) == (once, [])


def test_what_has_no_old_shape_is_the_same_document() -> None:
    document = {"agents": {"defaults": {"model": "a/b"}, "list": [{"id": "a"}]}, "gateway": {"bind": "lan"}}
    found, said = migrated(document)
    assert found is document
    assert said == ()


def test_an_overlay_may_have_old_shapes_too(house: House, tmp_path: Path) -> None:
    house.write('{ gateway: { host: "0.0.0.0" } }', "openclaw-gateway.json")
    loaded = house.load("{ gateway: { port: 5000 } }")
    assert (loaded.config.gateway.port, loaded.config.gateway.bind) == (5000, "lan")


def test_a_server_that_is_disabled_and_enabled_is_told_which_counts() -> None:
    document, said = migrated({"mcp": {"servers": {"a": {"disabled": True, "enabled": True}}}})
    assert document == {"mcp": {"servers": {"a": {"enabled": True}}}}
    assert said == ("mcp.servers.a.disabled is left out, because mcp.servers.a.enabled is set",)
    document, said = migrated({"mcp": {"servers": {"a": {"disabled": True}}}})
    assert document == {"mcp": {"servers": {"a": {"enabled": False}}}}
    assert said == ("mcp.servers.a.disabled -> mcp.servers.a.enabled",)


@pytest.mark.parametrize("written", ["text", ["a"], 5, None])
def test_what_is_no_agent_among_the_routed_ones_is_refused(house: House, written: object) -> None:
    (said,) = house.problems(json.dumps({"routing": {"agents": {"x": written, "y": {"name": "Y"}}}}))
    assert "agents.entries.x" in said
    assert "must be an object" in said
