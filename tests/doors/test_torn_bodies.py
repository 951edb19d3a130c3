"""A body that cannot be read to its end: a fault of the request, told at once and once."""

from typing import Any, cast

import msgspec
import pytest
from aiohttp.web import RequestPayloadError

from openclaw_gateway.config.schema.limits import Limits
from openclaw_gateway.doors.requests import Request, read_body
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.raw import Seen, chat_body, post, wire


class Torn:
    """A request whose body breaks off after its first piece."""

    content_length = None
    version = None

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.content: Any = self
        self._pieces = [b'{"mess']

    def take_body(self, length: int, limits: Limits) -> None:
        """There is room for it."""

    def is_eof(self) -> bool:
        return False

    async def readany(self) -> bytes:
        if self._pieces:
            return self._pieces.pop()
        raise RequestPayloadError("/secret/path")


@pytest.mark.promise("error.invalid_body")
async def test_it_is_told_as_a_fault_of_the_request() -> None:
    with pytest.raises(InvalidRequest) as refused:
        await read_body(cast(Request, Torn()), Limits())
    assert (refused.value.http_status, refused.value.code) == (400, "invalid_body")
    assert "secret" not in refused.value.message


CHUNKED = "Transfer-Encoding: chunked"
FIRST = b'5\r\n{"mes\r\n'
BROKEN = {
    "no size": b"zz\r\n",
    "no size but a sign": b"-1\r\n",
    "a size that is too long": b"f" * 40 + b"\r\n",
    "a body longer than its chunk": b"2\r\nsages\r\n",
    "a head after the last chunk that is none": b"0\r\n\0\r\n\r\n",
}


@pytest.mark.promise("error.invalid_body")
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_a_chunk_that_is_none_is_refused_at_once(
    gateway: RunningGateway, models: ModelServer, broken: bytes
) -> None:
    async with wire(gateway) as raw:
        raw.send(post(gateway, b"", CHUNKED, "Expect: 100-continue"))
        assert b" 100 " in await raw.until(b"\r\n\r\n")  # it waits for the body now
        raw.send(FIRST + broken)
        seen = Seen(await raw.closed())
    assert (seen.status, msgspec.json.decode(seen.text)["error"]["code"]) == (400, "invalid_body")
    assert models.requests == []


async def test_what_comes_after_a_whole_body_is_no_part_of_it(gateway: RunningGateway) -> None:
    body = chat_body("whole")
    async with wire(gateway) as raw:
        raw.send(post(gateway, body))
        assert (await raw.answer()).status == 200
        raw.send(b"zz\r\n\r\n")
        assert b"invalid_http" in await raw.closed()
