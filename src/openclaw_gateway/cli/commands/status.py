"""`status`: what is configured and whether it runs, on one screen. Works without a gateway, too.

Of a gateway that runs it tells what that process says of itself, and follows the file that it follows.
"""

from datetime import timedelta

import click
from msgspec import Struct

from openclaw_gateway import __version__
from openclaw_gateway.blueprint import Blueprint, Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.blueprint.exposed import exposed
from openclaw_gateway.cli.counted import counted
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.machine import no_sandbox
from openclaw_gateway.cli.running.address import Address, Here, config_in_use, gateway_here, opened_by
from openclaw_gateway.cli.running.look import told_by
from openclaw_gateway.cli.running.readiness import ask_readiness
from openclaw_gateway.cli.service.here import service_here
from openclaw_gateway.cli.service.manager import ServiceState
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.schema import CHAT_SWITCH

_ANSWER_S = 5.0
_AWAY = "not running"


@click.command("status", cls=WithExample, example="", params=[json_option()])
@pass_invocation
def command(invocation: Invocation) -> int:
    """Show the configuration in use and whether its gateway runs. Exit code 0, or 78 when it is wrong."""
    seen = _look(Surroundings.of(invocation))
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result(_described(seen))
    else:
        terminal.title(f"{invocation.program} {__version__}")
        _tell_process(terminal, seen)
        _tell_files(terminal, seen, f"`{invocation.typed} setup` makes one")
        _tell_replicas(terminal, seen.told)
        _tell_tools(terminal, seen.told)
    return CONFIG if seen.problems else 0


class _Seen(Struct, frozen=True):
    """`told` is empty of what does not run; `ids` are the process's where it runs, else the file's."""

    here: Here
    state: str
    told: "_Status"
    ids: tuple[str, ...]
    default_id: str
    plan: Blueprint
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    left_out: tuple[str, ...]
    service: ServiceState | None

    @property
    def running(self) -> bool:
        return self.state != _AWAY

    @property
    def chat(self) -> bool:
        return self.plan.loaded.config.gateway.http.endpoints.chat_completions.enabled


def _look(around: Surroundings) -> _Seen:
    drawing = draw(Options(**around.for_options(), config_path=config_in_use(around)))
    plan = drawing.plan
    here = gateway_here(plan.loaded)
    state = _AWAY if here.away or here.origin is None else _state(here.origin)
    told, agents = _Status(), None
    if state != _AWAY and here.origin:
        told, agents = run(_told(opened_by(here.origin, plan.auth)))
    return _Seen(
        here,
        state,
        told,
        tuple(plan.roster.ids if agents is None else (agent.id for agent in agents.agents)),
        plan.roster.default_id if agents is None else agents.default_id,
        plan,
        tuple(drawing.explained().problems) if plan.problems else (),
        tuple(exposed(drawing.read, plan)),
        (*map(str, plan.left_out), *run(no_sandbox(plan))),
        service[1] if (service := service_here(around)) is not None else None,
    )


def _described(seen: _Seen) -> dict[str, object]:
    loaded, here, told = seen.plan.loaded, seen.here, seen.told
    return {
        "version": __version__,
        "gateway": {
            "url": here.origin,
            "state": seen.state,
            "lastUrl": here.last,
            "pid": here.pid if seen.running else None,
            "startedAtMs": here.started_ms if seen.running else None,
            "version": told.version,
            "uptimeMs": told.uptime_ms,
            "model": told.default_model,
            "runs": told.runs.active if told.runs else None,
            "runsOfAll": told.runs.executing if told.runs and told.runs.most is not None else None,
            "maxRunsOfAll": told.runs.most if told.runs else None,
            "authMode": told.auth_mode or (None if seen.problems else seen.plan.auth.mode),
            "restartNeeded": told.config.restart_needed,
        },
        "service": seen.service,
        "config": {"path": str(loaded.path), "exists": loaded.exists, "problems": seen.problems},
        "notes": seen.notes,
        "stateDir": str(loaded.state_dir),
        "agents": {"ids": seen.ids, "default": seen.default_id},
        "leftOut": seen.left_out,
        "grep": told.grep,
        "mcp": told.mcp,
        "replicas": told.replicas,
        "bus": told.bus,
        "chatCompletions": None if seen.problems else seen.chat,
        "notices": loaded.notices,
    }


def _tell_process(terminal: Terminal, seen: _Seen) -> None:
    here, told = seen.here, seen.told
    where = f"{seen.state} at {here.origin}" if here.origin else seen.state
    was = f"the last one was at {here.last}" if here.last not in {None, here.origin} else ""
    terminal.row("gateway", where, aside=_process(here.pid, told) if seen.running else was)
    _tell_service(terminal, seen)
    if told.config.restart_needed:
        terminal.row("restart", f"needed, before these count: {', '.join(told.config.restart_needed)}")
    if told.default_model:
        terminal.row("model", told.default_model)


def _tell_service(terminal: Terminal, seen: _Seen) -> None:
    service = seen.service
    if service is None or not (service.installed or service.running or service.troubles):
        return
    terminal.row("service", str(service), aside=service.name)
    for trouble in service.troubles:
        terminal.row("", terminal.worded(trouble))
    if seen.running and not service.running:
        terminal.row("", "The gateway that runs is not this service.")


def _tell_files(terminal: Terminal, seen: _Seen, makes: str) -> None:
    plan, loaded = seen.plan, seen.plan.loaded
    terminal.row(
        "config", str(loaded.path), aside="" if loaded.exists else f"not there: the defaults apply; {makes}"
    )
    for problem in seen.problems:
        terminal.row("wrong", problem)
    if seen.problems and seen.running:
        terminal.row("", "The gateway goes on with the last configuration that was right.")
    for note in seen.notes:
        terminal.row("note", note)
    terminal.row("state", str(loaded.state_dir))
    if seen.told.auth_mode:
        terminal.row("auth", seen.told.auth_mode)
    elif not seen.problems:
        terminal.row(
            "auth", plan.auth.mode, aside="made up at each start" if plan.auth.generated else plan.auth.source
        )
    terminal.row("agents", ", ".join(seen.ids), aside=f"default: {seen.default_id}")
    for sentence in seen.left_out:
        terminal.row("left out", sentence)
    if not seen.problems:
        # Of files with faults only a part is read, and perhaps not that one.
        terminal.row("endpoint", "on" if seen.chat else f"off: set {CHAT_SWITCH}")


def _tell_replicas(terminal: Terminal, told: "_Status") -> None:
    runs = told.runs or _Runs()
    for each in told.replicas:
        most = "" if runs.most is not None or each.role == "front" else f" of {each.max_runs}"
        runs_of_most = counted(each.runs, "run") if not most else f"{each.runs}{most} runs"
        aside = f"{runs_of_most}, version {each.version}"
        terminal.row("replica", f"{each.role} at {each.address}", aside=aside)
    if told.replicas and all(each.role == "front" for each in told.replicas):
        starts = terminal.worded("`openclaw gateway run --role worker` starts one")
        terminal.row("", f"No worker is there, so what is asked is refused after a while: {starts}.")
    if runs.most is not None:
        alone = runs.share is not None and runs.share < runs.most
        aside = f"this process counts alone meanwhile, up to {runs.share}" if alone else ""
        terminal.row("runs", f"{runs.executing} of {runs.most}, in all processes together", aside=aside)
    if not told.bus.connected:
        terminal.row("bus", f"away: {told.bus.reason or 'no answer'}", aside="runs go on and are recorded")


def _tell_tools(terminal: Terminal, told: "_Status") -> None:
    if told.grep is not None:
        terminal.row("grep", told.grep)
    for server in told.mcp:
        terminal.row("mcp", f"{server.name}: {server.trouble or counted(server.tools, 'tool')}")
        for tool in server.left_out:
            terminal.row("", f"left out: {tool.tool or 'a tool'}, because {tool.reason}")


def _state(origin: str) -> str:
    try:
        return "ready" if ask_readiness(origin, timeout_s=_ANSWER_S).ready else "not ready"
    except OSError:
        return _AWAY


async def _told(address: Address) -> tuple["_Status", "_Agents | None"]:
    told = await told_by(address, "status", {}, _Status)
    return told or _Status(), await told_by(address, "agents.list", {}, _Agents) if told else None


def _process(pid: int | None, told: "_Status") -> str:
    known = [f"pid {pid}"] if pid else []
    if told.version not in {None, __version__}:
        known.append(f"version {told.version}")
    if told.uptime_ms is not None:
        known.append(f"up {timedelta(seconds=told.uptime_ms // 1000)}")
    return ", ".join(known)


class _Config(Struct, frozen=True, rename="camel"):
    restart_needed: tuple[str, ...] = ()


class _LeftOut(Struct, frozen=True):
    tool: str
    reason: str


class _Server(Struct, frozen=True, rename="camel"):
    name: str
    trouble: str | None = None
    tools: int = 0
    left_out: tuple[_LeftOut, ...] = ()


class _Replica(Struct, frozen=True, rename="camel"):
    role: str
    version: str
    address: str
    runs: int
    max_runs: int


class _Bus(Struct, frozen=True):
    connected: bool = True
    reason: str | None = None


class _Runs(Struct, frozen=True):
    """`most` is what all processes may execute together, `share` this one of it; None where each counts for
    itself."""

    active: int = 0
    executing: int = 0
    most: int | None = None
    share: int | None = None


class _Agent(Struct, frozen=True):
    id: str


class _Agents(Struct, frozen=True, rename="camel"):
    """What the method `agents.list` says, as far as it is shown."""

    default_id: str
    agents: tuple[_Agent, ...]


class _Status(Struct, frozen=True, rename="camel"):
    """What the method `status` says, as far as it is shown."""

    version: str | None = None
    uptime_ms: int | None = None
    auth_mode: str | None = None
    default_model: str | None = None
    runs: _Runs | None = None

    config: _Config = _Config()
    replicas: tuple[_Replica, ...] = ()
    bus: _Bus = _Bus()
    grep: str | None = None
    mcp: tuple[_Server, ...] = ()
