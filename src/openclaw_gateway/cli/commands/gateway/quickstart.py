"""`gateway quickstart`: from nothing to an agent that answers, and what to paste to talk to it.

Uses nothing of the person's own set-up: no other state directory, no key from the environment.
"""

import asyncio
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from openclaw_gateway.blueprint import Options
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.folder_size import folder_size
from openclaw_gateway.cli.invocation import Invocation, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.process.serving import banner, serve, until_ready
from openclaw_gateway.cli.setup.first_config import FirstConfig, first_text, refuse_other_homes, write_first
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.config.brands import BRANDS, env, env_names
from openclaw_gateway.config.paths import Paths, resolve_paths
from openclaw_gateway.daemon import Daemon
from openclaw_gateway.doors.ui.snippets import curl_line, sdk_lines
from openclaw_gateway.errors import StartupError
from openclaw_gateway.instance import Holder, holder
from openclaw_gateway.models.defaults import LOCAL_REF
from openclaw_gateway.models.survey import servers_here
from openclaw_gateway.sizes import size_text

# Both curl and the SDK would ask them even for this machine.
_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


@click.command("quickstart", cls=WithExample, example="--state-dir ./try")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Where its files live; else {env_names('STATE_DIR')}. There is no default.",
)
@click.option("--port", type=WholeNumber(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option(
    "--model",
    "which",
    type=click.Choice(("embedded", "auto")),
    default="embedded",
    help="auto: that of a model server on this machine (Ollama, LM Studio, …), if there is one.",
)
@pass_invocation
def command(invocation: Invocation, *, state_dir: Path | None, port: int | None, which: str) -> int:
    """Start a gateway for a first try: with the embedded model, and a configuration made if there is none."""
    around = Surroundings.of(invocation)
    environ = _own_environ(around.environ, state_dir)
    paths = resolve_paths(environ, home=around.home, cwd=around.cwd)
    refuse_other_homes(paths.state_dir, around.home)
    model = run(_found_here()) if which == "auto" else None
    if write_first(paths.config_file, first_text(FirstConfig(model or LOCAL_REF))):
        Terminal(invocation).notice(f"wrote {paths.config_file}")
    elif model is not None:
        hint = f"to use {model}, which is on this machine, name it in agents.defaults.model"
        Terminal(invocation).notice(f"{paths.config_file} is there already and stays as it is; {hint}.")
    if which == "auto" and model is None:
        Terminal(invocation).notice(
            f"no model server answers on this machine; the model is the one that {paths.config_file} names."
        )
    options = Options(environ=environ, home=around.home, cwd=around.cwd, port=port, environment_keys=False)

    async def announce(terminal: Terminal, daemon: Daemon, urls: tuple[str, ...]) -> None:
        await until_ready(daemon)
        banner(terminal, invocation.typed, daemon, urls)
        await _what_to_do(terminal, daemon, urls[0], environ)

    try:
        return run(serve(invocation, options, announce, elsewhere=_elsewhere(invocation, around.environ)))
    except StartupError as error:
        if error.code != "already_running":
            raise
        raise CommandFailed(
            _already_running(paths, _beside(invocation, around.environ, paths.state_dir)),
            code=error.code,
            exit_code=error.exit_code,
        ) from None


def _already_running(paths: Paths, beside: str) -> str:
    """Who tries it has no command of ours in his terminal yet, and nothing in its environment."""
    pid = (holder(paths.own_dir) or Holder()).pid
    ends = f", or `kill {pid}`" if pid else ""
    return (
        f"A gateway is already running with the files in {paths.state_dir}. Stop it first (Ctrl-C where it "
        f"runs{ends}), or start one beside it: {beside}"
    )


async def _found_here() -> str | None:
    """The first model of the first server."""
    servers = await servers_here()
    return next((f"{name}/{models[0]}" for name, models in servers.items()), None)


def _own_environ(environ: Mapping[str, str], state_dir: Path | None) -> dict[str, str]:
    """The environment without what belongs to the person's other set-up; of ours only the port stays."""
    named = str(state_dir) if state_dir is not None else (env(environ, "STATE_DIR") or ("", ""))[0]
    if not named:
        raise CommandFailed(
            f"Name a directory for this gateway's files: --state-dir ./try, or {env_names('STATE_DIR')}. "
            "A first try never uses the directories of your other programs.",
            code="state_dir_missing",
            exit_code=CONFIG,
        )
    prefixes = tuple(brand.env_prefix for brand in BRANDS)
    own = {name: value for name, value in environ.items() if not name.startswith(prefixes)}
    own[f"{prefixes[0]}STATE_DIR"] = named
    port = env(environ, "GATEWAY_PORT")
    if port:
        own[port[1]] = port[0]
    return own


async def _what_to_do(terminal: Terminal, daemon: Daemon, origin: str, environ: Mapping[str, str]) -> None:
    secret, files, installed = daemon.auth.secret, daemon.loaded.state_dir, Path(sys.prefix)
    sizes = [await asyncio.to_thread(folder_size, folder) for folder in (files, installed)]
    if not daemon.gateway.chat_switch:  # else the banner says how to turn it on
        terminal.heading("Talk to it, from another terminal:")
        terminal.verbatim(curl_line(origin, secret))
        terminal.heading("From Python (pip install openai):")
        terminal.verbatim(sdk_lines(origin, secret))
    proxy = next((name for name in _PROXIES if environ.get(name)), None)
    if proxy:
        terminal.notice(f"{proxy} is set: say `export no_proxy=127.0.0.1` first, or the proxy is asked.")
    terminal.heading("And then:")
    terminal.say(f"  Control page          {origin}{daemon.loaded.config.gateway.control_ui.base_path}/")
    terminal.say(f"  Its files             {files} ({size_text(sizes[0])})")
    terminal.say(f"  The program           {installed} ({size_text(sizes[1])})")
    terminal.say(f"  From a terminal       {_terminal_line(daemon)}")
    terminal.say(f"  A model of your own   edit {daemon.loaded.path}")
    terminal.say("  Stop                  Ctrl-C")


def _elsewhere(invocation: Invocation, environ: Mapping[str, str]) -> str:
    """What the person at the terminal types for another port: who typed make does not know our options."""
    return "make run PORT=" if "MAKELEVEL" in environ else f"{invocation.typed} gateway quickstart --port "


def _beside(invocation: Invocation, environ: Mapping[str, str], state_dir: Path) -> str:
    """What is typed for another one than that in `state_dir`, with files and a port of its own."""
    another = shlex.quote(str(state_dir.with_name(f"{state_dir.name}-2")))
    if "MAKELEVEL" in environ:
        return f"make run OPENCLAW_STATE_DIR={another} PORT=0"
    return f"{invocation.typed} gateway quickstart --state-dir {another} --port 0"


def _terminal_line(daemon: Daemon) -> str:
    """The `agent` command for this gateway, as it can be pasted anywhere."""
    variable = f"{BRANDS[0].env_prefix}STATE_DIR={shlex.quote(str(daemon.loaded.state_dir))}"
    return f'{variable} {shlex.quote(sys.executable)} -m {__package__.partition(".")[0]} agent -m "hi"'
