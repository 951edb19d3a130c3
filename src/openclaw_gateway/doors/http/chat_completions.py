"""POST /v1/chat/completions: one agent run, as one JSON object or as a stream of chunks."""

import time
from typing import ClassVar

from msgspec.structs import replace

from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.asking_agents import asked, model_shown, tell
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.openai.chat import ChatRequest, decode_chat
from openclaw_gateway.doors.openai.chunks import ChatVoice
from openclaw_gateway.doors.openai.housekeeping import task_of
from openclaw_gateway.doors.requests import Request, brand_header, idempotency_key
from openclaw_gateway.gateway.attachments import terms_of
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.requests import Question, run_request


class Endpoint(AgentEndpoint):
    paths: ClassVar = ("/v1/chat/completions", "/chat/completions")

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        started = time.monotonic()
        limits = self._gateway.limits
        chat = await self._asked(request, decode_chat)
        clients = self._gateway.config.gateway.http.clients
        route = self._gateway.route(asked(request, chat.model, chat.user, clients, chat.fields))
        if chat.brings:
            terms = terms_of(self._gateway.config.gateway.http.endpoints.chat_completions, limits)
            messages = await self._taken_in(request, principal, route.agent_id, chat.messages, terms)
            chat = replace(chat, messages=messages)
        task = None
        if self._gateway.keeps_house:
            task = task_of(brand_header(request, "task"), chat.instructions, chat.messages)
        run = await self._gateway.start(
            principal, run_request(principal, "http", route, _question(request, chat, task))
        )
        with Delivery(request, run, limits, started=started) as delivery:
            tell(request, chat.model, route, (*chat.ignored, *run.unsupported), task)
            voice = ChatVoice(
                run.id, run.created_ms // 1000, model_shown(chat.model), include_usage=chat.include_usage
            )
            return await delivery.answer(voice, stream=chat.stream)


def _question(request: Request, chat: ChatRequest, task: str | None) -> Question:
    return Question(
        chat.messages,
        chat.instructions,
        chat.sampling,
        chat.client_tools,
        idempotency_key(request),
        task=task,
        attempt=request.attempt,
    )
