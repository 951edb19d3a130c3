"""The sampling fields of a chat request: what they may hold, and the sentence when they hold else.

Pure. Ranges are OpenAI's. What is valid is passed on; what the provider makes of it is its business.
"""

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.doors.openai.body import Body
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.run import Sampling

_NUMBER = msgspec.json.Decoder(float)
_INTEGER = msgspec.json.Decoder(int)
_STRING = msgspec.json.Decoder(str)
_STOP = msgspec.json.Decoder(str | list[str])
_MAX_INTEGER = 2**63 - 1
_MAX_WORD = 32


class _Format(Struct, frozen=True):
    type: str


_FORMAT = msgspec.json.Decoder(_Format)


_NAMES = frozenset({*Sampling.__struct_fields__, "max_completion_tokens"})
_NONE = Sampling()


def take_sampling(body: Body) -> Sampling:
    """Raises InvalidRequest naming the field."""
    if not body.has_any(_NAMES):
        return _NONE
    limit = positive(body, "max_completion_tokens")
    older = positive(body, "max_tokens")
    return Sampling(
        temperature=_number(body, "temperature", 0, 2),
        top_p=_number(body, "top_p", 0, 1),
        max_tokens=limit if limit is not UNSET else older,
        stop=_stop(body),
        seed=_integer(body, "seed"),
        frequency_penalty=_number(body, "frequency_penalty", -2, 2),
        presence_penalty=_number(body, "presence_penalty", -2, 2),
        reasoning_effort=_word(body, "reasoning_effort"),
        response_format=_response_format(body),
    )


def _number(body: Body, name: str, low: int, high: int) -> float | UnsetType:
    value = body.take(name, _NUMBER)
    if value is None:
        return UNSET
    if not low <= value <= high:
        raise InvalidRequest(f"`{name}` must be between {low} and {high}.", param=name)
    return value


def _integer(body: Body, name: str) -> int | UnsetType:
    value = body.take(name, _INTEGER)
    if value is None:
        return UNSET
    if abs(value) > _MAX_INTEGER:
        raise InvalidRequest(f"`{name}` must fit into 64 bits.", param=name)
    return value


def positive(body: Body, name: str) -> int | UnsetType:
    """Raises InvalidRequest naming the field."""
    value = _integer(body, name)
    if value is not UNSET and value <= 0:
        raise InvalidRequest(f"`{name}` must be larger than 0.", param=name)
    return value


def _word(body: Body, name: str) -> str | UnsetType:
    return word_of(body.take(name, _STRING), name)


def word_of(value: str | None, name: str) -> str | UnsetType:
    """A short one that the provider knows. Raises InvalidRequest naming the field."""
    if not value:
        return UNSET
    if len(value) > _MAX_WORD:
        raise InvalidRequest(f"`{name}` may have at most {_MAX_WORD} characters.", param=name)
    return value


def _stop(body: Body) -> tuple[str, ...] | UnsetType:
    value = body.take("stop", _STOP)
    if value is None or value == []:
        return UNSET
    entries = (value,) if isinstance(value, str) else tuple(value)
    if len(entries) > 4:
        raise InvalidRequest("`stop` supports at most 4 sequences.", param="stop")
    if not all(entries):
        raise InvalidRequest("`stop` entries must be non-empty strings.", param="stop")
    return entries


def _response_format(body: Body) -> Raw | UnsetType:
    raw = body.peek("response_format") if body.has("response_format") else UNSET
    wanted = body.take("response_format", _FORMAT)
    if raw is UNSET or wanted is None:
        return UNSET
    if wanted.type not in {"text", "json_object", "json_schema"}:
        raise InvalidRequest(
            "`response_format.type` must be text, json_object or json_schema.",
            param="response_format.type",
        )
    return raw.copy()
