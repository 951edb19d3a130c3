"""What the URL of a bus says: which servers, how they are found, and what opens them. Pure but for the files
of certificates.

    redis://[user:password@]host[:6379][/database]                one server; rediss:// the same over TLS
    unix:///path/of/the.sock[?db=1]                               one server of this machine
    redis+sentinel://[user:password@]host[:26379],host…/service[/database]
    redis+cluster://[user:password@]host[:6379],host…             any of its servers, the others are found

`rediss+sentinel` and `rediss+cluster` are the same over TLS. After `?` may stand ssl_ca_certs, ssl_certfile,
ssl_keyfile (paths) and ssl_check_hostname=no, as in redis-py, and sentinel_username and sentinel_password.
A message of this file never has a part of the URL in it that may be a secret.
"""

import re
import ssl
from typing import Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from msgspec import Struct

from openclaw_gateway.errors import ConfigError

Kind = Literal["single", "sentinel", "cluster"]

_SCHEMES: dict[str, tuple[Kind, bool]] = {
    "redis": ("single", False),
    "rediss": ("single", True),
    "unix": ("single", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_FORMS = (
    "Write it as redis://host:6379, rediss://host:6379, unix:///path, "
    "redis+sentinel://host:26379,host:26379/service or redis+cluster://host:6379,host:6379."
)
_TLS_OPTIONS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"}
_OPTIONS = _TLS_OPTIONS | {"db", "sentinel_username", "sentinel_password"}
_PORTS: dict[Kind, int] = {"single": 6379, "sentinel": 26379, "cluster": 6379}


class Address(Struct, frozen=True):
    """A server: by host and port, or by the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


class Credentials(Struct, frozen=True):
    """Not shown, not even by repr."""

    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"


class Tls(Struct, frozen=True):
    """Paths of PEM files, "" = the system's authorities, no certificate of our own."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    check_host: bool = True


class BusUrl(Struct, frozen=True):
    """`addresses` are the server's, the sentinels', or some of the cluster's."""

    kind: Kind
    addresses: tuple[Address, ...]
    database: int = 0
    service: str = ""
    credentials: Credentials = Credentials()
    sentinel_credentials: Credentials = Credentials()
    tls: Tls | None = None

    def __str__(self) -> str:
        """For a log: where it is, without what opens it."""
        return ",".join(map(str, self.addresses)) + (f"/{self.service}" if self.service else "")

    def secrets(self) -> tuple[str, ...]:
        """What must not be seen in any text."""
        found = (self.credentials.password, self.sentinel_credentials.password)
        return tuple(secret for secret in found if secret)


def parsed(url: str) -> BusUrl:
    """Raises ConfigError."""
    try:
        return _parsed(url)
    except ValueError as error:
        raise ConfigError([f"bus.url: {error} {_FORMS}"]) from None


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Raises ConfigError when a file is not there, or is not what it should be."""
    try:
        context = ssl.create_default_context(cafile=tls.ca_file or None)
        if tls.cert_file:
            context.load_cert_chain(tls.cert_file, tls.key_file or None)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or "it is no PEM file of that kind"
        raise ConfigError(
            [f"bus.url: a file named by ssl_ca_certs, ssl_certfile or ssl_keyfile cannot be used: {reason}."]
        ) from None
    context.check_hostname = tls.check_host
    return context


def _parsed(url: str) -> BusUrl:
    """Raises ValueError with a sentence."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise ValueError("The bus is a server that speaks Redis's protocol.")
    kind, over_tls = _SCHEMES[scheme]
    # Apart from the others: some versions of Python take no list of hosts with brackets in it for one.
    netloc = re.split("[/?#]", rest, maxsplit=1)[0]
    parts = urlsplit(f"//host{rest[len(netloc) :]}")
    options = _options(parts, opened="@" in netloc or scheme == "unix")
    opened_by, _, hosts = netloc.rpartition("@")
    user, _, password = opened_by.partition(":")
    credentials = Credentials(unquote(user) or None, unquote(password) or None)
    if scheme == "unix":
        if hosts or not parts.path.strip("/"):
            raise ValueError("A Unix socket is named by its whole path.")
        return BusUrl(
            kind, (Address(path=unquote(parts.path)),), _database(options.get("db")), "", credentials
        )
    addresses = tuple(_address(host, _PORTS[kind]) for host in hosts.split(","))
    if kind == "single" and len(addresses) > 1:
        raise ValueError("More than one host needs redis+sentinel:// or redis+cluster://.")
    path = [unquote(part) for part in parts.path.split("/") if part]
    service = path.pop(0) if kind == "sentinel" and path else ""
    if kind == "sentinel" and not service:
        raise ValueError("The name of the service that the sentinels watch is missing.")
    if len(path) > (0 if kind == "cluster" else 1):
        raise ValueError("There is too much in its path.")
    return BusUrl(
        kind,
        addresses,
        _database(path[0] if path else options.get("db")),
        service,
        credentials,
        Credentials(options.get("sentinel_username"), options.get("sentinel_password")),
        _tls(options) if over_tls else None,
    )


def _options(parts: SplitResult, *, opened: bool) -> dict[str, str]:
    """What stands behind the question mark. `opened`: what opens the servers stood where it belongs."""
    found = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    unknown = sorted(found.keys() - _OPTIONS)
    torn = parts.fragment + (parts.query if unknown else "")
    if "@" in (torn if opened else parts.path + torn):
        # What was taken for hosts, path or options is a part of it.
        raise ValueError("A user or password with / ? # or @ in it has %2F, %3F, %23 or %40 there.")
    if unknown:
        raise ValueError(f"Nothing is known of {unknown[0][:40]!r} after the question mark.")
    return {name: value for name, value in found.items() if value}


def _address(host: str, port: int) -> Address:
    """`host`, `host:port` or `[ipv6]:port`."""
    try:
        parts = urlsplit(f"//{host}")
        return Address(parts.hostname or "127.0.0.1", parts.port or port)
    except ValueError:
        raise ValueError("A port is a number up to 65535.") from None


def _database(number: str | None) -> int:
    if number is None:
        return 0
    if not number.isdecimal() or len(number) > 6:
        raise ValueError("A database is a number.")
    return int(number)


def _tls(options: dict[str, str]) -> Tls:
    return Tls(
        options.get("ssl_ca_certs", ""),
        options.get("ssl_certfile", ""),
        options.get("ssl_keyfile", ""),
        options.get("ssl_check_hostname", "yes").lower() not in {"no", "n", "false", "f", "0"},
    )
