"""What `approvals allow`, `deny` and `remove` share: the pattern's rules, the file, and what is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli.agents.choice import configured_id
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.tools.exec.approvals import ALL_AGENTS, BrokenApprovals, approvals_path, changing
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
    """`done` and `idle` say what is so now and what was so before, with {who}. Raises CommandFailed."""
    around = Surroundings.of(invocation)
    agent_id = ALL_AGENTS if agent is None else configured_id(around, agent, config_path)
    path = approvals_path(
        resolve_paths(around.environ, home=around.home, cwd=around.cwd, config_path=config_path).own_dir
    )
    try:
        with changing(path) as document:
            changed = act(document, agent_id, pattern)
    except BrokenApprovals as error:
        raise CommandFailed(f"{error}. Correct it or remove it.", code="approvals_broken") from None
    except OSError as error:
        raise CommandFailed(
            f"{path} cannot be written: {error.strerror}.", code="approvals_unwritable"
        ) from None
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
