"""Which secret guards the gateway: the flags, then the configuration, then the environment. Pure but for
the random secret of a start without one. Who presents a secret and whether it fits is decided elsewhere.
"""

import ipaddress
import re
import secrets
from collections.abc import Mapping
from typing import ClassVar

from openclaw_gateway.config.brands import env, env_names
from openclaw_gateway.config.forms import Wrong, one_line
from openclaw_gateway.config.schema import AuthConfig, AuthMode
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.errors import ConfigError

MIN_SECRET = 16

_PLACEHOLDERS = re.compile(
    r"(?:(?:please)?(?:change|replace)(?:me|this|it)?(?:please|now|token|password|secret)?"
    r"|(?:your|my|the|some|a|an)?(?:new|secret|strong|long|random|shared|gateway|openclaw|clawdbot|api|auth)*"
    r"(?:token|password|passwd|secret|key)(?:here|goeshere)?"
    r"|openclaw(?:gateway)?|clawdbot(?:gateway)?|gateway|admin|default|example|test|todo|x+|none|null|undefined)"
    r"[0-9]{0,4}"
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class ResolvedAuth(Guarded, frozen=True):
    """`secret` is None in mode "none", and may be in mode "trusted-proxy": there it is the password of this
    machine's own programs. `source` says where it came from, in the operator's words."""

    hidden: ClassVar[frozenset[str]] = frozenset({"secret"})

    mode: AuthMode
    secret: str | None
    generated: bool
    source: str


def resolve_auth(
    auth: AuthConfig,
    *,
    environ: Mapping[str, str],
    flag_mode: AuthMode | None = None,
    flag_token: str | None = None,
    flag_password: str | None = None,
    made_up: str | None = None,
) -> ResolvedAuth:
    """Raises ConfigError when nobody can tell which secret is meant, or the one asked for is missing.

    `environ` is the effective one of the loaded configuration. With nothing at all configured the token is
    `made_up`, else a random one; a flag for one of the two secrets also chooses the mode.
    """
    token = _first(("--token", flag_token), ("gateway.auth.token", auth.token), _variable(environ, "TOKEN"))
    password = _first(
        ("--password", flag_password),
        ("gateway.auth.password", auth.password),
        _variable(environ, "PASSWORD"),
    )
    mode = flag_mode or auth.mode or _mode_of_flags(flag_token, flag_password)
    if mode is None:
        if token and password:
            raise ConfigError(
                [
                    f"gateway.auth.mode: is not set, and there is a token ({token[0]}) as well as a password "
                    f'({password[0]}); set it, or --auth, to "token" or "password"'
                ]
            )
        mode = "password" if password else "token"
    if mode == "none":
        source = "--auth" if flag_mode else "gateway.auth.mode"
        return ResolvedAuth("none", None, generated=False, source=source)
    if mode == "trusted-proxy":
        _check_proxy(auth, token)
    chosen = token if mode == "token" else password
    if chosen:
        try:
            one_line(chosen[1])
        except Wrong as wrong:
            raise ConfigError([f"{chosen[0]}: {wrong}"]) from None
        return ResolvedAuth(mode, chosen[1], generated=False, source=chosen[0])
    if mode == "trusted-proxy":
        return ResolvedAuth(mode, None, generated=False, source="gateway.auth.trustedProxy")
    if mode == "password":
        raise ConfigError(
            [
                'gateway.auth.password: is missing although the mode is "password"; set it, '
                f"{env_names('GATEWAY_PASSWORD')} or --password"
            ]
        )
    return ResolvedAuth("token", made_up or secrets.token_hex(24), generated=True, source="generated")


def _check_proxy(auth: AuthConfig, token: tuple[str, str] | None) -> None:
    """Raises ConfigError where a proxy's word could not be had, or is not all that lets in."""
    problems: list[str] = []
    if auth.trusted_proxy is None:
        problems.append(
            'gateway.auth.trustedProxy: is missing although the mode is "trusted-proxy"; set its userHeader '
            "to the header in which the proxy names the user"
        )
    else:
        problems += [
            f"gateway.auth.trustedProxy.{key}: holds what is no name of a header; write one such as "
            "x-forwarded-user"
            for key, names in (
                ("userHeader", (auth.trusted_proxy.user_header,)),
                ("requiredHeaders", auth.trusted_proxy.required_headers),
            )
            if not all(map(_HEADER_NAME.fullmatch, names))
        ]
    if token is not None:
        problems.append(
            f'{token[0]}: is set although gateway.auth.mode is "trusted-proxy", where no token is taken; '
            "remove one of the two"
        )
    if problems:
        raise ConfigError(problems)


def exposure(host: str, resolved: ResolvedAuth) -> str | None:
    """Why not to listen on `host`: that other machines can reach it, and the secret is no obstacle."""
    # Where a proxy decides, the secret opens this machine's own door alone.
    guarded = is_loopback(host) or resolved.mode == "trusted-proxy"
    weakness = None if guarded else weakness_of(resolved)
    if weakness is None:
        return None
    return (
        f"other machines can reach {host}, and {weakness}. Set gateway.auth.token or "
        f"{env_names('GATEWAY_TOKEN')} to a random secret of at least {MIN_SECRET} characters (for instance "
        "from: openssl rand -hex 24), or listen on loopback only"
    )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def weakness_of(resolved: ResolvedAuth) -> str | None:
    """Why the secret is no obstacle to who may guess for long; None = it is one."""
    secret = resolved.secret
    if secret is None:
        return "there is no secret (auth mode none)"
    if resolved.generated:
        return "no secret is configured, and one made up for this start would change with the next"
    if _PLACEHOLDERS.fullmatch(re.sub(r"[\W_]+", "", secret.lower())):
        return "the secret is a placeholder that anybody would try first"
    if len(secret) < MIN_SECRET:
        return f"the secret is shorter than {MIN_SECRET} characters"
    if len(set(secret)) < 4:
        return "the secret repeats a few characters"
    return None


def _mode_of_flags(flag_token: str | None, flag_password: str | None) -> AuthMode | None:
    if bool(flag_token) == bool(flag_password):
        return None
    return "token" if flag_token else "password"


def _first(*candidates: tuple[str, str | None]) -> tuple[str, str] | None:
    """Name and value of the first that is not blank."""
    for name, value in candidates:
        if value and value.strip():
            return name, value.strip()
    return None


def _variable(environ: Mapping[str, str], kind: str) -> tuple[str, str | None]:
    found = env(environ, f"GATEWAY_{kind}")
    return (found[1], found[0]) if found else ("", None)
