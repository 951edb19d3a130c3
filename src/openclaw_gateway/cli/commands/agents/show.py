"""`agents show`: one agent, and with --prompt exactly what its model is told.

Writes nothing. A gateway that runs is asked which tools a model cannot be told of. The number of tokens is an
estimate: each provider counts its own way.
"""

from collections.abc import Iterator
from pathlib import Path

import click
from msgspec import Struct

from openclaw_gateway.agents.homes import Home, homes_of
from openclaw_gateway.agents.prompt_cache import PromptCache
from openclaw_gateway.agents.roster import Agent, compile_roster
from openclaw_gateway.agents.seed import unseeded
from openclaw_gateway.agents.skill_rules import skill_rules
from openclaw_gateway.agents.snapshot import Snapshot
from openclaw_gateway.agents.zone import zone_of
from openclaw_gateway.cli.agents.choice import named_agent
from openclaw_gateway.cli.agents.models import AgentModel, AgentModels
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.counted import counted
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.running.address import gateway_here, with_secret
from openclaw_gateway.cli.running.look import told_by
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.errors import ConfigError
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.runs.plans.planning import main_toolbox
from openclaw_gateway.runs.plans.toolbox import NO_TOOLS, Toolbox

# What providers' tokenizers come to on average for English text.
_CHARS_PER_TOKEN = 4


class _LeftOut(Struct, frozen=True):
    tool: str
    model: str
    reason: str


class _Tools(Struct, frozen=True, rename="camel"):
    """What the method `agents.tools` says, as far as it is shown."""

    left_out: tuple[_LeftOut, ...] = ()


class _Shown(Struct, frozen=True):
    agent: Agent
    is_default: bool
    home: Home
    model: AgentModel
    snapshot: Snapshot
    prompt: str
    notes: tuple[str, ...]
    left_out: tuple[_LeftOut, ...] = ()

    @property
    def profile(self) -> str:
        return "minimal" if self.model.embedded else "full"

    @property
    def tokens(self) -> int:
        return -(-len(self.prompt) // _CHARS_PER_TOKEN)


@click.command("show", cls=WithExample, example="main --prompt", params=[json_option()])
@click.argument("agent_id", metavar="ID", required=False)
@click.option("--prompt", "with_prompt", is_flag=True, help="Print the system prompt and nothing else.")
@config_option
@pass_invocation
def command(
    invocation: Invocation, *, agent_id: str | None, with_prompt: bool, config_path: Path | None
) -> None:
    """Show the agent ID (else the default one): its model, its files, the size of its prompt."""
    configure_logging(level="silent")
    loaded = Surroundings.of(invocation).load(config_path)
    shown = run(_look(loaded, agent_id))
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result(_described(shown, with_prompt=with_prompt))
        return
    size = counted(len(shown.prompt), "character")
    tokens = f"about {shown.tokens:,} tokens, {shown.profile} profile"
    if with_prompt:
        terminal.verbatim(shown.prompt)
        terminal.notice(f"{size}, {tokens}.")
    else:
        _rows(terminal, shown)
        terminal.row("prompt", size, aside=tokens)
    for note in shown.notes:
        terminal.notice(note)


async def _look(loaded: LoadedConfig, agent_id: str | None) -> _Shown:
    roster = compile_roster(loaded.config.agents)
    agent = named_agent(roster, roster.default_id if agent_id is None else agent_id)
    homes = homes_of(loaded)
    zone = zone_of(loaded.config.agents.defaults.user_timezone)
    model = AgentModels(loaded).of(agent)
    prompts = PromptCache(
        roster, homes, skills=skill_rules(loaded), environ=loaded.environ, zone=zone, seeding=False
    )
    try:
        compiled = await prompts.prepare(agent.id)
    finally:
        await prompts.close()
    tools = NO_TOOLS
    if model.targets and not model.embedded:
        tools = main_toolbox(loaded, agent.id, model.targets)
    full = compiled.text(tools=tools.summaries, folder=tools.folder, model=model.ref)
    prompt = agent.prompt if model.embedded else full
    home, snapshot = homes[agent.id], compiled.snapshot
    notes = (*snapshot.notes, *(() if model.embedded else _absent(home, snapshot, tools)))
    left_out = await _left_out(loaded, agent.id)
    return _Shown(agent, agent.id == roster.default_id, home, model, snapshot, prompt, notes, left_out)


async def _left_out(loaded: LoadedConfig, agent_id: str) -> tuple[_LeftOut, ...]:
    """Tools that a model of the agent cannot be told of, as the running gateway knows; it alone has those of
    the MCP servers."""
    here = gateway_here(loaded)
    if here.away or here.origin is None:
        return ()
    try:
        address = with_secret(loaded, here.origin)
    except ConfigError:
        return ()
    told = await told_by(address, "agents.tools", {"agentId": agent_id}, _Tools)
    return told.left_out if told else ()


def _absent(home: Home, snapshot: Snapshot, tools: Toolbox) -> Iterator[str]:
    """What somebody might look for in the prompt, and why it is not there."""
    if home.injection != "never" and (files := unseeded(home)):
        yield f"{', '.join(files)} will be made at the agent's first run; this prompt is without them."
    folder = tools.folder
    hidden = [s.name for s in snapshot.skills if folder and not folder.reaches(home.workspace / s.location)]
    if hidden:
        yield f"Not offered, because its tools cannot open them: the skills {', '.join(hidden)}."


def _described(shown: _Shown, *, with_prompt: bool) -> dict[str, object]:
    prompt = {"chars": len(shown.prompt), "tokens": shown.tokens, "profile": shown.profile}
    return {
        "id": shown.agent.id,
        "name": shown.agent.name,
        "isDefault": shown.is_default,
        "model": shown.model.ref,
        "fallbacks": shown.agent.fallbacks,
        "workspace": str(shown.home.workspace),
        "files": {file.name: len(file.text) for file in shown.snapshot.files},
        "skills": [skill.name for skill in shown.snapshot.skills],
        "unmetSkills": shown.snapshot.unmet,
        "notes": shown.notes,
        "toolsLeftOut": shown.left_out,
        "prompt": {**prompt, "text": shown.prompt} if with_prompt else prompt,
    }


def _rows(terminal: Terminal, shown: _Shown) -> None:
    agent, snapshot = shown.agent, shown.snapshot
    terminal.title(agent.id + (" (default)" if shown.is_default else ""))
    if agent.name != agent.id:
        terminal.row("name", agent.name)
    terminal.row("model", shown.model.ref or "none", aside=shown.model.problem)
    if agent.fallbacks:
        terminal.row("fallbacks", ", ".join(agent.fallbacks))
    terminal.row("workspace", str(shown.home.workspace))
    terminal.row("files", ", ".join(file.name for file in snapshot.files) or "none yet")
    if snapshot.skills:
        terminal.row("skills", ", ".join(skill.name for skill in snapshot.skills))
    for skill in snapshot.unmet:
        terminal.row("", f"not listed: {skill}")
    for each in shown.left_out:
        terminal.row("left out", f"the tool {each.tool}, of which {each.model} cannot be told: {each.reason}")
