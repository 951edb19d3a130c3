"""The engines that several processes share, made when a configuration names them: they come with an extra.

Knows how to make them and what to say where the extra is not installed.
"""

from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Any, Protocol

from openclaw_gateway.errors import StartupError
from openclaw_gateway.sessions.attempts import SharedAttempts
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.copying.ends import Target
from openclaw_gateway.sessions.limits import SharedLimits
from openclaw_gateway.sessions.redis.urls import parsed
from openclaw_gateway.sessions.rounds import KeptRounds
from openclaw_gateway.sessions.shared import KeepsDocuments, SharedStore
from openclaw_gateway.sessions.standing import Standing

# What a start opens: who comes as soon as a process is ready shall not wait for connections.
_WARM = 4


class Engine(SharedStore, Protocol):
    def go_by(self, *, max_queued: int) -> None:
        """How many runs may wait for a session, from now on."""


class CountingBus(Bus, Protocol):
    """One at whose server all processes also count what is limited for all of them, and keep what
    clients may come back for."""

    @property
    def limits(self) -> SharedLimits: ...

    @property
    def rounds(self) -> KeptRounds: ...

    @property
    def attempts(self) -> SharedAttempts: ...


def store(url: str, *, max_queued: int) -> Engine:
    """Raises StartupError."""
    made: Engine = _module("postgres.store", "store.url").PostgresStore(
        url, max_queued=max_queued, warm=_WARM
    )
    return made


def copy_end(url: str) -> Target:
    """Of a copy. Raises StartupError."""
    made: Target = _module("copying.postgres_ends", "store.url").PostgresEnd(url)
    return made


async def standing(url: str) -> Standing:
    """Raises StartupError, StoreError."""
    found: Standing = await _module("postgres.standing", "store.url").standing(url)
    return found


def documents(url: str) -> AbstractAsyncContextManager[KeepsDocuments]:
    """Those of a store, without a gateway. Raises StartupError, StoreError."""
    opened: AbstractAsyncContextManager[KeepsDocuments] = _module(
        "postgres.standing", "store.url"
    ).documents_of(url)
    return opened


async def migrated(url: str) -> tuple[int, int]:
    """The schema before and after. Raises StartupError, StoreError."""
    done: tuple[int, int] = await _module("postgres.standing", "store.url").migrated(url)
    return done


def bus(url: str, *, gateway: str) -> CountingBus:
    """That of one gateway among those that use the same server. Raises StartupError, ConfigError."""
    made: CountingBus = _module("redis.bus", "bus.url").RedisBus(parsed(url), gateway=gateway)
    return made


def _module(name: str, key: str) -> Any:
    try:
        return import_module(f"openclaw_gateway.sessions.{name}")
    except ImportError as error:
        raise StartupError(
            f"{key} is set, but what it needs is not installed: install the package with its extra, "
            "`openclaw-gateway[cluster]`."
        ) from error
