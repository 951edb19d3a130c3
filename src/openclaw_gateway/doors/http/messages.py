"""POST /v1/messages: one agent run in Anthropic's shape, as one message or as its events; and
/v1/messages/count_tokens, an estimate of what such a run would begin with."""

import time
from typing import ClassVar

import msgspec
from msgspec.structs import replace

from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.anthropic.request import (
    MessagesRequest,
    decode_messages,
    named_here,
    read_messages,
)
from openclaw_gateway.doors.anthropic.shapes import AgentMessage, MessageEvent, MessageFailure, TokenCount
from openclaw_gateway.doors.anthropic.voice import PING, MessageVoice
from openclaw_gateway.doors.anthropic_answers import MESSAGES, anthropic_error, named
from openclaw_gateway.doors.asking_agents import (
    CHOSEN,
    HEADERS,
    QUEUED,
    TO_WHOM,
    asked,
    model_shown,
    queue_wish,
    tell,
    without_effect,
)
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.openai.housekeeping import task_of
from openclaw_gateway.doors.operation import Operation, Sent
from openclaw_gateway.doors.requests import Request, brand_header, idempotency_key
from openclaw_gateway.gateway.brought.sent import terms_of
from openclaw_gateway.gateway.principal import READ, Principal
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.routing import Route

_SENT = Sent(read_messages, {"messages": [{"role": "user", "content": "hi"}]})
_COUNTS = tuple(f"{path}/count_tokens" for path in MESSAGES)


class Endpoint(AgentEndpoint):
    paths: ClassVar = (*MESSAGES, *_COUNTS)
    operations: ClassVar = (
        Operation(
            "POST",
            "/v1/messages",
            "An agent's answer in Anthropic's shape, in one piece or as its events.",
            {200: AgentMessage, 529: MessageFailure},
            _SENT,
            MessageEvent,
            {**HEADERS, **CHOSEN, **QUEUED},
            error=MessageFailure,
        ),
        Operation(
            "POST",
            "/v1/messages/count_tokens",
            "About how many tokens such a run would begin with.",
            {200: TokenCount, 529: MessageFailure},
            _SENT,
            headers=TO_WHOM,
            error=MessageFailure,
            scope=READ,
        ),
    )

    @property
    def switch(self) -> str | None:
        return self._gateway.messages_switch

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        started = time.monotonic()
        name = named(request)
        asks = await self._asked(request, decode_messages)
        http = self._gateway.config.gateway.http
        # `metadata.user_id` names no conversation: programs that work side by side send the same.
        route = self._gateway.route(asked(request, asks.model, None, http.clients))
        if asks.brings:
            terms = terms_of(http.endpoints.messages, self._gateway.limits)
            messages = await self._taken_in(request, principal, route, asks.messages, terms)
            asks = replace(asks, messages=messages)
        if request.route_path in _COUNTS:
            return await self._count(principal, route, asks)
        task = None
        if self._gateway.keeps_house:
            task = task_of(brand_header(request, "task"), asks.instructions, asks.messages)
        question = replace(
            _question(asks),
            idempotency_key=idempotency_key(request),
            task=task,
            attempt=request.attempt,
            queue=queue_wish(request),
        )
        run = await self._gateway.start(principal, run_request(principal, "http", route, question))
        limits = self._gateway.limits
        with Delivery(request, run, limits, started=started, silence=PING) as delivery:
            ignored = (*asks.ignored, *named_here(run.unsupported), *without_effect(request))
            tell(request, asks.model, route, ignored, task, set_aside=run.set_aside)
            voice = MessageVoice(run.id, model_shown(asks.model), name, thinks_aloud=asks.thinks_aloud)
            answer = await delivery.answer(voice, stream=asks.stream)
        if answer is not None and voice.refused is not None:
            return anthropic_error(request, answer, voice.refused)
        return answer

    async def _count(self, principal: Principal, route: Route, asks: MessagesRequest) -> HttpAnswer:
        request = run_request(principal, "http", route, _question(asks))
        tokens = await self._gateway.estimate(principal, request)
        return json_answer(msgspec.json.encode(TokenCount(tokens)))


def _question(asks: MessagesRequest) -> Question:
    return Question(asks.messages, asks.instructions, asks.sampling, asks.client_tools)
