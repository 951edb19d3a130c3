"""The turns of a session as they are told to whoever watches it."""

import asyncio
from types import SimpleNamespace
from typing import Any

from openclaw_gateway.doors.session_stream import SessionStream
from openclaw_gateway.doors.told_stream import KEEPALIVE
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.wire.events import RunStarted, TextDelta
from openclaw_gateway.wire.run import RunResult
from tests.runs.test_mirrored import mirror

KEY = "agent:main:s"


async def test_what_is_said_while_a_keepalive_is_on_its_way_is_told_before_the_end() -> None:
    """Its client may take a while for it."""
    run = mirror(KEY)
    run.accept()
    sent = list[bytes]()

    async def send(data: bytes) -> None:
        sent.append(data)
        if data == KEEPALIVE:
            run.emit([RunStarted(run.id, "main", KEY, 0), TextDelta("said")])
            run.end(RunResult("completed", "said"))

    async def shown() -> dict[str, Any]:
        return {"status": "idle"}

    gateway: Any = SimpleNamespace(limits=SimpleNamespace(stream_keepalive_s=0))
    request: Any = SimpleNamespace(version=(1, 1))
    stream = SessionStream(request, gateway, OPERATOR, KEY, shown)
    setattr(stream, "_stream", SimpleNamespace(send=send))  # noqa: B010
    async with asyncio.timeout(5):
        await stream._tell_turn(run, run.reader())
    assert sent.index(KEEPALIVE) < next(n for n, piece in enumerate(sent) if b"output_text.delta" in piece)
