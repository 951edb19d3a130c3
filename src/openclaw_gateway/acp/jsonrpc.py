"""JSON-RPC 2.0, a message a line: read, judged and written. Pure."""

from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.wire.decode import DecodeError, decode, depth_exceeds

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
# The Agent Client Protocol's own.
NOT_FOUND = -32002

Id = int | str | None
_MAX_DEPTH = 64
_encode = msgspec.json.Encoder().encode
_messages: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])


class RpcError(Exception):
    """What the other side is answered."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class Asked(Struct, frozen=True):
    """A request; without an answer where `notifies`."""

    id: Id
    method: str
    params: dict[str, Any]
    notifies: bool


class Answered(Struct, frozen=True):
    id: Id
    result: Any
    error: dict[str, Any] | None


class Faulty(Struct, frozen=True):
    """What came is no message."""

    id: Id
    error: RpcError


def read(line: bytes) -> Asked | Answered | Faulty:
    if depth_exceeds(line, _MAX_DEPTH):
        return Faulty(None, RpcError(PARSE_ERROR, f"The message is nested deeper than {_MAX_DEPTH} levels."))
    try:
        message = decode(_messages, line)
    except DecodeError as error:
        return Faulty(None, RpcError(PARSE_ERROR, f"The line is not a JSON object: {error.reason}."))
    id_ = message.get("id")
    if not isinstance(id_, int | str | None) or isinstance(id_, bool):
        return Faulty(None, RpcError(INVALID_REQUEST, "id must be a number or a string."))
    if isinstance(message.get("method"), str):
        return _asked(id_, message)
    if "result" in message or "error" in message:
        fault = message.get("error")
        return Answered(id_, message.get("result"), fault if isinstance(fault, dict) else None)
    return Faulty(id_, RpcError(INVALID_REQUEST, "A message has a method, a result or an error."))


def _asked(id_: Id, message: dict[str, Any]) -> Asked | Faulty:
    params = message.get("params")
    if not isinstance(params, dict | None):
        return Faulty(id_, RpcError(INVALID_PARAMS, "params must be an object."))
    return Asked(id_, message["method"], params or {}, "id" not in message)


def result(id_: Id, value: object) -> bytes:
    return _line({"jsonrpc": "2.0", "id": id_, "result": value})


def failure(id_: Id, error: RpcError) -> bytes:
    told = {"code": error.code, "message": error.message} | ({"data": error.data} if error.data else {})
    return _line({"jsonrpc": "2.0", "id": id_, "error": told})


def notification(method: str, params: object) -> bytes:
    return _line({"jsonrpc": "2.0", "method": method, "params": params})


def request(id_: Id, method: str, params: object) -> bytes:
    return _line({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})


def _line(message: object) -> bytes:
    """JSON has no bare line ends."""
    return _encode(message) + b"\n"
