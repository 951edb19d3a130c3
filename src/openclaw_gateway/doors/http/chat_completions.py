"""POST /v1/chat/completions: one agent run, as one JSON object or as a stream of chunks."""

import time
from typing import ClassVar
from urllib.parse import quote

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.large_bodies import LargeBodies
from openclaw_gateway.doors.openai.chat import ChatRequest, decode_chat
from openclaw_gateway.doors.openai.chunks import ChatVoice
from openclaw_gateway.doors.requests import Request, brand_header, idempotency_key, read_body
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.routing import Ask, Route
from openclaw_gateway.gateway.service import Gateway


class Endpoint:
    paths: ClassVar = ("/v1/chat/completions",)
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
        route = self._route(request, chat)
        run = await self._gateway.start(
            principal, run_request(principal, "http", route, _question(request, chat))
        )
        with Delivery(request, run, limits, started=started) as delivery:
            _tell(request, chat, route, (*chat.ignored, *run.unsupported, *_ignored_headers(request)))
            voice = ChatVoice(run.id, run.created_ms // 1000, _echo(chat), include_usage=chat.include_usage)
            return await delivery.answer(voice, stream=chat.stream)

    def _route(self, request: Request, chat: ChatRequest) -> Route:
        return self._gateway.route(
            Ask(
                model=chat.model,
                agent=brand_header(request, "agent-id", "agent"),
                session_key=brand_header(request, "session-key"),
                user=chat.user,
            )
        )


def _question(request: Request, chat: ChatRequest) -> Question:
    return Question(
        chat.messages, chat.instructions, chat.sampling, chat.client_tools, idempotency_key(request)
    )


def _echo(chat: ChatRequest) -> str:
    """The model name as it was asked for."""
    return chat.model if chat.model is not None else BRANDS[0].model_word


def _tell(request: Request, chat: ChatRequest, route: Route, ignored: tuple[str, ...]) -> None:
    """Answer headers under the first brand's name, and under the one the request came by."""
    told = {}
    if route.session_key is not None:
        told["session-key"] = quote(route.session_key, safe=":/@+,;=!$&'()*~")
    if ignored:
        told["ignored-params"] = ", ".join(ignored)
    if not told:
        return
    for index, brand in enumerate(BRANDS):
        if index == 0 or _came_as(request, chat, brand.header_prefix, brand.model_word):
            request.answer_headers.update({brand.header_prefix + name: value for name, value in told.items()})


def _ignored_headers(request: Request) -> tuple[str, ...]:
    """An agent's model is the operator's choice, not the client's (OpenClaw lets a header choose it)."""
    return (f"{BRANDS[0].header_prefix}model",) if brand_header(request, "model") else ()


def _came_as(request: Request, chat: ChatRequest, prefix: str, word: str) -> bool:
    model = (chat.model or "").lower()
    return model.startswith(word) or any(name.lower().startswith(prefix) for name in request.headers)
