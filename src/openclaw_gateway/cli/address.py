"""Where the running gateway is and what opens it, for the commands that talk to it.

The precedence is the configuration's own (flag, file, environment); with an explicit `--url` nothing
else is used, so that no secret of this machine goes to another one by accident.
"""

from urllib.parse import urlsplit

from msgspec import Struct

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.config.auth import resolve_auth
from openclaw_gateway.config.filled import with_auth
from openclaw_gateway.config.listen import resolve_bind, resolve_port
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.places import dotted
from openclaw_gateway.config.schema import AuthMode
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.errors import ConfigError

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_WS = {"http": "ws", "https": "wss"}


class Address(Struct, frozen=True):
    """`origin` is such as http://127.0.0.1:18789; at most one of `token` and `password` is set."""

    origin: str
    token: str | None = None
    password: str | None = None

    @property
    def ws_url(self) -> str:
        scheme, _, rest = self.origin.partition("://")
        return f"{_WS[scheme]}://{rest}/"


def origin_of(url: str) -> str:
    """http(s)://host:port of any URL of a gateway. Raises CommandFailed."""
    url = url.strip()
    parts = urlsplit(url if "://" in url else f"ws://{url}")
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    if scheme not in _WS or not parts.hostname:
        raise CommandFailed(f"{url} is no address of a gateway: write it like ws://127.0.0.1:18789.")
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}"


def local_origin(loaded: LoadedConfig) -> str:
    """Where a gateway started with this configuration listens. Raises ConfigError."""
    host = resolve_bind(loaded.config)[0]
    host = _EVERYWHERE.get(host, host)
    port = resolve_port(loaded.config, environ=loaded.environ)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def resolve_address(
    loaded: LoadedConfig, *, url: str | None = None, token: str | None = None, password: str | None = None
) -> Address:
    """Raises ConfigError, CommandFailed."""
    if token and password:
        raise CommandFailed("Give --token or --password, not both.")
    if url is not None:
        return Address(origin_of(url), token, password)
    if not (token or password):
        loaded, missing = with_auth(loaded, Secrets.of(loaded))
        if missing:
            raise ConfigError([f"{dotted(each.path)}: {each.message}" for each in missing])
    mode: AuthMode | None = "token" if token else "password" if password else None
    auth = resolve_auth(
        loaded.config.gateway.auth,
        environ=loaded.environ,
        flag_mode=mode,
        flag_token=token,
        flag_password=password,
    )
    origin = local_origin(loaded)
    if auth.generated:
        # A token made up at the gateway's start is known to nobody else.
        return Address(origin)
    if auth.mode in ("password", "trusted-proxy"):
        return Address(origin, password=auth.secret)
    return Address(origin, token=auth.secret)
