"""From a request to its endpoint: guard, CORS, path, method, credential, and one place for errors.

The folder doors/http/ is the list of endpoints: every module there has a class `Endpoint`. An endpoint
never sees a request that the guard or the authoriser has refused.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

import structlog
from aiohttp import hdrs
from aiohttp.http import HttpVersion11
from multidict import CIMultiDictProxy

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.doors.answers import HttpAnswer, error_answer
from openclaw_gateway.doors.anthropic_answers import anthropic_error, speaks_anthropic
from openclaw_gateway.doors.endpoint import HttpEndpoint, endpoints
from openclaw_gateway.doors.http.health import PROBES
from openclaw_gateway.doors.http.health import Endpoint as Probes
from openclaw_gateway.doors.large_bodies import LargeBodies
from openclaw_gateway.doors.line import Line
from openclaw_gateway.doors.openai.absent import absent, instead
from openclaw_gateway.doors.operation import methods_at, scope_at
from openclaw_gateway.doors.refusals import Refusals
from openclaw_gateway.doors.requests import (
    Request,
    check_framing,
    check_media_type,
    credential,
    header_text,
    peer_address,
    request_id,
)
from openclaw_gateway.doors.ui.base_path import is_the_page, place_in_page
from openclaw_gateway.doors.ws.connection import serve as serve_websocket
from openclaw_gateway.doors.ws.knocking import Knocking
from openclaw_gateway.doors.ws.large_frames import LargeFrames
from openclaw_gateway.errors import (
    EndpointOff,
    Forbidden,
    GatewayError,
    MethodNotAllowed,
    NotFound,
    Overloaded,
)
from openclaw_gateway.gateway.bell import Bell
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.gateway.proxies import FORWARDED_FOR
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.logs.asked import ASKED, Asked
from openclaw_gateway.wire.error_info import error_info
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

_PREFLIGHT_S = "600"
# All of them: no answer is for a page that sends cookies. By name for browsers that do not know the star.
_EXPOSED = ", ".join(
    (
        "*",
        "x-request-id",
        "openai-processing-ms",
        "retry-after",
        "x-should-retry",
        *(
            brand.header_prefix + name
            for brand in BRANDS
            for name in (
                "session-key",
                "model",
                "ignored-params",
                "embedding-model",
                "task",
                "tools-set-aside",
            )
        ),
    )
)


class Router:
    """The handler of the HTTP server. `closing` is set when the gateway begins to drain."""

    def __init__(self, gateway: Gateway, closing: Bell) -> None:
        self._gateway = gateway
        self._closing = closing
        self._told = False
        clock = asyncio.get_running_loop().time
        self._line = Line(clock)
        self._refusals = Refusals(clock)
        self._probes = Probes(gateway)
        self._frames = LargeBodies()
        self._knocking = Knocking()
        self._exact: dict[str, HttpEndpoint] = {}
        self._prefixes: dict[str, HttpEndpoint] = {}
        self._around: dict[tuple[str, str], HttpEndpoint] = {}
        # At the paths that are named whole.
        self._methods: dict[str, Sequence[str]] = {}
        for kind in endpoints():
            endpoint = kind(gateway)
            for path in endpoint.paths:
                before, star, behind = path.partition("*")
                if star:
                    self._around[before, behind] = endpoint
                    continue
                table = self._prefixes if path.endswith("/") and path != "/" else self._exact
                table[path] = endpoint
                self._methods[path] = _methods(endpoint, path)

    async def __call__(self, request: Request) -> None:
        """Answer it, whatever happens. Raises ConnectionError when the client has left, or the answer was
        cut."""
        try:
            answer = await self._answer(request)
            if answer is not None:
                await answer.send(request)
        except GatewayError as error:
            await self._failed(request, error)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and is_being_cancelled():
                raise
            if isinstance(error, ConnectionError) and request.is_abandoned:
                raise
            log.exception("http.crashed", request=ASKED.get().request, path=request.route_path[:200])
            await self._failed(
                request, GatewayError("The gateway failed on this request. Its log has the cause.")
            )
        finally:
            request.give_back_body()

    async def _answer(self, request: Request) -> HttpAnswer | None:
        headers = request.headers
        id_ = request.answer_headers["x-request-id"] = request_id(request)
        caller = self._caller(request)
        ASKED.set(Asked(id_, caller.address))
        check_framing(request)
        origin = headers.get(hdrs.ORIGIN)
        path = request.route_path
        base = self._gateway.config.gateway.control_ui.base_path
        endpoint = self._find(path)
        if endpoint is None and base and place_in_page(base, path) is not None:
            endpoint = self._exact["/"]
        linked = headers.get("Sec-Fetch-Mode") == "navigate" and is_the_page(base, path)
        fetch_site = None if linked else headers.get("Sec-Fetch-Site")
        guard = self._gateway.generation.guard
        upgrades = request.method == "GET" and headers.get(hdrs.UPGRADE, "").lower() == "websocket"
        # A proxy looks under the name by which it knows a process, and is told nothing that is worth a name.
        probes = path in PROBES and not upgrades
        guard.check(headers.get(hdrs.HOST), origin, fetch_site, any_host=probes)
        if origin is not None and guard.origin_allowed(origin):
            _allow(request, origin)
            if request.method == "OPTIONS":
                return _preflight(request, self._allowed(endpoint, path) if endpoint else ("GET", "POST"))
        if request.crowding is not None:
            return await self._beyond_caps(request, request.crowding)
        if upgrades:
            refused = partial(self._tell_of, request)
            large = LargeFrames(self._frames, request.body_room)
            await serve_websocket(
                request,
                self._gateway,
                self._closing,
                caller=caller,
                large=large,
                knocking=self._knocking,
                refused=refused,
            )
            request.close_behind()
            return None
        if endpoint is None:
            raise NotFound(absent(path, self._exact))
        if endpoint.switch is not None:
            raise EndpointOff(
                f"This endpoint is off. Set {endpoint.switch} to true: it counts within a second"
                f"{instead(path)}.",
                key=endpoint.switch,
            )
        allowed = self._allowed(endpoint, path)
        if request.method not in allowed:
            allow = ", ".join(allowed)
            raise MethodNotAllowed(f"This path takes {allow}.", allow=allow)
        if endpoint.public:
            return await endpoint.answer(request, OPERATOR)
        gateway = self._gateway
        # Where the caller sends no secret, the requests of a page in his browser carry as much as his own.
        if gateway.auth_mode in ("none", "trusted-proxy"):
            check_media_type(request)
        # First who asks: a stranger takes no place in the line.
        principal = gateway.authenticate(credential(request), caller)
        # And whether he may: what he may not do is refused before a word of it is read.
        if principal is not OPERATOR:
            principal.require(scope_at(endpoint.operations, request.method, path))
        await self._line.begin(request.arrived, gateway.limits.start_within_s, gateway.live_runs())
        return await endpoint.answer(request, principal)

    async def _beyond_caps(self, request: Request, crowding: Overloaded) -> HttpAnswer | None:
        """The one request of a connection that is one too many. Raises Overloaded but for a probe."""
        if request.route_path not in PROBES or request.method not in self._probes.methods:
            raise crowding
        request.close_behind()
        return await self._probes.answer(request, OPERATOR)

    def _caller(self, request: Request) -> Caller:
        headers, peer, proxies = request.headers, peer_address(request), self._gateway.generation.proxies
        forwarded = headers.getall(FORWARDED_FOR, ())
        if (forwarded or hdrs.FORWARDED in headers) and not self._told and proxies.overlooks(peer):
            self._told = True
            log.warning(
                "proxy.not_trusted",
                peer=peer,
                detail="it forwards requests, and gateway.trustedProxies does not name it: all it brings "
                "count as one client. Name it there if it is your reverse proxy",
            )
        return Caller(peer, proxies.client(peer, forwarded), partial(_lines, headers))

    def _find(self, path: str) -> HttpEndpoint | None:
        endpoint = self._exact.get(path)
        if endpoint is not None:
            return endpoint
        for (before, behind), around in self._around.items():
            if path.startswith(before) and path.endswith(behind):
                name = path[len(before) : -len(behind)]
                if name and "/" not in name:
                    return around
        behind_prefix = (
            e for prefix, e in self._prefixes.items() if path.startswith(prefix) and path != prefix
        )
        return next(behind_prefix, None)

    def _allowed(self, endpoint: HttpEndpoint, path: str) -> Sequence[str]:
        """What can be done there."""
        return self._methods.get(path) or _methods(endpoint, path)

    async def _failed(self, request: Request, error: GatewayError) -> None:
        if request.is_answered:
            # A second head would be read as part of the first answer's body.
            request.cut()
            raise ConnectionResetError("an answer that had begun was cut")
        self._tell_of(request, error)
        closes = (
            not request.content.is_eof()
            or isinstance(error, Forbidden)
            or request.crowding is not None
            or request.version < HttpVersion11
        )
        answer = error_answer(error, closes=closes)
        if speaks_anthropic(request, is_served=self._find(request.route_path) is not None):
            answer = anthropic_error(request, answer, error_info(error))
        await answer.send(request)

    def _tell_of(self, request: Request, error: GatewayError) -> None:
        address = self._caller(request).address
        self._refusals.tell(request, address, error, self._gateway.auth_mode)


def _lines(headers: CIMultiDictProxy[str], name: str) -> Sequence[str]:
    return headers.getall(name, ())


def _allow(request: Request, origin: str) -> None:
    request.answer_headers.update(
        {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": _EXPOSED,
        }
    )
    request.vary_by(hdrs.ORIGIN)


def _methods(endpoint: HttpEndpoint, path: str) -> Sequence[str]:
    """Of a path that is declared those of its operations, else whatever the endpoint takes."""
    declared = methods_at(endpoint.operations, path)
    if "GET" in declared and "HEAD" in endpoint.methods:
        declared.append("HEAD")
    return declared or endpoint.methods


def _preflight(request: Request, allowed: Sequence[str]) -> HttpAnswer:
    """Raises InvalidRequest for names that are no text: an answer cannot repeat them."""
    wanted = header_text(request, "Access-Control-Request-Headers") or ""
    request.answer_headers.update(
        {
            "Access-Control-Allow-Methods": ", ".join(allowed),
            "Access-Control-Allow-Headers": wanted[:1024],
            "Access-Control-Max-Age": _PREFLIGHT_S,
        }
    )
    request.vary_by(hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
    return HttpAnswer(b"", 204, {})
