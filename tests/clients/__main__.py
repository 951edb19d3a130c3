"""`make test-clients`: every client tried, several side by side, and docs/clients.md written anew.

With names (parts of them) as arguments only those are tried; the rows of the others stay as they are. Ends
with 1 when something failed.
"""

import asyncio
import datetime
import sys
import time

from openclaw_gateway.logs import configure_logging
from tests.clients import rooms
from tests.clients.page import PAGE, page
from tests.clients.table import CLIENTS, Client
from tests.clients.trial import Row, faults, row
from tests.npm_packages import NotInstalled

_AT_ONCE = 4


async def main(wanted: list[str]) -> int:
    configure_logging(level="silent")
    chosen = [client for client in CLIENTS if not wanted or any(name in client.name for name in wanted)]
    room = asyncio.Semaphore(_AT_ONCE)
    installing = asyncio.Lock()
    async with asyncio.TaskGroup() as group:
        trials = [group.create_task(tried(client, room, installing)) for client in chosen]
    results = [trial.result() for trial in trials]
    failed = [f"{client.name}: {fault}" for client, seen, _ in results for fault in faults(client, seen)]
    print(*failed, sep="\n")
    rows = {client.name: seen for client, seen, why in results if not why}
    absent = {client.name: why for client, _, why in results if why}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    PAGE.write_text(page(rows, absent, today, PAGE.read_text()))
    print(f"{PAGE.name} is written")
    return 1 if failed else 0


async def tried(client: Client, room: asyncio.Semaphore, installing: asyncio.Lock) -> tuple[Client, Row, str]:
    """The client, its row, and why it was not tried."""
    async with room:
        start = time.monotonic()
        try:
            async with installing:
                await asyncio.to_thread(rooms.of, client)
            seen = await row(client)
        except NotInstalled as error:
            print(f"{client.name}: not tried, {error}", flush=True)
            return client, {}, str(error)
        print(f"{client.name}: {time.monotonic() - start:.0f} s", flush=True)
        return client, seen, ""


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
