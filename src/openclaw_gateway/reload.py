"""A running gateway follows its files: an edit is read, drawn and put in force, or refused and said.

One thread looks at the files, reads them and draws the blueprint: it alone waits for the file system, and it
can be left behind. The event loop only swaps. What is wrong changes nothing: the last good configuration
stays in force. Files are taken as they are once they have not changed for a moment, because editors write
them in steps.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog
from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.blueprint import Blueprint, Options
from openclaw_gateway.blueprint.comparison import dangers_of, needs_restart
from openclaw_gateway.blueprint.drawing import Drawing, draw
from openclaw_gateway.blueprint.exposed import exposed
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.config.schema import ReloadConfig
from openclaw_gateway.config.watch import Mark, look, read_again, too_fresh
from openclaw_gateway.errors import ConfigError, GatewayError
from openclaw_gateway.gateway.generation import Standing
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

POLL_S = 0.1
# Files that do not come to rest are read anyway, so that the last of many edits need not be waited for.
_RESTLESS_S = 0.4


class _Attempt(Struct, frozen=True):
    """`plan` None: it cannot be opened, for these `problems`. `texts` are the files it was made from."""

    plan: Blueprint | None
    problems: tuple[str, ...] = ()
    texts: Mapping[Path, str | None] = {}


class Reload:
    """`apply` puts a blueprint in force. Make it, `start` and `close` it on one event loop."""

    def __init__(
        self,
        options: Options,
        started: Drawing,
        gateway: Gateway,
        apply: Callable[[Blueprint], Awaitable[None]],
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self.options = _in_same_place(options, started.plan)
        self._started = started.plan
        self._gateway = gateway
        self._apply = apply
        self._poll_s = poll_s
        self._loop = asyncio.get_running_loop()
        self._texts = started.read.texts
        self._exposed: tuple[str, ...] = ()
        self._say_exposed(started)
        self._outside = started.outside
        self.secrets = started.secrets
        # What is in force; written on the loop, read by the thread.
        self._now = started.plan
        self._attempt: _Attempt | None = None
        self._tried: Mapping[Path, str | None] = started.read.texts
        # The files as they were read for what is in force.
        self.in_force: Mapping[Path, str | None] = started.read.texts
        self._news = asyncio.Event()
        self._changed = asyncio.Condition()
        self._wake = threading.Event()
        self._asked = False
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def _reload(self) -> ReloadConfig:
        return self._now.loaded.config.gateway.reload

    @property
    def follows(self) -> bool:
        """Whether it looks at the files without being told to."""
        return self._reload.mode != "off"

    def start(self) -> None:
        threading.Thread(target=self._follow, name="config.reload", daemon=True).start()
        self._task = asyncio.create_task(self._put_in_force(), name="config.reload")

    def check(self) -> None:
        """Look at the files now, whatever `gateway.reload.mode` says."""
        self._asked = True
        self._wake.set()

    async def attempts_after(self, count: int) -> Standing:
        """Wait for an attempt after the one that `count` is of."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._gateway.standing.count > count)
        return self._gateway.standing

    async def tried(self, file: Path, text: str) -> Standing:
        """Wait for the attempt to go by a `file` that holds `text`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._tried.get(file) == text)
        return self._gateway.standing

    async def close(self) -> None:
        """What is in force stays. The thread ends by itself, when the file system lets it."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _follow(self) -> None:
        """The thread."""
        # The files may have changed since they were read for the start.
        seen: dict[Path, Mark] | None = None
        while True:
            self._wake.wait(None if self._reload.mode == "off" else self._poll_s)
            self._wake.clear()
            asked, self._asked = self._asked, False
            if self._closing:
                return
            if self._reload.mode == "off" and not asked:
                continue
            if seen is not None and look(self._texts) == seen and not (asked and self._outside):
                continue
            attempt = None
            try:
                seen = self._settled()
                texts = read_again(self._texts)
                # What is not in these files may be another one, too: who asks has it looked up again.
                if texts != self._texts or (asked and self._outside):
                    self._texts = texts
                    attempt = self._drawn()
            except Exception as error:
                # The edge of the thread: without it, no later edit would be seen.
                log.exception("config.reload_crashed")
                attempt = _Attempt(None, (f"The gateway failed on it ({type(error).__name__}).",))
            if seen is not None and too_fresh(seen, time.time_ns()):
                seen = None
            if attempt is not None:
                self._tell(attempt)

    def _settled(self) -> dict[Path, Mark]:
        began = time.monotonic()
        before = look(self._texts)
        while not self._closing:
            time.sleep(self._reload.debounce_ms / 1000)
            now = look(self._texts)
            if now == before or time.monotonic() - began > _RESTLESS_S:
                return now
            before = now
        return before

    def _drawn(self) -> _Attempt:
        try:
            drawing = draw(self.options, token=self._started.auth.secret, before=self.secrets)
        except ConfigError as error:
            return _Attempt(None, tuple(error.problems))
        self._texts = drawing.read.texts
        self._say_exposed(drawing)
        self._outside = drawing.outside
        plan, loaded = drawing.plan, drawing.plan.loaded
        if self._now.loaded.exists and not loaded.exists:
            return _Attempt(None, (f"{loaded.path}: the file is gone; put it back, or stop the gateway",))
        dangers = () if plan.problems else dangers_of(self._started, plan)
        if plan.problems or dangers:
            return _Attempt(None, drawing.explained(*dangers).problems)
        self.secrets = drawing.secrets
        for reason in drawing.secrets.stale.values():
            log.warning("secret.stale", detail=f"What was known before is used: a key {reason}.")
        return _Attempt(plan)

    def _say_exposed(self, drawing: Drawing) -> None:
        """What lies open now and did not before: an editor may have made the file anew."""
        before, self._exposed = self._exposed, exposed(drawing.read, drawing.plan)
        for sentence in self._exposed:
            if sentence not in before:
                log.warning("config.exposed", detail=sentence)

    def _tell(self, attempt: _Attempt) -> None:
        attempt = replace(attempt, texts=self._texts)
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            self._loop.call_soon_threadsafe(self._hear, attempt)

    def _hear(self, attempt: _Attempt) -> None:
        """The newest counts; one that waits for its turn no longer does."""
        self._attempt = attempt
        self._news.set()

    async def _put_in_force(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            attempt, self._attempt = self._attempt, None
            if attempt is None:
                continue
            if attempt.plan is not None:
                await self._swap(attempt.plan, attempt.texts)
            else:
                self._refuse(attempt.problems)
            self._tried = attempt.texts
            async with self._changed:
                self._changed.notify_all()

    async def _swap(self, plan: Blueprint, texts: Mapping[Path, str | None]) -> None:
        try:
            await self._apply(plan)
        except GatewayError as error:
            self._refuse((error.message,))
            return
        except (Exception, asyncio.CancelledError):
            if is_being_cancelled():
                raise
            log.exception("config.reload_crashed")
            self._refuse(("The gateway failed on it; its log says why.",))
            return
        self._now, self.in_force = plan, texts
        # The thread may be waiting as the configuration before told it to.
        self._wake.set()
        restart = needs_restart(self._started, plan)
        self._gateway.standing = Standing(self._gateway.standing.count + 1, restart=restart)
        if restart:
            log.warning("config.reloaded", restart_needed_for=restart)
        else:
            log.info("config.reloaded")

    def _refuse(self, problems: tuple[str, ...]) -> None:
        log.warning("config.refused", detail="The last good configuration stays in force.", problems=problems)
        folder = f"{self._started.loaded.path.parent}/"
        shown = tuple(problem.replace(folder, "") for problem in problems)
        before = self._gateway.standing
        self._gateway.standing = Standing(before.count + 1, shown, before.restart)


def _in_same_place(options: Options, started: Blueprint) -> Options:
    """Another folder that is made later, and would now be the first choice, is not ours."""
    state_dir = {f"{BRANDS[0].env_prefix}STATE_DIR": str(started.loaded.state_dir)}
    return replace(options, environ={**options.environ, **state_dir})
