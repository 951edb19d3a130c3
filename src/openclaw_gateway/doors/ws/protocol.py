"""The control protocol's rules: what a first frame and a later frame may be, and what is said to the rest.

Pure: bytes in, a decision out, whatever the bytes are. Knows no socket, no clock and no gateway. The
order of the handshake is: challenge, frame, method, params, protocol version, role; then the shell asks
the gateway about the secret.
"""

import contextlib
import re
from enum import IntEnum
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.doors.ws.refusals import invalid
from openclaw_gateway.gateway.device_proof import Claim
from openclaw_gateway.wire.decode import DecodeError, decode, depth_exceeds
from openclaw_gateway.wire.frames import (
    MAX_PROTOCOL,
    MIN_PROTOCOL,
    ClientInfo,
    ConnectAuth,
    ConnectParams,
    ErrorShape,
    EventFrame,
    RequestFrame,
    ResponseFrame,
    ServerFrame,
    StateVersion,
)

EVENTS = (
    "connect.challenge",
    "agent",
    "chat",
    "sessions.changed",
    "presence",
    "health",
    "exec.approval.requested",
    "exec.approval.resolved",
    "device.pair.requested",
    "device.pair.resolved",
    "tick",
    "shutdown",
)
# What OpenClaw's programs ask for before they use it: `models.list` with all that it tells of a model.
CAPABILITIES = ("published-model-catalog",)
UNKNOWN_ID = "invalid"

_encode = msgspec.json.Encoder().encode
# Of all frames, because a struct on its own may be sent without its `type`.
_frames = msgspec.json.Decoder[RequestFrame | ServerFrame](RequestFrame | ServerFrame)
_connect_params = msgspec.json.Decoder(ConnectParams)
_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_MOST_HALVES = 100_000
_MISSING = re.compile(r"object missing required field `(?P<field>[^`]*)`")


class Close(IntEnum):
    """Why a connection is closed."""

    NORMAL = 1000
    PROTOCOL_MISMATCH = 1002
    BINARY = 1003
    REFUSED = 1008
    RESTART = 1012


class _Id(Struct):
    id: str = UNKNOWN_ID


_ids = msgspec.json.Decoder(_Id)


class Connect(Struct, frozen=True):
    """A first frame that keeps to the rules. `scopes` empty = all that the secret gives; `client` is
    what it calls itself, `claim` what it says of its device, if anything."""

    id: str
    protocol: int
    secret: str | None
    scopes: tuple[str, ...]
    client: ClientInfo
    claim: Claim | None = None


class Refusal(Struct, frozen=True):
    """What to answer, then close with `code`."""

    frame: ResponseFrame
    code: Close

    @property
    def reason(self) -> str:
        error = self.frame.error
        return error.message if error else ""


def challenge(nonce: str, ts: int) -> bytes:
    """The first frame of all."""
    return event("connect.challenge", {"nonce": nonce, "ts": ts})


def read_connect(data: bytes, max_depth: int) -> Connect | Refusal:
    """Judge the first frame of a client."""
    frame = read_request(data, max_depth)
    if isinstance(frame, ResponseFrame):
        return Refusal(frame, Close.REFUSED)
    if frame.method != "connect":
        return _refuse(frame, invalid("invalid handshake: first request must be connect"))
    try:
        params = read_params(_connect_params, frame)
    except DecodeError as error:
        return _refuse(frame, invalid(f"invalid connect params: {error}"))
    protocol = negotiate(params.min_protocol, params.max_protocol)
    if protocol is None:
        return _refuse(
            frame,
            invalid(
                f"protocol mismatch: this gateway speaks versions {MIN_PROTOCOL} to {MAX_PROTOCOL}, the "
                f"client {params.min_protocol} to {params.max_protocol}. Update the older of the two.",
                code="PROTOCOL_MISMATCH",
                expectedProtocol=MAX_PROTOCOL,
            ),
            Close.PROTOCOL_MISMATCH,
        )
    if params.role not in (None, "operator"):
        return _refuse(
            frame, invalid('only the role "operator" is served here: this gateway has no nodes or workers')
        )
    auth = params.auth
    # As over HTTP, where white space around a credential is none of it.
    secret = ((auth.token or auth.password or "").strip() or None) if auth else None
    return Connect(frame.id, protocol, secret, params.scopes or (), params.client, _claim(params))


def _claim(params: ConnectParams) -> Claim | None:
    """What a device has signed of its connect, as it stands there."""
    if params.device is None:
        return None
    auth = params.auth or ConnectAuth()
    token = next(
        (one for one in (auth.token, auth.device_token, auth.bootstrap_token) if one is not None), ""
    )
    return Claim(params.device, params.client, params.role or "operator", params.scopes or (), token)


def negotiate(lowest: int, highest: int) -> int | None:
    """The highest version that both ends speak; None when there is none."""
    protocol = min(highest, MAX_PROTOCOL)
    return protocol if protocol >= max(lowest, MIN_PROTOCOL) else None


def read_request(data: bytes, max_depth: int) -> RequestFrame | ResponseFrame:
    """A request, or the answer to what is none."""
    if depth_exceeds(data, max_depth):
        return failure(UNKNOWN_ID, invalid(f"invalid request frame: nested deeper than {max_depth} levels"))
    try:
        frame = decode(_frames, data)
    except DecodeError as error:
        return failure(_id_of(data), invalid(f"invalid request frame: {_in_words(error)}"))
    if isinstance(frame, RequestFrame):
        return frame
    return failure(_id_of(data), invalid('invalid request frame: type must be "req"'))


def read_params(decoder: msgspec.json.Decoder[Any], frame: RequestFrame) -> Any:
    """The params of a request by the method's decoder. Raises DecodeError in the protocol's words."""
    raw = frame.params
    try:
        return decode(decoder, Raw(b"{}") if raw is UNSET or bytes(raw) == b"null" else raw)
    except DecodeError as error:
        raise _in_words(error) from None


def unknown_method(frame: RequestFrame) -> bytes:
    """The answer to a method that does not exist, or exists only once."""
    if frame.method == "connect":
        return _encode(failure(frame.id, invalid("connect is only valid as the first request")))
    text = f"unknown method: {frame.method}. hello-ok.features.methods names what is served here."
    return _encode(failure(frame.id, invalid(text, code="unknown_method")))


def success(request_id: str, payload: object) -> bytes:
    return _encode(ResponseFrame(request_id, ok=True, payload=Raw(_encode(payload))))


def failure(request_id: str, error: ErrorShape) -> ResponseFrame:
    return ResponseFrame(request_id, ok=False, error=error)


def event(
    name: str, payload: object, seq: int | None = None, version: StateVersion | UnsetType = UNSET
) -> bytes:
    return _encode(EventFrame(name, Raw(_encode(payload)), UNSET if seq is None else seq, version))


def encoded(frame: ResponseFrame) -> bytes:
    return _encode(frame)


def _refuse(frame: RequestFrame, error: ErrorShape, code: Close = Close.REFUSED) -> Refusal:
    return Refusal(failure(frame.id, error), code)


def _in_words(error: DecodeError) -> DecodeError:
    """A field that is missing is said as the older systems say it."""
    return DecodeError(_MISSING.sub(r"must have required property '\g<field>'", error.reason), error.path)


def _id_of(data: bytes) -> str:
    """The id of a frame that is otherwise wrong, so that its sender can tell which."""
    # A text that was cut in the middle of an emoji spoils the whole frame, not the id beside it.
    found = _readable_id(data) or _readable_id(_SURROGATES.sub(rb"\\ufffd", data, _MOST_HALVES))
    return UNKNOWN_ID if not found or "\ufffd" in found else found


def _readable_id(data: bytes) -> str | None:
    # Without `decode`: what is wrong with the frame is known by now, and takes long to find.
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _ids.decode(data).id[:256]
    return None
