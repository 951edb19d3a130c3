"""The vectors of the scripted model server: of a text always the same ones, as each wire dialect says them.

Plain data in, bytes out. Written without the gateway's own dialects, as the other voices are.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import msgspec

SIZE = 8


def is_for_vectors(path: str) -> bool:
    return path.endswith(("/embeddings", "/api/embed", ":batchEmbedContents"))


def vector_of(given: str | list[int], size: int = SIZE) -> list[float]:
    """Of length 1; the beginnings of a text's vectors all point the same way."""
    seed = hashlib.sha256(repr(given).encode()).digest()
    numbers = [(seed[at % len(seed)] + at) / 256 - 0.5 for at in range(size)]
    norm = math.hypot(*numbers)
    return [number / norm for number in numbers]


def tokens_of(given: str | list[int]) -> int:
    """Words, or what is counted already."""
    return len(given.split() if isinstance(given, str) else given)


def vectors_said(path: str, body: Mapping[str, Any], *, counted: bool) -> bytes:
    """The answer to a request; `counted`: with the tokens."""
    if path.endswith(":batchEmbedContents"):
        asked = body["requests"]
        texts = [each["content"]["parts"][0]["text"] for each in asked]
        vectors = [vector_of(text, asked[0].get("outputDimensionality") or SIZE) for text in texts]
        usage = {"usageMetadata": {"promptTokenCount": sum(map(tokens_of, texts))}} if counted else {}
        return msgspec.json.encode({"embeddings": [{"values": each} for each in vectors], **usage})
    sent = body["input"]
    one = isinstance(sent, str) or isinstance(sent[0], int)
    inputs = [sent] if one else sent
    size = body.get("dimensions") or body.get("output_dimension") or SIZE
    vectors = [vector_of(each, size) for each in inputs]
    tokens = sum(map(tokens_of, inputs))
    if path.endswith("/api/embed"):
        counts = {"prompt_eval_count": tokens} if counted else {}
        return msgspec.json.encode({"model": body["model"], "embeddings": vectors, **counts})
    data = [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(vectors)]
    usage = {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}} if counted else {}
    # In any order: the index says which is whose.
    return msgspec.json.encode({"object": "list", "data": data[::-1], "model": body["model"], **usage})
