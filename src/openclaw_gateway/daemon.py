"""The life of a gateway process: built, listening, serving until a signal, drained, closed.

What it is built from is in assembly.py; here is when.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial

import structlog

from openclaw_gateway.assembly import Assembly
from openclaw_gateway.blueprint import Blueprint, Options
from openclaw_gateway.blueprint.asking import draw_asking
from openclaw_gateway.blueprint.drawing import Drawing
from openclaw_gateway.blueprint.rewriting import Rewriter
from openclaw_gateway.config.auth import ResolvedAuth
from openclaw_gateway.config.brands import typed
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.descriptors import raise_limit
from openclaw_gateway.doors.listener import Listener
from openclaw_gateway.errors import StartupError
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.instance import InstanceLock, check_restored
from openclaw_gateway.logs import flush_log
from openclaw_gateway.models.defaults import Choice
from openclaw_gateway.reload import Reload
from openclaw_gateway.shared_config import SharedConfig

log = structlog.get_logger()

_LAST_LINES_S = 0.2


class Daemon:
    """A built gateway. `close` undoes what `build` and `listen` did, in reverse order."""

    def __init__(self, options: Options, drawing: Drawing, undo: contextlib.AsyncExitStack) -> None:
        self.plan = drawing.check()
        self.gateway: Gateway
        self.reload: Reload | None = None
        self.shared_config: SharedConfig | None = None
        # Called with each configuration that comes into force; may raise StartupError.
        self.followers: list[Callable[[LoadedConfig], None]] = []
        self._options = options
        self._drawing = drawing
        self._undo = undo
        self._lock: InstanceLock | None = None
        self._assembly = Assembly(undo)
        self._listener: Listener | None = None

    @property
    def loaded(self) -> LoadedConfig:
        return self.plan.loaded

    @property
    def auth(self) -> ResolvedAuth:
        return self.plan.auth

    @property
    def model_choice(self) -> Choice:
        return self.plan.model

    @classmethod
    async def build(cls, options: Options) -> "Daemon":
        """Everything but the listener. Raises ConfigError, StartupError, StoreError."""
        raise_limit()
        drawing = await draw_asking(options)
        async with contextlib.AsyncExitStack() as undo:
            daemon = cls(options, drawing, undo)
            program = typed(daemon.loaded.environ)
            lock = daemon._lock = undo.enter_context(InstanceLock(daemon.loaded.own_dir, program))
            check_restored(daemon.loaded.own_dir, program)
            daemon.gateway = await daemon._assembly.build(daemon.plan)
            loop = asyncio.get_running_loop()
            lock.tell(lambda is_ours: _in_loop(loop, partial(daemon.gateway.suspend, suspended=not is_ours)))
            undo.callback(lock.tell, _nothing)
            daemon._undo = undo.pop_all()
        return daemon

    async def listen(self) -> tuple[str, ...]:
        """Bind and serve; the URLs. Raises StartupError."""
        where = self.plan.listen
        if where is None:
            raise StartupError("This gateway was built to serve no port.")
        listener = Listener(self.gateway)
        self._undo.push_async_callback(listener.close)
        self._undo.push_async_callback(self.gateway.drain, 0)
        urls = await listener.open(where.hosts, where.port)
        self._listener = listener
        self.gateway.url = urls[0]
        if self._lock is not None:
            with contextlib.suppress(OSError):  # the disk is full or gone: it is found by its configuration
                self._lock.serves_at(urls[0], config=str(self.loaded.path))
        reload = self.reload = Reload(self._options, self._drawing, self.gateway, self._adopt)
        self._undo.push_async_callback(self.reload.close)
        self.reload.start()
        rewriter = Rewriter(self.reload.options, self.plan, lambda: reload.secrets)
        self.gateway.operator.config.open(rewriter, reload)
        self._share_config(reload)
        return urls

    def _share_config(self, reload: Reload) -> None:
        peers, loaded = self.gateway.peers, self.loaded
        if peers is None or not self.plan.cluster.keeps_config:
            return
        noted = loaded.own_dir / "shared-config"
        shared = self.shared_config = SharedConfig(
            peers.store, loaded.path, noted, lambda: reload.in_force.get(loaded.path)
        )
        self.followers.append(shared.in_force)
        self._undo.push_async_callback(shared.close)
        shared.start()

    async def serve(self) -> int:
        """Until SIGTERM or SIGINT, then drain; the exit code. A second signal ends the process at once.

        SIGHUP has the files looked at; when the terminal the gateway was started in is gone, it drains.
        """
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, _on_signal, name, stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
            loop.add_signal_handler(signal.SIGHUP, self._on_hangup, _has_terminal(), stop)
        await stop.wait()
        await self.leave()
        await self.drain()
        return 0

    async def leave(self) -> None:
        """Let the proxy in front find out that this process leaves, before it refuses anything. Nobody sends
        a worker anything."""
        if self.gateway.peers is not None and self.plan.cluster.role != "worker":
            self.gateway.leave()
            log.info("gateway.leaving", seconds=self.gateway.limits.leave_s)
            await asyncio.sleep(self.gateway.limits.leave_s)

    async def drain(self) -> None:
        """Refuse new runs and let the running ones end; the rest are aborted after the configured time."""
        seconds = self.gateway.limits.drain_s
        log.info("gateway.draining", runs=self.gateway.live_runs(), seconds=seconds)
        if self.reload is not None:
            await self.reload.close()
        if self._listener is not None:
            await self._listener.drain(seconds)
        else:
            await self.gateway.drain(seconds)

    async def _adopt(self, plan: Blueprint) -> None:
        await self._assembly.adopt(plan)
        self.plan = plan
        if self._listener is not None:
            self._listener.go_by(self.gateway.limits)
        for follow in self.followers:
            follow(plan.loaded)

    def _on_hangup(self, had_terminal: bool, stop: asyncio.Event) -> None:
        if had_terminal and not _has_terminal():
            stop.set()
        elif self.reload is not None:
            self.reload.check()

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


def _has_terminal() -> bool:
    """Whether this process has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True


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
