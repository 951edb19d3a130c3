"""GET /: a plain page that says what this is, whether it is healthy, and how to connect. No secret on it."""

import html
from importlib.resources import files
from string import Template
from typing import ClassVar

from aiohttp import web

from openclaw_gateway import __version__
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class Endpoint:
    paths: ClassVar = ("/",)
    methods: ClassVar = ("GET", "HEAD")
    public: ClassVar = True
    switch = None

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._page = Template(files("openclaw_gateway.doors.ui").joinpath("start.html").read_text("utf-8"))

    async def answer(self, request: Request, principal: Principal) -> web.StreamResponse:
        gateway = self._gateway
        readiness = await gateway.readiness()
        switch = gateway.chat_switch
        page = self._page.substitute(
            version=html.escape(__version__),
            health="ready" if readiness.ready else f"not ready: {html.escape(', '.join(readiness.failing))}",
            health_class="good" if readiness.ready else "bad",
            base=html.escape(f"http://{request.headers.get('Host', 'localhost')}"),
            word=BRANDS[0].model_word,
            credential=html.escape(gateway.auth_mode),
            agents="\n".join(_agent(gateway, agent_id) for agent_id in gateway.roster.ids),
            chat="on" if switch is None else f"off (set {switch})",
            chat_class="good" if switch is None else "bad",
        )
        return web.Response(
            text=page,
            content_type="text/html",
            headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"},
        )


def _agent(gateway: Gateway, agent_id: str) -> str:
    agent = gateway.roster.get(agent_id)
    name = agent.name if agent else agent_id
    default = " (default)" if agent_id == gateway.roster.default_id else ""
    model = gateway.target_name(agent_id)
    return (
        f"<tr><td><code>{BRANDS[0].model_word}/{html.escape(agent_id)}</code>{default}</td>"
        f"<td>{html.escape(name)}</td><td>{html.escape(model)}</td></tr>"
    )
