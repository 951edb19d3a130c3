"""What a start decides about other processes of the same gateway: which engines it shares with them, and what
it does itself. Pure.
"""

from collections.abc import Iterator
from typing import ClassVar

from openclaw_gateway.config.places import KeyPath, Problem
from openclaw_gateway.config.schema import Config
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.errors import ConfigError
from openclaw_gateway.sessions.redis.urls import parsed
from openclaw_gateway.sessions.shared import Role

STORE_URL: KeyPath = ("store", "url")
BUS_URL: KeyPath = ("bus", "url")
_STORES = ("postgresql", "postgres")


class Cluster(Guarded, frozen=True):
    """`store_url` None: a file of this process's own; `bus_url` None: its memory. Who has not been heard of
    for `lease_s` seconds counts as gone. With `keeps_config` the configuration is in the store."""

    hidden: ClassVar[frozenset[str]] = frozenset({"store_url", "bus_url"})

    role: Role = "all"
    store_url: str | None = None
    bus_url: str | None = None
    lease_s: float = 15.0
    keeps_config: bool = False


def cluster_of(config: Config, role: Role | None) -> Cluster:
    store = config.store
    return Cluster(role or "all", store.url, config.bus.url, store.lease_seconds, store.config)


def cluster_problems(cluster: Cluster) -> Iterator[Problem]:
    """Why no start may go by it."""
    yield from _scheme(STORE_URL, cluster.store_url, _STORES, "postgresql://user:password@host/database")
    yield from _unread_bus(cluster.bus_url)
    if cluster.store_url is None:
        if cluster.role != "all":
            why = f"is not set, but with --role {cluster.role} others do the rest; set it, or drop --role"
            yield Problem(STORE_URL, why)
        if cluster.keeps_config:
            yield Problem(
                ("store", "config"), "is true, but there is no store.url where others find it; set that"
            )
    elif cluster.role != "all" and cluster.bus_url is None:
        why = f"is not set, but what a {cluster.role} says reaches the others over it; set it"
        yield Problem(BUS_URL, why)


def cluster_notes(cluster: Cluster) -> Iterator[Problem]:
    """What is right, and perhaps not meant."""
    if cluster.store_url is None and cluster.bus_url is not None:
        yield Problem(BUS_URL, "is of no use without store.url: there is nothing that others could find")
    if cluster.store_url is not None and cluster.bus_url is None:
        why = (
            "is not set although store.url is: right for one process; with several none hears what the runs "
            "of another say before they have ended"
        )
        yield Problem(BUS_URL, why)


def _unread_bus(url: str | None) -> Iterator[Problem]:
    try:
        if url is not None:
            parsed(url)
    except ConfigError as error:
        yield Problem(BUS_URL, error.message.removeprefix("bus.url: "))


def _scheme(path: KeyPath, url: str | None, schemes: tuple[str, ...], example: str) -> Iterator[Problem]:
    if url is not None and url.partition("://")[0].lower() not in schemes:
        yield Problem(path, f"does not begin with {schemes[0]}://; write it like {example}")
