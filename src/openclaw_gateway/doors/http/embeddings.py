"""POST /v1/embeddings: texts into vectors, by the model that an agent's `memorySearch` names."""

import time
from typing import ClassVar

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.asking_agents import TO_WHOM, model_shown
from openclaw_gateway.doors.openai.embeddings import (
    WRITTEN,
    decode_embeddings,
    embeddings_answer,
    read_embeddings,
)
from openclaw_gateway.doors.openai.shapes import Embeddings
from openclaw_gateway.doors.operation import Operation, Sent
from openclaw_gateway.doors.requests import Request, brand_header
from openclaw_gateway.gateway.embedding import Wanted
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.routing import Ask


class Endpoint(AgentEndpoint):
    """On with chat completions, as in OpenClaw."""

    paths: ClassVar = ("/v1/embeddings", "/embeddings")
    operations: ClassVar = (
        Operation(
            "POST",
            "/v1/embeddings",
            "Texts into vectors.",
            {200: Embeddings},
            Sent(read_embeddings, {"input": "hi"}),
            headers=TO_WHOM,
        ),
    )

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        started = time.monotonic()
        asks = await self._asked(request, decode_embeddings)
        ask = Ask(model=asks.model, agent=brand_header(request, "agent-id", "agent"))
        request.enter_run()
        try:
            made = await self._gateway.embed(principal, Wanted(ask, asks.request, WRITTEN[asks.encoding]))
        finally:
            request.leave_run()
        prefix = BRANDS[0].header_prefix
        # Vectors of two models do not compare: who keeps them has to know whose they are.
        request.answer_headers[f"{prefix}embedding-model"] = made.model
        ignored = (*asks.ignored, *((f"{prefix}model",) if brand_header(request, "model") else ()))
        if ignored:
            request.answer_headers[f"{prefix}ignored-params"] = ", ".join(ignored)
        request.answer_headers["openai-processing-ms"] = str(int((time.monotonic() - started) * 1000))
        return json_answer(embeddings_answer(made.written, model_shown(asks.model), made.prompt_tokens))
