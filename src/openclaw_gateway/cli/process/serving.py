"""What `gateway run` and `gateway quickstart` share: log lines to stderr, start, a banner, serve, stop.

The daemon does the work and says what went wrong; here it only gets a terminal. It serves whether or not
somebody reads what is written there: a terminal that is gone, stalled or full costs only the words.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openclaw_gateway import __version__
from openclaw_gateway.blueprint import Options
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.cli.process.port_holder import free_port, port_holder
from openclaw_gateway.cli.running.address import EVERYWHERE, from_here
from openclaw_gateway.cli.setup.own_address import own_address
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.daemon import Daemon, outlive_signals
from openclaw_gateway.doors.listener import PortTaken
from openclaw_gateway.errors import error_type
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.logs.file import open_log
from openclaw_gateway.logs.streams import hand_over_standard_streams
from openclaw_gateway.logs.writer import Writer
from openclaw_gateway.models.defaults import LOCAL_REF
from openclaw_gateway.models.local import LocalModel

_READY_S = 120.0
_ASK_AGAIN_S = 0.05
# One screen.
_MOST_REMARKS = 24

Announce = Callable[[Terminal, Daemon, tuple[str, ...]], Coroutine[Any, Any, None]]


async def serve(
    invocation: Invocation,
    options: Options,
    announce: Announce,
    *,
    elsewhere: str,
    level: str | None = None,
) -> int:
    """Start, `announce` with the URLs, serve until a signal; the exit code. Raises what the daemon raises.

    `elsewhere` is what starts the same at another port, but for the number. `level` wins over the
    configuration's. From now on this process writes to its standard streams by threads.
    """
    hand_over_standard_streams()
    outlive_signals()
    terminal = Terminal(invocation)
    colors = invocation.shows_color()
    configure_logging(level=level or "info", colors=colors)
    daemon = await Daemon.build(options)
    try:
        with contextlib.closing(_Log(level, colors=colors)) as lines:
            lines.follow(daemon.loaded)
            daemon.followers.append(lines.follow)
            try:
                urls = await daemon.listen()
            except PortTaken as taken:
                raise await asyncio.to_thread(_told_by_whom, taken, daemon, elsewhere) from None
            return await _serve_and_announce(daemon, announce(terminal, daemon, urls))
    finally:
        await daemon.close()


async def _serve_and_announce(daemon: Daemon, announcement: Coroutine[Any, Any, None]) -> int:
    """Signals are obeyed from before the first word is said; one that comes earlier cuts it short."""
    serving = asyncio.create_task(daemon.serve(), name="cli.serve")
    announcing = asyncio.create_task(announcement, name="cli.announce")
    try:
        done, _ = await asyncio.wait({serving, announcing}, return_when=asyncio.FIRST_COMPLETED)
        if announcing in done:
            announcing.result()
        return await serving
    finally:
        serving.cancel()
        announcing.cancel()
        await asyncio.gather(serving, announcing, return_exceptions=True)


def _told_by_whom(taken: PortTaken, daemon: Daemon, elsewhere: str) -> CommandFailed:
    """Looks at the machine, for a second at most."""
    who = port_holder(taken.host, taken.port)
    hosts = daemon.plan.listen.hosts if daemon.plan.listen else (taken.host,)
    free = free_port(hosts, taken.port)
    if free is None:
        offer = "Choose another port with --port or gateway.port"
    else:
        offer = f"Port {free} is free: {elsewhere}{free} (or gateway.port: {free} in {daemon.loaded.path})"
    return CommandFailed(
        f"Cannot listen on {taken.host} port {taken.port}: it is taken by {who}. {offer}; or stop what uses "
        "it.",
        code=taken.code,
        kind=error_type(taken),
        exit_code=taken.exit_code,
    )


async def until_ready(daemon: Daemon) -> None:
    """Wait until a request would be served. Raises CommandFailed when that does not come about."""
    failing: tuple[str, ...] = ()
    try:
        async with asyncio.timeout(_READY_S):
            while True:
                failing = (await daemon.gateway.readiness()).failing
                if not failing:
                    return
                await asyncio.sleep(_ASK_AGAIN_S)
    except TimeoutError:
        raise CommandFailed(
            f"The gateway did not become ready in {_READY_S:.0f} s ({', '.join(failing)}); its log says why."
        ) from None


def banner(terminal: Terminal, program: str, daemon: Daemon, urls: tuple[str, ...]) -> None:
    """What a start should be sure to tell, the secret apart."""
    gateway, choice = daemon.gateway, daemon.model_choice
    terminal.title(f"{program} {__version__}")
    terminal.row("gateway", "  ".join(urls))
    everywhere = next((url for url in urls if urlsplit(url).hostname in EVERYWHERE), None)
    address = own_address() if everywhere else None
    if everywhere and address:
        terminal.row("network", f"http://{address}:{urlsplit(everywhere).port}", aside="from other machines")
    ids = gateway.roster.ids
    shown = ", ".join(ids[:8]) if len(ids) <= 8 else f"{', '.join(ids[:8])}, … ({len(ids)} in all)"
    terminal.row("agents", shown, aside=f"default: {gateway.roster.default_id}" if len(ids) > 1 else "")
    terminal.row("model", choice.why)
    terminal.row("auth", daemon.auth.mode, aside="" if daemon.auth.generated else daemon.auth.source)
    off = f"off; set {gateway.chat_switch} to true"
    terminal.row("endpoint", off if gateway.chat_switch else f"{from_here(urls[0])}/v1/chat/completions")
    loaded = daemon.loaded
    terminal.row("config", str(loaded.path), aside="" if loaded.exists else "not there; the defaults apply")
    missing = LocalModel.from_environment(loaded.environ).unavailable()
    if missing and choice.ref == LOCAL_REF:
        terminal.notice(missing)


def remarks(terminal: Terminal, daemon: Daemon) -> None:
    """What is not served as the configuration has it, and why; then what else may not be meant."""
    refused = [
        f'The agent "{agent}" answers 503: {plan.refusal.reason}'
        for agent, plan in daemon.gateway.generation.plans.items()
        if plan.refusal is not None and plan.refusal.sandbox  # the others are among the notes
    ]
    said = [*refused, *map(str, daemon.plan.notes), *daemon.loaded.notices]
    for remark in said[:_MOST_REMARKS]:
        terminal.notice(remark)
    if len(said) > _MOST_REMARKS:
        terminal.notice(f"and {len(said) - _MOST_REMARKS} more; config validate tells all of them.")


class _Log:
    """Log lines as the configuration wants them, and as each later one does. `level` wins over all."""

    def __init__(self, level: str | None, *, colors: bool) -> None:
        self._level = level
        self._colors = colors
        self._opened: tuple[str | None, int] = (None, 0)
        self._file: Writer | None = None

    def follow(self, loaded: LoadedConfig) -> None:
        """Raises StartupError for a file that cannot be written: then everything stays as it was."""
        logging = loaded.config.logging
        before = self._file
        wanted = (logging.file, logging.max_file_bytes)
        if wanted != self._opened:
            path, max_bytes = wanted
            self._file = open_log(Path(path), max_bytes=max_bytes) if path else None
            self._opened = wanted
        style = logging.console_style
        configure_logging(
            level=self._level or logging.level,
            console_level=self._level or logging.console_level,
            style="json" if style == "json" else "pretty" if style else None,
            file=self._file,
            patterns=logging.redact_patterns,
            colors=self._colors,
        )
        if before is not None and before is not self._file:
            before.close()

    def close(self) -> None:
        configure_logging(level=self._level or "info", colors=self._colors)
        if self._file is not None:
            self._file.close()
