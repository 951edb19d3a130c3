"""What the session store costs when it is large: `python -m bench.stores [sessions]` prints two tables.

Against the store itself, without a gateway around it, on files that are made in a temporary directory:
the same acts on an empty store and on one with 200,000 sessions; and the turns of small sessions while
nobody else is there, and while eight sessions record and read 50 MB of images each.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.wire.messages import Image, Message, UserMessage, assistant

OWNER = "operator"
TURN = (UserMessage("u" * 300), assistant("a" * 700))
ROUNDS = 200
IMAGE = 6_000_000


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


async def neighbours(path: Path, *, with_images: bool) -> list[float]:
    """Milliseconds of each turn of four small sessions, in order of size."""
    store = SqliteStore(path)
    await store.open()
    stop = asyncio.Event()
    times: list[float] = []

    async def turn(session: str, n: int, said: tuple[Message, ...]) -> None:
        begun = await store.begin(NewRun(f"{session}-{n}", OWNER, session, "main"), lease_s=60)
        assert isinstance(begun, Claimed)
        for entry in (begun.transcript or await store.read(begun.claim)).entries:
            for image in entry.message.images if isinstance(entry.message, UserMessage) else ():
                await store.whole(image)
        await store.finish(begun.claim, Ending("completed", turn=said))

    async def small(number: int) -> None:
        n = 0
        while not stop.is_set():
            began = time.perf_counter()
            await turn(f"agent:main:small{number}", n, TURN)
            times.append((time.perf_counter() - began) * 1000)
            n += 1
            await asyncio.sleep(0.01)

    async def large(number: int) -> None:
        session = f"agent:main:large{number}"
        await turn(session, 0, (UserMessage("look", images=made.pop()),))
        await turn(session, 1, (UserMessage("and now?"),))

    # Before anybody is measured: what it takes to make them is not the store's.
    made = [
        tuple(Image("image/png", f"{number}-{at}-".ljust(IMAGE, "A")) for at in range(8))
        for number in range(8 if with_images else 0)
    ]
    others = [asyncio.create_task(small(number)) for number in range(4)]
    if with_images:
        await asyncio.gather(*(large(number) for number in range(8)))
    else:
        await asyncio.sleep(5)
    stop.set()
    await asyncio.gather(*others)
    await store.close()
    return sorted(times)


async def main(sessions: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full" / "sessions.sqlite"
        await fill(full, sessions)
        empty = await measure(Path(folder) / "empty" / "sessions.sqlite")
        large = await measure(full)
    print(f"{'ms, median':28}{'empty':>10}{sessions:>12,}")
    for name, value in empty.items():
        print(f"{name:28}{value:10.3f}{large[name]:12.3f}")
    with tempfile.TemporaryDirectory() as folder:
        alone = await neighbours(Path(folder) / "alone" / "sessions.sqlite", with_images=False)
        beside = await neighbours(Path(folder) / "beside" / "sessions.sqlite", with_images=True)
    print(f"\n{'ms, turns of small sessions':28}{'alone':>10}{'beside images':>16}")
    for name, share in (("median", 0.5), ("p99", 0.99), ("longest", 1.0)):
        found = [times[min(len(times) - 1, int(len(times) * share))] for times in (alone, beside)]
        print(f"{name:28}{found[0]:10.3f}{found[1]:16.3f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
