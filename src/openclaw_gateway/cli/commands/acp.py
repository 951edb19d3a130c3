"""`acp`: the Agent Client Protocol on stdio, for editors, over the running gateway."""

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import Unpack

import click

from openclaw_gateway.acp.agent import Agent
from openclaw_gateway.acp.jsonrpc import INTERNAL_ERROR, INVALID_PARAMS, RpcError
from openclaw_gateway.acp.peer import Peer
from openclaw_gateway.acp.stdio import stdio
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.running.gateway import RunningGateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.client.link import Link
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.gateway.principal import APPROVALS, READ, WRITE
from openclaw_gateway.logs import configure_logging


@click.command("acp", cls=WithExample, example="--agent main")
@click.option("--agent", "agent_id", metavar="ID", help="Whom new sessions are with; else the default agent.")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, agent_id: str | None, **which: Unpack[Which]) -> None:
    """Serve the Agent Client Protocol on stdio. An editor starts this command; it is none for people."""
    if agent_id is not None and not agent_id.strip():
        raise click.UsageError("--agent is empty: name one, or leave the option out.")
    if sys.stdin.isatty():
        raise click.UsageError(
            "An editor starts this command and talks to it on stdin: see docs/connect/zed.md."
        )
    configure_logging(level="debug" if invocation.debug else "warn")
    around = Surroundings.of(invocation)
    following = RunningGateway(around, (READ, WRITE), **which)
    asked = RunningGateway(around, (APPROVALS,), **which)
    run(_serve(following, asked, agent_id, invocation.worded))


async def _serve(
    following: RunningGateway, asked: RunningGateway, agent_id: str | None, worded: Callable[[str], str]
) -> None:
    def explained(error: Exception) -> RpcError | None:
        if isinstance(error, GatewayError):
            code = INVALID_PARAMS if error.http_status in (400, 404, 422) else INTERNAL_ERROR
            return RpcError(code, worded(following.failure(error).message), {"code": error.code})
        if isinstance(error, CommandFailed):
            return RpcError(INTERNAL_ERROR, worded(error.message), {"code": error.code})
        return None

    try:
        async with stdio() as (reader, writer), Link(following.connect) as link:
            peer = Peer(reader, writer, explained)
            agent = Agent(peer, link, asked.connect, agent_id=agent_id)
            serving = asyncio.current_task()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                if serving is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
            await peer.serve(agent.methods)
    except ValueError as error:
        raise CommandFailed(f"{error} must be a pipe, with an editor at its other end.") from None
    except asyncio.CancelledError:
        raise click.Abort from None
