"""What is right in a configuration and yet perhaps not what was meant. Pure: no start is refused for it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from openclaw_gateway.agents.homes import homes_of, shared_homes
from openclaw_gateway.blueprint.keys_notes import keys_notes
from openclaw_gateway.blueprint.written import agents_in, any_above, places_of
from openclaw_gateway.config.agent_id import normal_agent_id
from openclaw_gateway.config.load import LoadedConfig, Partly
from openclaw_gateway.config.places import KeyPath, Problem, dotted
from openclaw_gateway.config.rules import agent_ids, tool_scopes
from openclaw_gateway.config.secrets.profiles import Stores
from openclaw_gateway.config.substitute import substitute
from openclaw_gateway.config.wording import nearest
from openclaw_gateway.models.azure import is_azure
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import provider_id
from openclaw_gateway.models.providers import BUILT_IN
from openclaw_gateway.tools.policy.patterns import pattern_problems

_OPENAI = "openai-completions"


def notes_of(read: Partly, catalog: Catalog, stores: Stores) -> tuple[Problem, ...]:
    """Each once. What depends on a part that could not be read is not judged."""
    loaded, unread = read.loaded, places_of(read.unread)
    found: list[Problem] = [*_defaults(loaded), *keys_notes(loaded, catalog.endpoints, stores)]
    if not any_above(unread, ("models", "providers")):
        found += [*_providers(loaded, catalog), *_bare_urls(loaded)]
    if not any_above(unread, ("mcp", "servers")):
        found += pattern_problems(loaded.document, loaded.environ)
    if not (read.unread or read.broken):
        found += [*_renamed(loaded), *_shared(loaded), *_temperatures(loaded)]
    return tuple(dict.fromkeys(note for note in found if not any_above(unread, note.path)))


def _defaults(loaded: LoadedConfig) -> Iterator[Problem]:
    """All agents that are the default one, but for the first."""
    where = agents_in(loaded)
    first, *others = [entry.id for entry in loaded.config.agents.entries if entry.default] or [""]
    for agent in others:
        yield Problem(
            (*where[agent], "default"),
            f"is true as well as that of {dotted(where[first])}, which alone counts; keep one",
        )


def _providers(loaded: LoadedConfig, catalog: Catalog) -> Iterator[Problem]:
    """Entries of `tools.byProvider` that hold for no model there is."""
    written = loaded.document.get("models", {}).get("providers", {})
    known = catalog.endpoints.names() | {provider_id(name) for name in written}
    for path, tools in tool_scopes(loaded.document):
        for key in tools.get("byProvider", {}):
            name = provider_id(key.partition("/")[0])
            if name not in known:
                near = nearest(name, known)
                hint = f'did you mean "{near}"?' if near else "remove it, or add the provider"
                yield Problem((*path, "byProvider", key), f"names no provider, so it holds nowhere; {hint}")


def _bare_urls(loaded: LoadedConfig) -> Iterator[Problem]:
    """Base URLs of nothing but a host, where servers of the OpenAI API answer below /v1."""
    for name, provider in loaded.config.models.providers.items():
        url = provider.base_url
        known = BUILT_IN.get(provider_id(name))
        api = provider.api or (known.api if known and not provider.models else _OPENAI)
        if not url or is_azure(url) or api not in {_OPENAI, "openai-responses"}:
            continue
        parts = urlsplit(url)
        if parts.path.strip("/"):
            continue
        yield Problem(
            ("models", "providers", name, "baseUrl"),
            "names a host and no path; nearly every server of the OpenAI API answers below /v1: if this one "
            "answers 404, write /v1 behind it.",
        )


def _renamed(loaded: LoadedConfig) -> Iterator[Problem]:
    """Ids that are not what they say; upper and lower case are the same to everybody."""
    for path, written in agent_ids(loaded.document):
        text = written if path[1] == "entries" else substitute(written, loaded.environ)
        became = normal_agent_id(text)
        if became != text.strip().lower():
            yield Problem(path, f'the agent "{text}" is called "{became}".')


def _shared(loaded: LoadedConfig) -> Iterator[Problem]:
    for folder, agents in shared_homes(homes_of(loaded).values()):
        yield Problem(("agents",), f"{', '.join(agents)} share one workspace, {folder}.")


def _temperatures(loaded: LoadedConfig) -> Iterator[Problem]:
    for section in ("models", "agents"):
        for path, params in _params(loaded.document.get(section), (section,)):
            value = params.get("temperature")
            if isinstance(value, int | float) and not 0 <= value <= 2:
                yield Problem((*path, "temperature"), f"is {value}; providers take 0 to 2.")


def _params(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """Every `params` object in `value`, and where."""
    match value:
        case dict():
            for key, item in value.items():
                if key == "params" and isinstance(item, dict):
                    yield (*path, key), item
                else:
                    yield from _params(item, (*path, key))
        case list():
            for at, item in enumerate(value):
                yield from _params(item, (*path, at))
        case _:
            pass
