"""Where each provider is and with which keys it is asked: made when a model of it is first wanted.

One endpoint per provider, address and set of keys, so that what is prepared for it is shared by its models.
Pure but for the secrets that `keys` looks up. What cannot be had says why and what to do; knows no models.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from openclaw_gateway.config.places import dotted
from openclaw_gateway.config.schema import Config, ProviderConfig
from openclaw_gateway.config.secrets.references import Unresolved, Unset
from openclaw_gateway.config.wording import missing_variables
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.models import azure
from openclaw_gateway.models.defaults import key_from, key_variables, provider_id
from openclaw_gateway.models.keys import Keys, ProviderKeys
from openclaw_gateway.models.providers import BUILT_IN, SIGN_IN, BuiltIn
from openclaw_gateway.models.target import LOCAL, Endpoint

# What a stored profile of an account fills into its provider's address.
_OF_ACCOUNT = {"<account id>": "accountId", "<gateway id>": "gatewayId"}


class Endpoints:
    """Of every provider that is configured or known by its name."""

    def __init__(self, config: Config, environ: Mapping[str, str], keys: Keys) -> None:
        self._keys = keys
        self._entries = {provider_id(name): (name, each) for name, each in config.models.providers.items()}
        by_name = config.models.mode == "merge"
        self._names = frozenset((*self._entries, *((*BUILT_IN, *SIGN_IN) if by_name else ()), LOCAL))
        with_key = (each for each in BUILT_IN if by_name and key_from(environ, each) is not None)
        self._usable = [name for name, _ in self._entries.values()]
        self._usable += [each for each in with_key if each not in self._entries]
        self._made: dict[tuple[str, str, tuple[str, ...]], Endpoint] = {}
        self._unused: dict[tuple[str, str], None] = {}

    def names(self) -> frozenset[str]:
        """Every provider a target can carry, also those that only lack their key."""
        return self._names

    def usable(self) -> list[str]:
        """Those that are configured or have a key in the environment, as the operator calls them."""
        return [*self._usable, LOCAL]

    def credentials(self) -> Mapping[str, tuple[str | None, ...]]:
        """Where each circle of keys leads, and its keys in order: what tells whether a failure of one still
        counts. Of the providers that have been wanted."""
        return {
            each.circle: (each.base_url, each.api_key, *(other.api_key for other in each.further))
            for each in self._made.values()
        }

    def keyless(self) -> tuple[str, ...]:
        """The names, as configured, of providers that have been wanted, are elsewhere, and have no key."""
        without = filter(_is_anonymous, self._made.values())
        return tuple(dict.fromkeys(each.provider for each in without))

    def unused(self) -> tuple[tuple[str, str], ...]:
        """(the name of a provider that has been wanted and can be had, why a key of it is not used)."""
        return tuple(self._unused)

    def of(self, provider: str, agent: str) -> Endpoint:
        """With the keys the agent has for it; `provider` is one of `names`. Raises InvalidRequest."""
        name, entry = self._entries.get(provider, (provider, None))
        if provider == LOCAL and entry is None:
            return self._made.setdefault((LOCAL, "", ()), Endpoint(LOCAL, ""))
        if provider in SIGN_IN and (entry is None or entry.base_url is None):
            raise signed_in_to(name, provider)
        self._check_complete(name)
        try:
            found = self._keys.of(provider, agent)
            headers = self._headers(name, entry)
        except Unresolved as error:
            raise not_to_be_had(str(error)) from None
        built_in = BUILT_IN.get(provider)
        base_url = entry.base_url if entry is not None else None
        needed = not base_url and built_in is not None and not headers
        if not found.keys and (needed or found.unused) and not (built_in and built_in.keyless):
            raise NoKey(_no_key(provider, found), code="model_not_found", param="model")
        if not base_url and built_in is not None:
            base_url = _address(built_in, name, found.account)
        if not base_url:
            raise not_to_be_had(
                f"models.providers.{name}.baseUrl is missing, and no provider is known by that name; add it."
            )
        self._unused.update(dict.fromkeys((name, reason) for reason in found.unused))
        which = (provider, azure.address(base_url.rstrip("/")), found.keys)
        if which not in self._made:
            others = sum(known == provider for known, *_ in self._made)
            circle = f"{name}#{others}" if others else name
            endpoint = Endpoint(name, which[1], headers=headers, circle=circle)
            if entry is not None:
                endpoint = replace(endpoint, auth_header=entry.auth_header, timeout_s=entry.timeout_seconds)
            self._made[which] = _with_keys(endpoint, found.keys)
        return self._made[which]

    def _check_complete(self, name: str) -> None:
        """Raises InvalidRequest when a part of it needs a variable that is not set."""
        for path, what in self._keys.wanted(name).items():
            if isinstance(what, Unset) and path[3] not in {"apiKey", "apiKeys"}:
                raise not_to_be_had(f"{dotted(path)} {missing_variables(list(what.names))}.")

    def _headers(self, name: str, entry: ProviderConfig | None) -> Mapping[str, str]:
        """Raises Unresolved."""
        headers = dict(entry.headers) if entry is not None else {}
        for path in self._keys.wanted(name):
            if path[3] == "headers" and len(path) == 5:
                try:
                    headers[str(path[4])] = self._keys.header(path)
                except Unresolved as error:
                    raise Unresolved(f"{dotted(path)} {error}.") from None
        return headers


class NoKey(InvalidRequest):
    """The provider is known, and nothing that opens it."""


def not_to_be_had(why: str) -> InvalidRequest:
    return InvalidRequest(why, code="model_not_found", param="model")


def signed_in_to(name: str, provider: str) -> InvalidRequest:
    return not_to_be_had(f"The provider {name} signs in with {SIGN_IN[provider]}.")


def _no_key(provider: str, found: ProviderKeys) -> str:
    variables = " or ".join(key_variables(provider))
    what = f"set {variables}, or configure models.providers.{provider}.apiKey."
    signed_in = "What is stored for it is the sign-in of an account, which this gateway does not use."
    why = (*found.unused, *((signed_in,) if found.signed_in else ()))
    return " ".join((f"There is no API key for {provider}: {what}", *why))


def _address(built_in: BuiltIn, name: str, account: Mapping[str, str]) -> str:
    """The provider's, filled in where it has one per account. Raises InvalidRequest."""
    if built_in.base_url:
        return built_in.base_url
    address = built_in.hint
    for place, key in _OF_ACCOUNT.items():
        address = address.replace(place, account.get(key, place))
    if "<" in address:
        raise not_to_be_had(
            f"The provider {name} has an address per account: set models.providers.{name}.baseUrl to "
            f"{address}."
        )
    return address


def _with_keys(endpoint: Endpoint, keys: tuple[str, ...]) -> Endpoint:
    if not keys:
        return endpoint
    further = tuple(replace(endpoint, api_key=other) for other in keys[1:])
    return replace(endpoint, api_key=keys[0], further=further)


def _is_anonymous(endpoint: Endpoint) -> bool:
    """Whether it is asked over the internet, with nothing that says who asks."""
    said = endpoint.api_key or endpoint.headers or urlsplit(endpoint.base_url).username
    return not said and is_elsewhere(endpoint)


def is_elsewhere(endpoint: Endpoint) -> bool:
    """Whether it is somewhere in the internet, and not on this machine or near it."""
    host = urlsplit(endpoint.base_url).hostname or ""
    if "." not in host or host.endswith((".local", ".internal")):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return True
