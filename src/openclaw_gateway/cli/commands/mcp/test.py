"""`mcp test`: starts each MCP server, lists its tools, ends it. The running gateway's own are left alone."""

import time
from collections.abc import Mapping
from pathlib import Path

import click
from msgspec import Struct

from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import FAILED
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.schema import McpServer
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.tools.mcp.connection import NotConnected
from openclaw_gateway.tools.mcp.servers import missing_package
from openclaw_gateway.tools.mcp.trial import tried


class _Outcome(Struct, frozen=True, rename="camel"):
    name: str
    ok: bool
    tools: tuple[str, ...]
    duration_ms: int
    error: str | None


@click.command("test", cls=WithExample, example="files", params=[json_option()])
@click.argument("names", nargs=-1, metavar="[NAME]...")
@config_option
@pass_invocation
def command(invocation: Invocation, *, names: tuple[str, ...], config_path: Path | None) -> int:
    """Try each server NAME (else all that are on). Exit code 0, or 1 if one fails."""
    configure_logging(level="silent")
    loaded = Surroundings.of(invocation).load(config_path)
    mcp = loaded.config.mcp
    unknown = next((name for name in names if name not in mcp.servers), None)
    if unknown is not None:
        there = ", ".join(mcp.servers) or "none"
        raise CommandFailed(
            f'There is no MCP server "{unknown}". These are configured: {there}.', code="mcp_server_not_found"
        )
    if (notice := missing_package(mcp)) is not None:
        raise CommandFailed(notice, code="mcp_package_missing")
    terminal = Terminal(invocation)
    outcomes: list[_Outcome] = []
    for name in names or [name for name, server in mcp.servers.items() if server.enabled]:
        if terminal.errors_are_seen and not invocation.json:
            terminal.aside(f"{name} …\n")
        outcomes.append(run(_outcome(name, mcp.servers[name], loaded.environ)))
        if not invocation.json:
            _tell(terminal, outcomes[-1])
    failed = not all(each.ok for each in outcomes)
    if invocation.json:
        terminal.result({"ok": not failed, "servers": outcomes})
    elif not outcomes:
        terminal.say("No MCP server is configured (mcp.servers).")
    return FAILED if failed else 0


async def _outcome(name: str, server: McpServer, environ: Mapping[str, str]) -> _Outcome:
    began = time.monotonic()
    tools: tuple[str, ...] = ()
    error = None
    try:
        tools = tuple(tool.name for tool in await tried(name, server, environ))
    except NotConnected as why:
        error = str(why)
    return _Outcome(name, error is None, tools, int((time.monotonic() - began) * 1000), error)


def _tell(terminal: Terminal, outcome: _Outcome) -> None:
    if outcome.error is not None:
        terminal.fault(f"{outcome.name} cannot be used: {outcome.error}")
    else:
        tools = ", ".join(outcome.tools) or "no tools"
        terminal.say(f"{outcome.name} is there in {outcome.duration_ms / 1000:.1f} s: {tools}")
