"""`agents remove`: an agent out of the configuration; its files stay unless it is asked otherwise."""

from typing import Any, Unpack

import click

from openclaw_gateway.agents.homes import homes_of
from openclaw_gateway.agents.put_aside import put_aside
from openclaw_gateway.agents.roster import default_agent_id
from openclaw_gateway.cli.agents.changing import Here
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import of_gateway_error
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.sure import ask_first
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.agent_entries import is_default, without_agent
from openclaw_gateway.config.agent_id import normal_agent_id
from openclaw_gateway.logs import configure_logging


@click.command("remove", cls=WithExample, example="ada --yes", params=[json_option()])
@click.argument("agent_id", metavar="ID")
@click.option("--delete-files", "files", is_flag=True, help="Put its folder aside, too.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, agent_id: str, files: bool, yes: bool, **which: Unpack[Which]) -> None:
    """Remove the agent ID. Its files stay, and what was said with it.

    With --delete-files its folder is moved into gateway/removed-agents of the state directory.
    """
    configure_logging(level="silent")
    here = Here.found(Surroundings.of(invocation), which)
    terminal = Terminal(invocation)
    if not yes:
        if invocation.json or not terminal.errors_are_seen:
            raise click.UsageError("Say --yes: nobody can be asked here.")
        ask_first(terminal, f"Remove the agent {agent_id}?", "Nothing was removed.")
    if here.runs:
        told = here.asked("agents.delete", agentId=agent_id, deleteFiles=files)
    else:
        told = _without_gateway(here, normal_agent_id(agent_id), files=files)
    moved, failed = told.get("removed", []), told.get("failed", [])
    if invocation.json:
        terminal.result({"id": told["agentId"], "removed": moved, "failed": failed})
        return
    terminal.say(f"{told['agentId']} is removed.")
    for each in moved:
        aside = "is put aside, into gateway/removed-agents" if each["method"] == "trash" else "was not there"
        terminal.say(f"{each['path']} {aside}.")
    for each in failed:
        terminal.notice(f"{each['path']} stays: {each['reason']}.")


def _without_gateway(here: Here, agent_id: str, *, files: bool) -> dict[str, Any]:
    """As `agents.delete` answers. Raises CommandFailed, ConfigError."""
    loaded = here.loaded()
    home = here.home(agent_id)
    if agent_id == default_agent_id(loaded.config.agents):
        raise of_gateway_error(is_default(agent_id))
    here.rewrite(lambda shown: without_agent(shown, agent_id)[0])
    if not files:
        return {"agentId": agent_id}
    now = here.loaded()
    moved = put_aside(
        home,
        others=tuple(homes_of(now).values()),
        needed=(now.own_dir, now.state_dir, now.path.parent, now.home),
        own_dir=now.own_dir,
    )
    path = str(home.workspace)
    if moved.how:
        return {"agentId": agent_id, "removed": [{"path": path, "method": moved.how}]}
    return {"agentId": agent_id, "failed": [{"path": path, "reason": moved.reason}]}
