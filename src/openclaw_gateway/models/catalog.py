"""Which model a reference means: configuration and environment in, targets out.

Compiled once: an endpoint per provider and set of keys, made at the start, so that what is prepared for it is
shared by all its models. Pure but for the secrets that `keys` looks up. It must not know sockets.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from openclaw_gateway.config.places import dotted
from openclaw_gateway.config.schema import Config, ModelDefinition, ProviderConfig
from openclaw_gateway.config.secrets import Unresolved, Unset
from openclaw_gateway.config.wording import missing_variables
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.models.defaults import key_from, key_variables, provider_id
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.keys import Keys, ProviderKeys
from openclaw_gateway.models.params import read_cache, read_params
from openclaw_gateway.models.providers import BUILT_IN, SIGN_IN, BuiltIn
from openclaw_gateway.models.target import LOCAL, Compat, Endpoint, ModelTarget

_DEFAULT_API = "openai-completions"
# Their models refuse a conversation in which a call has lost what was thought before it.
_REASONING_BACK = (".deepseek.com", ".moonshot.ai", ".moonshot.cn")
# Half of the embedded server's context: it serves two requests at once.
_LOCAL_CONTEXT = 2048
# What a stored profile of an account fills into its provider's address.
_OF_ACCOUNT = {"<account id>": "accountId", "<gateway id>": "gatewayId"}


class Catalog:
    """Every provider that is configured or known by its name. An endpoint is made when it is first wanted."""

    def __init__(self, config: Config, environ: Mapping[str, str], keys: Keys | None = None) -> None:
        self._defaults = config.agents.defaults
        self._keys = Keys(config, environ) if keys is None else keys
        self._providers = {provider_id(name): entry for name, entry in config.models.providers.items()}
        self._names = {provider_id(name): name for name in config.models.providers}
        self._known_by_name = {*BUILT_IN, *SIGN_IN} if config.models.mode == "merge" else set()
        self._with_key = [
            name
            for name in (BUILT_IN if config.models.mode == "merge" else ())
            if name not in self._providers and key_from(environ, name) is not None
        ]
        self._endpoints: dict[tuple[str, tuple[str, ...]], Endpoint] = {}
        self._unused: dict[tuple[str, str], None] = {}
        self._aliases = {
            entry.alias.strip().lower(): ref for ref, entry in self._defaults.models.items() if entry.alias
        }
        self._shared = {
            (provider_id(ref.partition("/")[0]), ref.partition("/")[2]): entry
            for ref, entry in self._defaults.models.items()
        }

    def refs(self) -> tuple[str, ...]:
        """Every model the configuration lists, as references, in its order."""
        return tuple(
            f"{name}/{model.id}" for name, entry in self._providers.items() for model in entry.models
        )

    def provider_names(self) -> frozenset[str]:
        """Every provider a target can carry, also those that only lack their key."""
        return frozenset((*self._providers, *self._known_by_name, LOCAL))

    def credentials(self) -> Mapping[str, tuple[str | None, ...]]:
        """Where each circle of keys leads, and its keys in order: what tells whether a failure of one still
        counts. Of the providers that have been wanted."""
        return {
            each.circle: (each.base_url, each.api_key, *(other.api_key for other in each.further))
            for each in self._endpoints.values()
        }

    def keyless(self) -> tuple[str, ...]:
        """The names, as configured, of providers that have been wanted, are elsewhere, and have no key."""
        return tuple(
            dict.fromkeys(
                each.provider for each in self._endpoints.values() if not each.api_key and _is_elsewhere(each)
            )
        )

    def unused(self) -> tuple[tuple[str, str], ...]:
        """(the name of a provider that has been wanted and has a key, why another key of it is not used)."""
        return tuple(self._unused)

    def resolve(self, ref: str, *, params: Mapping[str, Any] | None = None, agent: str = "") -> ModelTarget:
        """`provider/model`, an alias, or the id of exactly one configured model.

        `params` are an agent's own, `agent` is its id. Raises InvalidRequest (model_not_found) where the
        model cannot be had, ConfigError where its settings are wrong.
        """
        provider, model = self._split(ref)
        endpoint = self._endpoint(provider, ref, agent)
        entry = self._providers.get(provider)
        definition = next((item for item in entry.models if item.id == model), None) if entry else None
        api = (definition and definition.api) or (entry and entry.api) or _usual_api(provider, model, entry)
        if api not in DIALECTS and provider in SIGN_IN:
            raise _signed_in_to(endpoint.provider, provider)
        if api not in DIALECTS:
            where = f"models.providers.{endpoint.provider}"
            raise InvalidRequest(
                f'The model {provider}/{model} uses the API "{api}", which is not spoken yet. If the '
                f'provider also has an OpenAI-compatible API, set {where}.api to "{_DEFAULT_API}" and '
                f"{where}.baseUrl to it.",
                code="model_not_found",
                param="model",
            )
        shared = self._shared.get((provider, model))
        layers = (
            entry.params if entry else {},
            definition.params if definition else {},
            self._defaults.params,
            shared.params if shared else {},
            params or {},
        )
        sampling, extra = read_params(layers, f"{provider}/{model}", DIALECTS[api].RESERVED)
        embedded = provider == LOCAL and not endpoint.base_url
        return ModelTarget(
            endpoint,
            model,
            api=api,
            context_window=_LOCAL_CONTEXT if embedded else self._context(definition),
            max_tokens=definition.max_tokens if definition else None,
            sampling=sampling,
            extra_body=extra,
            compat=_compat(endpoint, definition),
            # Without one, the embedded model introduces itself by its maker's name, in French.
            system="You are a helpful assistant." if embedded else "",
            tools=not embedded and (not definition or definition.compat.get("supportsTools") is not False),
            cache=read_cache(layers),
            images=not embedded and (not definition or "image" in definition.input),
        )

    def _split(self, ref: str) -> tuple[str, str]:
        """The provider's id and the model's, after aliases."""
        text = ref.strip()
        text = self._aliases.get(text.lower(), text)
        provider, slash, model = text.partition("/")
        if slash and model.strip():
            return provider_id(provider), model.strip()
        found = [each for each in self.refs() if each.partition("/")[2] == text]
        if len(found) == 1:
            return found[0].partition("/")[0], text
        what = f"fits {', '.join(found)}" if found else "is no alias and no configured model"
        raise InvalidRequest(
            f'The model "{ref}" {what}. Write it as provider/model. {self._known()}',
            code="model_not_found",
            param="model",
        )

    def _context(self, definition: ModelDefinition | None) -> int | None:
        sizes = (definition.context_window if definition else None, self._defaults.context_tokens)
        return min((size for size in sizes if size is not None), default=None)

    def _endpoint(self, provider: str, ref: str, agent: str) -> Endpoint:
        """Of a provider, with the keys the agent has for it. Raises InvalidRequest."""
        entry = self._providers.get(provider)
        if provider == LOCAL and entry is None:
            return self._endpoints.setdefault((LOCAL, ()), Endpoint(LOCAL, ""))
        if entry is None and provider not in self._known_by_name:
            raise self._unknown(provider, ref)
        name = self._names.get(provider, provider)
        if provider in SIGN_IN and (entry is None or entry.base_url is None):
            raise _signed_in_to(name, provider)
        built_in = BUILT_IN.get(provider)
        if entry is not None:
            self._check_complete(name, entry)
        try:
            found = self._keys.of(provider, agent)
            headers = self._headers(name, entry)
        except Unresolved as error:
            raise _not_to_be_had(str(error)) from None
        base_url = entry.base_url if entry is not None else None
        if not base_url and built_in is not None:
            base_url = _address(built_in, name, found.account)
        if not base_url:
            raise _not_to_be_had(
                f"models.providers.{name}.baseUrl is missing, and no provider is known by that name; add it."
            )
        own = entry is not None and entry.base_url is not None
        needed = not own and built_in is not None and not built_in.keyless and not headers
        if not found.keys and (needed or found.unused):
            raise _not_to_be_had(_no_key(provider, found))
        self._unused.update(dict.fromkeys((name, reason) for reason in found.unused))
        made = self._endpoints.get((provider, found.keys))
        if made is None:
            others = sum(known == provider for known, _ in self._endpoints)
            endpoint = Endpoint(
                name,
                base_url.rstrip("/"),
                headers=headers,
                auth_header=entry.auth_header if entry is not None else True,
                timeout_s=entry.timeout_seconds if entry is not None else None,
                circle=f"{name}#{others}" if others else name,
            )
            made = _with_keys(endpoint, found.keys)
            self._endpoints[provider, found.keys] = made
        return made

    def _check_complete(self, name: str, entry: ProviderConfig) -> None:
        """Raises InvalidRequest when a part of it needs a variable that is not set."""
        for path, what in self._keys.wanted(name).items():
            if isinstance(what, Unset) and path[3] not in {"apiKey", "apiKeys"}:
                raise _not_to_be_had(f"{dotted(path)} {missing_variables(list(what.names))}.")

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

    def _unknown(self, provider: str, ref: str) -> InvalidRequest:
        return _not_to_be_had(
            f'The provider "{provider}" of the model "{ref}" is not configured. {self._known()} '
            f"A further one is added under models.providers.{provider}."
        )

    def _known(self) -> str:
        models = ", ".join([*self._aliases, *self.refs()][:20])
        providers = ", ".join([*self._names.values(), *self._with_key, LOCAL])
        return f"Providers: {providers}." + (f" Models: {models}." if models else "")


def _not_to_be_had(why: str) -> InvalidRequest:
    return InvalidRequest(why, code="model_not_found", param="model")


def _signed_in_to(name: str, provider: str) -> InvalidRequest:
    return _not_to_be_had(f"The provider {name} signs in with {SIGN_IN[provider]}.")


def _usual_api(provider: str, model: str, entry: ProviderConfig | None) -> str:
    """What is spoken where the file does not say. At an address of its own with models of its own it is a
    server like any other, whatever its name, as in the system we follow."""
    own = entry is not None and entry.base_url is not None and bool(entry.models)
    return BUILT_IN[provider].api_of(model) if provider in BUILT_IN and not own else _DEFAULT_API


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
        raise _not_to_be_had(
            f"The provider {name} has an address per account: set models.providers.{name}.baseUrl to "
            f"{address}."
        )
    return address


def _with_keys(endpoint: Endpoint, keys: tuple[str, ...]) -> Endpoint:
    if not keys:
        return endpoint
    further = tuple(replace(endpoint, api_key=other) for other in keys[1:])
    return replace(endpoint, api_key=keys[0], further=further)


def _is_elsewhere(endpoint: Endpoint) -> bool:
    """Whether it is asked over the internet, with nothing that says who asks."""
    parts = urlsplit(endpoint.base_url)
    host = parts.hostname or ""
    if endpoint.headers or parts.username or "." not in host or host.endswith((".local", ".internal")):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return True


def _compat(endpoint: Endpoint, definition: ModelDefinition | None) -> Compat:
    said = definition.compat if definition else {}
    host = urlsplit(endpoint.base_url).hostname or ""
    field = said.get("maxTokensField")
    if field not in ("max_tokens", "max_completion_tokens"):
        field = "max_completion_tokens" if host == "api.openai.com" else "max_tokens"
    back = said.get("requiresReasoningContentOnAssistantMessages")
    efforts = said.get("supportedReasoningEfforts")
    names = said.get("reasoningEffortMap")
    return Compat(
        field,
        usage_in_stream=said.get("supportsUsageInStreaming") is not False,
        reasoning_effort=said.get("supportsReasoningEffort") is not False,
        efforts=tuple(map(str, efforts)) if isinstance(efforts, list) else (),
        effort_names={str(k): str(v) for k, v in names.items()} if isinstance(names, dict) else {},
        tool_result_name=said.get("requiresToolResultName") is True,
        reasoning_back=back if isinstance(back, bool) else f".{host}".endswith(_REASONING_BACK),
    )
