"""What doors read from a request: the path, header texts, the credential, the body within its limits.

The only file that reads request bodies. Nothing here knows endpoints.
"""

import asyncio
import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol, cast
from urllib.parse import parse_qs, unquote

from aiohttp import hdrs, web
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import StreamReader
from multidict import istr

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.config.schema import Limits
from openclaw_gateway.doors.aiohttp_private import OpenHandler, OpenRequest, drops_what_follows, whole_body
from openclaw_gateway.doors.body_room import BodyRoom
from openclaw_gateway.errors import (
    BodyTooLarge,
    InvalidRequest,
    Overloaded,
    RequestTimeout,
    ShuttingDown,
    UnsupportedEncoding,
    UnsupportedMediaType,
    UnsupportedTransfer,
)
from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.sizes import size_text
from openclaw_gateway.wire.run import Attempt
from openclaw_gateway.work.cancelling import is_being_cancelled

IDEMPOTENCY_KEY = istr("Idempotency-Key")
_MAX_KEY_CHARS = 256
_MOST_DIGITS = 12
_RETRY_COUNT = istr("x-stainless-retry-count")
_API_KEY, _X_API_KEY = istr("api-key"), istr("x-api-key")
# What begins a brand's header in a list of names, one a line.
_BRAND_LINES = tuple(f"\n{brand.header_prefix}" for brand in BRANDS)
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class RunConnection(Protocol):
    """What a request needs of its connection. `crowding`: why it is one too many, if it is. `arrived`: when
    the request came to this machine, by the loop's clock."""

    crowding: Overloaded | None
    arrived: float

    def enter_run(self) -> None: ...

    def leave_run(self) -> None: ...

    def bound_unsent(self) -> None: ...


# Of every answer.
_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Request(OpenRequest):
    """`answer_headers` are set by endpoints and by the router; they go out with whatever answer there is.
    `body_taken` is how much of `body_room` its body takes, until `give_back_body`. `stays_open`: its
    connection takes another request after this one. `attempt` is set by `note_attempt`."""

    attempt: Attempt | None = None

    def __init__(
        self, head: RawRequestMessage, body: StreamReader, connection: OpenHandler, body_room: BodyRoom
    ) -> None:
        super().__init__(head, body, connection)
        self.answer_headers = dict(_ALWAYS)
        self.body_room = body_room
        self.body_taken = 0
        # A client that has sent more sees that it is to be sent again.
        self.stays_open = not (head.should_close or drops_what_follows(head))
        self._has_put = False
        self.brands = _brands_among(self.headers)

    @property
    def route_path(self) -> str:
        """The path as it was sent, without the query; of a proxy's absolute form, the path alone."""
        path = self.raw_path.partition("?")[0]
        if path.startswith("/"):
            return path
        return "/" + path.partition("://")[2].partition("/")[2]

    @property
    def crowding(self) -> Overloaded | None:
        """Why its connection is one too many; None when there was room."""
        return cast(RunConnection, self.protocol).crowding

    @property
    def arrived(self) -> float:
        """When it came to this machine, by the loop's clock."""
        return cast(RunConnection, self.protocol).arrived

    def take_body(self, length: int, limits: Limits) -> None:
        """Count the body as at least so long. Raises Overloaded."""
        more = length - self.body_taken
        if more > 0:
            self.body_room.take(more, limits.max_bodies_bytes)
            self.body_taken = length

    def give_back_body(self) -> None:
        """The request has been answered, and what was made of its body is gone."""
        self.body_room.give_back(self.body_taken)
        self.body_taken = 0

    def enter_run(self) -> None:
        """The client now waits for a run: nothing may be pipelined behind it."""
        cast(RunConnection, self.protocol).enter_run()

    def leave_run(self) -> None:
        cast(RunConnection, self.protocol).leave_run()

    def bound_unsent(self) -> None:
        """From now on writing is paused whenever the system has not taken everything at once, and it takes
        little more than it can send."""
        cast(RunConnection, self.protocol).bound_unsent()

    @property
    def is_answered(self) -> bool:
        """Whether bytes of an answer have left: no other answer can be given any more."""
        return self._has_put or self.writer.output_size > 0

    @property
    def is_abandoned(self) -> bool:
        """Whether the client has left."""
        transport = self.transport
        return transport is None or transport.is_closing()

    def cut(self) -> None:
        """Close the connection at once: what has been sent of an answer has no proper end."""
        if self.transport is not None:
            self.transport.abort()

    def vary_by(self, header: str) -> None:
        """Whoever keeps the answer keeps it for requests alone that have the same in this header."""
        named = [*filter(None, [self.answer_headers.get(hdrs.VARY)]), header]
        self.answer_headers[hdrs.VARY] = ", ".join(dict.fromkeys(named))

    def close_behind(self) -> None:
        """The connection ends with this request's answer."""
        self.stays_open = False

    def put(self, data: bytes) -> None:
        """Write a part of the answer. Raises ConnectionError when the client has left."""
        self._transport().write(data)
        self._has_put = True

    def put_interim(self, head: bytes) -> None:
        """Write a 1xx head, after which the answer still counts as not begun. Raises ConnectionError."""
        self._transport().write(head)

    async def taken(self) -> None:
        """Wait until what was written is with the system, or at least little of it is not. Raises
        ConnectionError when the client has left before."""
        if self.protocol.writing_paused:
            await self.writer.drain()
            if self.transport is None:
                raise ConnectionResetError("the client has left")

    def _transport(self) -> asyncio.Transport:
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        return transport

    def prepare_upgrade(self, response: web.StreamResponse) -> None:
        headers = response.headers
        if hdrs.SERVER in headers:
            del headers[hdrs.SERVER]
        headers.update(self.answer_headers)


def names_behind(request: Request, before: str) -> list[str]:
    """The parts of the path behind `before`. A slash that was sent as %2F belongs to its name; one at the end
    is none."""
    _, _, path = request.route_path.partition(before)
    return [unquote(part) for part in path.rstrip("/").split("/")]


def header_text(request: Request, name: str) -> str | None:
    """A header as text. Raises InvalidRequest when it is not UTF-8."""
    value = request.headers.get(name)
    if value is None or value.isascii():
        return value
    try:
        return value.encode("utf-8", "surrogateescape").decode()
    except UnicodeDecodeError:
        raise InvalidRequest(
            f"The header {name} is not valid UTF-8.", code="invalid_header", param=str(name)
        ) from None


def _brands_among(names: Iterable[str]) -> tuple[str, ...]:
    # Joined, because to look at each name costs more than all of this. None has a line end in it.
    text = "\n".join(["", *names]).lower()
    if not any(map(text.__contains__, _BRAND_LINES)):
        return ()
    return tuple(brand.header_prefix for brand in BRANDS if f"\n{brand.header_prefix}" in text)


def brand_header(request: Request, *names: str) -> str | None:
    """The first of the brands' headers `x-<brand>-<name>` that is there."""
    if not request.brands:
        return None
    headers = request.headers
    for full in _branded(names):
        if full in headers:
            return header_text(request, full)
    return None


@lru_cache(maxsize=32)
def _branded(names: tuple[str, ...]) -> tuple[istr, ...]:
    # Of an istr the headers need not make the lower case each time.
    return tuple(istr(brand.header_prefix + name) for brand in BRANDS for name in names)


def idempotency_key(request: Request) -> str | None:
    """The client's own name for the request. Raises InvalidRequest for one that is too long or no text."""
    key = header_text(request, IDEMPOTENCY_KEY)
    if key is None or not key.strip():
        return None
    key = key.strip()
    if len(key) > _MAX_KEY_CHARS or not key.isprintable():
        raise InvalidRequest(
            f"The {IDEMPOTENCY_KEY} must be printable text of at most {_MAX_KEY_CHARS} characters.",
            code="idempotency_key_invalid",
            param=str(IDEMPOTENCY_KEY),
        )
    return key


def place_had(request: Request, name: str) -> int | None:
    """The number of the last event of a stream that the client has: which it heard last, else which it names
    in the query. Raises InvalidRequest."""
    value = header_text(request, "Last-Event-ID")
    if value is None:
        value = parse_qs(request.raw_path.partition("?")[2]).get(name, [None])[-1]
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS):
        raise InvalidRequest(
            f"`{name}` (or Last-Event-ID) is the number of the last event that you have, from 0.", param=name
        )
    return int(value)


def note_attempt(request: Request, body: bytes) -> None:
    """Remember what tells this request from another one, if its client numbers its attempts: it may send it
    again by itself, as the official SDKs do. Linear in the body."""
    count = request.headers.get(_RETRY_COUNT)
    if count is not None:
        again = count.isdecimal() and count.strip("0") != ""
        request.attempt = Attempt(request.route_path, len(body), _digest(body), again)


def _digest(body: bytes) -> int:
    """The same in all processes."""
    return int.from_bytes(blake2b(body, digest_size=8).digest())


def credential(request: Request) -> str | None:
    """The bearer credential (the scheme's case does not matter), or what clients of Azure and Anthropic send
    in its place."""
    headers = request.headers
    value = headers.get(hdrs.AUTHORIZATION)
    if value is None:
        value = headers.get(_API_KEY) or headers.get(_X_API_KEY)
        return value.strip() if value else None
    scheme, _, secret = value.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def check_framing(request: Request) -> None:
    """Raises InvalidRequest for a body that two programs in a row may see the end of in two places, and
    UnsupportedTransfer for one that would have to be unpacked."""
    coding = request.headers.get(hdrs.TRANSFER_ENCODING)
    if coding is None:
        return
    if request.version < HttpVersion11:
        raise InvalidRequest(
            "HTTP/1.0 knows no Transfer-Encoding: send the body with a Content-Length, or use HTTP/1.1.",
            code="invalid_http",
        )
    if coding.strip().lower() != "chunked":
        raise UnsupportedTransfer("Of Transfer-Encoding only chunked is understood: send the body as it is.")


def check_media_type(request: Request) -> None:
    """Raises UnsupportedMediaType for what the form of any web page can send without asking first."""
    sent = request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
    if request.method == "POST" and sent != "application/json":
        raise UnsupportedMediaType(
            "Where the client sends no secret (gateway.auth.mode) only JSON is taken: send the body with "
            "Content-Type: application/json."
        )


def peer_address(request: Request) -> str:
    """The address of the other end of the socket."""
    return request.remote or ""


def request_id(request: Request) -> str:
    """The caller's X-Client-Request-Id or X-Request-Id if it is fit for a header, else a new one."""
    headers = request.headers
    sent = headers.get("X-Client-Request-Id") or headers.get("X-Request-Id")
    return sent if sent and _REQUEST_ID.fullmatch(sent) else f"req_{fresh_digits()}"


async def read_body(request: Request, limits: Limits) -> bytes:
    """The whole body. Raises UnsupportedEncoding, BodyTooLarge, RequestTimeout, Overloaded, ShuttingDown."""
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise UnsupportedEncoding(
            "Content-Encoding is not accepted on requests: send the body as plain JSON."
        )
    length = request.content_length
    if length is not None and length > limits.max_body_bytes:
        raise _too_large(limits)
    request.take_body(length or 0, limits)
    content = request.content
    if not content.is_eof():
        _continue(request)
        return await _read_slowly(request, limits)
    body = whole_body(content)
    if len(body) > limits.max_body_bytes:
        raise _too_large(limits)
    request.take_body(len(body), limits)
    return body


def _continue(request: Request) -> None:
    """The 100 that a careful client waits for; by now it is authorised and its length is acceptable."""
    if request.version == HttpVersion11 and request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        request.put_interim(b"HTTP/1.1 100 Continue\r\n\r\n")


async def _read_slowly(request: Request, limits: Limits) -> bytes:
    """The body as it comes, at least `body_min_bytes_per_s` after the grace time."""
    loop = asyncio.get_running_loop()
    body = bytearray()
    start = loop.time()
    try:
        async with asyncio.timeout(limits.body_grace_s) as deadline:
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > limits.max_body_bytes:
                    raise _too_large(limits)
                request.take_body(len(body), limits)
                deadline.reschedule(start + limits.body_grace_s + len(body) / limits.body_min_bytes_per_s)
    except web.RequestPayloadError:
        raise InvalidRequest("The request body is not well-formed HTTP.", code="invalid_body") from None
    except asyncio.CancelledError:
        if is_being_cancelled():
            raise
        # aiohttp's shutdown fails the bodies that have not come whole by then.
        raise ShuttingDown from None
    except TimeoutError:
        raise RequestTimeout(
            "The request body came too slowly and was given up. Send it faster, or in one piece."
        ) from None
    return bytes(body)


def _too_large(limits: Limits) -> BodyTooLarge:
    return BodyTooLarge(
        f"The request body is larger than {size_text(limits.max_body_bytes)}, the limit "
        "(gateway.limits.maxBodyBytes). Send less history or smaller parts."
    )
