"""What `approvals allow`, `deny` and `remove` share: the pattern's rules, the file, and what is said."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli.agent_choice import configured_id
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.tools.exec.approvals import ALL_AGENTS, BrokenApprovals, approvals_path, changing

_BETWEEN_COMMANDS = frozenset(("&&", "||", "|", "|&", ";", "&"))

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
    try:
        program, *arguments = shlex.split(pattern) or [""]
    except ValueError:
        raise click.BadParameter("a quote in it is not closed", param_hint="PATTERN") from None
    if not program:
        raise click.BadParameter("it is empty; write the name of a program", param_hint="PATTERN")
    if not _BETWEEN_COMMANDS.isdisjoint(arguments):
        raise click.BadParameter(
            "a pattern is for one command: each of those between "
            f"{', '.join(sorted(_BETWEEN_COMMANDS.intersection(arguments)))} needs one of its own",
            param_hint="PATTERN",
        )
    if "/" in program and not program.startswith(("/", "*")):
        raise click.BadParameter(
            "a pattern with a slash is compared with the whole path: begin it with / or *",
            param_hint="PATTERN",
        )
    return pattern
