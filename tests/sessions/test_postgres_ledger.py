"""A row of the ledger whose answer was lost on its way is written again, and counts once."""

from msgspec.structs import replace

from openclaw_gateway.sessions.postgres.store import PostgresStore
from tests.sessions.spending_contract import ALL, row


async def test_a_row_that_is_written_again_counts_once(store_url: str) -> None:
    store = PostgresStore(store_url)
    await store.open()
    try:
        rows = [row(1), row(2)]
        await store.record(rows)
        await store.record([*rows, row(3)])
        await store.record(rows[:1])
        (spent,) = await store.spent(ALL)
        assert (spent.runs, spent.cost) == (3, 0.75)
        # Of one that was lost and done again, both were paid for.
        await store.record([replace(row(1), status="failed", duration_ms=5)])
        (spent,) = await store.spent(ALL)
        assert spent.runs == 4
    finally:
        await store.close()
