"""A body that the HTTP library gives up on while it is read."""

from typing import Any, cast

import pytest
from aiohttp.web import RequestPayloadError

from openclaw_gateway.config.schema.limits import Limits
from openclaw_gateway.doors.requests import Request, read_body
from openclaw_gateway.errors import InvalidRequest


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
