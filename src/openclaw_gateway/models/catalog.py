"""Which model a reference means: configuration and environment in, targets out.

Pure, and compiled once: an endpoint per provider, made at the start, so that what is prepared for it is
shared by all its models. It must not know agents or sockets.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from openclaw_gateway.config.schema import Config, ModelDefinition, ProviderConfig
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.models.defaults import BUILT_IN, key_from, key_variables, provider_id
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.params import read_cache, read_params
from openclaw_gateway.models.target import LOCAL, Compat, Endpoint, ModelTarget

_DEFAULT_API = "openai-completions"
# Their models refuse a conversation in which a call has lost what was thought before it.
_REASONING_BACK = (".deepseek.com", ".moonshot.ai", ".moonshot.cn")
# Half of the embedded server's context: it serves two requests at once.
_LOCAL_CONTEXT = 2048


class Catalog:
    """Every provider that is configured or known by its key."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._defaults = config.agents.defaults
        self._providers = {provider_id(name): entry for name, entry in config.models.providers.items()}
        self._keyless: set[str] = set()
        self._endpoints: dict[str, Endpoint] = {}
        for name, entry in config.models.providers.items():
            self._endpoints[provider_id(name)] = _configured(name, entry, environ)
        if config.models.mode == "merge":
            for name, built_in in BUILT_IN.items():
                key = key_from(environ, name)
                if name not in self._endpoints and key:
                    self._endpoints[name] = Endpoint(name, built_in.base_url, key[1])
                elif name not in self._endpoints:
                    self._keyless.add(name)
        self._endpoints.setdefault(LOCAL, Endpoint(LOCAL, ""))
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
        return frozenset(self._endpoints) | self._keyless

    def credentials(self) -> Mapping[str, tuple[str | None, ...]]:
        """Where each provider is and its keys, in order: what tells whether a failure of one still counts."""
        return {
            each.provider: (each.base_url, each.api_key, *(other.api_key for other in each.further))
            for each in self._endpoints.values()
        }

    def resolve(self, ref: str, *, params: Mapping[str, Any] | None = None) -> ModelTarget:
        """`provider/model`, an alias, or the id of exactly one configured model.

        `params` are an agent's own. Raises InvalidRequest (model_not_found) or ConfigError.
        """
        provider, model = self._split(ref)
        endpoint = self._endpoints.get(provider)
        if endpoint is None:
            raise self._unknown(provider, ref)
        entry = self._providers.get(provider)
        definition = next((item for item in entry.models if item.id == model), None) if entry else None
        built_in = BUILT_IN[provider].api if provider in BUILT_IN else _DEFAULT_API
        api = (definition and definition.api) or (entry.api if entry else built_in)
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

    def _unknown(self, provider: str, ref: str) -> InvalidRequest:
        if provider in self._keyless:
            variables = " or ".join(key_variables(provider))
            text = (
                f"There is no API key for {provider}: set {variables}, "
                f"or configure models.providers.{provider}."
            )
        else:
            text = (
                f'The provider "{provider}" of the model "{ref}" is not configured. {self._known()} '
                f"A further one is added under models.providers.{provider}."
            )
        return InvalidRequest(text, code="model_not_found", param="model")

    def _known(self) -> str:
        models = ", ".join([*self._aliases, *self.refs()][:20])
        providers = ", ".join(self._endpoints)
        return f"Providers: {providers}." + (f" Models: {models}." if models else "")


def _configured(name: str, entry: ProviderConfig, environ: Mapping[str, str]) -> Endpoint:
    key = entry.api_key
    if not key and (found := key_from(environ, provider_id(name))) is not None:
        key = found[1]
    keys = list(dict.fromkeys(each for each in (key, *entry.api_keys) if each))
    endpoint = Endpoint(
        name,
        entry.base_url.rstrip("/"),
        keys[0] if keys else None,
        entry.headers,
        entry.auth_header,
        entry.timeout_seconds,
    )
    return replace(endpoint, further=tuple(replace(endpoint, api_key=other) for other in keys[1:]))


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
