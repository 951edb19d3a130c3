"""What is read on its way: secrets that cross a network without TLS. Pure."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.blueprint.dangers.danger import Danger, set_to
from openclaw_gateway.blueprint.dangers.door import beyond_this_machine
from openclaw_gateway.config.auth import is_loopback
from openclaw_gateway.config.places import KeyPath


def on_the_network(plan: Blueprint, program: str) -> Iterator[Danger]:
    beyond = beyond_this_machine(plan)
    if beyond:
        yield Danger(
            "gateway.bind_plain_http",
            "warning",
            f"Whoever sits between a client and {beyond[0]} reads the secret and every word: the gateway "
            "speaks no TLS. Listen on loopback, behind a proxy that does (Caddy, nginx, tailscale serve).",
            set_to(program, ("gateway", "bind"), "loopback"),
        )
    config = plan.loaded.config
    for name, provider in config.models.providers.items():
        if provider.base_url and provider.api_key and _in_clear(provider.base_url):
            yield _plain(program, ("models", "providers", name, "baseUrl"), provider.base_url, "its key")
    for name, server in config.mcp.servers.items():
        if server.url and server.headers and _in_clear(server.url):
            yield _plain(program, ("mcp", "servers", name, "url"), server.url, "its headers")


def _plain(program: str, path: KeyPath, url: str, what: str) -> Danger:
    parts = urlsplit(url)
    return Danger(
        "network.plain_http",
        "warning",
        f"{parts.hostname} is sent {what} and every word without TLS.",
        set_to(program, path, parts._replace(scheme="https").geturl()),
    )


def _in_clear(url: str) -> bool:
    """Whether it goes over a network that is not this machine's or its neighbours' own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or is_loopback(host) or "." not in host.strip("[]"):
        return False
    try:
        return not ipaddress.ip_address(host).is_private
    except ValueError:
        return not host.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))
