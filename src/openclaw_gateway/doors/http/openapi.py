"""GET /openapi.json: what can be asked here and what is answered, for programs that make clients of it.

Anybody may ask: it tells what is in every gateway of this version, and nothing of this one.
"""

from typing import Any, ClassVar

import msgspec
from aiohttp import hdrs

from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.endpoint import endpoints
from openclaw_gateway.doors.openapi import openapi
from openclaw_gateway.doors.operation import AT_THE_DOOR, Operation
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway

_KEPT = {"Cache-Control": "public, max-age=300"}


class Endpoint:
    paths: ClassVar = ("/openapi.json",)
    methods: ClassVar = ("GET", "HEAD")
    public: ClassVar = True
    switch = None
    operations: ClassVar = (Operation("GET", "/openapi.json", "This document.", {200: dict[str, Any]}),)
    refusals: ClassVar = AT_THE_DOOR

    def __init__(self, gateway: Gateway) -> None:
        self._document: bytes | None = None

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer:
        if self._document is None:
            self._document = msgspec.json.encode(openapi(endpoints()))
        # Where other sites' pages may read it, the answer says whose.
        request.vary_by(hdrs.ORIGIN)
        return json_answer(self._document, headers=_KEPT)
