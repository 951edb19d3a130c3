"""`status`: what is configured and whether it runs, on one screen. Works without a gateway, too."""

import click
from msgspec import Struct

from openclaw_gateway import __version__
from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.blueprint.exposed import exposed
from openclaw_gateway.cli.address import gateway_here, opened_by
from openclaw_gateway.cli.commands.config._machine import no_sandbox
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.readiness import ask_readiness
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.told_by_gateway import told_by
from openclaw_gateway.config.schema import CHAT_SWITCH

_ANSWER_S = 5.0


@click.command("status", cls=WithExample, example="", params=[json_option()])
@pass_invocation
def command(invocation: Invocation) -> int:
    """Show the configuration in use and whether its gateway runs. Exit code 0, or 78 when it is wrong."""
    around = Surroundings.of(invocation)
    drawing = draw(Options(**around.for_options()))
    plan = drawing.plan
    loaded = plan.loaded
    here = gateway_here(loaded)
    origin, pid = here.origin, here.pid
    state = "not running" if here.away or origin is None else _state(origin)
    running = state != "not running"
    told = run(told_by(opened_by(origin, plan.auth), "status", {}, _Status)) if running and origin else None
    told = told or _Status()
    restart = told.config.restart_needed
    problems = list(drawing.explained().problems) if plan.problems else []
    notes = exposed(drawing.read, plan)
    left_out = [*map(str, plan.left_out), *run(no_sandbox(plan))]
    endpoint = loaded.config.gateway.http.endpoints.chat_completions.enabled
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.json(
            {
                "version": __version__,
                "gateway": {
                    "url": origin,
                    "state": state,
                    "pid": pid if running else None,
                    "startedAtMs": here.started_ms if running else None,
                    "authMode": None if problems else plan.auth.mode,
                    "restartNeeded": restart,
                },
                "config": {"path": str(loaded.path), "exists": loaded.exists, "problems": problems},
                "notes": notes,
                "stateDir": str(loaded.state_dir),
                "agents": {"ids": plan.roster.ids, "default": plan.roster.default_id},
                "leftOut": left_out,
                "grep": told.grep,
                "mcp": told.mcp,
                "chatCompletions": None if problems else endpoint,
                "notices": loaded.notices,
            }
        )
        return CONFIG if problems else 0
    terminal.title(f"{invocation.program} {__version__}")
    terminal.row(
        "gateway", f"{state} at {origin}" if origin else state, aside=f"pid {pid}" if pid and running else ""
    )
    if restart:
        terminal.row("restart", f"needed, before these count: {', '.join(restart)}")
    terminal.row("config", str(loaded.path), aside="" if loaded.exists else "not there; the defaults apply")
    for problem in problems:
        terminal.row("wrong", problem)
    if problems and running:
        terminal.row("", "The gateway goes on with the last configuration that was right.")
    for note in notes:
        terminal.row("note", note)
    terminal.row("state", str(loaded.state_dir))
    if not problems:
        source = "made up at each start" if plan.auth.generated else plan.auth.source
        terminal.row("auth", plan.auth.mode, aside=source)
    terminal.row("agents", ", ".join(plan.roster.ids), aside=f"default: {plan.roster.default_id}")
    for sentence in left_out:
        terminal.row("left out", sentence)
    if not problems:
        # Of files with faults only a part is read, and perhaps not that one.
        terminal.row("endpoint", "on" if endpoint else f"off: set {CHAT_SWITCH}")
    if told.grep is not None:
        terminal.row("grep", told.grep)
    for server in told.mcp:
        terminal.row("mcp", f"{server.name}: {server.trouble or f'{server.tools} tools'}")
        for tool in server.left_out:
            terminal.row("", f"left out: {tool.tool or 'a tool'}, because {tool.reason}")
    return CONFIG if problems else 0


def _state(origin: str) -> str:
    try:
        return "ready" if ask_readiness(origin, timeout_s=_ANSWER_S).ready else "not ready"
    except OSError:
        return "not running"


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


class _Status(Struct, frozen=True):
    """What the method `status` says, as far as it is shown."""

    config: _Config = _Config()
    grep: str | None = None
    mcp: tuple[_Server, ...] = ()
