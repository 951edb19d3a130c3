"""/v1/chat/completions: one agent run, as one JSON object or as a stream of chunks; and the list of those
that are kept."""

import time
from typing import ClassVar

from msgspec import Raw
from msgspec.structs import replace

from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.asking_agents import (
    CHOSEN,
    HEADERS,
    QUEUED,
    STREAMED,
    asked,
    is_detached,
    model_shown,
    progress_wish,
    queue_wish,
    tell,
)
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.http.stored_chats import stored_list
from openclaw_gateway.doors.openai.chat import ChatRequest, decode_chat, read_chat
from openclaw_gateway.doors.openai.chunks import ChatCompletion, ErrorObject
from openclaw_gateway.doors.openai.followed import Followed, NumberedVoice
from openclaw_gateway.doors.openai.housekeeping import task_of
from openclaw_gateway.doors.openai.paging import PAGED
from openclaw_gateway.doors.openai.shapes import ChatCompletionChunk, StoredCompletions
from openclaw_gateway.doors.openai.stored import keep_of
from openclaw_gateway.doors.openai.tolerant import decode_tolerant
from openclaw_gateway.doors.operation import Operation, Sent
from openclaw_gateway.doors.requests import Request, brand_header, idempotency_key
from openclaw_gateway.gateway.brought.sent import terms_of
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.requests import Question, run_request


class Endpoint(AgentEndpoint):
    paths: ClassVar = ("/v1/chat/completions", "/chat/completions")
    methods: ClassVar[tuple[str, ...]] = ("POST", "GET")
    operations: ClassVar = (
        Operation(
            "POST",
            "/v1/chat/completions",
            "An agent's answer to a conversation, in one piece or streamed.",
            {200: ChatCompletion},
            Sent(read_chat, {"messages": [{"role": "user", "content": "hi"}]}),
            (ChatCompletionChunk, ErrorObject),
            {**HEADERS, **CHOSEN, **QUEUED, **STREAMED},
        ),
        Operation(
            "GET",
            "/v1/chat/completions",
            "Those that are kept.",
            {200: StoredCompletions},
            query={**PAGED, "model": "Only of this model."},
        ),
    )

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        if request.method == "GET":
            return await stored_list(self._gateway, request, principal)
        started = time.monotonic()
        limits = self._gateway.limits
        chat = await self._asked(request, decode_tolerant if self._gateway.is_tolerant else decode_chat)
        http = self._gateway.config.gateway.http
        mine = http.endpoints.chat_completions
        route = self._gateway.route(asked(request, chat.model, chat.user, http.clients, chat.fields))
        if chat.brings:
            terms = terms_of(mine, limits)
            messages = await self._taken_in(request, principal, route, chat.messages, terms)
            chat = replace(chat, messages=messages)
        task = None
        if self._gateway.keeps_house:
            task = task_of(brand_header(request, "task"), chat.instructions, chat.messages)
        progress = progress_wish(request, mine.progress)
        about = Followed(model_shown(chat.model), chat.include_usage, chat.functions, progress)
        # What a front end asks for itself, nobody comes back to.
        detached = is_detached(request, usual=mine.detach and task is None)
        question = _question(request, chat, task, about.written() if detached else None)
        run = await self._gateway.start(principal, run_request(principal, "http", route, question))
        with Delivery(
            request,
            run,
            limits,
            started=started,
            detached=detached,
            tools=progress != "off",
        ) as delivery:
            ignored = (*chat.ignored, *run.unsupported)
            tell(request, chat.model, route, ignored, task, set_aside=run.set_aside)
            voice = about.voice(run.id, run.created_ms // 1000, chat.metadata)
            return await delivery.answer(NumberedVoice(voice) if detached else voice, stream=chat.stream)


def _question(request: Request, chat: ChatRequest, task: str | None, detached: Raw | None) -> Question:
    return Question(
        chat.messages,
        chat.instructions,
        chat.sampling,
        chat.client_tools,
        idempotency_key(request),
        task=task,
        attempt=request.attempt,
        queue=queue_wish(request),
        detached=detached,
        keep=keep_of(chat, model_shown(chat.model)) if chat.store else None,
    )
