"""The dialect `ollama`: what configurations name that is spoken to Ollama through its OpenAI-compatible mode.

Pure. Ollama's own API is not spoken: its OpenAI mode has tools, images, schemas, reasoning and usage, and
what it lacks (the size of the context, how long a model stays loaded) is set where Ollama runs:
OLLAMA_CONTEXT_LENGTH, OLLAMA_KEEP_ALIVE. It must not know sockets, retries or configuration.
"""

from collections.abc import Mapping

from openclaw_gateway.models.apis import openai_completions
from openclaw_gateway.models.apis.openai_completions_stream import ChunkParser
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor

API = "ollama"

RESERVED: frozenset[str] = openai_completions.RESERVED


def path(target: ModelTarget) -> str:
    # Configurations for Ollama's own API name its address without a version.
    return "/chat/completions" if target.endpoint.base_url.endswith("/v1") else "/v1/chat/completions"


def headers(endpoint: Endpoint) -> Mapping[str, str]:
    return openai_completions.headers(endpoint)


def body(target: ModelTarget, request: ModelRequest, *, stream_usage: bool) -> bytes:
    return openai_completions.body(target, request, stream_usage=stream_usage)


def parser(vendor: Vendor) -> ChunkParser:
    return openai_completions.parser(vendor)


def unsupported(target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
    names = openai_completions.unsupported(target, request)
    # Its OpenAI mode reads over both.
    if request.tools and request.tool_choice != "auto":
        names = (*names, "tool_choice")
    if request.tools and request.parallel_tool_calls is not None:
        names = (*names, "parallel_tool_calls")
    return names
