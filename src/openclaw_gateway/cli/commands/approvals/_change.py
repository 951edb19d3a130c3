"""What `approvals allow`, `deny` and `remove` share: the pattern's rules, and what is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli.agents.choice import configured_id
from openclaw_gateway.cli.commands.approvals._kept import approvals_meant, changed_approvals
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.tools.exec.approvals import ALL_AGENTS
from openclaw_gateway.tools.exec.pattern_faults import fault_of

Change = Callable[[dict[str, Any], str, str], bool]


def change(
    invocation: Invocation,
    pattern: str,
    act: Change,
    *,
    done: str,
    idle: str,
    agent: str | None,
    config_path: Path | None,
) -> None:
    """`done` and `idle` say what is so now and what was so before, with {who}. Raises CommandFailed,
    ConfigError, StartupError, StoreError."""
    around = Surroundings.of(invocation)
    agent_id = ALL_AGENTS if agent is None else configured_id(around, agent, config_path)
    meant = approvals_meant(around, config_path)
    changed = changed_approvals(meant, lambda document: act(document, agent_id, pattern))
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"changed": changed, "pattern": pattern, "agent": agent_id})
        return
    who = "all agents" if agent_id == ALL_AGENTS else f"agent {agent_id}"
    terminal.say(f"{pattern} {(done if changed else idle).format(who=who)}.")


def checked(pattern: str) -> str:
    """Raises BadParameter for what could never match."""
    pattern = pattern.strip()
    if (fault := fault_of(pattern)) is not None:
        raise click.BadParameter(fault, param_hint="PATTERN")
    return pattern
