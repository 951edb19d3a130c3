"""How models that make vectors are asked, and what they answer: three shapes, and where vendors differ.

Pure. Taken from the documents, not tried against the vendors: docs.mistral.ai, docs.voyageai.com
(`output_dimension`), docs.cohere.com/docs/compatibility-api (takes no `dimensions`),
platform.openai.com/docs/api-reference/embeddings, ai.google.dev/api/embeddings, docs.ollama.com/api/embed.
Vectors are always asked for as numbers, which is everybody's default, and taken in base64 too.
"""

from array import array
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.azure import is_azure
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.wire.embedding import Input

Speech = Literal["openai", "google", "ollama"]
Vector = list[float]


@dataclass(frozen=True, slots=True)
class Habits:
    """`most_inputs` and `most_chars` are how much goes into one request; `dimensions` is the field for the
    length of the vectors, "" where there is none; `tokens` says whether numbers of tokens are taken."""

    most_inputs: int = 32
    most_chars: int = 100_000
    dimensions: str = "dimensions"
    tokens: bool = True


_OPENAI = Habits(most_inputs=64)
_OTHERS = Habits()
_BY_VENDOR = {
    "openai": _OPENAI,
    "azure-openai": _OPENAI,
    "microsoft-foundry": _OPENAI,
    "mistral": Habits(most_chars=30_000, dimensions="output_dimension", tokens=False),
    "voyage": Habits(most_inputs=64, dimensions="output_dimension", tokens=False),
    "cohere": Habits(most_inputs=64, dimensions="", tokens=False),
    "lmstudio": Habits(tokens=False),
    "local": Habits(most_inputs=8, dimensions=""),
}
_NATIVE = Habits(most_inputs=64, tokens=False)


class Asked(Struct, frozen=True):
    """One request for vectors."""

    target: ModelTarget
    speech: Speech
    inputs: Sequence[Input]
    dimensions: int | None = None
    input_type: str | None = None


class _Part(Struct):
    text: Input


class _Content(Struct):
    parts: tuple[_Part]


class _GoogleInput(Struct, rename="camel"):
    model: str
    content: _Content
    output_dimensionality: int | UnsetType = UNSET


class _GoogleRequest(Struct):
    requests: list[_GoogleInput]


class _Usage(Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class _Datum(Struct):
    embedding: Vector | str
    index: int | None = None


class _OpenAIAnswer(Struct):
    data: list[_Datum] = []
    usage: _Usage | None = None
    error: Any = None


class _GoogleVector(Struct):
    values: Vector


class _GoogleUsage(Struct, rename="camel"):
    prompt_token_count: int | None = None


class _GoogleAnswer(Struct, rename="camel"):
    embeddings: list[_GoogleVector] = []
    usage_metadata: _GoogleUsage | None = None
    error: Any = None


class _OllamaAnswer(Struct):
    embeddings: list[Vector] = []
    prompt_eval_count: int | None = None
    error: Any = None


_encode = msgspec.json.Encoder().encode
_openai = msgspec.json.Decoder(_OpenAIAnswer)
_google = msgspec.json.Decoder(_GoogleAnswer)
_ollama = msgspec.json.Decoder(_OllamaAnswer)


def habits(provider: str, speech: Speech, base_url: str) -> Habits:
    """`provider` is its id."""
    if speech != "openai":
        return _NATIVE
    return _OPENAI if is_azure(base_url) else _BY_VENDOR.get(provider, _OTHERS)


def path(target: ModelTarget, speech: Speech) -> str:
    if speech == "google":
        return f"/models/{_bare(target)}:batchEmbedContents"
    if speech == "ollama":
        # Who has used the OpenAI mode has its version in the address.
        return "/../api/embed" if target.endpoint.base_url.endswith("/v1") else "/api/embed"
    if target.endpoint.deployments:
        return f"/deployments/{target.model}/embeddings"
    return "/embeddings"


def body(asked: Asked, known: Habits) -> bytes:
    target, dimensions = asked.target, asked.dimensions
    if asked.speech == "google":
        size = UNSET if dimensions is None else dimensions
        name = f"models/{_bare(target)}"
        parts = (_Content((_Part(text),)) for text in asked.inputs)
        return _encode(_GoogleRequest([_GoogleInput(name, content, size) for content in parts]))
    fields: dict[str, object] = {"model": target.model, "input": asked.inputs}
    if dimensions is not None and known.dimensions:
        fields[known.dimensions] = dimensions
    if asked.speech == "ollama":
        # Half a text would have a vector, too.
        fields["truncate"] = False
    elif asked.input_type is not None:
        fields["input_type"] = asked.input_type
    return _encode(fields)


def read(vendor: Vendor, speech: Speech, answer: bytes, count: int) -> tuple[list[Vector], int]:
    """(the vectors in the order of the inputs, the tokens as the provider counts them, 0 where it does not
    say). Raises ProviderError for whatever is not `count` vectors."""
    try:
        vectors, tokens, error = _read(speech, answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, NotBase64, ValueError):
        raise _bad(vendor, "sent something else than vectors") from None
    if error is not None and not vectors:
        raise from_stream(vendor, error)
    if len(vectors) != count:
        raise _bad(vendor, f"sent {len(vectors)} vectors for {count} inputs")
    if not all(vectors):
        raise _bad(vendor, "sent a vector without numbers")
    if len(set(map(len, vectors))) > 1:
        raise _bad(vendor, "sent vectors of several lengths")
    return vectors, tokens


def _read(speech: Speech, answer: bytes) -> tuple[list[Vector], int, Any]:
    match speech:
        case "google":
            google = _google.decode(answer)
            counted = google.usage_metadata.prompt_token_count if google.usage_metadata else None
            return [each.values for each in google.embeddings], counted or 0, google.error
        case "ollama":
            ollama = _ollama.decode(answer)
            return ollama.embeddings, ollama.prompt_eval_count or 0, ollama.error
        case "openai":
            openai = _openai.decode(answer)
            data, usage = openai.data, openai.usage or _Usage()
            places = {datum.index for datum in data if datum.index is not None}
            if len(places) == len(data):
                data = sorted(data, key=lambda datum: datum.index or 0)
            tokens = usage.prompt_tokens or usage.total_tokens or 0
            return [_numbers(datum.embedding) for datum in data], tokens, openai.error


def _numbers(sent: Vector | str) -> Vector:
    """Raises ValueError for what is no float32s in base64."""
    if not isinstance(sent, str):
        return sent
    packed = array("f")
    packed.frombytes(b64decode(sent, validate=True))
    return packed.tolist()


def _bare(target: ModelTarget) -> str:
    return target.model.removeprefix("models/")


def _bad(vendor: Vendor, what: str) -> ProviderError:
    return ProviderError(
        "bad_response",
        f"The provider {vendor.provider} {what}. Check that the model makes embeddings "
        "(agents.defaults.memorySearch.model), and the provider's baseUrl.",
    )
