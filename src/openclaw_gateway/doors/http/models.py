"""GET /v1/models and /v1/models/{id}: the agents, as models, in OpenAI's shape or in Anthropic's."""

from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.anthropic.models import ModelInfo, ModelPage, model_info, page
from openclaw_gateway.doors.anthropic_answers import named, speaks_anthropic
from openclaw_gateway.doors.operation import AT_THE_DOOR, Operation
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.errors import InvalidRequest, NotFound
from openclaw_gateway.gateway.principal import READ, Principal
from openclaw_gateway.gateway.routing import agent_of_model
from openclaw_gateway.gateway.service import Gateway

_LISTS = ("/v1/models", "/models")


class _Capabilities(Struct, frozen=True):
    vision: bool
    builtin_tools: bool


class _Meta(Struct, frozen=True):
    description: str
    capabilities: _Capabilities
    hidden: bool


class _Info(Struct, frozen=True):
    """Where Open WebUI looks: it sends no tools of its own to a model without `builtin_tools`."""

    meta: _Meta


class Model(Struct, frozen=True, omit_defaults=True):
    """Beside OpenAI's keys those that clients show or go by."""

    id: str
    created: int
    object: str
    owned_by: str
    permission: tuple[str, ...]
    name: str
    info: _Info
    description: str = ""
    context_window: int | None = None
    context_length: int | None = None
    max_model_len: int | None = None


class ModelList(Struct, frozen=True):
    data: tuple[Model, ...]
    object: str = "list"


class Endpoint:
    paths: ClassVar = (*_LISTS, *(f"{path}/" for path in _LISTS))
    methods: ClassVar = ("GET", "HEAD")
    public: ClassVar = False
    operations: ClassVar = (
        Operation("GET", "/v1/models", "The agents, as models.", {200: (ModelList, ModelPage)}),
        Operation("GET", "/v1/models/{model}", "One agent, as a model.", {200: (Model, ModelInfo)}),
    )
    refusals: ClassVar = AT_THE_DOOR

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def switch(self) -> str | None:
        gateway = self._gateway
        return gateway.responses_switch and gateway.messages_switch and gateway.chat_switch

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer:
        principal.require(READ)
        path, is_anthropic = request.route_path, speaks_anthropic(request, is_served=True)
        if is_anthropic:
            named(request)
        if path not in _LISTS:
            one = self._one(_decoded(path.partition("/models/")[2]))
            return json_answer(msgspec.json.encode(_info(one) if is_anthropic else one))
        models = tuple(self._all())
        if is_anthropic:
            shown = page([_info(model) for model in models if not model.info.meta.hidden])
            return json_answer(msgspec.json.encode(shown))
        return json_answer(msgspec.json.encode(ModelList(models)))

    def _all(self) -> Iterator[Model]:
        """The other names of the default agent, and each agent once."""
        word = BRANDS[0].model_word
        roster = self._gateway.roster
        for other_name in (word, f"{word}/default"):
            yield self._model(other_name, roster.default_id, hidden=True)
        for agent in roster:
            yield self._model(f"{word}/{agent.id}", agent.id)

    def _one(self, model: str) -> Model:
        try:
            agent_id = agent_of_model(model, self._gateway.roster)
        except InvalidRequest:
            agent_id = None
        if agent_id is None:
            raise NotFound(
                "There is no such model. GET /v1/models lists them.", code="model_not_found", param="model"
            )
        return self._model(model, agent_id)

    def _model(self, id_: str, agent_id: str, *, hidden: bool = False) -> Model:
        agent = self._gateway.roster.get(agent_id)
        target = self._gateway.target(agent_id)
        name = agent.name if agent else agent_id
        window = target.context_window if target else None
        said = f"Agent {name} of this gateway"
        sees, has_tools = (target.family.images, target.family.tools) if target else (False, False)
        return Model(
            id_,
            self._gateway.started_ms // 1000,
            "model",
            BRANDS[0].model_word,
            (),
            name,
            _Info(_Meta(said, _Capabilities(vision=sees, builtin_tools=has_tools), hidden)),
            said,
            window,
            window,
            window,
        )


def _info(model: Model) -> ModelInfo:
    return model_info(model.id, model.name, model.created, model.context_window)


def _decoded(quoted: str) -> str:
    try:
        return unquote(quoted, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("Invalid model id.", param="model") from None
