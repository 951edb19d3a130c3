"""`agent`: say something to an agent and see it answer, through the running gateway or in this process."""

import asyncio
import signal
import sys
import uuid
from collections.abc import Awaitable
from contextlib import aclosing
from pathlib import Path

import click

from openclaw_gateway.cli.conversation import Completed, Parts, Question
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.running.address import LOCALLY, find_address
from openclaw_gateway.cli.running.agent_run import through_gateway
from openclaw_gateway.cli.running.options import gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.logs import configure_logging, flush_log
from openclaw_gateway.wire.events import ReasoningDelta, TextDelta

_STDIN = "-"
_GRACE_S = 10.0
_FLUSH_S = 1.0


@click.command(
    "agent",
    cls=WithExample,
    example='"What is a lane?" --agent main',
    params=[json_option("Print one JSON object at the end instead of the text.")],
)
@click.argument("words", nargs=-1, metavar="[TEXT]")
@click.option("-m", "--message", metavar="TEXT", help="What to say; - reads it from stdin.")
@click.option("--message-file", type=click.Path(path_type=Path), help="Read what to say from a file.")
@click.option("--agent", "agent_id", metavar="ID", help="Which agent; else the default one.")
@click.option(
    "--session-key", metavar="KEY", help="Which conversation to go on with; else the agent's main one."
)
@click.option("--session-id", metavar="ID", help="The same as --session-key.")
@click.option("--local", is_flag=True, help="Run in this process instead of the running gateway.")
@click.option("--timeout", "timeout_s", type=WholeNumber(1), metavar="S", help="Seconds the run may take.")
@gateway_options
@pass_invocation
def command(
    invocation: Invocation,
    *,
    words: tuple[str, ...],
    message: str | None,
    message_file: Path | None,
    agent_id: str | None,
    session_key: str | None,
    session_id: str | None,
    local: bool,
    timeout_s: int | None,
    url: str | None,
    token: str | None,
    password: str | None,
    config_path: Path | None,
) -> None:
    """Send TEXT to an agent and print its answer as it comes. Without TEXT it is read from stdin."""
    if words and message is not None:
        raise click.UsageError("Give TEXT or --message, not both: they mean the same.")
    if session_key and session_id:
        raise click.UsageError("Give --session-key or --session-id, not both: they mean the same.")
    for option, named in (
        ("--agent", agent_id),
        ("--session-key", session_key),
        ("--session-id", session_id),
    ):
        if named is not None and not named.strip():
            raise click.UsageError(f"{option} is empty: name one, or leave the option out.")
    if local and (url or token or password):
        raise click.UsageError("--local asks no gateway: leave out --url, --token and --password.")
    question = Question(
        run_id=str(uuid.uuid4()),
        text=_text(invocation, " ".join(words) if words else message, message_file),
        agent=agent_id,
        session_key=session_key or session_id,
        timeout_s=timeout_s,
    )
    around = Surroundings.of(invocation)
    configure_logging(level="debug" if invocation.debug else "error")
    if local:
        # Only this way needs the whole gateway, whose import takes longer than asking a running one.
        from openclaw_gateway.cli.in_process import in_process  # noqa: PLC0415

        parts = in_process(around, config_path, question)
    else:
        address = find_address(around, config_path, url=url, token=token, password=password, hint=LOCALLY)
        parts = through_gateway(address, question)
    try:
        run(_within(timeout_s, _show(parts, Terminal(invocation), quiet=invocation.json)))
    finally:
        flush_log(_FLUSH_S)


async def _within(timeout_s: int | None, work: Awaitable[None]) -> None:
    """The gateway keeps the limit; this is for one that has stopped answering. What else ends a command
    does what Ctrl-C does, so that it ends the run as well, also where Ctrl-C is ignored (`nohup`, `&`)."""
    task = asyncio.current_task()
    heard: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        heard.append(number)
        if task is not None:
            task.cancel()

    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_DFL:
            asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        async with asyncio.timeout(None if timeout_s is None else timeout_s + _GRACE_S):
            await work
    except asyncio.CancelledError:
        if heard:
            raise click.Abort from None
        raise
    except TimeoutError:
        raise CommandFailed(f"There is no answer after {timeout_s} seconds.", code="run_timeout") from None


async def _show(parts: Parts, terminal: Terminal, *, quiet: bool) -> None:
    """Print the parts as they come; `quiet` prints only the end, as JSON."""
    thinking = speaking = False
    async with aclosing(parts):
        try:
            async for part in parts:
                match part:
                    case TextDelta(text) if not quiet:
                        if thinking:
                            terminal.aside("\n")
                            thinking = False
                        terminal.stream(text)
                        speaking = not text.endswith("\n")
                    case ReasoningDelta(text) if not quiet and terminal.errors_are_seen:
                        terminal.aside(text)
                        thinking = True
                    case Completed(envelope) if quiet:
                        terminal.result(envelope)
                    case _:
                        pass
        finally:
            if speaking:
                terminal.stream("\n")


def _text(invocation: Invocation, message: str | None, file: Path | None) -> str:
    if message is not None and file is not None:
        raise click.UsageError("Give a message or --message-file, not both.")
    if file is not None:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CommandFailed(f"Cannot read {file}: {(error.strerror or '').lower()}.") from None
    elif message == _STDIN or (message is None and not sys.stdin.isatty()):
        data = sys.stdin.buffer.read()
    else:
        data = (message or "").encode("utf-8", "surrogateescape")
    try:
        text = data.decode().strip("\r\n")
    except UnicodeDecodeError:
        raise CommandFailed("The message is not valid UTF-8: send text in UTF-8.") from None
    if not text.strip():
        raise click.UsageError(
            f'Missing message. Say {invocation.typed} agent "…", pipe it in, or name --message-file FILE.'
        )
    return text
