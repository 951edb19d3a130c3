"""The life of a gateway process: built, listening, serving until a signal, drained, closed.

What it is built from is in assembly.py; here is when.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from msgspec import Struct

from openclaw_gateway.assembly import Assembly
from openclaw_gateway.config.auth import EXIT_CONFIG, ResolvedAuth, check_exposure, resolve_auth
from openclaw_gateway.config.listen import resolve_bind, resolve_port
from openclaw_gateway.config.load import LoadedConfig, load_config
from openclaw_gateway.config.schema import AuthMode
from openclaw_gateway.doors.listener import Listener
from openclaw_gateway.errors import StartupError
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.instance import InstanceLock
from openclaw_gateway.logs import flush_log
from openclaw_gateway.models.defaults import Choice

log = structlog.get_logger()

_LAST_LINES_S = 0.2


class Options(Struct, frozen=True):
    """Everything the command line may say. `environment_keys` False ignores provider keys found there."""

    environ: Mapping[str, str]
    home: Path
    cwd: Path
    config_path: Path | None = None
    port: int | None = None
    bind: str | None = None
    auth: AuthMode | None = None
    token: str | None = None
    password: str | None = None
    environment_keys: bool = True


class Daemon:
    """A built gateway. `close` undoes what `build` and `listen` did, in reverse order."""

    def __init__(self, loaded: LoadedConfig, options: Options, undo: contextlib.AsyncExitStack) -> None:
        self.loaded = loaded
        self.auth: ResolvedAuth
        self.gateway: Gateway
        self.model_choice: Choice
        self._options = options
        self._undo = undo
        self._listener: Listener | None = None

    @classmethod
    async def build(cls, options: Options) -> "Daemon":
        """Everything but the listener. Raises ConfigError, StartupError, StoreError."""
        loaded = load_config(
            environ=options.environ, home=options.home, cwd=options.cwd, config_path=options.config_path
        )
        async with contextlib.AsyncExitStack() as undo:
            daemon = cls(loaded, options, undo)
            daemon.auth = resolve_auth(
                loaded.config.gateway.auth,
                environ=loaded.environ,
                flag_mode=options.auth,
                flag_token=options.token,
                flag_password=options.password,
            )
            lock = undo.enter_context(InstanceLock(loaded.own_dir))
            assembly = Assembly(loaded, daemon.auth, undo, environment_keys=options.environment_keys)
            daemon.gateway = await assembly.build()
            daemon.model_choice = assembly.model_choice
            loop = asyncio.get_running_loop()
            lock.tell(lambda is_ours: _in_loop(loop, partial(daemon.gateway.suspend, suspended=not is_ours)))
            undo.callback(lock.tell, _nothing)
            daemon._undo = undo.pop_all()
        return daemon

    async def listen(self) -> tuple[str, ...]:
        """Bind and serve; the URLs. Raises ConfigError, StartupError."""
        config = self.loaded.config
        if config.gateway.mode == "remote":
            raise StartupError(
                'gateway.mode is "remote": this configuration is for a client of another machine\'s gateway. '
                'Set gateway.mode to "local" to run one here.',
                exit_code=EXIT_CONFIG,
            )
        if _asks_for_tls(self.loaded.document):
            raise StartupError(
                "gateway.tls.enabled is true, but this gateway does not serve TLS itself, and will not go "
                "without it in silence. Put a reverse proxy with TLS in front and remove gateway.tls.",
                exit_code=EXIT_CONFIG,
            )
        hosts = resolve_bind(config, flag=self._options.bind)
        port = resolve_port(config, environ=self.loaded.environ, flag=self._options.port)
        for host in hosts:
            check_exposure(host, self.auth)
        listener = Listener(self.gateway)
        self._undo.push_async_callback(listener.close)
        self._undo.push_async_callback(self.gateway.drain, 0)
        urls = await listener.open(hosts, port)
        self._listener = listener
        return urls

    async def serve(self) -> int:
        """Until SIGTERM, SIGINT or SIGHUP, then drain; the exit code.

        A second SIGTERM or SIGINT ends the process at once; a closing terminal may send SIGHUP twice.
        """
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, _on_signal, name, stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
            loop.add_signal_handler(signal.SIGHUP, stop.set)
        await stop.wait()
        await self.drain()
        return 0

    async def drain(self) -> None:
        """Refuse new runs and let the running ones end; the rest are aborted after the configured time."""
        seconds = self.loaded.config.gateway.limits.drain_s
        log.info("gateway.draining", runs=self.gateway.live_runs(), seconds=seconds)
        if self._listener is not None:
            await self._listener.drain(seconds)
        else:
            await self.gateway.drain(seconds)

    async def close(self) -> None:
        await self._undo.aclose()


@contextlib.asynccontextmanager
async def running(options: Options) -> AsyncIterator[tuple[Daemon, tuple[str, ...]]]:
    """A gateway that listens, for as long as the block lasts."""
    daemon = await Daemon.build(options)
    try:
        yield daemon, await daemon.listen()
    finally:
        await daemon.close()


def _asks_for_tls(document: Mapping[str, Any]) -> bool:
    gateway = document.get("gateway")
    tls = gateway.get("tls") if isinstance(gateway, dict) else None
    return isinstance(tls, dict) and tls.get("enabled") is True


def _in_loop(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # it is closed: nothing runs any more
        loop.call_soon_threadsafe(act)


def _nothing(_: bool) -> None:
    pass


def outlive_signals() -> None:
    """Of those that mean nothing here and would end the process. (To ignore them would go on to children.)"""
    loop = asyncio.get_running_loop()
    for name in (signal.SIGUSR1, signal.SIGUSR2):
        loop.add_signal_handler(name, _on_meaningless, name.name)


def _on_meaningless(name: str) -> None:
    log.info("signal.ignored", signal=name)


def _on_signal(name: signal.Signals, stop: asyncio.Event) -> None:
    if stop.is_set():
        flush_log(_LAST_LINES_S)
        os._exit(128 + name)
    stop.set()
