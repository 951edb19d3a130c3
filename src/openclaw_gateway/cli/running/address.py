"""Where the running gateway is and what opens it, for the commands that talk to it.

Where it is, its lock says, whatever it was started with and whatever its files say meanwhile. What opens it
is found in the configuration's own precedence (flag, file, environment); with an explicit `--url` nothing
else is used, so that no secret of this machine goes to another one by accident.
"""

from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.auth import ResolvedAuth, resolve_auth
from openclaw_gateway.config.filled import with_auth
from openclaw_gateway.config.listen import resolve_bind, resolve_port
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.config.places import dotted
from openclaw_gateway.config.schema import AuthMode
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.errors import ConfigError
from openclaw_gateway.instance import holder, last_holder

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
LOCALLY = " Or run the agent in this process with --local."
_WS = {"http": "ws", "https": "wss"}


class Address(Struct, frozen=True):
    """`origin` is such as http://127.0.0.1:18789; at most one of `token` and `password` is set.
    `named`: by --url; then `keys` is the folder of this machine's device."""

    origin: str
    token: str | None = None
    password: str | None = None
    named: bool = False
    keys: Path | None = None

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


class Here(Struct, frozen=True):
    """The gateway of this state directory. `origin` is where it serves, or would with this configuration;
    None where that does not say. With `away` it surely does not run, whoever answers there; `last` is where
    the last one that ran was, if anywhere."""

    origin: str | None
    away: bool
    pid: int | None = None
    started_ms: int | None = None
    last: str | None = None


def config_in_use(around: Surroundings, config_path: Path | None = None) -> Path | None:
    """The file that the running gateway of this state directory follows, where the command line names none;
    None for the one that is found anyway. Raises ConfigError."""
    if config_path is not None:
        return config_path
    paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd)
    found = holder(paths.own_dir)
    if found is None or not found.config or found.config == str(paths.config_file):
        return None
    used = Path(found.config)
    return used if used.exists() else None


def gateway_here(loaded: LoadedConfig) -> Here:
    """`loaded` may be what could be read of files with faults."""
    found = holder(loaded.own_dir)
    if found is not None and found.url:
        return Here(from_here(found.url), away=False, pid=found.pid, started_ms=found.started_ms)
    try:
        origin = local_origin(loaded)
    except ConfigError:
        origin = None
    # One that says nothing of itself may be of an older version, and be served there.
    if found is not None and found.started_ms is None:
        return Here(origin, away=origin is None, pid=found.pid)
    before = last_holder(loaded.own_dir)
    return Here(origin, away=True, last=from_here(before.url) if before is not None and before.url else None)


def running_origin(
    around: Surroundings, config_path: Path | None, hint: str = ""
) -> tuple[LoadedConfig, str]:
    """(what could be read of the configuration, where its gateway serves). Raises ConfigError, and
    CommandFailed when it does not run."""
    config_path = config_in_use(around, config_path)
    loaded = around.load_partly(config_path)
    here = gateway_here(loaded)
    if here.away or here.origin is None:
        origin = local_origin(around.load(config_path))
        was = f"the last one was at {here.last}" if here.last else f"it would be at {origin}"
        raise CommandFailed(
            f"No gateway runs for the state directory {loaded.state_dir}; {was}. Start it "
            f"with `openclaw gateway run{_port(here.last, origin)}`, or name another one with --url.{hint}",
            code="gateway_unreachable",
        )
    return loaded, here.origin


def _port(last: str | None, origin: str) -> str:
    """The flag that starts it where the `last` one was, if the configuration would not."""
    port = urlsplit(last or origin).port
    return "" if port == urlsplit(origin).port else f" --port {port}"


def from_here(url: str) -> str:
    """Where what listens at `url` is reached on this machine."""
    parts = urlsplit(url)
    host = EVERYWHERE.get(parts.hostname or "", parts.hostname or "")
    return f"http://{f'[{host}]' if ':' in host else host}:{parts.port}"


def local_origin(loaded: LoadedConfig) -> str:
    """Where a gateway started with this configuration listens. Raises ConfigError."""
    host = resolve_bind(loaded.config)[0]
    host = EVERYWHERE.get(host, host)
    port = resolve_port(loaded.config, environ=loaded.environ)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def find_address(
    around: Surroundings,
    config_path: Path | None,
    *,
    url: str | None = None,
    token: str | None = None,
    password: str | None = None,
    hint: str = "",
) -> Address:
    """`hint` is said where no gateway runs. Raises ConfigError, CommandFailed."""
    if token and password:
        raise CommandFailed("Give --token or --password, not both.")
    if url is not None:
        keys = resolve_paths(around.environ, home=around.home, cwd=around.cwd).own_dir
        return Address(origin_of(url), token, password, named=True, keys=keys)
    loaded, origin = running_origin(around, config_path, hint)
    address = with_secret(loaded, origin, token=token, password=password)
    if address.token is None and address.password is None:
        # It may be where nobody could read: what is wrong there says more than that nothing was found.
        around.load(config_in_use(around, config_path))
    return address


def with_secret(
    loaded: LoadedConfig, origin: str, *, token: str | None = None, password: str | None = None
) -> Address:
    """What opens the gateway of this configuration there. Raises ConfigError."""
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
    return opened_by(origin, auth)


def opened_by(origin: str, auth: ResolvedAuth) -> Address:
    if auth.generated:
        # A token made up at the gateway's start is known to nobody else.
        return Address(origin)
    if auth.mode in ("password", "trusted-proxy"):
        return Address(origin, password=auth.secret)
    return Address(origin, token=auth.secret)
