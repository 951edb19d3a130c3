"""`approvals list`: what agents may run, and where that is written."""

import os
import shutil
from collections.abc import Iterable, Set
from pathlib import Path

import click
import msgspec

from openclaw_gateway.cli.agents.choice import configured_id
from openclaw_gateway.cli.commands.approvals._kept import approvals_meant, document_of
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.tools.exec.approvals import (
    ALL_AGENTS,
    Approvals,
    BrokenApprovals,
    approvals_in,
    read_approvals,
)
from openclaw_gateway.tools.exec.listed.git_program import unfit_reason
from openclaw_gateway.tools.exec.listed.table import NAMES
from openclaw_gateway.tools.exec.program_patterns import denies


@click.command("list", cls=WithExample, example="", params=[json_option()])
@click.option("--agent", metavar="ID", help="Only what applies to this agent.")
@config_option
@pass_invocation
def command(invocation: Invocation, *, agent: str | None, config_path: Path | None) -> None:
    """Show which programs agents may run beside those that only look."""
    around = Surroundings.of(invocation)
    meant = approvals_meant(around, config_path)
    # The other systems' file, which can only make ours stricter.
    theirs = meant.path.parent.parent / meant.path.name
    try:
        approvals = approvals_in(document_of(meant), meant.place)
        others = read_approvals(theirs)
    except BrokenApprovals as error:
        raise CommandFailed(
            f"{error}. Until it is corrected no agent runs a command.", code="approvals_broken"
        ) from None
    shown = (
        set(approvals.agents) if agent is None else {ALL_AGENTS, configured_id(around, agent, config_path)}
    )
    sections = {name: section for name, section in approvals.agents.items() if name in shown}
    looking = _not_denied(NAMES, (approvals, others), {ALL_AGENTS} if agent is None else shown)
    program = _real_path("git")
    gitless = None if program is None else unfit_reason(program)
    if gitless is not None and "git" in looking:
        looking.remove("git")
    terminal = Terminal(invocation)
    if invocation.json:
        agents = {
            name: {
                "allow": [entry.pattern for entry in section.allowlist],
                "deny": [entry.pattern for entry in section.denylist],
                "security": section.security,
                "ask": section.ask,
            }
            for name, section in sections.items()
        }
        defaults = msgspec.to_builtins(approvals.defaults)
        rules = {name: defaults[name] for name in ("security", "ask", "askFallback")}
        terminal.result({"path": meant.place, "defaults": rules, "agents": agents, "readOnly": looking})
        return
    for name, section in sorted(sections.items()):
        terminal.heading("all agents" if name == ALL_AGENTS else f"agent {name}")
        for label, entries in (("allow", section.allowlist), ("deny", section.denylist)):
            for entry in entries:
                terminal.row(label, entry.pattern)
    if not any(section.allowlist or section.denylist for section in sections.values()):
        terminal.say("Nothing is allowed or denied by name yet.")
    terminal.say(f"\nFor looking only, always: {', '.join(looking)}.")
    if gitless is not None:
        terminal.notice(f"git is not among them: {gitless}.")
    terminal.say(f"{'File' if meant.url is None else 'For all processes'}: {meant.place}")
    if theirs.exists():
        terminal.notice(f"{theirs} is there too; its settings can only make these stricter.")


def _not_denied(names: Iterable[str], files: Iterable[Approvals], agents: Set[str]) -> list[str]:
    """Those that no file denies to all of `agents`."""
    sections = [section for file in files for name, section in file.agents.items() if name in agents]
    patterns = tuple(entry.pattern for section in sections for entry in section.denylist)
    return [name for name in names if not denies(patterns, name, _real_path)]


def _real_path(program: str) -> str | None:
    found = shutil.which(program)
    return os.path.realpath(found) if found else None
