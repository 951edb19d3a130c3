"""Which tools an agent has: a table of what the other systems document, and laws that hold for any policy."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.config.schema import AgentEntry, AgentToolsConfig, Config, ToolsConfig
from openclaw_gateway.tools import builtin
from openclaw_gateway.tools.policy.groups import BUILT_IN, ELSEWHERE, GROUPS
from openclaw_gateway.tools.policy.patterns import unmatched_patterns
from openclaw_gateway.tools.policy.pipeline import PolicyInput, allowed
from openclaw_gateway.tools.policy.profiles import PROFILES
from openclaw_gateway.tools.tool_settings import sandbox_settings, tool_settings
from tests.tools.rooms import Room

FILES = "apply_patch edit find grep ls manage read write"
RUNTIME = "exec process"
SESSIONS = "session_status sessions_history sessions_list sessions_send"
MEMORY = "memory_get memory_search"
WEB = "web_fetch web_search"
MCP = ("mcp__files__read", "mcp__Web__Get")
CODING = f"{FILES} {RUNTIME} {SESSIONS} sessions_spawn {MEMORY} todo {' '.join(MCP)}"
NAMES = (*sorted(BUILT_IN), *MCP)
ALL = " ".join(NAMES)


def tools(**scope: Any) -> ToolsConfig:
    return msgspec.convert(scope, ToolsConfig)


def policy(scope: dict[str, Any], agent: dict[str, Any], **place: Any) -> PolicyInput:
    return PolicyInput(tools=tools(**scope), agent=msgspec.convert(agent, AgentToolsConfig), **place)


def minus(names: str, gone: str) -> str:
    return " ".join(sorted(set(names.split()) - set(gone.split())))


TABLE: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    ("nothing configured", {}, {}, {}, CODING),
    ("a deny alone keeps the default profile", {"deny": ["exec"]}, {}, {}, minus(CODING, "exec")),
    ("minimal", {"profile": "minimal"}, {}, {}, "session_status"),
    ("coding does not reach the web", {"profile": "coding"}, {}, {}, CODING),
    ("messaging", {"profile": "messaging"}, {}, {}, f"{SESSIONS} {' '.join(MCP)}"),
    ("full", {"profile": "full"}, {}, {}, ALL),
    ("the agent's profile replaces", {"profile": "minimal"}, {"profile": "full"}, {}, ALL),
    ("and may narrow", {"profile": "full"}, {"profile": "minimal"}, {}, "session_status"),
    ("an allow says itself what is wanted", {"allow": ["web_fetch"]}, {}, {}, "web_fetch"),
    ("an agent's allow too", {}, {"allow": ["web_fetch"]}, {}, "web_fetch"),
    ("under a profile it only narrows", {"profile": "coding", "allow": ["web_fetch"]}, {}, {}, ""),
    ("alsoAllow widens its profile", {"alsoAllow": ["web_fetch"]}, {}, {}, f"{CODING} web_fetch"),
    (
        "the agent's replaces",
        {"alsoAllow": ["web_fetch"]},
        {"alsoAllow": ["agents_list"]},
        {},
        f"{CODING} agents_list",
    ),
    (
        "alsoAllow brings back nothing a list takes away",
        {"allow": ["read"]},
        {"profile": "minimal", "alsoAllow": ["read", "exec"]},
        {},
        "read",
    ),
    ("deny wins over allow", {"allow": ["read", "ls"], "deny": ["read"]}, {}, {}, "ls"),
    ("deny wins over alsoAllow", {"alsoAllow": ["web_fetch"], "deny": ["web_fetch"]}, {}, {}, CODING),
    ("an agent's allow reopens nothing", {"deny": ["exec"]}, {"allow": ["exec", "read"]}, {}, "read"),
    ("an allow that matches nothing", {"allow": ["reed"]}, {}, {}, ""),
    ("one of the other systems' tools", {"allow": ["browser"]}, {}, {}, ""),
    ("an empty allow is none", {"allow": []}, {}, {}, CODING),
    ("groups", {"allow": ["group:fs", "GROUP:Memory"]}, {}, {}, f"{FILES} {MEMORY}"),
    (
        "both brands' own group",
        {"allow": ["group:clawdbot"]},
        {},
        {},
        f"{SESSIONS} sessions_spawn {MEMORY} {WEB} agents_list todo",
    ),
    ("a denied group", {"deny": ["group:openclaw", "group:mcp"]}, {}, {}, f"{FILES} {RUNTIME}"),
    (
        "globs",
        {"allow": ["sessions_*", "M*y_GET"]},
        {},
        {},
        "sessions_history sessions_list sessions_send sessions_spawn memory_get",
    ),
    ("a star is everything", {"allow": ["*"]}, {}, {}, ALL),
    ("older names", {"allow": ["bash", " Apply-Patch "]}, {}, {}, "exec apply_patch"),
    ("apply_patch goes with write", {"allow": ["write"]}, {}, {}, "write apply_patch manage"),
    ("in both directions", {"deny": ["write"]}, {}, {}, minus(CODING, "write apply_patch manage")),
    ("unless denied by name", {"allow": ["write"], "deny": ["apply_patch"]}, {}, {}, "write manage"),
    ("not with exec", {"allow": ["exec"]}, {}, {}, "exec"),
    ("switched off", {"exec": {"applyPatch": {"enabled": False}}}, {}, {}, minus(CODING, "apply_patch")),
    (
        "web_fetch switched off",
        {"profile": "full", "web": {"fetch": {"enabled": False}}},
        {},
        {},
        minus(ALL, "web_fetch"),
    ),
    (
        "web_search switched off",
        {"profile": "full", "web": {"search": {"enabled": False}}},
        {},
        {},
        minus(ALL, "web_search"),
    ),
    ("MCP by name, case aside", {"allow": ["mcp__web__*"]}, {}, {}, "mcp__Web__Get"),
    ("MCP denied", {"deny": ["bundle-mcp"]}, {}, {}, minus(CODING, " ".join(MCP))),
    (
        "by provider",
        {"byProvider": {"OpenAI": {"deny": ["exec"]}}},
        {},
        {"provider": "openai", "model": "gpt-5"},
        minus(CODING, "exec"),
    ),
    (
        "by model before provider",
        {"byProvider": {"openai": {"deny": ["exec"]}, "openai/gpt-5": {"deny": ["read"]}}},
        {},
        {"provider": "openai", "model": "gpt-5"},
        minus(CODING, "read"),
    ),
    (
        "another provider",
        {"byProvider": {"openai": {"deny": ["exec"]}}},
        {},
        {"provider": "x", "model": "y"},
        CODING,
    ),
    (
        "a provider's profile comes on top",
        {"profile": "full", "byProvider": {"openai": {"profile": "minimal", "alsoAllow": ["read"]}}},
        {},
        {"provider": "openai", "model": "m"},
        "session_status read",
    ),
    (
        "the agent's before the global",
        {"profile": "full", "byProvider": {"openai": {"profile": "minimal"}}},
        {"byProvider": {"openai": {"profile": "messaging"}}},
        {"provider": "openai", "model": "m"},
        f"{SESSIONS} {' '.join(MCP)}",
    ),
    (
        "an agent by provider",
        {},
        {"byProvider": {"openai": {"allow": ["read"]}}},
        {"provider": "openai", "model": "m"},
        "read",
    ),
    (
        "in a sandbox",
        {"profile": "full"},
        {},
        {"sandboxed": True},
        f"{FILES} {RUNTIME} {SESSIONS} sessions_spawn",
    ),
    (
        "a sandbox of one's own making",
        {"profile": "full", "sandbox": {"tools": {"allow": ["read", "web_fetch"], "deny": ["exec"]}}},
        {"sandbox": {"tools": {"alsoAllow": ["memory_get"], "deny": ["read"]}}},
        {"sandboxed": True},
        "web_fetch memory_get",
    ),
    (
        "a sandbox reopens nothing",
        {"deny": ["exec"]},
        {},
        {"sandboxed": True},
        minus(f"{FILES} {RUNTIME} {SESSIONS} sessions_spawn", "exec"),
    ),
    (
        "a sub-agent",
        {"profile": "full"},
        {},
        {"subagent": True},
        f"{FILES} {RUNTIME} todo {WEB} {' '.join(MCP)}",
    ),
    (
        "a sub-agent that may have sub-agents",
        {"profile": "full"},
        {},
        {"subagent": True, "spawns": True},
        f"{FILES} {RUNTIME} sessions_spawn todo {WEB} {' '.join(MCP)}",
    ),
    (
        "a denied tool does not come back by depth",
        {"profile": "full", "subagents": {"tools": {"deny": ["sessions_spawn"]}}},
        {},
        {"subagent": True, "spawns": True},
        f"{FILES} {RUNTIME} todo {WEB} {' '.join(MCP)}",
    ),
    (
        "a sub-agent that was given more, and less",
        {
            "profile": "full",
            "subagents": {"tools": {"alsoAllow": ["memory_*"], "deny": ["exec", "group:mcp"]}},
        },
        {},
        {"subagent": True},
        f"{minus(FILES + ' ' + RUNTIME, 'exec')} todo {WEB} {MEMORY}",
    ),
]


@pytest.mark.parametrize(
    ("scope", "agent", "place", "left"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_table(scope: dict[str, Any], agent: dict[str, Any], place: dict[str, Any], left: str) -> None:
    found = allowed(NAMES, policy(scope, agent, **place))
    assert sorted(found) == sorted(left.split())
    assert list(found) == [name for name in NAMES if name in found]


PATTERNS = st.sampled_from(
    [
        *sorted(BUILT_IN)[:8],
        "read",
        "write",
        "exec",
        "*",
        "*_*",
        "sessions_*",
        "mcp__*",
        "bash",
        "nothing",
        *GROUPS,
    ]
)
LISTS = st.lists(PATTERNS, max_size=4).map(tuple)
PROFILE = st.sampled_from([None, *PROFILES])


@st.composite
def scopes(draw: st.DrawFn) -> dict[str, Any]:
    def lists() -> dict[str, Any]:
        return {"allow": draw(LISTS), "deny": draw(LISTS), "alsoAllow": draw(LISTS)}

    def profiled() -> dict[str, Any]:
        return {**lists(), **({"profile": name} if (name := draw(PROFILE)) else {})}

    return {
        **profiled(),
        "byProvider": draw(st.sampled_from([{}, {"p": profiled()}, {"p/m": profiled(), "p": profiled()}])),
        "sandbox": {"tools": lists()},
        "subagents": {"tools": lists()},
    }


PLACES = st.fixed_dictionaries({"sandboxed": st.booleans(), "subagent": st.booleans()})


@pytest.mark.promise("policy-takes-away")
@given(scopes(), scopes(), PLACES, PATTERNS, st.sampled_from(["tools", "agent", "provider", "subagents"]))
def test_one_more_deny_never_widens(
    scope: dict[str, Any], agent: dict[str, Any], place: dict[str, Any], pattern: str, where: str
) -> None:
    before = allowed(NAMES, policy(scope, agent, provider="p", model="m", **place))
    spot = {
        "tools": scope,
        "agent": agent,
        "provider": scope["byProvider"].get("p/m", scope["byProvider"].get("p", {})),
        "subagents": scope["subagents"]["tools"],
    }[where]
    spot["deny"] = (*spot.get("deny", ()), pattern)
    after = allowed(NAMES, policy(scope, agent, provider="p", model="m", **place))
    assert set(after) <= set(before)


@pytest.mark.promise("policy-takes-away")
@given(scopes(), scopes(), PLACES, LISTS)
def test_an_allow_elsewhere_never_reopens(
    scope: dict[str, Any], agent: dict[str, Any], place: dict[str, Any], more: tuple[str, ...]
) -> None:
    """What the global scope denies or does not list, no other scope brings back."""
    here = msgspec.convert(scope, ToolsConfig)
    alone = ToolsConfig(profile="full", allow=here.allow, deny=here.deny)
    most = set(allowed(NAMES, PolicyInput(tools=alone)))
    generous = {**agent, "profile": "full", "allow": (*agent["allow"], *more, "*"), "alsoAllow": ("*",)}
    assert set(allowed(NAMES, policy(scope, generous, provider="p", model="m", **place))) <= most


@given(scopes(), scopes())
def test_a_sandbox_and_a_sub_agent_never_have_more(scope: dict[str, Any], agent: dict[str, Any]) -> None:
    outside = set(allowed(NAMES, policy(scope, agent)))
    assert set(allowed(NAMES, policy(scope, agent, sandboxed=True))) <= outside
    assert set(allowed(NAMES, policy(scope, agent, subagent=True))) <= outside


@given(st.lists(st.text(alphabet="*ab[]?.{}", min_size=1, max_size=12), max_size=3))
def test_only_a_star_is_special(patterns: list[str]) -> None:
    found = allowed(["ab", "a[]b"], policy({"allow": [*patterns, "."]}, {}))
    plain = [pattern.strip() for pattern in patterns if "*" not in pattern]
    assert all(name in found for name in ("ab", "a[]b") if name in plain)
    assert all(name in plain or any("*" in one for one in patterns) for name in found)


def test_a_pattern_of_many_stars_costs_nothing() -> None:
    assert allowed(["a" * 200], policy({"allow": ["*a" * 3 + "*" * 5000 + "b"]}, {})) == ()


def test_patterns_that_match_nothing_are_found() -> None:
    known = ("read", "group:fs", "BASH", "mcp__files__x", "mcp__fi*", "*", "whatsapp_*")
    strange = ("sesions_*", "mcp__other__x", "", "group:nope")
    assert unmatched_patterns((*known, *strange), servers=("files",)) == strange


def test_the_table_of_names_is_the_folder(tmp_path: Path) -> None:
    folder = Path(builtin.__path__[0])
    assert {path.stem for path in folder.glob("[a-z]*.py")} == BUILT_IN
    assert not BUILT_IN & ELSEWHERE
    room = Room(tmp_path)
    assert {tool.spec.name for tool in builtin.built_in(room.services, room.agent)} <= BUILT_IN


NEW_TOOL = """
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration

REGISTRATION = Registration("plan", profiles=("minimal",), subagents=False)


def build(services, agent):
    return (own_tool("roll_dice", None, summary="Roll", description="Roll.", properties={}),)
"""

A_HOUSE_WITH_IT = """
import sys

from openclaw_gateway.tools import builtin

builtin.__path__.append(sys.argv[1])
from openclaw_gateway.config.schema import AgentToolsConfig, ToolsConfig
from openclaw_gateway.tools.policy.pipeline import PolicyInput, allowed

for profile, subagent in (("minimal", False), ("coding", False), ("messaging", False), ("coding", True)):
    policy = PolicyInput(tools=ToolsConfig(profile=profile), agent=AgentToolsConfig(), subagent=subagent)
    print(allowed(["roll_dice"], policy))
"""


def test_a_new_tool_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "roll_dice.py").write_text(NEW_TOOL)
    run = subprocess.run(
        [sys.executable, "-c", A_HOUSE_WITH_IT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == ["('roll_dice',)", "('roll_dice',)", "()", "()"]


@pytest.mark.parametrize(
    ("written", "security", "ask"),
    [
        ({"mode": "full"}, "full", "off"),
        ({"mode": "ask"}, "allowlist", "on-miss"),
        ({"mode": "deny"}, "deny", "off"),
        ({"mode": "full", "security": "allowlist"}, "allowlist", "off"),
        ({"mode": "full", "ask": "always"}, "full", "always"),
        ({"mode": "deny", "security": "full"}, "deny", "off"),
    ],
)
def test_words_beside_a_mode_only_narrow_it(written: dict[str, str], security: str, ask: str) -> None:
    settings = tool_settings(Config(tools=tools(exec=written)), AgentEntry(id="a"))
    assert settings["exec"] == {"security": security, "ask": ask}


def test_an_agents_settings_lie_over_the_global_ones() -> None:
    config = Config(
        tools=tools(
            exec={"security": "full", "ask": "always", "timeoutSec": 5, "backgroundMs": 20000},
            fs={"workspaceOnly": False},
        )
    )
    assert tool_settings(config, AgentEntry(id="a")) == {
        "exec": {"security": "full", "ask": "always", "timeoutSec": 5.0, "backgroundMs": 20000},
        "fs": {"workspaceOnly": False},
    }
    own = msgspec.convert(
        {"exec": {"mode": "ask", "safeBins": []}, "fs": {"workspaceOnly": True}}, AgentToolsConfig
    )
    assert tool_settings(config, AgentEntry(id="a", tools=own)) == {
        "exec": {"security": "allowlist", "ask": "on-miss", "timeoutSec": 5.0, "backgroundMs": 20000},
        "fs": {"workspaceOnly": True},
    }
    assert sandbox_settings(config, AgentEntry(id="a")) == {}
