"""`gateway install`: the gateway as a service of the person's own, started at each login."""

import os
import sys
from pathlib import Path

import click

from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.service.awaited import wait_ended, wait_ready
from openclaw_gateway.cli.service.here import OUTPUT, manager_here, said_pid
from openclaw_gateway.cli.service.plan import PACKAGE, ServicePlan, service_name, stop_time
from openclaw_gateway.cli.service.variables import keep_variables, planned, service_variables
from openclaw_gateway.cli.setup.offer import offer_setup
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.instance import holder
from openclaw_gateway.logs import configure_logging


@click.command("install", cls=WithExample, example="--env OPENAI_API_KEY", params=[json_option()])
@click.option("--port", type=WholeNumber(0, 65_535), help="The port; else that of the configuration.")
@click.option(
    "--env", "names", multiple=True, metavar="NAME", help="Copy this variable of the terminal into .env."
)
@click.option("--no-start", is_flag=True, help="Have it started at the next login only.")
@config_option
@pass_invocation
def command(
    invocation: Invocation,
    *,
    port: int | None,
    names: tuple[str, ...],
    no_start: bool,
    config_path: Path | None,
) -> None:
    """Install the gateway as your own service (systemd user unit, launchd agent), and start it."""
    configure_logging(level="silent")
    _refuse_cache()
    around = Surroundings.of(invocation)
    paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd, config_path=config_path)
    manager = manager_here(around, paths)
    offer_setup(invocation, around, config_path)
    keep_variables(names, around.environ, paths.state_dir / ".env")
    variables = service_variables(around.environ, paths)
    blueprint, notices = planned(around, paths, variables)
    stop_s = stop_time(blueprint.loaded.config.gateway.limits.drain_s)
    words = (
        sys.executable,
        "-m",
        PACKAGE,
        "gateway",
        "run",
        *(() if port is None else ("--port", str(port))),
    )
    name = service_name(paths.state_dir, around.home)
    paths.own_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    manager.install(ServicePlan(name, words, variables, around.home, stop_s, paths.own_dir / OUTPUT))

    state = manager.look()
    origin = None
    other = holder(paths.own_dir)
    if not state.running and other is not None:
        notices.append(
            f"A gateway runs already for {paths.state_dir}{said_pid(other)}, and not as this service. "
            f"To change over: {invocation.typed} gateway stop, then {invocation.typed} gateway start."
        )
    elif not no_start:
        if state.running:
            manager.stop()
            wait_ended(manager, stop_s)
        manager.start()
        origin = wait_ready(manager, paths.own_dir)
    notices += manager.notices()
    state = manager.look()
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"service": state, "url": origin, "notices": notices})
        return
    terminal.say(f"Installed {state.name} ({state.path}).")
    if origin is not None:
        terminal.say(f"It runs, and is ready at {origin}.")
    for notice in (*state.troubles, *notices):
        terminal.notice(notice)


def _refuse_cache() -> None:
    """A service outlives what `uvx` and `pipx run` unpack for one call."""
    caches = (
        os.environ.get("XDG_CACHE_HOME"),
        "~/.cache",
        "~/Library/Caches",
        os.environ.get("UV_CACHE_DIR"),
    )
    here = Path(sys.prefix)
    if any(here.is_relative_to(Path(cache).expanduser()) for cache in caches if cache):
        raise CommandFailed(
            f"This program is in a cache ({here}), which may be emptied any day. Install it first, with "
            "`uv tool install openclaw-gateway` or `pipx install openclaw-gateway`.",
            code="service_unsupported",
        )
