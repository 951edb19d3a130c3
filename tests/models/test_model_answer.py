"""An answer whose end does not come, read from a response that is none."""

import asyncio
from collections.abc import Callable

import pytest

from openclaw_gateway.models import model_answer
from openclaw_gateway.models.apis.dialect import Parser
from openclaw_gateway.models.apis.openai_completions import api as openai_completions
from openclaw_gateway.models.model_answer import ModelAnswer
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import Event, TextDelta

VENDOR = Vendor("acme")
FINISHED = b'data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'


class Response:
    """Says `pieces`, each after a turn of the loop, then `rest` for ever."""

    content_type = "text/event-stream"

    def __init__(self, *pieces: bytes, rest: bytes) -> None:
        self.pieces = list(pieces)
        self.rest = rest

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        return self.pieces.pop(0) if self.pieces else self.rest

    async def hand(self, take: Callable[[bytes], bool]) -> None:
        while take(await self.read()):
            pass

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass


async def texts(response: Response, parser: Parser) -> list[str]:
    said: list[str] = []

    def hear(events: list[Event]) -> None:
        said.extend(event.text for event in events if isinstance(event, TextDelta))

    heard = ModelAnswer(response, parser, VENDOR)  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        await heard.tell(hear)
    return said


async def test_signs_of_life_are_no_reason_to_wait_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_answer, "_TAIL_S", 0.01)
    response = Response(FINISHED, rest=b": ping\n\n")
    assert await texts(response, openai_completions.parser(VENDOR)) == ["hi"]
