"""An operator's `params` for a model, from several places of the configuration, as typed settings.

Pure. The names are those the two systems use, in either spelling; what is not a setting of a request
(and not in `extraBody`) is somebody else's and left alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from openclaw_gateway.errors import ConfigError
from openclaw_gateway.wire.run import Sampling

_NAMES = {
    "temperature": "temperature",
    "topP": "top_p",
    "top_p": "top_p",
    "maxTokens": "max_tokens",
    "max_tokens": "max_tokens",
    "maxOutputTokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "stop": "stop",
    "seed": "seed",
    "frequencyPenalty": "frequency_penalty",
    "frequency_penalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
    "presence_penalty": "presence_penalty",
    "reasoningEffort": "reasoning_effort",
    "reasoning_effort": "reasoning_effort",
    "responseFormat": "response_format",
    "response_format": "response_format",
}
_CACHE = {"none": "", "short": "5m", "long": "1h", "5m": "5m", "1h": "1h"}
_EXTRA = ("extraBody", "extra_body")


def read_params(
    layers: Iterable[Mapping[str, Any]], where: str, reserved: frozenset[str]
) -> tuple[Sampling, dict[str, Any]]:
    """(settings, further fields of the request); a later layer wins. Raises ConfigError naming `where`.

    `reserved` are the fields the dialect writes itself.
    """
    settings: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for layer in layers:
        body: dict[str, Any] = next((layer[name] for name in _EXTRA if isinstance(layer.get(name), dict)), {})
        extra.update(body)
        # A setting under extraBody is the same setting, so that a request's own still comes first.
        for name, value in [*body.items(), *layer.items()]:
            if name in _NAMES and value is not None:
                settings[_NAMES[name]] = value
    form: Raw | UnsetType = UNSET
    if "response_format" in settings:
        form = Raw(msgspec.json.encode(settings.pop("response_format")))
    if isinstance(settings.get("stop"), str):
        settings["stop"] = (settings["stop"],)
    try:
        sampling = msgspec.convert(settings, Sampling)
    except msgspec.ValidationError as error:
        raise ConfigError([f"The params of {where} are wrong: {error}."]) from None
    extra = {name: value for name, value in extra.items() if name not in reserved and name not in _NAMES}
    return msgspec.structs.replace(sampling, response_format=form), extra


def read_keep_alive(layers: Iterable[Mapping[str, Any]]) -> str | int | None:
    """How long a server shall keep a model loaded: a duration ("10m"), or seconds, -1 = for ever; a later
    layer wins."""
    kept: str | int | None = None
    for layer in layers:
        for name in ("keep_alive", "keepAlive"):
            value = layer.get(name)
            kept = value if isinstance(value, str | int) and not isinstance(value, bool) else kept
    return kept


def read_window(layers: Iterable[Mapping[str, Any]]) -> int | None:
    """The context a server shall load a model with, in tokens; a later layer wins."""
    found: int | None = None
    for layer in layers:
        for name in ("num_ctx", "numCtx"):
            value = layer.get(name)
            # JSON's true is a Python int, and no number of tokens.
            found = value if type(value) is int and value > 0 else found
    return found


def read_cache(layers: Iterable[Mapping[str, Any]]) -> str:
    """How long a prompt is to be kept by the provider; a later layer wins."""
    kept = "5m"
    for layer in layers:
        for name in ("cacheControlTtl", "cacheRetention"):
            kept = _CACHE.get(str(layer.get(name)), kept)
    return kept
