"""Which model a reference means: configuration and environment in, targets out.

Compiled once, at the start. Pure but for the secrets that are looked up for a provider that is first wanted.
It must not know sockets, nor where a provider is.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from openclaw_gateway.config.schema import Config, ModelCost, ModelDefinition, ProviderConfig
from openclaw_gateway.models.corrections import corrected
from openclaw_gateway.models.defaults import provider_id
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.endpoints import Endpoints, is_elsewhere, not_to_be_had, signed_in_to
from openclaw_gateway.models.families import family_of
from openclaw_gateway.models.families.served import spoken
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.keys import Keys
from openclaw_gateway.models.params import read_cache, read_keep_alive, read_params, read_window
from openclaw_gateway.models.price import Price
from openclaw_gateway.models.providers import BUILT_IN, SIGN_IN
from openclaw_gateway.models.target import LOCAL, Endpoint, ModelTarget

_DEFAULT_API = "openai-completions"
# Only the address differs, and who asks is shown another way.
_SAME = {"azure-openai-responses": "openai-responses"}
# Half of the embedded server's context: it serves two requests at once.
_LOCAL_CONTEXT = 2048
# Where Ollama is, and what its OpenAI mode keeps of a prompt unless it was started to keep more.
_OLLAMA_PORT = 11434
_OLLAMA_CUTS = 4096
# More than Ollama's own, which is too small for an agent's tools, and not so much that small machines suffer.
_LOADED = 16384
# Those that can be told of a recording.
_HEARING = (_DEFAULT_API, "google-generative-ai")
_EMBEDDED = Family(known=True, tools=False, images=False)


class Catalog:
    """The models of every provider that is configured or known by its name; `endpoints` are those so far."""

    def __init__(self, config: Config, environ: Mapping[str, str], keys: Keys | None = None) -> None:
        self.endpoints = Endpoints(config, environ, Keys(config, environ) if keys is None else keys)
        self._defaults = config.agents.defaults
        self._providers = {provider_id(name): entry for name, entry in config.models.providers.items()}
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

    def resolve(self, ref: str, *, params: Mapping[str, Any] | None = None, agent: str = "") -> ModelTarget:
        """`provider/model`, an alias, or the id of exactly one configured model.

        `params` are an agent's own, `agent` is its id. Raises InvalidRequest (model_not_found) where the
        model cannot be had, ConfigError where its settings are wrong.
        """
        provider, model = self._split(ref)
        if provider not in self.endpoints.names():
            raise not_to_be_had(
                f'The provider "{provider}" of the model "{ref}" is not configured. {self._known()} '
                f"A further one is added under models.providers.{provider}."
            )
        endpoint = self.endpoints.of(provider, agent)
        entry = self._providers.get(provider)
        definition = next((item for item in entry.models if item.id == model), None) if entry else None
        written = (definition and definition.api) or (entry and entry.api)
        api = _SAME.get(written or "", written) or _usual_api(provider, model, entry)
        if api not in DIALECTS and provider in SIGN_IN:
            raise signed_in_to(endpoint.provider, provider)
        if api not in DIALECTS:
            where = f"models.providers.{endpoint.provider}"
            raise not_to_be_had(
                f'The model {provider}/{model} uses the API "{api}", which is not spoken yet. If the '
                f'provider also has an OpenAI-compatible API, set {where}.api to "{_DEFAULT_API}" and '
                f"{where}.baseUrl to it."
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
        family = _EMBEDDED if embedded else _family(provider, endpoint, api, model, definition)
        window = definition.context_window if definition else None
        if api == "ollama":
            window = read_window(layers) or window or _loaded(endpoint, family)
            if (keep := read_keep_alive(layers)) is not None:
                extra = {"keep_alive": keep, **extra}
        return ModelTarget(
            endpoint,
            model,
            api=api,
            context_window=_LOCAL_CONTEXT if embedded else self._context(window, family),
            max_tokens=definition.max_tokens if definition else None,
            sampling=sampling,
            extra_body=extra,
            family=family,
            # Without one, the embedded model introduces itself by its maker's name, in French.
            system="You are a helpful assistant." if embedded else "",
            cache=read_cache(layers),
            price=_price(definition.cost if definition else None),
        )

    def reference(self, named: str) -> str:
        """`provider/model` of what is named as for `resolve`. Raises InvalidRequest where it names none."""
        return "/".join(self._split(named))

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
        raise not_to_be_had(f'The model "{ref}" {what}. Write it as provider/model. {self._known()}')

    def _context(self, window: int | None, family: Family) -> int | None:
        sizes = (window or family.context, self._defaults.context_tokens)
        return min((size for size in sizes if size is not None), default=None)

    def _known(self) -> str:
        models = ", ".join([*self._aliases, *self.refs()][:20])
        return f"Providers: {', '.join(self.endpoints.usable())}." + (f" Models: {models}." if models else "")


def _usual_api(provider: str, model: str, entry: ProviderConfig | None) -> str:
    """What is spoken where the file does not say. At an address of its own with models of its own it is a
    server like any other, whatever its name, as in the system we follow; and so where the address says it."""
    url = None if entry is None else entry.base_url
    own = url is not None and (url.rstrip("/").endswith("/openai") or bool(entry and entry.models))
    if provider not in BUILT_IN or own:
        return _DEFAULT_API
    return spoken(provider, model) or BUILT_IN[provider].api


def _family(
    provider: str, endpoint: Endpoint, api: str, model: str, definition: ModelDefinition | None
) -> Family:
    """What is known of it, with the operator's corrections."""
    address = urlsplit(endpoint.base_url)
    known = family_of(provider, address.hostname or "", api, model)
    if api == _DEFAULT_API and (provider == "ollama" or address.port == _OLLAMA_PORT):
        known = replace(known, cuts_at=_OLLAMA_CUTS)
    if definition is None:
        return known
    # What nobody knows and the operator has listed as it stands sees nothing, as in the system we follow.
    given = definition.input
    sees = known.known and known.images if given is None else "image" in given
    hears = known.audio or ("audio" in (given or ()) and api in _HEARING)
    thinks = known.reasons or definition.reasoning
    known = replace(known, images=sees, pdf=known.pdf and sees, audio=hears, reasons=thinks)
    return corrected(known, definition.compat)


def _loaded(endpoint: Endpoint, family: Family) -> int | None:
    """The context a model is loaded with where nobody has said any; elsewhere that is not ours to say."""
    return None if is_elsewhere(endpoint) else min(family.context or _LOADED, _LOADED)


def _price(cost: ModelCost | None) -> Price | None:
    """None where the file does not say what is asked and what is answered costs. What it does not say of the
    provider's cache costs as much as anything else that is asked."""
    if cost is None or cost.input is None or cost.output is None:
        return None
    read, written = cost.cache_read, cost.cache_write
    return Price(
        cost.input,
        cost.output,
        cost.input if read is None else read,
        cost.input if written is None else written,
    )
