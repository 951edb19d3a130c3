"""GET / and its files: the control page, or where `gateway.controlUi` switches it off or puts it under a
path of its own, a plain page that says that a gateway is here, whether it is healthy, and how to connect.

Anybody may ask, so neither tells what the gateway is made of: no agent, no model, no setting. The control
page gets all it shows over the WebSocket, with the token of the person who looks at it.
"""

import html
from importlib.resources import files
from string import Template
from typing import ClassVar

from aiohttp import hdrs

from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.operation import AT_THE_DOOR, Operation
from openclaw_gateway.doors.requests import Request, peer_address
from openclaw_gateway.doors.ui.base_path import place_in_page
from openclaw_gateway.doors.ui.page_files import PAGE, PageFile, page_files
from openclaw_gateway.doors.ui.start_snippets import start_snippets
from openclaw_gateway.errors import NotFound
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway

_FILES = "/ui/"
_FOR_EVER = "public, max-age=31536000, immutable"
# Nothing from elsewhere, nothing written into the page, and nobody else's frame around it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_START_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_START_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": _START_POLICY,
    "Cache-Control": "no-store",
    **_ALWAYS,
}


class Endpoint:
    paths: ClassVar = ("/", _FILES)
    methods: ClassVar = ("GET", "HEAD")
    public: ClassVar = True
    switch = None
    operations: ClassVar = (
        Operation("GET", "/", "The control page, for people.", {200: str, 304: None}, media_type="text/html"),
        Operation(
            "GET",
            f"{_FILES}{{name}}",
            "A file of the control page.",
            {200: str, 304: None},
            media_type="text/javascript",
        ),
    )
    refusals: ClassVar = AT_THE_DOOR

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._files = page_files()
        self._start = Template(files("openclaw_gateway.doors.ui").joinpath("start.html").read_text("utf-8"))

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer:
        """Raises NotFound."""
        path, page = request.route_path, self._gateway.config.gateway.control_ui
        place = place_in_page(page.base_path, path) if page.enabled else None
        if place == "":
            return HttpAnswer(b"", 302, {"Location": f"{page.base_path}/", "Cache-Control": "no-store"})
        if place == "/":
            return _told(request, self._files[PAGE], "no-cache")
        if path == "/":
            return await self._start_page(request)
        file = self._files.get(place.removeprefix(_FILES)) if place and place.startswith(_FILES) else None
        if file is None:
            raise NotFound("The control page has no such file: load the page again.")
        return _told(request, file, _FOR_EVER if path.endswith((".js", ".css")) else "no-cache")

    async def _start_page(self, request: Request) -> HttpAnswer:
        origin = f"{self._scheme(request)}://{request.headers.get(hdrs.HOST, 'localhost')}"
        is_ready = (await self._gateway.readiness()).ready
        program = self._gateway.generation.program
        page = self._start.substitute(
            health="ready" if is_ready else "not ready",
            health_class="good" if is_ready else "bad",
            base=html.escape(origin),
            program=program,
            connect=start_snippets(origin, self._gateway.config.gateway.http.endpoints, program),
        )
        return HttpAnswer(page.encode(), 200, _START_HEADERS)

    def _scheme(self, request: Request) -> str:
        """By which it was asked for: TLS is a proxy's, and only the word of one that is trusted counts."""
        said = request.headers.get("X-Forwarded-Proto", "").strip().lower()
        trusts = self._gateway.generation.proxies.trusts(peer_address(request))
        return "https" if trusts and said == "https" else "http"


def _told(request: Request, file: PageFile, caching: str) -> HttpAnswer:
    headers = {
        "Content-Type": file.media_type,
        "Content-Security-Policy": _POLICY,
        "Cache-Control": caching,
        "ETag": file.tag,
        **_ALWAYS,
    }
    request.vary_by(hdrs.ACCEPT_ENCODING)
    if file.tag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return HttpAnswer(b"", 304, headers)
    if not _unpacks(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
        return HttpAnswer(file.plain(), 200, headers)
    return HttpAnswer(file.packed, 200, {**headers, "Content-Encoding": "gzip"})


def _unpacks(accepted: str) -> bool:
    for each in accepted.lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
