"""A process that is there to be killed: 16 tasks record runs and say so, each after it was answered."""

import asyncio
import sys
from pathlib import Path

from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.wire.messages import UserMessage, assistant
from openclaw_gateway.wire.run import Idempotency, Usage

TURN = (UserMessage("u" * 700), assistant("a" * 700), UserMessage("more"))


async def client(store: SqliteStore, number: int) -> None:
    session = f"agent:main:{number}"
    for n in range(1_000_000):
        run = NewRun(f"r{number}-{n}", "o", session, "main", idempotency=Idempotency(f"key{number}-{n}", b""))
        begun = await store.begin(run, lease_s=30)
        if not isinstance(begun, Claimed):
            raise TypeError(begun)
        await store.finish(begun.claim, Ending("completed", Usage(1, 1, 2), TURN))
        sys.stdout.write(run.id + "\n")
        sys.stdout.flush()
        if n % 50 == 49:
            await store.summarise("o", session, 3 * n, "so far")


async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    await asyncio.gather(*(client(store, number) for number in range(16)))


asyncio.run(main())
