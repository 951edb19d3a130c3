"""Asks what there is: a provider which models it has, and this machine which model servers run on it.

One request each, at a start and by whoever says so, never for a run. What does not answer in time, or answers
something else, is not there. Nothing is said to a server but the request for its list: a port may belong to
another program. Must not know how a model is chosen from what was found.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.providers import BUILT_IN
from openclaw_gateway.models.target import Endpoint

# What a start waits for all that it asks, one after the other.
ANSWER_S = 2.0
_HERE_S = 0.7
_MOST_BYTES = 16 << 20
_MOST_MODELS = 2000
# Models that do not chat, and those that a server here only passes on to somebody else.
_NOT_FOR_US = ("embed", "rerank", "whisper", "-cloud", ":cloud")


class Server(Struct, frozen=True):
    """A program on this machine: the provider's name, and whose models it says they are, which tells it from
    other programs at the same port; "" = nothing more than the shape of its list."""

    provider: str
    owner: str = ""


SERVERS = (Server("ollama"), Server("lmstudio"), Server("llamacpp", "llamacpp"), Server("vllm", "vllm"))


async def ask(endpoint: Endpoint, api: str, until: float) -> tuple[str, ...]:
    """The ids of the models an account has, in the provider's order; () = there is no telling. `until` is a
    time of the event loop. Raises TimeoutError, ProviderError."""
    async with asyncio.timeout_at(until):
        return tuple(_ids(_entries(await _fetched(endpoint, api))))


async def servers_here(servers: Iterable[Server] = SERVERS) -> Mapping[str, tuple[str, ...]]:
    """By the name of the provider, in the order of `servers`, the models of those that have one for us."""
    asked = list(servers)
    found = await asyncio.gather(*map(_models_here, asked))
    return {server.provider: models for server, models in zip(asked, found, strict=True) if models}


async def _models_here(server: Server) -> tuple[str, ...]:
    known = BUILT_IN[server.provider]
    try:
        async with asyncio.timeout(_HERE_S):
            entries = _entries(await _fetched(Endpoint(server.provider, known.base_url), known.api))
    except (TimeoutError, GatewayError):
        return ()
    if server.owner and not any(each.get("owned_by") == server.owner for each in entries):
        return ()
    return tuple(each for each in _ids(entries) if not any(part in each.lower() for part in _NOT_FOR_US))


async def _fetched(endpoint: Endpoint, api: str) -> Any:
    """Raises ProviderError."""
    client = UpstreamClient(Limits(max_upstream_response_bytes=_MOST_BYTES))
    try:
        response = await client.get(endpoint, _path(endpoint, api), DIALECTS[api].headers)
        try:
            return msgspec.json.decode(await response.read_all()) if response.status == 200 else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        finally:
            response.close()
    finally:
        await client.close()


def _path(endpoint: Endpoint, api: str) -> str:
    match api:
        case "ollama":
            return "/api/tags"
        case "google-generative-ai":
            return "/models?pageSize=1000"
        case "anthropic-messages":
            return f"{'' if endpoint.base_url.endswith('/v1') else '/v1'}/models?limit=1000"
        case _:
            return "/models"


def _entries(answer: Any) -> list[dict[str, Any]]:
    """The list, wherever a vendor puts it."""
    if isinstance(answer, dict):
        answer = answer.get("data", answer.get("models"))
    if not isinstance(answer, list):
        return []
    return [each for each in answer[:_MOST_MODELS] if isinstance(each, dict)]


def _ids(entries: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    today = date.today().isoformat()
    for entry in entries:
        named = entry.get("id") or entry.get("name")
        gone = entry.get("shutdown_date")
        if isinstance(named, str) and named and not (isinstance(gone, str) and gone <= today):
            yield named.removeprefix("models/")
