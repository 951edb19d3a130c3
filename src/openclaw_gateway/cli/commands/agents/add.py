"""`agents add`: one more agent, in the configuration and with a folder of its own."""

import shlex
from typing import Unpack

import click

from openclaw_gateway.agents.roster import compile_roster
from openclaw_gateway.agents.seed import move_in
from openclaw_gateway.blueprint.written import agents_in
from openclaw_gateway.cli.agents.changing import Here
from openclaw_gateway.cli.agents.models import AgentModels
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed, of_gateway_error
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.agent_entries import id_from_name, with_agent
from openclaw_gateway.config.places import dotted
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.operator.agents import fields_of
from openclaw_gateway.logs import configure_logging


@click.command("add", cls=WithExample, example='ada --name "Ada" --model openai/m', params=[json_option()])
@click.argument("agent_id", metavar="ID")
@click.option("--name", help="What people call it, if not by its id.")
@click.option("--model", metavar="REF", help="Its model, if not the one of the defaults.")
@click.option("--workspace", metavar="FOLDER", help="Its folder, if not one beside the others.")
@click.option("--emoji", help="A picture for it.")
@gateway_options
@pass_invocation
def command(
    invocation: Invocation,
    *,
    agent_id: str,
    name: str | None,
    model: str | None,
    workspace: str | None,
    emoji: str | None,
    **which: Unpack[Which],
) -> None:
    """Add the agent ID. The running gateway does it; where none runs, the file is edited."""
    configure_logging(level="silent")
    here = Here.found(Surroundings.of(invocation), which)
    try:
        wanted = id_from_name(agent_id)
    except InvalidRequest as error:
        raise of_gateway_error(error) from None
    if wanted != agent_id.strip().lower():
        raise click.BadParameter(f'is no id: write it like "{wanted}"', param_hint="ID")
    try:
        folder = _added(here, wanted, name=name, model=model, workspace=workspace, emoji=emoji)
    except CommandFailed as error:
        if error.code == "agent_exists":
            error.message = _already(here, wanted)
        raise
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"id": wanted, "name": name or wanted, "model": model, "workspace": folder})
    else:
        terminal.say(f"{wanted} is added. Its files are in {folder}.")
    if model is not None and here.which["url"] is None and not invocation.json:
        loaded = here.loaded()
        agent = next((each for each in compile_roster(loaded.config.agents) if each.id == wanted), None)
        problem = AgentModels(loaded).of(agent).problem if agent is not None else ""
        if problem:
            terminal.notice(f"its model {model} cannot be had: {problem}")


def _added(
    here: Here,
    wanted: str,
    *,
    name: str | None,
    model: str | None,
    workspace: str | None,
    emoji: str | None,
) -> str:
    """The folder of its files. Raises CommandFailed."""
    if here.runs:
        made = here.asked("agents.create", name=wanted, model=model, workspace=workspace, emoji=emoji)
        if name is not None:
            here.asked("agents.update", agentId=wanted, name=name)
        return str(made["workspace"])
    fields = fields_of(name=name, workspace=workspace, emoji=emoji)
    if model is not None:
        fields[("model",)] = model
    given = {path: value for path, value in fields.items() if value is not None}
    here.rewrite(lambda shown: with_agent(shown, wanted, given))
    home = here.home(wanted)
    move_in(home)
    return str(home.workspace)


def _already(here: Here, wanted: str) -> str:
    """What changes an agent that is there: on another machine a method, else its entry in the file."""
    there = f'There is an agent "{wanted}" already.'
    if here.which["url"] is not None:
        params = shlex.quote(f'{{"agentId": "{wanted}", "model": "PROVIDER/MODEL"}}')
        return f"{there} `openclaw gateway call agents.update --params {params}` changes its model."
    place = agents_in(here.loaded()).get(wanted, ("agents", "defaults"))
    path = shlex.quote(dotted((*place, "model")))
    return f"{there} `openclaw config set {path} PROVIDER/MODEL` changes its model."
