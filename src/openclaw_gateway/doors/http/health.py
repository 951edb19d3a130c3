"""Is it alive, is it ready: for probes, without a credential and without details about the inside."""

from typing import ClassVar

import msgspec

from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway

_NO_STORE = {"Cache-Control": "no-store"}
_LIVE = {"/health", "/healthz"}
_READY = {"/ready", "/readyz"}
PROBES = frozenset(_LIVE | _READY)
"""Answered even on a connection beyond the caps: a crowd is no reason to be taken for dead."""


class Endpoint:
    paths: ClassVar = tuple(sorted(PROBES))
    methods: ClassVar = ("GET", "HEAD")
    public: ClassVar = True
    switch = None

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer:
        if request.route_path in _LIVE:
            return json_answer(b'{"ok":true,"status":"live"}', headers=_NO_STORE)
        readiness = await self._gateway.readiness()
        body = msgspec.json.encode(
            {"ready": readiness.ready, "failing": readiness.failing, "uptimeMs": readiness.uptime_ms}
        )
        return json_answer(body, status=200 if readiness.ready else 503, headers=_NO_STORE)
