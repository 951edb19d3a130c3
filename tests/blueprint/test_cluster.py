"""What a start decides about other processes of the same gateway."""

import pytest

from openclaw_gateway.blueprint.cluster import Cluster, cluster_notes, cluster_of, cluster_problems
from openclaw_gateway.config.places import dotted
from openclaw_gateway.config.schema import Config
from openclaw_gateway.config.schema.cluster import BusConfig, StoreConfig

STORE, BUS = "postgresql://u:pw@host/db", "redis://host:6379/0"


@pytest.mark.parametrize(
    ("cluster", "where", "says"),
    [
        (Cluster(), (), ""),
        (Cluster("front", STORE, BUS), (), ""),
        (Cluster("front"), ("store.url",), "drop --role"),
        (Cluster("worker", STORE), ("bus.url",), "set it"),
        (Cluster(store_url="mysql://u:pw@host/db"), ("store.url",), "postgresql://"),
        (Cluster(store_url=STORE, bus_url="http://:pw@host"), ("bus.url",), "redis://host:6379"),
        (Cluster(keeps_config=True), ("store.config",), "store.url"),
    ],
)
def test_what_no_start_may_go_by(cluster: Cluster, where: tuple[str, ...], says: str) -> None:
    problems = tuple(cluster_problems(cluster))
    assert tuple(dotted(each.path) for each in problems) == where
    assert all(says in each.message for each in problems)
    assert "pw" not in str(problems)


@pytest.mark.parametrize(
    ("cluster", "where"),
    [(Cluster(), ()), (Cluster(store_url=STORE), ("bus.url",)), (Cluster(bus_url=BUS), ("bus.url",))],
)
def test_what_is_perhaps_not_meant(cluster: Cluster, where: tuple[str, ...]) -> None:
    assert tuple(dotted(each.path) for each in cluster_notes(cluster)) == where


def test_urls_are_never_shown() -> None:
    config = Config(store=StoreConfig(STORE, lease_seconds=3), bus=BusConfig(BUS))
    cluster = cluster_of(config, "worker")
    assert (cluster.role, cluster.lease_s, cluster.store_url) == ("worker", 3.0, STORE)
    assert "pw" not in repr(cluster)
