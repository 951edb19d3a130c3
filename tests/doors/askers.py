"""Who may stand at a door: for each, the gateway it stands before, and how each door hears who it is.

`WHOLE` of a gateway is how its owner asks with everything he may; tests prepare by it.
"""

import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from openclaw_gateway.testing.gateway import TOKEN
from tests.ws.peer import connect_params

_BEARER = {"Authorization": f"Bearer {TOKEN}"}
_PROXIED: Mapping[str, Any] = {
    "auth": {
        "mode": "trusted-proxy",
        "trustedProxy": {
            "userHeader": "x-forwarded-user",
            "allowUsers": ["ada", "bob"],
            "allowLoopback": True,
        },
    },
    "trustedProxies": ["127.0.0.1", "::1"],
}
_OPEN: Mapping[str, Any] = {"auth": {"mode": "none"}}
_GUARDED: Mapping[str, Any] = {"auth": {"mode": "token", "token": TOKEN}}
_BY_ADA = {"x-forwarded-user": "ada"}


class Asker(Struct, frozen=True):
    """`headers` are those of HTTP requests and of a WebSocket's upgrade, `connect` the params of its first
    call; `words` the options of a command, None = a terminal cannot be this one. `is_at_http` and
    `is_at_websocket` say by which doors it can come. `whole` are the headers of who may do everything at that
    gateway. `user` is what its requests say in that field; `away`: it comes by an address that is not
    loopback."""

    gateway: Mapping[str, Any]
    headers: Mapping[str, str] = {}
    connect: Mapping[str, Any] = MappingProxyType(connect_params(None))
    words: tuple[str, ...] | None = None
    is_at_http: bool = True
    is_at_websocket: bool = True
    whole: Mapping[str, str] = {}
    user: str | None = None
    away: bool = False


def _with(token: str, **more: Any) -> Asker:
    return Asker(
        _GUARDED,
        {"Authorization": f"Bearer {token}"},
        connect_params(token),
        ("--token", token),
        whole=_BEARER,
        **more,
    )


def _less(*scopes: str) -> Asker:
    """Who says at his connect that he wants no more: over HTTP a token cannot say so."""
    return Asker(
        _GUARDED,
        connect=connect_params(TOKEN, scopes=[f"operator.{scope}" for scope in scopes]),
        is_at_http=False,
        whole=_BEARER,
    )


def _said(*scopes: str) -> Asker:
    """The same in the head of each request, where no secret is asked for."""
    return Asker(_OPEN, {"x-openclaw-scopes": ", ".join(f"operator.{scope}" for scope in scopes)})


def _proxied(user: str, *scopes: str) -> Asker:
    less = {"x-openclaw-scopes": ", ".join(f"operator.{scope}" for scope in scopes)} if scopes else {}
    return Asker(_PROXIED, {"x-forwarded-user": user, **less}, whole=_BY_ADA)


ASKERS: Mapping[str, Asker] = {
    "token": _with(TOKEN),
    "token, away": _with(TOKEN, away=True),
    "token, user": Asker(_GUARDED, _BEARER, is_at_websocket=False, whole=_BEARER, user="Ada"),
    "wrong token": _with("a-wrong-token-of-some-length"),
    "wrong, away": _with("a-wrong-token-of-some-length", away=True),
    "no token": Asker(_GUARDED, words=(), whole=_BEARER),
    "no auth": Asker(_OPEN, words=()),
    "proxy: ada": _proxied("ada"),
    "proxy: bob": _proxied("bob"),
    "proxy: eve": _proxied("eve"),
    "proxy: nobody": Asker(_PROXIED, whole=_BY_ADA),
    "proxy: read": _proxied("bob", "read"),
    "proxy: write": _proxied("bob", "write"),
    "read": _less("read"),
    "write": _less("write"),
    "approvals": _less("approvals"),
    "said: read": _said("read"),
    "said: write": _said("write"),
    "said: approve": _said("approvals"),
    "said: nothing": Asker(_OPEN, {"x-openclaw-scopes": ""}),
}


def outward_address() -> str | None:
    """One of this machine's addresses that is not loopback; None where it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address
