"""The greeting of a client that was let in: what is here, and by which rules it is spoken. Pure."""

from typing import Any

import msgspec
from msgspec import Raw

import openclaw_gateway
from openclaw_gateway.doors.ws.protocol import CAPABILITIES, EVENTS
from openclaw_gateway.doors.ws.stateview import present, state_version
from openclaw_gateway.gateway.principal import READ, Principal
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.sessions.keys import main_key
from openclaw_gateway.wire.frames import (
    Features,
    GrantedAuth,
    HelloOk,
    Policy,
    ServerInfo,
    SessionDefaults,
    Snapshot,
)


def hello(
    gateway: Gateway,
    principal: Principal,
    *,
    protocol: int,
    connection_id: str,
    methods: tuple[str, ...],
    health: object,
    tick_s: float,
) -> HelloOk:
    """No paths of the gateway's machine: clients do not need them."""
    default_id = gateway.roster.default_id
    limits = gateway.limits
    return HelloOk(
        protocol,
        ServerInfo(openclaw_gateway.__version__, connection_id),
        Features(methods, EVENTS, CAPABILITIES),
        Snapshot(
            presence=tuple(Raw(msgspec.json.encode(row)) for row in _present(gateway, principal)),
            state_version=state_version(gateway, principal),
            health=Raw(msgspec.json.encode(health)),
            uptime_ms=gateway.uptime_ms(),
            session_defaults=SessionDefaults(default_id, main_session_key=main_key(default_id)),
            auth_mode=gateway.auth_mode,
        ),
        GrantedAuth(scopes=tuple(sorted(principal.scopes))),
        Policy(limits.max_ws_frame_bytes, limits.max_ws_buffered_bytes, int(tick_s * 1000)),
    )


def _present(gateway: Gateway, principal: Principal) -> list[dict[str, Any]]:
    return present(gateway, principal) if principal.may(READ) else []
