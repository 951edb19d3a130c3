"""The settings of one agent's tools as one mapping in the file's spelling: the agent's over the global ones.

Pure. What is not written is not in it; the tools know their defaults.
"""

from typing import Any

import msgspec

from openclaw_gateway.config.merge import merge
from openclaw_gateway.config.schema import AgentEntry, Config, ExecAsk, ExecSecurity
from openclaw_gateway.tools.exec.allowlist import ASK, SECURITY

_SETTINGS = ("exec", "fs", "web", "agentToAgent", "sessions", "withClientTools")
# `tools.exec.mode` of the newer systems, in the two words of the older ones.
_MODES: dict[str, tuple[ExecSecurity, ExecAsk]] = {
    "deny": ("deny", "off"),
    "allowlist": ("allowlist", "off"),
    "ask": ("allowlist", "on-miss"),
    "auto": ("allowlist", "on-miss"),
    "full": ("full", "off"),
}


def tool_settings(config: Config, entry: AgentEntry) -> dict[str, Any]:
    """What of `tools` is no policy, as far as it is set (`_SETTINGS`), and the agents' `subagents`."""
    own, shared = _sections(entry.tools), _sections(config.tools)
    for sections, subagents in ((own, entry.subagents), (shared, config.agents.defaults.subagents)):
        if written := msgspec.to_builtins(subagents):
            sections["subagents"] = written
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
        # Before the scopes are joined: an agent's mode replaces both of the global words. Others narrow it.
        security, ask = _MODES[commands["mode"]]
        sections["exec"] = {key: value for key, value in commands.items() if key != "mode"} | {
            "security": min(security, commands.get("security", "full"), key=SECURITY.index),
            "ask": min(ask, commands.get("ask", "off"), key=ASK.index),
        }
    return sections
