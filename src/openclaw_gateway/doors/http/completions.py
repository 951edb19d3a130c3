"""POST /v1/completions, the older API: a prompt as a chat of one message."""

import time
from typing import ClassVar

from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.asking_agents import (
    CHOSEN,
    HEADERS,
    QUEUED,
    asked,
    model_shown,
    queue_wish,
    tell,
    without_effect,
)
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.openai.chunks import ErrorObject
from openclaw_gateway.doors.openai.completions import (
    CompletionVoice,
    TextCompletion,
    decode_completions,
    read_completions,
)
from openclaw_gateway.doors.operation import Operation, Sent
from openclaw_gateway.doors.requests import Request, idempotency_key
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.requests import Question, run_request


class Endpoint(AgentEndpoint):
    paths: ClassVar = ("/v1/completions", "/completions")
    operations: ClassVar = (
        Operation(
            "POST",
            "/v1/completions",
            "The older API: an agent's answer to a prompt, in one piece or streamed.",
            {200: TextCompletion},
            Sent(read_completions, {"prompt": "hi"}),
            (TextCompletion, ErrorObject),
            {**HEADERS, **CHOSEN, **QUEUED},
        ),
    )

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        started = time.monotonic()
        limits = self._gateway.limits
        asks = await self._asked(request, decode_completions)
        clients = self._gateway.config.gateway.http.clients
        route = self._gateway.route(asked(request, asks.model, asks.user, clients, asks.fields))
        question = Question(
            asks.messages,
            sampling=asks.sampling,
            idempotency_key=idempotency_key(request),
            attempt=request.attempt,
            queue=queue_wish(request),
        )
        run = await self._gateway.start(principal, run_request(principal, "http", route, question))
        with Delivery(request, run, limits, started=started) as delivery:
            tell(request, asks.model, route, (*asks.ignored, *run.unsupported, *without_effect(request)))
            voice = CompletionVoice(
                run.id, run.created_ms // 1000, model_shown(asks.model), include_usage=asks.include_usage
            )
            return await delivery.answer(voice, stream=asks.stream)
