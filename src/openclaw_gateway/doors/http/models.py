"""GET /v1/models and /v1/models/{id}: the agents, as models."""

from typing import ClassVar
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.errors import InvalidRequest, NotFound
from openclaw_gateway.gateway.principal import READ, Principal
from openclaw_gateway.gateway.routing import agent_of_model
from openclaw_gateway.gateway.service import Gateway

_PREFIX = "/v1/models/"


class _Model(Struct, frozen=True):
    id: str
    created: int
    name: str
    object: str = "model"
    owned_by: str = BRANDS[0].model_word
    permission: tuple[str, ...] = ()


class _Models(Struct, frozen=True):
    data: tuple[_Model, ...]
    object: str = "list"


class Endpoint:
    paths: ClassVar = ("/v1/models", _PREFIX)
    methods: ClassVar = ("GET", "HEAD")
    public: ClassVar = False

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def switch(self) -> str | None:
        return self._gateway.responses_switch and self._gateway.chat_switch

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer:
        principal.require(READ)
        path = request.route_path
        if path == "/v1/models":
            return json_answer(msgspec.json.encode(_Models(self._all())))
        return json_answer(msgspec.json.encode(self._one(_decoded(path.removeprefix(_PREFIX)))))

    def _all(self) -> tuple[_Model, ...]:
        word = BRANDS[0].model_word
        roster = self._gateway.roster
        names = {word: roster.default_id, f"{word}/default": roster.default_id}
        names |= {f"{word}/{agent.id}": agent.id for agent in roster}
        return tuple(self._model(name, agent_id) for name, agent_id in names.items())

    def _one(self, model: str) -> _Model:
        try:
            agent_id = agent_of_model(model, self._gateway.roster)
        except InvalidRequest:
            agent_id = None
        if agent_id is None:
            raise NotFound(
                "There is no such model. GET /v1/models lists them.", code="model_not_found", param="model"
            )
        return self._model(model, agent_id)

    def _model(self, name: str, agent_id: str) -> _Model:
        agent = self._gateway.roster.get(agent_id)
        return _Model(name, self._gateway.started_ms // 1000, agent.name if agent else agent_id)


def _decoded(quoted: str) -> str:
    try:
        return unquote(quoted, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("Invalid model id.", param="model") from None
