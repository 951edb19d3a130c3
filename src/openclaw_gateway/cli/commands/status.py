"""`status`: what is configured and whether it runs, on one screen. Works without a gateway, too."""

import click

from openclaw_gateway import __version__
from openclaw_gateway.agents.roster import compile_roster
from openclaw_gateway.cli.address import local_origin
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.readiness import ask_readiness
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.auth import resolve_auth
from openclaw_gateway.config.schema import CHAT_SWITCH
from openclaw_gateway.instance import holder

_ANSWER_S = 5.0


@click.command("status", cls=WithExample, example="", params=[json_option()])
@pass_invocation
def command(invocation: Invocation) -> None:
    """Show the configuration in use and whether its gateway runs."""
    loaded = Surroundings.of(invocation).load()
    origin = local_origin(loaded)
    try:
        answer = ask_readiness(origin, timeout_s=_ANSWER_S)
        state = "ready" if answer.ready else "not ready"
    except OSError:
        state = "not running"
    pid = holder(loaded.own_dir) if state != "not running" else None
    auth = resolve_auth(loaded.config.gateway.auth, environ=loaded.environ)
    roster = compile_roster(loaded.config.agents)
    endpoint = loaded.config.gateway.http.endpoints.chat_completions.enabled
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.json(
            {
                "version": __version__,
                "gateway": {"url": origin, "state": state, "pid": pid, "authMode": auth.mode},
                "config": {"path": str(loaded.path), "exists": loaded.exists},
                "stateDir": str(loaded.state_dir),
                "agents": {"ids": roster.ids, "default": roster.default_id},
                "chatCompletions": endpoint,
                "notices": loaded.notices,
            }
        )
        return
    terminal.title(f"{invocation.program} {__version__}")
    terminal.row("gateway", f"{state} at {origin}", aside=f"pid {pid}" if pid else "")
    terminal.row("config", str(loaded.path), aside="" if loaded.exists else "not there; the defaults apply")
    terminal.row("state", str(loaded.state_dir))
    terminal.row("auth", auth.mode, aside="made up at each start" if auth.generated else auth.source)
    terminal.row("agents", ", ".join(roster.ids), aside=f"default: {roster.default_id}")
    terminal.row("endpoint", "on" if endpoint else f"off: set {CHAT_SWITCH}")
