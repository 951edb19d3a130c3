"""Which model is used when nobody has chosen one, and how providers and their variables are called.

Pure. A key in one of a provider's variables is enough to use it, and to have it chosen; with none, a server
of one's own that was found on this machine (Ollama, LM Studio, …), then the embedded model. What providers
and servers have is found by `survey`; without that, the first of a provider's preferred models.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from openclaw_gateway.config.schema import Config
from openclaw_gateway.errors import ConfigError
from openclaw_gateway.models.families.served import PREFERRED
from openclaw_gateway.models.providers import BUILT_IN, OTHER_NAMES, SIGN_IN
from openclaw_gateway.models.target import INSTALL_LOCAL

LOCAL_REF = "local/smollm2-135m-instruct"
# How many variables are given as examples, and how many models.
_NAMED = 12
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Survey:
    """What was asked for. `listed` are the models that providers say they have, () of one that did not
    answer; `servers` are those found on this machine, by the name of the provider, with theirs."""

    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    servers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NOTHING_ASKED = Survey()


@dataclass(frozen=True, slots=True)
class Choice:
    """The default model, and one sentence for the operator about why it is this one.

    `asks` is the provider that could say whether it has the model, and has not been asked; `searches`: a
    server on this machine would be taken instead. `remarks` are sentences about providers with a key that
    were passed over.
    """

    ref: str
    why: str
    asks: str = ""
    searches: bool = False
    remarks: tuple[str, ...] = ()


def provider_id(name: str) -> str:
    """A provider's name as everything compares it."""
    folded = name.strip().lower()
    return OTHER_NAMES.get(folded, folded)


def is_known(name: str) -> bool:
    """Whether a provider of that name needs no address, or could not have one."""
    return provider_id(name) in BUILT_IN or provider_id(name) in SIGN_IN


def key_variables(provider: str) -> tuple[str, ...]:
    """The variables a provider's key is looked for in when the configuration has none."""
    if provider in BUILT_IN:
        return BUILT_IN[provider].variables
    return (re.sub(r"[^A-Z0-9]", "_", provider.upper()) + "_API_KEY",)


def key_from(environ: Mapping[str, str], provider: str) -> tuple[str, str] | None:
    """(the variable, its value) for the first of a provider's variables that is set."""
    for name in key_variables(provider):
        if value := environ.get(name, "").strip():
            return name, value
    return None


def choose_default(
    config: Config,
    environ: Mapping[str, str],
    *,
    local_available: bool,
    has_key: Callable[[str], bool] = lambda _: False,
    survey: Survey = NOTHING_ASKED,
) -> Choice:
    """The model of agents that name none. An empty `environ` = keys in the environment do not count;
    `has_key` says whether a provider has one elsewhere.

    Raises ConfigError saying what to do when there is nothing to choose from.
    """
    chosen = config.agents.defaults.model
    if chosen is not None and chosen.primary is not None:
        return Choice(chosen.primary, f"{chosen.primary} is used: agents.defaults.model names it.")
    for name, provider in config.models.providers.items():
        if provider.models:
            ref = f"{name}/{provider.models[0].id}"
            return Choice(ref, f"{ref} is used: it is the first model under models.providers.")
    by_name = config.models.mode == "merge"
    built_in = [name for name in BUILT_IN if by_name and name in PREFERRED]
    remarks: list[str] = []
    for name, why in _with_key(built_in, environ, has_key):
        model = _preferred(name, survey)
        if model is None:
            remarks.append(_nothing_fits(name, why, survey.listed[name]))
            continue
        ref, asks = f"{name}/{model}", "" if name in survey.listed else name
        return Choice(ref, f"{ref} is used: {why} and no model is configured.", asks, remarks=tuple(remarks))
    for name, models in survey.servers.items():
        if by_name and models:
            ref = f"{name}/{models[0]}"
            where = f"{BUILT_IN[name].base_url} answers on this machine and has it"
            return Choice(ref, f"{ref} is used: {where}, and no model is configured.", remarks=tuple(remarks))
    if local_available:
        why = (
            f"{LOCAL_REF} is used: no model is configured and no provider's key is in the environment. "
            "It is a very small model for trying things out; it answers, but it cannot use tools."
        )
        return Choice(LOCAL_REF, why, searches=by_name, remarks=tuple(remarks))
    advice = (
        "There is no model to use. Set agents.defaults.model to a model of models.providers, or "
        f"{_put_a_key() if by_name else ''}install the embedded model: {INSTALL_LOCAL}."
    )
    raise ConfigError([" ".join((advice, *remarks))])


def _with_key(
    built_in: Iterable[str], environ: Mapping[str, str], has_key: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """Providers with a key, and where it is, as the beginning of a sentence. Others than the environment are
    only looked at when they are needed."""
    seen = set()
    for name in built_in:
        if (key := key_from(environ, name)) is not None:
            seen.add(name)
            yield name, f"{key[0]} is set"
    for name in built_in:
        if name not in seen and has_key(name):
            yield name, f"there is a key for {name}"


def _preferred(provider: str, survey: Survey) -> str | None:
    """The first preferred model the provider lists, as it calls it; None = it lists none of them."""
    wanted, listed = PREFERRED[provider], survey.listed.get(provider, ())
    if not listed:
        return wanted[0]
    there = {name.lower(): name for name in listed}
    return next((there[each.lower()] for each in wanted if each.lower() in there), None)


def _nothing_fits(provider: str, why: str, listed: tuple[str, ...]) -> str:
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return (
        f"{why[0].upper()}{why[1:]}, but {provider} has none of the models that would be chosen. It has "
        f"{', '.join(listed[:_LISTED])}{more}; to use one, set agents.defaults.model to {provider}/<model>."
    )


def _put_a_key() -> str:
    # Some providers share a variable, and the key of some is no reason to choose them.
    variables = dict.fromkeys(entry.variables[0] for name, entry in BUILT_IN.items() if name in PREFERRED)
    return f"put a provider's key into the environment ({', '.join([*variables][:_NAMED])}, …), or "
