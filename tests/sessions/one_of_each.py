"""A store with something of every kind in it, and all that can be read of a store, to be compared."""

from msgspec.structs import replace

from openclaw_gateway.sessions.searched import SearchWanted
from openclaw_gateway.sessions.searching import words_of
from openclaw_gateway.sessions.spending import SpendingWanted
from openclaw_gateway.sessions.store import Claimed, Ending, LedgerRow, Store, Taken, beside
from openclaw_gateway.wire.messages import File, Image, Message, ToolCall, ToolMessage, UserMessage, assistant
from tests.sessions.store_contract import (
    ERROR,
    LEASE,
    ME,
    USAGE,
    Clock,
    S,
    claimed,
    ending,
    new_run,
    said,
    turn,
)

ODD = "agent:main:Привет \\0 天气 \0 \U0001f600"
"""A key that no door lets through today; what was once written must come along all the same."""
OTHER = "p\\0"
OWNERS = (ME, OTHER)
LARGE = "QUJD" * 50_000
_LEDGER = LedgerRow("r", ME, "main", S, "mock/m", "http", "completed", 1000, 12, 10, 5, 0.25)


async def fill(store: Store, clock: Clock) -> None:
    for number in range(12):
        await said(store, f"r{number}", f"agent:main:{number}", owner=OWNERS[number % 2])
        clock.pass_s(7)
    odd: tuple[Message, ...] = (
        UserMessage(
            "hi \u2028 \x00 мир 天气", images=(Image("image/png", LARGE), Image("image/png", "QUJD"))
        ),
        assistant("", calls=(ToolCall("1", "look", '{"a": 1}'),), reasoning="hm"),
        ToolMessage("1", "seen"),
        UserMessage("read", files=(File("text/plain", LARGE[4:], name="имя", text="мир"),)),
    )
    begun = await store.begin(
        new_run("odd", ODD, key="key \0 1", digest=b"\0\xff", user="Ада\0"), lease_s=LEASE
    )
    assert isinstance(begun, Claimed)
    await store.finish(begun.claim, ending(odd, result=b"the\0answer"))
    await store.rename(ME, ODD, "названо\0\\")
    for number in range(5):
        await said(store, f"s{number}")
    await store.summarise(ME, S, 4, "short \0 кратко")
    await store.summarise(ME, S, 2, "shorter", earlier=True)
    assert await store.fork(ME, S, 3, "agent:main:fork")
    assert await store.fork(ME, ODD, 4, "agent:main:odd fork")
    claim = await claimed(store, "goes back")
    await store.finish(claim, Ending("completed", USAGE, turn("again"), keeps=6, alone=True))
    await said(store, "before the reset", "agent:main:new")
    await store.summarise(ME, "agent:main:new", 2, "")
    await said(store, "behind the reset", "agent:main:new")
    claim = await claimed(store, "takes", "agent:main:takes")
    await store.begin(new_run("taken", "agent:main:takes"), lease_s=LEASE)
    await store.begin(new_run("withdrawn", "agent:main:takes"), lease_s=LEASE)
    await store.withdraw("withdrawn", "aborted", ERROR)
    taken = Taken("taken", 0, b"its answer")
    await store.finish(claim, replace(ending(turn("for two")), taken=(taken,)))
    await store.begin(new_run("alone", None, key="of none"), lease_s=LEASE)
    await store.conclude("alone", ending((), "failed", error=ERROR, result=b"failed"))
    await said(store, "gone", "agent:main:gone")
    await store.keep(ME, beside("agent:main:gone"), b"gone")
    assert await store.delete_session(ME, "agent:main:gone")
    await store.keep(ME, beside(S), b"stays", ("beside",))
    for number in range(9):
        labels = ("all", f"метка {number % 3}\0") if number % 4 else ()
        await store.keep(OWNERS[number % 2], f"имя {number}\0", bytes([number]) * number * 1000, labels)
    await store.forget(ME, "имя 0\0")
    rows = [replace(_LEDGER, run_id=f"l{number}", started_ms=number, session=None) for number in range(20)]
    await store.record(rows)
    odd_row = replace(_LEDGER, owner=OTHER, session=ODD, model="мод/\0", parent="odd", error_code="e")
    await store.record([odd_row, replace(_LEDGER, cost=None, status="failed", called=3, cached_tokens=1)])
    begun = await store.begin(new_run("cut off", "agent:main:cut"), lease_s=LEASE)
    assert isinstance(begun, Claimed)
    await store.begin(new_run("waits for it", "agent:main:cut", key="waits"), lease_s=LEASE)


async def everything(store: Store) -> dict[str, object]:
    """All that can be read of it, by what was asked."""
    read: dict[str, object] = {}
    for owner in OWNERS:
        sessions = await store.list_sessions(owner, limit=1_000)
        read[f"sessions of {owner}"] = sessions
        read[f"count of {owner}"] = await store.count_sessions(owner, agent="main")
        for session in sessions:
            at = (owner, session.key)
            entries = await store.transcript(*at, limit=1_000)
            runs = await store.runs_of(*at, limit=1_000)
            read[f"entries of {at}"] = entries
            read[f"runs of {at}"] = runs
            read[f"results of {at}"] = [await store.result(owner, run.id) for run in runs]
            read[f"reset of {at}"] = await store.begun_behind(*at)
            read[f"beside {at}"] = await store.kept(owner, beside(session.key))
            for seq in range(session.last_seq + 1):
                read[f"summary of {at} until {seq}"] = await store.summary_until(*at, seq)
            for entry in entries:
                if isinstance(entry.message, UserMessage):
                    media = (*entry.message.images, *entry.message.files)
                    read[f"media of {at}, {entry.seq}"] = [await store.whole(one) for one in media]
        for label in ("all", "beside", *(f"метка {number}\0" for number in range(3))):
            names = await store.kept_names(owner, (label,))
            read[f"names of {label} of {owner}"] = names
            read[f"bodies of {label} of {owner}"] = [await store.kept(owner, name) for name in names or ()]
        read[f"kept by {owner}"] = [await store.kept(owner, f"имя {number}\0") for number in range(9)]
        read[f"spent by {owner}"] = set(await store.spent(SpendingWanted(owner, 0, 1 << 50)))
        for query in ("мир", "again", "r1", "short"):
            read[f"{query} of {owner}"] = await store.search(SearchWanted(owner, words_of(query), 100))
        for key in ("key \0 1", "of none", "waits"):
            read[f"run of {key} of {owner}"] = await store.run_by_key(owner, key)
    read["alone"] = (await store.get_run(ME, "alone"), await store.result(ME, "alone"))
    return read
