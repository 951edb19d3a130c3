"""Asks a gateway over HTTP whether it is ready. The standard library is enough, and starts at once.

No proxy is ever used: the gateway is next door.
"""

import http.client
import ssl
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct


class Readiness(Struct, frozen=True):
    """`answer` is what the gateway said, as JSON values; empty when it spoke no JSON."""

    ready: bool
    status: int
    answer: dict[str, object]


def ask_readiness(origin: str, *, timeout_s: float) -> Readiness:
    """GET /ready. Raises OSError when nobody answers."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
    )
    try:
        connection.request("GET", "/ready", headers={"Accept": "application/json"})
        response = connection.getresponse()
        body = response.read(65_536)
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()
    try:
        answer = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError:
        answer = {}
    return Readiness(response.status == 200, response.status, answer)
