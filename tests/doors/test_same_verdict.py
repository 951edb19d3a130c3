"""Who may do what is decided once: each door gives the same verdict, and leaves the same behind.

The table says what each asker may: `yes`, `who` (he is a stranger), `no` (nobody may), or the scope that he
lacks; `-` = no door has it for him. Each is put to every door that has the operation, by each about a session
of its own: the transcript, whether the session is there, the events of the runs and how often models were
asked are then the same whichever door it was.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.run import Run
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from openclaw_gateway.wire.events import Event, RunEnded, RunStarted
from tests.doors.asked_by_door import OPERATIONS, TEXT, YES, At, begun_in_background
from tests.doors.askers import ASKERS, Asker, outward_address
from tests.doors.test_commands import runs
from tests.doors.test_every_door import comparable
from tests.doors.tool_replies import calls

TABLE = """
               talk  keep  model count tool  abort read  list  hear  name  reset del   main  reply look
token          yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   no    yes   yes
token, away    yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   no    yes   yes
token, user    -     yes   yes   -     -     -     -     -     -     -     -     -     -     -     -
wrong token    who   who   who   who   who   who   who   who   who   who   who   who   who   who   who
wrong, away    who   who   who   who   who   who   who   who   who   who   who   who   who   who   who
no token       who   who   who   who   who   who   who   who   who   who   who   who   who   who   who
no auth        yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   no    yes   yes
proxy: ada     yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   no    yes   yes
proxy: bob     yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   yes   no    yes   yes
proxy: eve     who   who   who   who   who   who   who   who   who   who   who   who   who   who   who
proxy: nobody  who   who   who   who   who   who   who   who   who   who   who   who   who   who   who
proxy: read    write write write yes   write write yes   yes   yes   write admin admin admin appr  yes
proxy: write   yes   yes   admin yes   yes   yes   yes   yes   yes   yes   admin admin admin appr  yes
read           -     write write -     -     write yes   yes   yes   write admin admin admin appr  yes
write          -     yes   admin -     -     yes   yes   yes   yes   yes   admin admin admin appr  yes
approvals      -     write write -     -     write read  read  read  write admin admin admin yes   read
said: read     write write write yes   write write yes   yes   yes   write admin admin admin appr  yes
said: write    yes   yes   admin yes   yes   yes   yes   yes   yes   yes   admin admin admin appr  yes
said: approve  write write write read  write write read  read  read  write admin admin admin yes   read
said: nothing  write write write read  write write read  read  read  write admin admin admin appr  read
"""
_NAME = 15


def _rows() -> list[tuple[str, str, str]]:
    head, *lines = TABLE.strip("\n").splitlines()
    operations = head.split()
    return [
        (line[:_NAME].strip(), operation, verdict)
        for line in lines
        for operation, verdict in zip(operations, line[_NAME:].split(), strict=True)
    ]


ROWS = _rows()
# What is about a session that is there already.
STARTED = {"tool", "read", "list", "hear", "name", "reset", "del", "main"}
# What a client can say of its user: the request that names one is about that one's session.
NAMING = {"keep", "model"}


def doors_of(asker: Asker, operation: str) -> list[str]:
    """Those by which it can come and which have the operation."""
    found = []
    for door in OPERATIONS[operation]:
        if door.startswith("terminal"):
            can = asker.words is not None
        elif door.startswith("websocket"):
            can = asker.is_at_websocket
        else:
            can = asker.is_at_http
        if asker.user is not None:
            can = can and operation in NAMING and door.startswith(("chat", "responses"))
        if can:
            found.append(door)
    return found


class Left(Struct):
    """What an operation has left behind, in words that are the same for every session; `asked` counts the
    requests to models."""

    said: list[tuple[str, str]]
    is_there: bool
    events: list[list[Any]]
    asked: int


@contextlib.asynccontextmanager
async def standing(models: ModelServer, asker: Asker, folder: Path) -> AsyncIterator[At]:
    log = folder / "gateway.log"
    log.write_text("a line\n")
    more: dict[str, Any] = {
        "logging": {"file": str(log)},
        "gateway": {
            "bind": "lan" if asker.away else "loopback",
            "http": {
                "endpoints": {
                    name: {"enabled": True} for name in ("chatCompletions", "responses", "messages", "agents")
                }
            },
        },
        "agents": {"defaults": {"models": {"mock/large": {}}}},
    }
    config = model_config(models.base_url, more)
    config["gateway"] = {**config["gateway"], **asker.gateway}
    async with running_gateway(config, state_dir=folder / "state") as gateway:
        url = gateway.url
        if asker.away:
            url = f"http://{outward_address()}:{url.rpartition(':')[2]}"
        yield At(gateway, models, asker, url)


class Heard:
    """The events of every run of a gateway, each as it goes."""

    def __init__(self, at: At) -> None:
        self._logs: list[list[Event]] = []
        self._reading: list[asyncio.Task[None]] = []
        self._silence = at.gateway.gateway.listen(OPERATOR, Listener(self._started))

    def _started(self, run: Run) -> None:
        log: list[Event] = []
        self._logs.append(log)
        self._reading.append(asyncio.create_task(self._read(run, log), name="test.reader"))

    async def _read(self, run: Run, log: list[Event]) -> None:
        with closing(run.events()) as reader:
            while not (log and isinstance(log[-1], RunEnded)):
                log.extend(await reader.batch(10))

    async def end(self) -> list[list[Any]]:
        self._silence()
        await asyncio.gather(*self._reading)
        return [[_placeless(comparable(event)) for event in log] for log in self._logs]


def _placeless(event: Any) -> Any:
    return replace(event, session_key=None) if isinstance(event, RunStarted) else event


async def make(at: At, operation: str) -> None:
    """The session that the operation is about."""
    if operation == "main":
        at.key = "agent:main:main"
    there = await at.gateway.gateway._store.get_session(OPERATOR.owner, at.key or "")
    if operation in STARTED and there is None:
        await (await at.begin()).wait()
        await at.gateway.wait_no_runs()


async def begin(at: At, operation: str, door: str, models: ModelServer) -> list[Run]:
    """The runs that are to be under way."""
    if operation == "abort":
        models.script("mock-echo", says("one ", Hold(asyncio.Event())))
        before = len(models.requests)
        if door == "responses":
            at.run_id = await begun_in_background(at)
            (run,) = at.gateway.gateway.running(OPERATOR)
        else:
            run = await at.begin()
            at.run_id = run.shown_id
        await models.wait_requests(before + 1)
        return [run]
    if operation == "reply":
        models.script("mock-echo", calls(runs("touch made", "x")), says("Done."))
        asked = asyncio.Event()
        leave = at.gateway.gateway.approvals.attend(OPERATOR, lambda *_: asked.set())
        run = await at.begin()
        async with asyncio.timeout(10):
            await asked.wait()
        leave()
        (question,) = at.gateway.gateway.approvals.open(OPERATOR)
        at.question = question.id
        return [run]
    return []


async def left_by(at: At, operation: str, door: str) -> tuple[str, Left]:
    models, store = at.models, at.gateway.gateway._store
    await make(at, operation)
    heard = Heard(at)
    going = await begin(at, operation, door, models)
    before = len(models.requests)
    verdict = await OPERATIONS[operation][door](at)
    if verdict != YES:
        for run in going:
            run.abort("by the test")
    async with asyncio.timeout(10):
        for run in going:
            await run.wait()
    await at.gateway.wait_no_runs()
    events = await heard.end()
    if at.key is None:
        assert await store.count_sessions(OPERATOR.owner) == 0
    key = f"agent:main:openai-user:{at.user.lower()}" if at.user else at.key or ""
    record = await store.get_session(OPERATOR.owner, key)
    said = [
        (type(entry.message).__name__, str(entry.message.content))
        for entry in await store.transcript(OPERATOR.owner, key)
    ]
    return verdict, Left(said, record is not None, events, len(models.requests) - before)


@pytest.mark.parametrize(
    ("who", "operation", "expected"), [row for row in ROWS if row[2] != "-"], ids=lambda value: value
)
async def test_the_same_verdict_by_every_door(
    models: ModelServer, tmp_path: Path, who: str, operation: str, expected: str
) -> None:
    asker = ASKERS[who]
    if asker.away and outward_address() is None:
        pytest.skip("this machine has no address but loopback")
    models.script("large", *(says(TEXT) for _ in range(8)))
    verdicts: dict[str, str] = {}
    left: dict[str, Left] = {}
    async with standing(models, asker, tmp_path) as at:
        for number, door in enumerate(doors_of(asker, operation)):
            at.key = None if operation == "talk" else f"agent:main:mine-{number}"
            at.user = f"{asker.user}-{number}" if asker.user else ""
            verdicts[door], left[door] = await left_by(at, operation, door)
    assert verdicts == dict.fromkeys(verdicts, expected)
    first = next(iter(left.values()))
    assert left == dict.fromkeys(left, first)
    if expected != YES and operation in ("talk", "keep", "model"):
        assert (first.said, first.events, first.asked) == ([], [], 0)
    if expected == YES and operation in ("keep", "model"):
        assert first.said == [("UserMessage", TEXT), ("AssistantMessage", TEXT)]


def test_every_asker_and_every_operation_is_in_the_table() -> None:
    assert {who for who, _, _ in ROWS} == set(ASKERS)
    assert {operation for _, operation, _ in ROWS} == set(OPERATIONS)
    without = {(who, operation) for who, operation, _ in ROWS if not doors_of(ASKERS[who], operation)}
    assert without == {(who, operation) for who, operation, verdict in ROWS if verdict == "-"}
