"""A cluster: replicas that have two engines in common, its own, so that they may be killed.

A replica comes to the database as a user of its name, so that whoever looks there knows who did what.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from openclaw_gateway.config.merge import merge
from openclaw_gateway.testing.model_server import ModelServer
from tests.cluster import audit
from tests.cluster.replicas import Replica, replicas
from tests.engines import valkey
from tests.engines.postgres import Postgres
from tests.engines.valkey import Valkey

NAMES = ("a", "b", "c")


class Engines:
    """`url` is the database's, as its owner comes to it; nothing is between."""

    def __init__(self, postgres: Postgres, bus: Valkey, url: str) -> None:
        self.postgres = postgres
        self.bus = bus
        self.url = url

    def configured(self, name: str, ports: Mapping[str, int]) -> dict[str, Any]:
        database = self.url.rpartition("/")[2]
        return {
            "store": {"url": f"postgresql://{name}@127.0.0.1:{ports['store']}/{database}"},
            "bus": {"url": f"redis://127.0.0.1:{ports['bus']}"},
            "gateway": {"limits": {"maxConnectionsPerAddress": 5000}},
        }


@contextlib.asynccontextmanager
async def engines(folder: Path, *settings: str) -> AsyncIterator[Engines]:
    """A PostgreSQL and a Valkey. `settings` are those of postgresql.conf. Raises NotInstalled, of either."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nobody waits
    with contextlib.ExitStack() as stack:
        valkey.program()
        postgres = Postgres(*settings)
        stack.callback(postgres.end)
        postgres.start()
        bus = stack.enter_context(valkey.running(folder))
        yield Engines(postgres, bus, await postgres.new_database())


@contextlib.asynccontextmanager
async def cluster(
    folder: Path,
    models: ModelServer,
    engines: Engines,
    *,
    names: tuple[str, ...] = NAMES,
    roles: Mapping[str, str] | None = None,
    model: str = "mock-echo",
    lease_s: float = 2.0,
    more: Mapping[str, Any] | None = None,
    environs: Mapping[str, Mapping[str, str]] | None = None,
    seed: int = 1,
) -> AsyncIterator[list[Replica]]:
    """So many replicas of these roles, ready, over the engines; what is done to sessions is noted. Their
    networks are called "store" and "bus"; `environs` are variables, by the replica's name."""
    await audit.users(engines.url, names)
    common = merge({"store": {"leaseSeconds": lease_s}}, dict(more or {}), lists="replace")

    def configured(name: str, ports: Mapping[str, int]) -> Mapping[str, Any]:
        return dict(merge(engines.configured(name, ports), dict(common), lists="replace"))

    async with replicas(
        folder,
        models,
        names=names,
        roles=roles,
        engines={"store": engines.postgres.port, "bus": engines.bus.port},
        configured=configured,
        model=model,
        environs=environs,
        seed=seed,
    ) as found:
        await audit.watch(engines.url)
        yield found
