"""Who gets in: without a secret, by guessing, by another's word, from any web page. Pure."""

from collections.abc import Iterator
from ipaddress import ip_network

from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.blueprint.dangers.danger import Danger, new_secret, set_to, unset
from openclaw_gateway.config.auth import is_loopback, weakness_of
from openclaw_gateway.config.places import KeyPath

_AUTH: KeyPath = ("gateway", "auth")
_PROXIES: KeyPath = ("gateway", "trustedProxies")
# More addresses than a network of one's own has.
_WIDE_4, _WIDE_6 = 16, 64
_ORIGINS: tuple[KeyPath, ...] = (
    ("gateway", "http", "cors", "allowedOrigins"),
    ("gateway", "controlUi", "allowedOrigins"),
)


def at_the_door(plan: Blueprint, program: str) -> Iterator[Danger]:
    yield from _secret(plan, program)
    yield from _limiter(plan, program)
    yield from _proxies(plan, program)
    yield from _origins(plan, program)


def beyond_this_machine(plan: Blueprint) -> list[str]:
    """The addresses it listens on that others can reach."""
    return [host for host in plan.listen.hosts if not is_loopback(host)] if plan.listen else []


def _secret(plan: Blueprint, program: str) -> Iterator[Danger]:
    auth = plan.auth
    weakness = None if auth.mode == "trusted-proxy" and auth.secret is None else weakness_of(auth)
    if weakness is None or not auth.source:
        return
    beyond = beyond_this_machine(plan) if auth.mode != "trusted-proxy" else []
    kind = "password" if auth.mode in {"password", "trusted-proxy"} else "token"
    cure = new_secret(program, kind)
    if auth.mode == "none":
        cure = f"{cure}\n{set_to(program, (*_AUTH, 'mode'), 'token')}"
    if beyond:
        means = f"Other machines can reach {beyond[0]}, and {weakness}: whoever finds it is the operator."
        yield Danger("gateway.bind_no_auth", "critical", means, cure)
    elif auth.mode == "none":
        means = "There is no secret: every user and every program of this machine is the operator."
        yield Danger("gateway.loopback_no_auth", "critical", means, cure)
    elif not auth.generated:
        means = f"{weakness[0].upper()}{weakness[1:]}, and every program of this machine may try."
        yield Danger("gateway.secret_guessable", "warning", means, cure)


def _limiter(plan: Blueprint, program: str) -> Iterator[Danger]:
    limit = plan.loaded.config.gateway.auth.rate_limit
    if plan.auth.mode == "none":
        return
    path: KeyPath = (*_AUTH, "rateLimit")
    if limit.lockout_ms <= 0 or limit.window_ms <= 0:
        key = "lockoutMs" if limit.lockout_ms <= 0 else "windowMs"
        means = f"Nobody is locked out for wrong secrets, since gateway.auth.rateLimit.{key} is 0."
        yield Danger("gateway.auth_no_rate_limit", "warning", means, unset(program, (*path, key)))
    if limit.exempt_loopback:
        means = "Programs of this machine may guess the secret without end (exemptLoopback)."
        yield Danger("gateway.auth_loopback_exempt", "info", means, unset(program, (*path, "exemptLoopback")))


def _proxies(plan: Blueprint, program: str) -> Iterator[Danger]:
    for text in plan.loaded.config.gateway.trusted_proxies:
        network = ip_network(text, strict=False)
        if network.prefixlen >= (_WIDE_4 if network.version == 4 else _WIDE_6):
            continue
        by_word = plan.auth.mode == "trusted-proxy"
        what = "say who its user is" if by_word else "say from which address a request comes"
        yield Danger(
            "gateway.trusted_proxy_wide",
            "critical" if by_word or network.prefixlen == 0 else "warning",
            f"gateway.trustedProxies has {text}: every machine in there may {what}. Name the proxy's own, "
            "here one on this machine.",
            set_to(program, _PROXIES, ["127.0.0.1"]),
        )


def _origins(plan: Blueprint, program: str) -> Iterator[Danger]:
    gateway = plan.loaded.config.gateway
    written = (gateway.http.cors.allowed_origins, gateway.control_ui.allowed_origins)
    for path, origins in zip(_ORIGINS, written, strict=True):
        left = [origin for origin in origins if origin.strip().lower() not in {"*", "null"}]
        if len(left) == len(origins):
            continue
        cure = set_to(program, path, left) if left else unset(program, path)
        if any(origin.strip() == "*" for origin in origins):
            means = (
                f"{'.'.join(map(str, path))} has *, which is every site there is for OpenClaw, and none for "
                "this gateway. Name each site."
            )
            yield Danger("gateway.origins_wildcard", "warning", means, cure)
        if any(origin.strip().lower() == "null" for origin in origins):
            means = (
                f"{'.'.join(map(str, path))} has null, which any page can be: a file, a frame in a sandbox."
            )
            yield Danger("gateway.origins_null", "critical", means, cure)
