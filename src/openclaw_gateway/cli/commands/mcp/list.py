"""`mcp list`: the MCP servers of the configuration; how they are, the running gateway says."""

from pathlib import Path
from typing import Unpack

import click
import msgspec
from msgspec import Struct

from openclaw_gateway.cli.counted import counted
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.address import config_in_use, gateway_here
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.schema import McpConfig
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.tools.mcp.standing import ServerStanding, unasked

_ANSWER_S = 10.0


class _Told(Struct, frozen=True):
    servers: tuple[ServerStanding, ...]


@click.command("list", cls=WithExample, example="--json", params=[json_option()])
@gateway_options
@pass_invocation
def command(invocation: Invocation, **which: Unpack[Which]) -> None:
    """List the MCP servers: whether each is connected, with which tools, or why not."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    configured = None if which["url"] is not None else _nobody_to_ask(around, which["config_path"])
    servers = _told(around, which) if configured is None else unasked(configured)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"asked": configured is None, "servers": msgspec.to_builtins(servers)})
        return
    for server in servers:
        terminal.title(server.name)
        terminal.row("kind", server.transport, aside="" if server.enabled else "switched off")
        if server.connected:
            terminal.row(
                "connected", counted(len(server.tools or ()), "tool"), aside=", ".join(server.tools or ())
            )
        elif server.last_error is not None:
            terminal.row("away", server.last_error)
        for one in server.left_out:
            terminal.row("left out", one.tool, aside=one.reason)
    if not servers:
        terminal.say("No MCP server is configured (mcp.servers).")
    elif configured is not None:
        terminal.notice("No gateway runs: this is what is configured.")


def _nobody_to_ask(around: Surroundings, config_path: Path | None) -> McpConfig | None:
    """What is configured, where no gateway runs that could say how it is."""
    config_path = config_in_use(around, config_path)
    return around.load(config_path).config.mcp if gateway_here(around.load_partly(config_path)).away else None


def _told(around: Surroundings, which: Which) -> tuple[ServerStanding, ...]:
    """Raises ConfigError, CommandFailed."""
    told = asked_gateway(around, "mcp.status", {}, scopes=(READ,), timeout_s=_ANSWER_S, **which)
    return msgspec.convert(told, _Told).servers
