"""What the session store costs when it is large: `python -m bench.stores [sessions]` prints a table.

Against the store itself, without a gateway around it, on a file that is made in a temporary directory.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from openclaw_gateway.sessions.sqlite_store import SqliteStore
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.wire.messages import AssistantMessage, UserMessage

OWNER = "operator"
TURN = (UserMessage("u" * 300), AssistantMessage("a" * 700))
ROUNDS = 200


async def fill(path: Path, sessions: int) -> None:
    store = SqliteStore(path)
    await store.open()

    def many(db: object) -> None:
        db.executemany(  # type: ignore[attr-defined]
            "INSERT INTO sessions (owner, key, agent, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?)",
            ((OWNER, f"agent:main:openai-user:old{n}", f"agent{n % 5}", n, n) for n in range(sessions)),
        )

    await store._writer.submit(many)
    await store.close()


async def measure(path: Path) -> dict[str, float]:
    """Medians in milliseconds."""
    began = time.perf_counter()
    store = SqliteStore(path)
    await store.open()
    took = {"open": (time.perf_counter() - began) * 1000}

    async def turn(n: int) -> None:
        begun = await store.begin(NewRun(f"r{n}", OWNER, f"agent:main:{n}", "main"), lease_s=30)
        assert isinstance(begun, Claimed)
        await store.finish(begun.claim, Ending("completed", turn=TURN))

    acts: dict[str, Callable[[int], Awaitable[object]]] = {
        "begin and finish": turn,
        "list 100": lambda _: store.list_sessions(OWNER, limit=100),
        "list 100 of another agent": lambda _: store.list_sessions(OWNER, agent="none", limit=100),
        "list the last 100": lambda _: store.list_sessions(OWNER, limit=100, offset=199_000),
        "count": lambda _: store.count_sessions(OWNER),
        "count another agent's": lambda _: store.count_sessions(OWNER, agent="none"),
        "get": lambda n: store.get_session(OWNER, f"agent:main:{n}"),
    }
    for name, act in acts.items():
        times = []
        for n in range(ROUNDS):
            began = time.perf_counter()
            await act(n)
            times.append((time.perf_counter() - began) * 1000)
        took[name] = statistics.median(times)
    await store.close()
    return took


async def main(sessions: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full" / "sessions.sqlite"
        await fill(full, sessions)
        empty = await measure(Path(folder) / "empty" / "sessions.sqlite")
        large = await measure(full)
    print(f"{'ms, median':28}{'empty':>10}{sessions:>12,}")
    for name, value in empty.items():
        print(f"{name:28}{value:10.3f}{large[name]:12.3f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
