"""`gateway run`: the daemon in the foreground, until a signal."""

from pathlib import Path
from typing import get_args

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.serving import banner, serve, until_ready
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.schema import AuthMode, Bind
from openclaw_gateway.daemon import Daemon, Options


@click.command("run", cls=WithExample, example="--port 18789")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--bind", type=click.Choice(get_args(Bind)), help="Where to listen; loopback by default.")
@click.option("--auth", type=click.Choice(get_args(AuthMode)), help="How callers prove who they are.")
@click.option("--token", help="The token callers must send. Others can see it in the process list.")
@click.option("--password", help="The same for a password.")
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="Another configuration file.")
@click.option("--verbose", is_flag=True, help="Log every detail.")
@click.option("--allow-unconfigured", is_flag=True, expose_value=False, hidden=True)
@pass_invocation
def command(
    invocation: Invocation,
    *,
    port: int | None,
    bind: str | None,
    auth: AuthMode | None,
    token: str | None,
    password: str | None,
    config_path: Path | None,
    verbose: bool,
) -> int:
    """Run the gateway in the foreground. Ctrl-C ends it after the runs that are going on."""
    options = Options(
        **Surroundings.of(invocation).for_options(),
        config_path=config_path,
        port=port,
        bind=bind,
        auth=auth,
        token=token,
        password=password,
    )

    async def announce(terminal: Terminal, daemon: Daemon, urls: tuple[str, ...]) -> None:
        banner(terminal, invocation.program, daemon, urls)
        if daemon.auth.generated:
            terminal.row(
                "token",
                daemon.auth.secret or "",
                aside="shown here only, new at each start; set gateway.auth.token to keep one",
            )
        for notice in daemon.loaded.notices:
            terminal.notice(notice)
        await until_ready(daemon)
        terminal.say("Ready. Ctrl-C stops it.")

    return run(serve(invocation, options, announce, level="debug" if verbose else None))
