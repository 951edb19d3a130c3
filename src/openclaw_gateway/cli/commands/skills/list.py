"""`skills list`: the skills of each agent, and how they stand."""

from pathlib import Path

import click

from openclaw_gateway.cli.agents.skills import agent_skills, lacks, state
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal


@click.command("list", cls=WithExample, example="--eligible", params=[json_option()])
@click.option("--agent", metavar="ID", help="Only of this agent; otherwise of all.")
@click.option("--eligible", is_flag=True, help="Only those that are ready.")
@config_option
@pass_invocation
def command(invocation: Invocation, *, agent: str | None, eligible: bool, config_path: Path | None) -> None:
    """List the skills that are found for the agents."""
    reports = agent_skills(Surroundings.of(invocation).load(config_path), agent)
    terminal = Terminal(invocation)
    shown = [(one, [each for each in one.skills if each.model_visible or not eligible]) for one in reports]
    if invocation.json:
        agents = [{"agentId": one.agent_id, "skills": skills, "notes": one.notes} for one, skills in shown]
        terminal.result({"agents": agents})
        return
    for report, skills in shown:
        terminal.heading(f"agent {report.agent_id}")
        for skill in skills:
            missing = ", ".join(lacks(skill))
            terminal.row(state(skill), skill.name, aside=f"needs {missing}" if missing else "")
            terminal.row("", skill.description)
        if not skills:
            terminal.say("No skill is found.")
        for note in report.notes:
            terminal.notice(note)
