"""`session.maintenance`: how long what is stored is kept."""

import pytest

from openclaw_gateway.config.forms import Wrong, age_s, size_bytes
from openclaw_gateway.errors import ConfigError
from tests.config.conftest import House


def test_sessions_are_kept_for_good_unless_something_is_written(house: House) -> None:
    written = house.load("{}").config.session.maintenance
    assert (written.prune_after, written.max_entries, written.max_disk_bytes) == (None, None, None)
    assert (written.keep_results, written.keep_ledger) == ("24h", "30d")


def test_as_openclaw_writes_it(house: House) -> None:
    loaded = house.load(
        "{ session: { maintenance: { mode: 'enforce', pruneAfter: '30d', maxEntries: 5000,"
        " maxDiskBytes: '10gb', highWaterBytes: '80%', keepLedger: 7 } } }"
    )
    written = loaded.config.session.maintenance
    assert (written.prune_after, written.max_entries, written.max_disk_bytes) == ("30d", 5000, "10gb")
    assert age_s(written.keep_ledger) == 7 * 86400
    assert "session.maintenance.highWaterBytes" in loaded.notices[0]


@pytest.mark.parametrize(
    "wrong", ["pruneAfter: 'soon'", "pruneAfter: true", "maxEntries: 0", "maxDiskBytes: '80%'", "mode: 'x'"]
)
def test_a_mistake_is_named(house: House, wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"session\.maintenance\."):
        house.load(f"{{ session: {{ maintenance: {{ {wrong} }} }} }}")


@pytest.mark.parametrize(("text", "seconds"), [("30", 2_592_000), ("12h", 43_200), ("1.5 d", 129_600)])
def test_ages(text: str, seconds: float) -> None:
    assert age_s(text) == seconds


@pytest.mark.parametrize(("text", "count"), [("1000", 1000), ("1kb", 1024), ("1.5 GB", 3 << 29)])
def test_sizes(text: str, count: int) -> None:
    assert size_bytes(text) == count


def test_neither() -> None:
    for measure in (age_s, size_bytes):
        with pytest.raises(Wrong):
            measure("-1")
