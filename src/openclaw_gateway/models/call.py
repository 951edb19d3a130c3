"""Opens one model call: a target and a request in, a ModelAnswer out, or an error that says why not.

A thin shell: it asks a dialect what to send, and the upstream client to send it. One attempt; what comes
after a failure is decided in `fallback`. It must not know sessions, agents or who is listening.
"""

import time
from collections.abc import Awaitable, Callable

import structlog
from msgspec.structs import replace

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models import toolless
from openclaw_gateway.models.apis.dialect import Parser
from openclaw_gateway.models.apis.openai_completions.api import refuses_stream_options
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.fitted_tools import FittedTools
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.large_images import leave_out, put_in
from openclaw_gateway.models.model_answer import ModelAnswer
from openclaw_gateway.models.replay import replay
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import LOCAL, Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import from_response, retry_after_s
from openclaw_gateway.wire.run import NamedTool

log = structlog.get_logger()

_BYTES_A_TOKEN = 4
# Where the embedded model is; starts it if need be.
LocalEndpoint = Callable[[], Awaitable[Endpoint]]


class ModelCaller:
    """Makes model calls. `local` is asked where the embedded model is, for targets that mean it."""

    def __init__(
        self,
        client: UpstreamClient,
        local: LocalEndpoint | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._local = local
        self._now = now
        self._tools = FittedTools()
        # Providers that refused `stream_options`, so that each is asked in vain only once.
        self._without_usage: set[str] = set()
        # Models of which it has been said that they cut long prompts.
        self._warned: set[str] = set()

    async def open(self, target: ModelTarget, request: ModelRequest, key: int = 0) -> ModelAnswer:
        """The beginning of an answer, which the caller reads and must close, whatever happens.

        `key` is the place of the key to use among those of the target's provider. Raises ProviderError.
        """
        wrap: Callable[[Parser], Parser] | None = None
        if not target.family.tools:
            wrap = toolless.wrapper(request)
            request = toolless.without_tools(request)
        request = self._fit(request, target)
        dialect = DIALECTS[target.api]
        endpoint = await self._endpoint(target, key)
        vendor = endpoint.vendor
        stream_usage = target.family.usage_in_stream and target.provider not in self._without_usage
        resent = False
        request, images = leave_out(request)
        while True:
            body = put_in(dialect.body(target, request, stream_usage=stream_usage), images)
            if target.family.cuts_at is not None:
                self._warn_of_cut(target, len(body))
            response = await self._client.post(endpoint, dialect.path(target), body, dialect.headers)
            if 200 <= response.status < 300:
                if resent:
                    self._without_usage.add(target.provider)
                parser = dialect.parser(vendor)
                parser.offer(request.tools)
                heard = wrap(parser) if wrap else parser
                return ModelAnswer(response, heard, vendor, may_be_silent=request.may_be_silent)
            try:
                said = await response.read_error()
            finally:
                response.close()
            if stream_usage and refuses_stream_options(response.status, said):
                # It may only have quoted the request: the answer to the next one tells.
                stream_usage, resent = False, True
                continue
            raise from_response(
                vendor, response.status, said, retry_after=retry_after_s(response.headers, self._now())
            )

    def _fit(self, request: ModelRequest, target: ModelTarget) -> ModelRequest:
        """The request with what of it this target may be sent. Raises ProviderError when it insists on a call
        of a tool that cannot be told to it."""
        messages, tools = replay(request.messages, target), self._tools(request.tools, target)
        if messages is not request.messages or tools is not request.tools:
            request = replace(request, messages=messages, tools=tools)
        choice = request.tool_choice
        if isinstance(choice, NamedTool) and all(spec.name != choice.name for spec in tools):
            raise ProviderError(
                "format",
                f"The tool {choice.name} cannot be told to {target.ref}: mend its schema. See the log.",
            )
        return request

    def _warn_of_cut(self, target: ModelTarget, size: int) -> None:
        """Once for each model. `size` is that of the request, in bytes."""
        cuts_at = target.family.cuts_at or 0
        if size <= cuts_at * _BYTES_A_TOKEN or target.ref in self._warned:
            return
        self._warned.add(target.ref)
        log.warning(
            "model.prompt_may_be_cut",
            model=target.ref,
            detail=f"Ollama's OpenAI mode keeps {cuts_at} tokens of a prompt, unless OLLAMA_CONTEXT_LENGTH "
            f'is larger, and says nothing. Set models.providers.{target.provider}.api to "ollama", and '
            "contextWindow of the model to what it shall have.",
        )

    async def _endpoint(self, target: ModelTarget, key: int) -> Endpoint:
        if target.provider != LOCAL or target.endpoint.base_url:
            return target.endpoint.with_key(key)
        if self._local is None:
            raise ProviderError("unreachable", "The embedded model is not available in this process.")
        return await self._local()
