"""What an editor sends, by method: params of version 1 of the protocol, as far as they are used here. Pure.

Source: schema/v1/schema.json of the protocol's repository and its npm package.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from openclaw_gateway.acp.jsonrpc import INVALID_PARAMS, RpcError

S = TypeVar("S", bound=Struct)
PROTOCOL = 1


class Initialize(Struct, frozen=True, rename="camel"):
    protocol_version: int


class NewSession(Struct, frozen=True, rename="camel"):
    cwd: str
    mcp_servers: list[dict[str, Any]] = []


class OldSession(Struct, frozen=True, rename="camel"):
    """Of `session/load` and `session/resume`."""

    session_id: str
    cwd: str
    mcp_servers: list[dict[str, Any]] = []


class OneSession(Struct, frozen=True, rename="camel"):
    session_id: str


class ListSessions(Struct, frozen=True, rename="camel"):
    cwd: str | None = None
    cursor: str | None = None


class Prompt(Struct, frozen=True, rename="camel"):
    session_id: str
    prompt: list[dict[str, Any]]


def read_params(params: dict[str, Any], shape: type[S]) -> S:
    """Raises RpcError."""
    try:
        return msgspec.convert({name: value for name, value in params.items() if value is not None}, shape)
    except msgspec.ValidationError as error:
        raise RpcError(INVALID_PARAMS, f"Invalid params: {error}") from None


def greeting(version: str) -> dict[str, Any]:
    """The answer to `initialize`: what is here. Which agent of the gateway, its command line says."""
    return {
        "protocolVersion": PROTOCOL,
        "agentCapabilities": {
            "loadSession": True,
            "promptCapabilities": {"image": True, "audio": False, "embeddedContext": True},
            "mcpCapabilities": {"http": False, "sse": False},
            "sessionCapabilities": {"list": {}, "resume": {}, "close": {}},
        },
        "agentInfo": {"name": "openclaw-gateway", "title": "OpenClaw", "version": version},
        # The gateway's token comes from its configuration or the command line.
        "authMethods": [],
    }
