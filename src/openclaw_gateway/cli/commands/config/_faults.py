"""What is wrong with a configuration beside its keys and values: what shows when its parts are put together.

Looks at what a start would refuse, and at names in the tools' policy that mean nothing. Where a part could
not be read, what depends on it is not judged. Starts nothing.
"""

import contextlib
from collections.abc import Iterable, Iterator

from openclaw_gateway.agents.roster import compile_roster
from openclaw_gateway.config.agent_id import normal_agent_id
from openclaw_gateway.config.auth import check_exposure, resolve_auth
from openclaw_gateway.config.include import KEY as INCLUDE
from openclaw_gateway.config.listen import resolve_bind, resolve_port
from openclaw_gateway.config.load import LoadedConfig, Partly
from openclaw_gateway.config.places import KeyPath, Problem, dotted
from openclaw_gateway.config.rules import agent_ids, tool_scopes
from openclaw_gateway.config.substitute import substitute
from openclaw_gateway.config.wording import nearest
from openclaw_gateway.errors import ConfigError, GatewayError, StartupError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import choose_default, provider_id
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.tools.patterns import pattern_problems

_PROVIDERS = ("models", "providers")


def faults(partly: Partly) -> tuple[list[str], list[Problem]]:
    """What is wrong around the files, as whole sentences, and what is wrong in them."""
    loaded = partly.loaded
    catalog = Catalog(loaded.config, loaded.environ)
    put_together = [_placed(sentence) for sentence in _start(partly)]
    inside = [each for each in put_together if isinstance(each, Problem)]
    unread = [_parent_of_include(problem.path) for problem in partly.unread]
    if not _any_above(unread, _PROVIDERS):
        inside += [*_models(loaded, catalog, unread), *_providers(loaded, catalog)]
    if not _any_above(unread, ("mcp", "servers")):
        inside += pattern_problems(loaded.document, loaded.environ)
    inside += _defaults(loaded)
    inside = [problem for problem in inside if not _any_above(unread, problem.path)]
    return [each for each in put_together if isinstance(each, str)], list(dict.fromkeys(inside))


def _start(partly: Partly) -> list[str]:
    """What a start finds before it looks at the agents."""
    config, environ = partly.loaded.config, partly.loaded.environ
    faulty = [_parent_of_include(problem.path) for problem in (*partly.unread, *partly.broken)]
    auth = (("gateway", "auth"), ("env",))
    bind = (*auth, ("gateway", "bind"), ("gateway", "customBindHost"))
    models = (("agents", "defaults", "model"), ("models",), ("env",))
    sentences: list[str] = []
    if not _any_near(faulty, *auth):
        with _into(sentences):
            resolve_auth(config.gateway.auth, environ=environ)
    if not _any_near(faulty, ("gateway", "port")):
        with _into(sentences):
            resolve_port(config, environ=environ)
    if not _any_near(faulty, *bind):
        with _into(sentences):
            check_exposure(resolve_bind(config)[0], resolve_auth(config.gateway.auth, environ=environ))
    if not _any_near(faulty, *models):
        with _into(sentences):
            embedded = LocalModel.from_environment(environ).unavailable() is None
            choose_default(config, environ, local_available=embedded)
    return list(dict.fromkeys(sentences))


def _parent_of_include(path: KeyPath) -> KeyPath:
    """What a faulty `$include` takes away is what it stands in."""
    return path[:-1] if path and path[-1] == INCLUDE else path


def _any_above(faulty: Iterable[KeyPath], path: KeyPath) -> bool:
    """Whether what stands at `path` is missing for one of these faults."""
    return any(path[: len(each)] == each for each in faulty)


def _any_near(faulty: Iterable[KeyPath], *paths: KeyPath) -> bool:
    """Whether one of these faults is above or below one of `paths`."""
    return any(path[: len(each)] == each[: len(path)] for path in paths for each in faulty)


@contextlib.contextmanager
def _into(sentences: list[str]) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        sentences += error.problems
    except StartupError as error:
        sentences.append(f"gateway.bind: {error.message}")


def _placed(sentence: str) -> str | Problem:
    """A sentence that begins with a key of the file belongs to that key."""
    key, _, message = sentence.partition(": ")
    return Problem(tuple(key.split(".")), message) if key.startswith("gateway.") else sentence


def _models(loaded: LoadedConfig, catalog: Catalog, unread: list[KeyPath]) -> Iterator[Problem]:
    """Every model an agent names, its own or the one all share. A start resolves them just so."""
    if _any_near(unread, ("env",)):
        # A provider's key may be what could not be read.
        return
    where = agents_in(loaded)
    providers = {provider_id(str(path[2])) for path in unread if path[:2] == _PROVIDERS and len(path) > 2}
    aliases = bool(providers) or _any_near(unread, ("agents", "defaults", "models"))
    own = {entry.id for entry in loaded.config.agents.entries if entry.model is not None}
    for agent in compile_roster(loaded.config.agents):
        entry = where[agent.id] if agent.id in own else ("agents", "defaults")
        for ref in (agent.model, *agent.fallbacks):
            if ref is None or (aliases and "/" not in ref):
                continue
            if provider_id(ref.partition("/")[0]) in providers:
                continue
            try:
                catalog.resolve(ref, params={**agent.model_params.get(ref, {}), **agent.params})
            except GatewayError as error:
                yield Problem((*entry, "model"), error.message)


def _defaults(loaded: LoadedConfig) -> Iterator[Problem]:
    """All agents that are the default one, but for the first."""
    where = agents_in(loaded)
    first, *others = [entry.id for entry in loaded.config.agents.entries if entry.default] or [""]
    for agent in others:
        yield Problem(
            (*where[agent], "default"),
            f"is true as well as that of {dotted(where[first])}, but only one agent is the default; keep one",
        )


def agents_in(loaded: LoadedConfig) -> dict[str, KeyPath]:
    """Where each agent is written. A key is taken as it stands, an id may hold a variable."""
    where: dict[str, KeyPath] = {}
    for path, written in agent_ids(loaded.document):
        if path[1] == "list":
            where[normal_agent_id(substitute(written, loaded.environ))] = path[:-1]
        else:
            where[normal_agent_id(written)] = path
    return where


def _providers(loaded: LoadedConfig, catalog: Catalog) -> Iterator[Problem]:
    """Entries of `tools.byProvider` that hold for no model there is."""
    written = loaded.document.get("models", {}).get("providers", {})
    known = catalog.provider_names() | {provider_id(name) for name in written}
    for path, tools in tool_scopes(loaded.document):
        for key in tools.get("byProvider", {}):
            name = provider_id(key.partition("/")[0])
            if name not in known:
                near = nearest(name, known)
                hint = f'did you mean "{near}"?' if near else "remove it, or add the provider"
                yield Problem((*path, "byProvider", key), f"names no provider, so it holds nowhere; {hint}")
