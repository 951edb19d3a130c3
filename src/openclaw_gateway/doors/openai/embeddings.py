"""A request for embeddings, and the answer to it.

Pure. Source: platform.openai.com/docs/api-reference/embeddings/create. The `openai` packages ask for base64
unless told otherwise: float32 numbers, little-endian.
"""

import struct
from base64 import b64encode
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from openclaw_gateway.doors.openai.body import Body, parse
from openclaw_gateway.doors.openai.chat import nameable
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.embedding import EmbeddingRequest, Input

Encoding = Literal["float", "base64"]

# OpenAI's own.
MOST_INPUTS = 2048
_MOST_DIMENSIONS = 65_536
_STRING = msgspec.json.Decoder(str)
_INTEGER = msgspec.json.Decoder(int)
_ENCODING: msgspec.json.Decoder[Encoding] = msgspec.json.Decoder(Encoding)
_INPUT = msgspec.json.Decoder(str | list[str | int | list[int]])
_encode = msgspec.json.Encoder().encode


class EmbeddingsBody(Struct, frozen=True):
    """`ignored` names the fields that had no effect."""

    request: EmbeddingRequest
    encoding: Encoding
    model: str | None = None
    ignored: tuple[str, ...] = ()


def decode_embeddings(data: bytes, max_depth: int) -> EmbeddingsBody:
    """Raises InvalidRequest."""
    return read_embeddings(parse(data, max_depth))


def read_embeddings(body: Body) -> EmbeddingsBody:
    """Raises InvalidRequest."""
    inputs = _inputs(body)
    dimensions = body.take("dimensions", _INTEGER)
    if dimensions is not None and not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise InvalidRequest(
            f"`dimensions` must be from 1 to {_MOST_DIMENSIONS}: how many numbers a vector shall have.",
            param="dimensions",
        )
    encoding: Encoding = body.take("encoding_format", _ENCODING) or "float"
    model = body.take("model", _STRING)
    # Nothing here depends on it, and nobody has to know that.
    body.take("user", _STRING)
    return EmbeddingsBody(EmbeddingRequest(inputs, dimensions), encoding, model, nameable(body.left))


def _inputs(body: Body) -> tuple[Input, ...]:
    sent = body.take("input", _INPUT)
    if sent is None:
        raise InvalidRequest("`input` is required: a text, or an array of texts.", param="input")
    if isinstance(sent, str):
        return _whole((sent,))
    if len(sent) > MOST_INPUTS and not isinstance(sent[0], int):
        raise InvalidRequest(
            f"`input` has {len(sent)} entries, and {MOST_INPUTS} are taken at most. Send several requests.",
            param="input",
        )
    kinds = {type(each) for each in sent}
    if len(kinds) > 1:
        raise InvalidRequest(
            "`input` must hold only texts, or only numbers of tokens, or only arrays of those.", param="input"
        )
    if kinds == {int}:
        return _whole((tuple(sent),))
    return _whole(tuple(each if isinstance(each, str) else tuple(each) for each in sent))


def _whole(inputs: tuple[Input, ...]) -> tuple[Input, ...]:
    if not inputs or not all(inputs):
        raise InvalidRequest(
            "`input` must not be empty, nor hold anything empty: nothing has no vector.", param="input"
        )
    if any(min(each) < 0 for each in inputs if not isinstance(each, str)):
        raise InvalidRequest("`input`: numbers of tokens begin at 0.", param="input")
    return inputs


def as_float(vector: Sequence[float]) -> bytes:
    return _encode(vector)


def as_base64(vector: Sequence[float]) -> bytes:
    return b'"' + b64encode(struct.pack(f"<{len(vector)}f", *vector)) + b'"'


WRITTEN = {"float": as_float, "base64": as_base64}


def embeddings_answer(vectors: Sequence[bytes], model: str, prompt_tokens: int) -> bytes:
    """`vectors` are written already; `model` is the name that was asked for."""
    data = b",".join(
        b'{"object":"embedding","index":%d,"embedding":%b}' % (index, vector)
        for index, vector in enumerate(vectors)
    )
    return b'{"object":"list","data":[%b],"model":%b,"usage":{"prompt_tokens":%d,"total_tokens":%d}}' % (
        data,
        _encode(model),
        prompt_tokens,
        prompt_tokens,
    )
