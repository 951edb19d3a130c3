"""POST /v1/chat/completions: one agent run, as one JSON object or as a stream of chunks."""

import time
from typing import ClassVar

from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.asking_agents import asked, model_shown, tell
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.large_bodies import LargeBodies
from openclaw_gateway.doors.openai.chat import ChatRequest, decode_chat
from openclaw_gateway.doors.openai.chunks import ChatVoice
from openclaw_gateway.doors.openai.housekeeping import task_of
from openclaw_gateway.doors.requests import Request, brand_header, idempotency_key, read_body
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.service import Gateway


class Endpoint:
    paths: ClassVar = ("/v1/chat/completions", "/chat/completions")
    methods: ClassVar = ("POST",)
    public: ClassVar = False

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._bodies = LargeBodies()

    @property
    def switch(self) -> str | None:
        return self._gateway.chat_switch

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        started = time.monotonic()
        limits = self._gateway.limits
        body = await read_body(request, limits)
        chat = await self._bodies.decode(body, lambda data: decode_chat(data, limits.max_json_depth))
        del body
        route = self._gateway.route(asked(request, chat.model, chat.user))
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
    )
