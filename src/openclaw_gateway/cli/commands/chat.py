"""`chat`: a conversation in the terminal with an agent of the running gateway."""

import asyncio
import os
import signal
import sys
from typing import Unpack

import click

from openclaw_gateway.cli.chat.chat import Chat
from openclaw_gateway.cli.chat.keyboard import Keyboard, PlainKeyboard
from openclaw_gateway.cli.chat.orders import ORDERS
from openclaw_gateway.cli.chat.screen import Screen
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import FAILED
from openclaw_gateway.cli.invocation import Invocation, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.running.gateway import RunningGateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.client.link import Link
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.gateway.principal import ADMIN, READ, WRITE
from openclaw_gateway.logs import configure_logging

_HISTORY = "chat-history"


@click.command("chat", cls=WithExample, example="--agent main")
@click.option("--agent", metavar="ID", help="Which agent; else the default one.")
@click.option("--session", metavar="KEY", help="Which conversation to go on with; else the agent's main one.")
@gateway_options
@pass_invocation
def command(
    invocation: Invocation, *, agent: str | None, session: str | None, **which: Unpack[Which]
) -> int | None:
    """Talk to an agent. /help shows what else there is.

    Without a terminal each line of stdin is a message, and the answers are printed as they are.
    """
    for option, named in (("--agent", agent), ("--session", session)):
        if named is not None and not named.strip():
            raise click.UsageError(f"{option} is empty: name one, or leave the option out.")
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    asked = sys.stdin.isatty()
    seen = asked and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    colored = seen and invocation.shows_color()
    # Who shows no questions must not count as somebody to ask. (To choose a model is the operator's alone.)
    scopes = (ADMIN,) if asked else (READ, WRITE)
    there = RunningGateway(around, scopes, **which)
    keyboard: Keyboard = PlainKeyboard(prompts=asked)
    if colored:  # a line cannot be edited without codes
        from openclaw_gateway.cli.chat.line_editor import LineEditor, kept_history  # noqa: PLC0415

        paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd)
        keyboard = LineEditor(kept_history(paths.own_dir / _HISTORY), tuple(ORDERS))
    screen = Screen(rendered=seen, colored=colored, worded=invocation.worded)
    return FAILED if run(_chat(there, screen, keyboard, agent=agent, session=session)) else None


async def _chat(
    there: RunningGateway, screen: Screen, keyboard: Keyboard, *, agent: str | None, session: str | None
) -> bool:
    """Whether something failed that no person has seen. Raises CommandFailed."""
    async with Link(there.connect) as link:
        chat = Chat(link, screen, keyboard, agent=agent, session=session)
        task = asyncio.current_task()
        heard: list[int] = []

        def end(number: int) -> None:
            if number == signal.SIGINT and chat.interrupt():
                return
            heard.append(number)
            if task is not None:
                task.cancel()

        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, end, number)
        try:
            await chat.talk()
        except GatewayError as error:
            raise there.failure(error) from None
        except asyncio.CancelledError:
            if heard:
                raise click.Abort from None
            raise
    return chat.failed and not screen.rendered
