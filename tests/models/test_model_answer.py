"""An answer whose end does not come, read from a response that is none."""

import asyncio

import pytest

from openclaw_gateway.models import model_answer
from openclaw_gateway.models.apis.dialect import Parser
from openclaw_gateway.models.apis.openai_completions import api as openai_completions
from openclaw_gateway.models.model_answer import ModelAnswer
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import TextDelta

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

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass


async def texts(response: Response, parser: Parser) -> list[str]:
    said: list[str] = []
    heard = ModelAnswer(response, parser, VENDOR)  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        while events := await heard.batch():
            said += [event.text for event in events if isinstance(event, TextDelta)]
    return said


async def test_signs_of_life_are_no_reason_to_wait_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_answer, "_TAIL_S", 0.01)
    response = Response(FINISHED, rest=b": ping\n\n")
    assert await texts(response, openai_completions.parser(VENDOR)) == ["hi"]
