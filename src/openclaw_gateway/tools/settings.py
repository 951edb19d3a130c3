"""The settings of one agent's tools as one mapping in the file's spelling: the agent's over the global ones.

Pure. What is not written is not in it; the tools know their defaults.
"""

from typing import Any

import msgspec

from openclaw_gateway.config.merge import merge
from openclaw_gateway.config.schema import AgentEntry, Config

_SETTINGS = ("exec", "fs", "web", "agentToAgent", "sessions")
# `tools.exec.mode` of the newer systems, in the two words of the older ones.
_MODES = {
    "deny": {"security": "deny", "ask": "off"},
    "allowlist": {"security": "allowlist", "ask": "off"},
    "ask": {"security": "allowlist", "ask": "on-miss"},
    "auto": {"security": "allowlist", "ask": "on-miss"},
    "full": {"security": "full", "ask": "off"},
}


def tool_settings(config: Config, entry: AgentEntry) -> dict[str, Any]:
    """The sections `exec`, `fs`, `web`, `agentToAgent` and `sessions` as far as they are set."""
    own, shared = _sections(entry.tools), _sections(config.tools)
    both: dict[str, Any] = merge(shared, own, lists="replace")
    return both


def sandbox_settings(config: Config, entry: AgentEntry) -> dict[str, Any]:
    shared, own = (msgspec.to_builtins(one) for one in (config.agents.defaults.sandbox, entry.sandbox))
    both: dict[str, Any] = merge(shared, own, lists="replace")
    return both


def _sections(tools: Any) -> dict[str, Any]:
    written = msgspec.to_builtins(tools)
    sections = {key: written[key] for key in _SETTINGS if key in written}
    commands = sections.get("exec", {})
    if "mode" in commands:
        # Before the scopes are joined: an agent's mode replaces both of the global words.
        sections["exec"] = {**{k: v for k, v in commands.items() if k != "mode"}, **_MODES[commands["mode"]]}
    return sections
