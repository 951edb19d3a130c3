"""Is it alive, is it ready: for probes, without a credential and without details about the inside."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from msgspec import Struct

from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.openai.chunks import ErrorObject
from openclaw_gateway.doors.operation import AT_THE_DOOR, Operation
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway

_NO_STORE = {"Cache-Control": "no-store"}
_LIVE = {"/health", "/healthz"}
_READY = {"/ready", "/readyz"}
PROBES = frozenset(_LIVE | _READY)
"""Answered even on a connection beyond the caps: a crowd is no reason to be taken for dead."""


class Health(Struct, frozen=True):
    ok: bool
    status: str


class Ready(Struct, frozen=True, rename="camel"):
    """`failing` names what is not in order."""

    ready: bool
    failing: Sequence[str]
    uptime_ms: int


_ALIVE = msgspec.json.encode(Health(ok=True, status="live"))


class Endpoint:
    paths: ClassVar = tuple(sorted(PROBES))
    methods: ClassVar = ("GET", "HEAD")
    public: ClassVar = True
    switch = None
    operations: ClassVar = (
        *(Operation("GET", path, "Whether the gateway is alive.", {200: Health}) for path in sorted(_LIVE)),
        *(
            Operation(
                "GET", path, "Whether the gateway can take requests.", {200: Ready, 503: (Ready, ErrorObject)}
            )
            for path in sorted(_READY)
        ),
    )
    refusals: ClassVar = AT_THE_DOOR

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer:
        if request.route_path in _LIVE:
            return json_answer(_ALIVE, headers=_NO_STORE)
        readiness = await self._gateway.readiness()
        body = msgspec.json.encode(Ready(readiness.ready, readiness.failing, readiness.uptime_ms))
        return json_answer(body, status=200 if readiness.ready else 503, headers=_NO_STORE)
