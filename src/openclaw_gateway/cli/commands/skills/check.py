"""`skills check`: which skills of the agents are ready, and what the others lack."""

from pathlib import Path

import click

from openclaw_gateway.cli.agents.skills import agent_skills, lacks, state
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal


@click.command("check", cls=WithExample, example="--agent main", params=[json_option()])
@click.option("--agent", metavar="ID", help="Only of this agent; otherwise of all.")
@config_option
@pass_invocation
def command(invocation: Invocation, *, agent: str | None, config_path: Path | None) -> None:
    """Say what the skills of the agents lack: commands, variables, keys of the configuration."""
    reports = agent_skills(Surroundings.of(invocation).load(config_path), agent)
    terminal = Terminal(invocation)
    if invocation.json:
        agents = [
            {
                "agentId": report.agent_id,
                "ready": [skill.name for skill in report.skills if skill.model_visible],
                "notReady": [
                    {"name": skill.name, "state": state(skill), "missing": skill.missing}
                    for skill in report.skills
                    if not skill.model_visible
                ],
                "notes": report.notes,
            }
            for report in reports
        ]
        terminal.result({"agents": agents})
        return
    for report in reports:
        ready = sum(skill.model_visible for skill in report.skills)
        terminal.heading(f"agent {report.agent_id}: {ready} of {len(report.skills)} skills are ready")
        for skill in report.skills:
            if not skill.model_visible:
                terminal.row(skill.name, state(skill))
            for need in lacks(skill):
                terminal.row("", f"needs {need}")
            for key in skill.missing.config:
                terminal.row("", f"asks for {key} in the configuration, and goes without")
        for note in report.notes:
            terminal.notice(note)
