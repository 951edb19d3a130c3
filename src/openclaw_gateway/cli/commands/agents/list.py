"""`agents list`: every agent with its model and its folder. Asks no gateway and opens no workspace."""

from pathlib import Path

import click

from openclaw_gateway.agents.homes import homes_of, shared_homes
from openclaw_gateway.agents.roster import compile_roster
from openclaw_gateway.cli.agents.models import AgentModels
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal


@click.command("list", cls=WithExample, example="--json", params=[json_option()])
@config_option
@pass_invocation
def command(invocation: Invocation, config_path: Path | None) -> None:
    """List the agents."""
    loaded = Surroundings.of(invocation).load(config_path)
    roster = compile_roster(loaded.config.agents)
    homes = homes_of(loaded)
    models = AgentModels(loaded)
    shared = shared_homes(homes.values())
    terminal = Terminal(invocation)
    if invocation.json:
        agents = [
            {
                "id": agent.id,
                "name": agent.name,
                "isDefault": agent.id == roster.default_id,
                "model": models.of(agent).ref,
                "fallbacks": agent.fallbacks,
                "workspace": str(homes[agent.id].workspace),
            }
            for agent in roster
        ]
        terminal.result({"defaultId": roster.default_id, "agents": agents})
        return
    for agent in roster:
        terminal.title(agent.id + (" (default)" if agent.id == roster.default_id else ""))
        if agent.name != agent.id:
            terminal.row("name", agent.name)
        model = models.of(agent)
        terminal.row("model", model.ref or "none", aside=model.problem)
        terminal.row("workspace", str(homes[agent.id].workspace))
    for folder, ids in shared:
        terminal.notice(f"{', '.join(ids)} share the workspace {folder}.")
