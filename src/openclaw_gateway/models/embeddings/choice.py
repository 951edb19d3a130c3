"""Which model makes an agent's vectors, from the configuration and the keys there are.

Pure but for the secrets that are looked up for a provider. What `memorySearch` names is used or refused,
never replaced: vectors of two models do not compare, so that nobody may get another model's without a word.
Only where it names no provider, the first one with a key is taken, else the embedded model. A client
chooses nothing: what costs money is the operator's word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from msgspec.structs import replace as struct_with

from openclaw_gateway.config.places import KeyPath, dotted
from openclaw_gateway.config.schema import Config, MemoryRemote, MemorySearch
from openclaw_gateway.config.secrets.references import Unresolved
from openclaw_gateway.errors import EmbeddingsUnavailable, GatewayError
from openclaw_gateway.models import azure
from openclaw_gateway.models.defaults import LOCAL_REF, provider_id
from openclaw_gateway.models.embeddings.dialects import Habits, Speech, habits
from openclaw_gateway.models.endpoints import Endpoints
from openclaw_gateway.models.families.vectors import VECTORS, VECTORS_HERE
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.keys import Outside
from openclaw_gateway.models.providers import BUILT_IN
from openclaw_gateway.models.target import INSTALL_LOCAL, LOCAL, Endpoint, ModelTarget

_DEFAULTS = {**VECTORS, **VECTORS_HERE, LOCAL: LOCAL_REF.partition("/")[2]}
_INSTALL = f"install the embedded model: {INSTALL_LOCAL}."
_GENERIC = "openai-compatible"
_OTHER_NAMES = {"bedrock": "amazon-bedrock"}
_SPEECHES: Mapping[str, Speech] = {
    "openai-completions": "openai",
    "openai-responses": "openai",
    "azure-openai-responses": "openai",
    "google-generative-ai": "google",
    "ollama": "ollama",
}
_WHERE = "agents.defaults.memorySearch"


@dataclass(frozen=True, eq=False)
class Embedding:
    """A model that makes vectors; `dimensions` where a request says none."""

    target: ModelTarget
    speech: Speech
    habits: Habits
    dimensions: int | None = None
    input_type: str | None = None

    @property
    def is_embedded(self) -> bool:
        return self.target.provider == LOCAL and not self.target.endpoint.base_url


class EmbeddingChoice:
    """Of one configuration. `embedded`: whether the embedded model is there; `places` are where in the file
    each agent is."""

    def __init__(
        self,
        config: Config,
        endpoints: Endpoints,
        outside: Outside,
        places: Mapping[str, KeyPath],
        *,
        embedded: bool,
    ) -> None:
        self._defaults = config.agents.defaults.memory_search
        self._own = {each.id: each.memory_search for each in config.agents.entries}
        self._apis = {provider_id(name): entry.api for name, entry in config.models.providers.items()}
        self._endpoints = endpoints
        self._outside = outside
        self._places = places
        self._embedded = embedded

    def of(self, agent: str) -> Embedding:
        """Blocks as the sources of secrets do. Raises EmbeddingsUnavailable."""
        chosen = self._filled(self._defaults, ("agents", "defaults"))
        if agent in self._places and agent in self._own:
            chosen = _over(self._filled(self._own[agent], self._places[agent]), chosen)
        name = provider_id(chosen.provider or "auto")
        if name == "none":
            raise EmbeddingsUnavailable(f'{_WHERE}.provider is "none": there is no model for embeddings.')
        if name != "auto":
            return self._named(_OTHER_NAMES.get(name, name), chosen, agent)
        if chosen.remote.base_url:
            return self._named(_GENERIC, chosen, agent)
        if chosen.model is not None:
            before = provider_id(chosen.model.partition("/")[0])
            known = "/" in chosen.model and before in self._endpoints.names()
            return self._named(before if known else "openai", chosen, agent)
        return self._first(chosen, agent)

    def _filled(self, section: MemorySearch, place: KeyPath) -> MemorySearch:
        """With the secrets that the file only refers to."""
        here = (*place, "memorySearch")
        remote = section.remote
        for path, what in self._outside.wanted.items():
            if path[: len(here)] != here:
                continue
            try:
                value = self._outside.secrets.line(what)
            except Unresolved as error:
                raise EmbeddingsUnavailable(f"{dotted(path)} {error}.") from None
            match path[len(here) :]:
                case ("remote", "headers", str() as name):
                    remote = struct_with(remote, headers={**remote.headers, name: value})
                case ("remote", "apiKey"):
                    remote = struct_with(remote, api_key=value)
                case _:
                    pass
        return struct_with(section, remote=remote)

    def _first(self, chosen: MemorySearch, agent: str) -> Embedding:
        for name in VECTORS:
            if name in self._endpoints.names() and (found := self._with_key(name, agent)) is not None:
                return self._made(name, found, chosen)
        if not self._embedded:
            variables = ", ".join(BUILT_IN[name].variables[0] for name in VECTORS)
            raise EmbeddingsUnavailable(
                f"There is no model for embeddings. Put a provider's key into the environment ({variables}), "
                f"name a provider and its model in {_WHERE}, or {_INSTALL}"
            )
        return self._made(LOCAL, self._endpoints.of(LOCAL, agent), chosen)

    def _with_key(self, name: str, agent: str) -> Endpoint | None:
        try:
            found = self._endpoints.of(name, agent)
        except GatewayError:
            return None
        return found if found.api_key else None

    def _named(self, name: str, chosen: MemorySearch, agent: str) -> Embedding:
        remote = chosen.remote
        known = name in self._endpoints.names()
        if not known and not remote.base_url:
            raise EmbeddingsUnavailable(
                f'{_WHERE}.provider is "{name}", which is not configured: set {_WHERE}.remote.baseUrl, or '
                f"add models.providers.{name}."
            )
        url = remote.base_url or (BUILT_IN[name].base_url if name in BUILT_IN else "")
        if not known or (remote.api_key and url):
            # No other address's key goes there.
            endpoint = Endpoint(name, url, remote.api_key, circle=f"{name}#memorySearch")
        else:
            try:
                endpoint = self._endpoints.of(name, agent)
            except GatewayError as error:
                raise EmbeddingsUnavailable(f"{_WHERE}: {error.message}") from None
        if name == LOCAL and not endpoint.base_url and not self._embedded:
            raise EmbeddingsUnavailable(f'{_WHERE}.provider is "local": {_INSTALL}')
        return self._made(name, _changed(endpoint, remote), chosen)

    def _made(self, name: str, endpoint: Endpoint, chosen: MemorySearch) -> Embedding:
        speech = self._speech(name, endpoint)
        model = (chosen.model or _DEFAULTS.get(name, "")).removeprefix(f"{name}/")
        if not model:
            raise EmbeddingsUnavailable(
                f"Which model of {name} makes embeddings is not said: set {_WHERE}.model."
            )
        target = ModelTarget(endpoint, model, api=speech, family=Family())
        kind = chosen.document_input_type or chosen.input_type
        known = habits(name, speech, endpoint.base_url)
        return Embedding(target, speech, known, chosen.output_dimensionality, kind)

    def _speech(self, name: str, endpoint: Endpoint) -> Speech:
        api: str | None = self._apis.get(name)
        if api is None:
            own = name not in BUILT_IN or endpoint.base_url.endswith("/openai")
            api = "openai-completions" if own else BUILT_IN[name].api
        if api not in _SPEECHES:
            raise EmbeddingsUnavailable(
                f"The provider {name} has no API for embeddings ({api}): name another one in "
                f"{_WHERE}.provider."
            )
        return _SPEECHES[api]


def _over(own: MemorySearch, defaults: MemorySearch) -> MemorySearch:
    """Another provider than the defaults' has another model, address and key."""
    if own.provider is not None and own.provider != defaults.provider:
        return own
    remote = MemoryRemote(
        own.remote.base_url or defaults.remote.base_url,
        own.remote.api_key or defaults.remote.api_key,
        {**defaults.remote.headers, **own.remote.headers},
    )
    return MemorySearch(
        own.provider or defaults.provider,
        own.model or defaults.model,
        own.output_dimensionality or defaults.output_dimensionality,
        own.input_type or defaults.input_type,
        own.document_input_type or defaults.document_input_type,
        remote,
    )


def _changed(endpoint: Endpoint, remote: MemoryRemote) -> Endpoint:
    """The provider's, with what `remote` says instead."""
    if not (remote.base_url or remote.api_key or remote.headers):
        return endpoint
    url = azure.address((remote.base_url or endpoint.base_url).rstrip("/"))
    changed = replace(endpoint, base_url=url, headers={**endpoint.headers, **remote.headers})
    if remote.api_key:
        circle = f"{endpoint.provider}#memorySearch"
        return replace(changed, api_key=remote.api_key, further=(), circle=circle)
    further = tuple(replace(changed, api_key=each.api_key, further=()) for each in endpoint.further)
    return replace(changed, further=further)
