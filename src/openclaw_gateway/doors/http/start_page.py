"""GET /: a plain page that says that a gateway is here, whether it is healthy, and how to connect.

Anybody may ask, so it tells nothing of what the gateway is made of: no agent, no model, no setting.
"""

import html
from importlib.resources import files
from string import Template
from typing import ClassVar

from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.operation import AT_THE_DOOR, Operation
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.doors.ui.start_snippets import start_snippets
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
}


class Endpoint:
    paths: ClassVar = ("/",)
    methods: ClassVar = ("GET", "HEAD")
    public: ClassVar = True
    switch = None
    operations: ClassVar = (
        Operation("GET", "/", "A page for people: how to connect.", {200: str}, media_type="text/html"),
    )
    refusals: ClassVar = AT_THE_DOOR

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._page = Template(files("openclaw_gateway.doors.ui").joinpath("start.html").read_text("utf-8"))

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer:
        origin = f"http://{request.headers.get('Host', 'localhost')}"
        is_ready = (await self._gateway.readiness()).ready
        page = self._page.substitute(
            health="ready" if is_ready else "not ready",
            health_class="good" if is_ready else "bad",
            base=html.escape(origin),
            connect=start_snippets(origin, self._gateway.config.gateway.http.endpoints),
        )
        return HttpAnswer(page.encode(), 200, _HEADERS)
