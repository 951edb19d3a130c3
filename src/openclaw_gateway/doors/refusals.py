"""What the operator hears of those who were turned away: who, where they wanted to, and the key to set.

One line for each kind of refusal, from each that it concerns, and no more than a few in a minute; how many
more there were is said with the next line. What they sent is shown short, printable and without secrets.
"""

from collections.abc import Callable

import structlog
from aiohttp import hdrs
from msgspec import Struct

from openclaw_gateway.config.schema import HOSTS_KEY, ORIGINS_KEY
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.errors import (
    BodyTooLarge,
    DeviceRefused,
    EndpointOff,
    Forbidden,
    GatewayError,
    Misdirected,
    NotFound,
    Overloaded,
    RateLimited,
    ShuttingDown,
    Unauthorized,
)
from openclaw_gateway.logs.asked import ASKED
from openclaw_gateway.redaction import redact

log = structlog.get_logger()

WINDOW_S = 60.0
# Of one kind, in one window.
MOST_LINES = 5
_MOST_CHARS = 120
_AUTH_KEYS = {
    "token": "gateway.auth.token",
    "password": "gateway.auth.password",
    "trusted-proxy": "gateway.auth.trustedProxy",
    "none": "gateway.auth.mode",
}


class Refused(Struct, frozen=True):
    """`kind` is the error's code; `whom` what a line is for, once in a window; `shown` what it shows."""

    kind: str
    whom: str
    shown: dict[str, str | None]


class _Window(Struct):
    until: float
    told: set[str]
    untold: int = 0


class Refusals:
    """Shared by all requests. `clock` is in seconds. Its memory is a few texts for each kind."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def tell(self, request: Request, address: str, error: GatewayError, auth_mode: str) -> None:
        """Say it if somebody is turned away, not only his request found wrong. `address` is the client's."""
        refused = _refused(request, address, error, auth_mode)
        if refused is None:
            return
        now = self._clock()
        window = self._windows.get(refused.kind)
        untold = 0
        if window is None or now >= window.until:
            untold = window.untold if window else 0
            window = self._windows[refused.kind] = _Window(now + WINDOW_S, set())
        if refused.whom in window.told or len(window.told) >= MOST_LINES:
            window.untold += 1
            return
        window.told.add(refused.whom)
        more = {"untold_before": untold} if untold else {}
        log.warning("http.refused", code=refused.kind, **refused.shown, **more)


def _refused(request: Request, address: str, error: GatewayError, auth_mode: str) -> Refused | None:
    headers = request.headers
    path = shortened(request.route_path)
    match error:
        case DeviceRefused():
            whom, shown = address, {}
        case Unauthorized():
            whom, shown = address, {"key": _AUTH_KEYS[auth_mode]}
        case Forbidden(code="origin_not_allowed"):
            whom = shortened(headers.get(hdrs.ORIGIN) or "a site that is not named")
            shown = {"origin": whom, "key": ORIGINS_KEY}
        case Misdirected():
            whom = shortened(headers.get(hdrs.HOST, ""))
            shown = {"host": whom, "key": HOSTS_KEY}
        case EndpointOff(key=key):
            whom, shown = path, {"key": key}
        case NotFound(code="not_found"):
            # What mends it is a setting of the client: `detail` says which.
            whom, shown = path, {}
        case BodyTooLarge():
            whom, shown = address, {"key": "gateway.limits.maxBodyBytes"}
        case Forbidden() | RateLimited():
            whom, shown = address, {}
        case Overloaded() if not isinstance(error, ShuttingDown):
            whom, shown = address, {}
        case _:
            return None
    who = {"request": ASKED.get().request, "peer": shortened(address), "path": path}
    return Refused(error.code, whom, {**who, **shown, "detail": error.message})


def shortened(text: str) -> str:
    """A text that a stranger wrote, fit for a line."""
    text = redact(text[: 4 * _MOST_CHARS])
    plain = "".join(char if char.isprintable() else "?" for char in text)
    return plain if len(plain) <= _MOST_CHARS else plain[: _MOST_CHARS - 1] + "…"
