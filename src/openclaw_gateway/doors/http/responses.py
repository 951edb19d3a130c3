"""/v1/responses: one agent run in OpenAI's newer shape, as one response or as its typed events; and the
responses that are kept, to be read, gone on from, and deleted."""

import asyncio
import re
import time
from contextlib import suppress
from typing import ClassVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from openclaw_gateway.config.schema import HttpClient
from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer, json_answer
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
from openclaw_gateway.doors.openai.followed import NumberedVoice, gone
from openclaw_gateway.doors.openai.paging import PAGED, page_of, paging_of, query_of
from openclaw_gateway.doors.openai.response_events import ResponseVoice
from openclaw_gateway.doors.openai.response_items import Item, items_of
from openclaw_gateway.doors.openai.response_object import (
    Json,
    ResponseObject,
    mark_of,
    response_run,
    run_of,
)
from openclaw_gateway.doors.openai.response_shapes import (
    DeletedResponse,
    Response,
    ResponseEvent,
    ResponseInput,
)
from openclaw_gateway.doors.openai.responses import ResponsesRequest, decode_responses, read_responses
from openclaw_gateway.doors.operation import Operation, Sent
from openclaw_gateway.doors.requests import (
    Request,
    idempotency_key,
    names_behind,
    note_attempt,
    place_had,
    read_body,
)
from openclaw_gateway.errors import InvalidRequest, NotFound
from openclaw_gateway.gateway.background import Noted
from openclaw_gateway.gateway.brought.sent import terms_of
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.routing import Ask, Route
from openclaw_gateway.runs.kept import Before, KeptAnswer, KeptHead
from openclaw_gateway.runs.replayed import ReplayedRun
from openclaw_gateway.wire.run import Keep

_LISTS = ("/v1/responses", "/responses")
_ONE = "/v1/responses/{response_id}"
# A stream shows thoughts as they came, and text behind calls. What is kept has all thoughts in one item and
# all text in another: the further ones say nothing more.
_FURTHER = re.compile(r"(?:rs|msg)_[0-9a-f]+_\d+")
_TOLD = Item("reasoning")
# Each is read from the store.
_MOST_NAMED = 1_000
_OPEN = ("queued", "running")
# What another process gets to stop a run, before it is told of as it is.
_STOPS_WITHIN_S = 5.0


class _About(Struct, frozen=True):
    """What is remembered of the request beside the conversation."""

    model: str
    parallel: bool
    echo: dict[str, Raw]


class Endpoint(AgentEndpoint):
    paths: ClassVar = (*_LISTS, *(f"{path}/" for path in _LISTS))
    methods: ClassVar[tuple[str, ...]] = ("POST", "GET", "DELETE")
    operations: ClassVar = (
        Operation(
            "POST",
            "/v1/responses",
            "An agent's answer in OpenAI's newer shape, in one piece or as typed events.",
            {200: Response},
            Sent(read_responses, {"input": "hi"}),
            ResponseEvent,
            {**HEADERS, **CHOSEN, **QUEUED},
        ),
        Operation("GET", _ONE, "A response that is kept.", {200: Response}),
        Operation("DELETE", _ONE, "Forget a response.", {200: DeletedResponse}),
        Operation("GET", f"{_ONE}/input_items", "What its request said.", {200: ResponseInput}, query=PAGED),
        Operation("POST", f"{_ONE}/cancel", "End a response of the background.", {200: Response}),
    )

    @property
    def switch(self) -> str | None:
        return self._gateway.responses_switch

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        if request.route_path in _LISTS:
            return await self._create(request, principal)
        id_, *rest = names_behind(request, "/responses/")
        return await self._of_kept(request, principal, id_, rest)

    async def _create(self, request: Request, principal: Principal) -> HttpAnswer | None:
        started = time.monotonic()
        limits = self._gateway.limits
        asks = await self._asks(request, principal)
        route = self._gateway.route(_ask(request, asks, self._gateway.config.gateway.http.clients))
        before = Before(())
        if asks.previous is not None:
            before = await self._before(principal, asks.previous, route)
            # What came before is said; a conversation of the user's is another one.
            route = replace(route, session_key=None)
        if asks.brings:
            terms = terms_of(self._gateway.config.gateway.http.endpoints.responses, limits)
            messages = await self._taken_in(request, principal, route, asks.messages, terms)
            asks = replace(asks, messages=messages)
        about = _About(model_shown(asks.model), asks.client_tools.parallel is not False, asks.echo)
        question = _question(request, asks, before, about)
        run = await self._gateway.start(principal, run_request(principal, "http", route, question))
        ignored = (*asks.ignored, *run.unsupported, *without_effect(request))
        if asks.background:
            await self._gateway.answers.note_background(principal, run, Raw(msgspec.json.encode(about)))
            if not asks.stream:
                tell(request, asks.model, route, ignored, set_aside=run.set_aside)
                return await self._found(principal, f"resp_{mark_of(run.id)}")
        with Delivery(request, run, limits, started=started, detached=asks.background) as delivery:
            tell(request, asks.model, route, ignored, set_aside=run.set_aside)
            voice = ResponseVoice(_object(run.id, run.created_ms, about, kept=asks.store))
            return await delivery.answer(voice, stream=asks.stream)

    async def _asks(self, request: Request, principal: Principal) -> ResponsesRequest:
        limits = self._gateway.limits
        body = await read_body(request, limits)

        def decoded(data: bytes) -> ResponsesRequest:
            note_attempt(request, data)
            return decode_responses(data, limits.max_json_depth)

        asks = await self._bodies.decode(body, decoded)
        if asks.references:
            known = await self._items(principal, asks.references)
            asks = await self._bodies.decode(
                body, lambda data: decode_responses(data, limits.max_json_depth, known)
            )
        return asks

    async def _before(self, principal: Principal, previous: str, route: Route) -> Before:
        run_id = response_run(previous)
        found = None
        if run_id is not None:
            found = await self._gateway.answers.conversation(principal, run_id, route.agent_id, route.user)
        if found is None:
            raise InvalidRequest(
                f"There is no response '{previous[:80]}', or not all before it is kept any more. Send the "
                "whole conversation in `input`.",
                code="previous_response_not_found",
                param="previous_response_id",
            )
        return found

    async def _items(self, principal: Principal, references: frozenset[str]) -> dict[str, Item]:
        """Those of the named items that are kept."""
        named: dict[str, list[str]] = {}
        for id_ in references:
            if (run := run_of(id_)) is not None:
                named.setdefault(run, []).append(id_)
        if len(named) > _MOST_NAMED:
            raise InvalidRequest(
                f"`input` names items of more than {_MOST_NAMED} responses. Send the items themselves "
                "(store: false in your client).",
                param="input",
            )
        known: dict[str, Item] = {}
        for run_id, kept in (await self._gateway.answers.heads(principal, named)).items():
            known.update(dict.fromkeys(filter(_FURTHER.match, named[run_id]), _TOLD))
            items = _resource(run_id, kept)["output"]
            known.update((item["id"], msgspec.convert(item, Item)) for item in items)
        return known

    async def _of_kept(
        self, request: Request, principal: Principal, id_: str, rest: list[str]
    ) -> HttpAnswer | None:
        run_id = response_run(id_) or ""
        match request.method, rest:
            case "GET", []:
                if _wants_stream(request):
                    return await self._followed(request, principal, id_)
                return await self._found(principal, id_)
            case "GET", ["input_items"]:
                kept = await self._gateway.answers.kept(principal, run_id)
                if kept is None:
                    raise _not_found(id_)
                paging = paging_of(query_of(request.raw_path), order="desc")
                items = items_of(kept.asked, mark_of(run_id))
                return json_answer(msgspec.json.encode(page_of(items, paging)))
            case "DELETE", []:
                noted = await self._gateway.answers.forget_background(principal, run_id)
                if not (await self._gateway.answers.forget(principal, run_id) or noted):
                    raise _not_found(id_)
                return json_answer(msgspec.json.encode({"id": id_, "object": "response", "deleted": True}))
            case "POST", ["cancel"]:
                return await self._cancelled(principal, id_)
            case _:
                raise NotFound(
                    "Of a response there are GET, DELETE, GET …/input_items and POST …/cancel here."
                )

    async def _found(self, principal: Principal, id_: str) -> HttpAnswer:
        """The response as it is by now. Raises NotFound."""
        run_id = response_run(id_) or ""
        kept = await self._gateway.answers.kept(principal, run_id)
        if kept is None:
            noted = await self._gateway.answers.background(principal, run_id)
            if noted is not None and noted.status != "completed":
                about = msgspec.json.decode(noted.about, type=_About)
                response = _object(run_id, noted.created_ms, about, kept=True)
                return json_answer(msgspec.json.encode(response.unfinished(noted.status, noted.error)))
            # It may have been finished between the two looks.
            kept = await self._gateway.answers.kept(principal, run_id)
        if kept is None:
            raise _not_found(id_)
        return json_answer(msgspec.json.encode(_resource(run_id, kept)))

    async def _followed(self, request: Request, principal: Principal, id_: str) -> HttpAnswer | None:
        """Its stream, from where the client was cut off. Raises NotFound, InvalidRequest, EventsGone."""
        started = time.monotonic()
        last = place_had(request, "starting_after")
        had = 0 if last is None else last + 1
        run_id = response_run(id_) or ""
        noted = await self._in_background(principal, id_, "streamed again")
        run = await self._gateway.answers.followed(principal, run_id, has_part=had > 0)
        if run is None or (had and isinstance(run, ReplayedRun) and not run.tells_all):
            raise gone()
        about = msgspec.json.decode(noted.about, type=_About)
        limits = self._gateway.limits
        unsure = self._gateway.answers.unsure(run) if had else None
        with Delivery(
            request, run, limits, started=started, detached=True, begun=had > 0, unsure=unsure
        ) as delivery:
            response = _object(run.id, run.created_ms, about, kept=True)
            voice = NumberedVoice(ResponseVoice(response), had, ids=False)
            return await delivery.answer(voice, stream=True)

    async def _cancelled(self, principal: Principal, id_: str) -> HttpAnswer:
        await self._in_background(principal, id_, "cancelled")
        run_id = response_run(id_) or ""
        if await self._gateway.abort(principal, run_id):
            noted = await self._gateway.answers.background(principal, run_id)
            if noted is not None and noted.status in _OPEN:
                # Another process has been told to stop it: what it says of that is the answer.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_STOPS_WITHIN_S):
                        await self._gateway.ending(principal, run_id)
        return await self._found(principal, id_)

    async def _in_background(self, principal: Principal, id_: str, what: str) -> Noted:
        """Raises NotFound, and InvalidRequest for a response that is kept and was not in the background."""
        run_id = response_run(id_) or ""
        noted = await self._gateway.answers.background(principal, run_id)
        if noted is not None:
            return noted
        if await self._gateway.answers.kept(principal, run_id) is None:
            raise _not_found(id_)
        raise InvalidRequest(f"Only responses with `background` can be {what}.", param="background")


def _wants_stream(request: Request) -> bool:
    wish = parse_qs(request.raw_path.partition("?")[2]).get("stream", [""])[-1]
    return wish.lower() in ("true", "1")


def _ask(request: Request, asks: ResponsesRequest, clients: tuple[HttpClient, ...]) -> Ask:
    ask = asked(request, asks.model, asks.user, clients, asks.fields)
    if asks.conversation is not None and not (ask.session_key or "").strip():
        return replace(ask, session_key=f"responses:{asks.conversation}")
    return ask


def _question(request: Request, asks: ResponsesRequest, before: Before, about: _About) -> Question:
    previous = response_run(asks.previous or "")
    return Question(
        asks.messages,
        "\n\n".join(one for one in (asks.instructions, before.told, asks.told) if one),
        asks.sampling,
        asks.client_tools,
        idempotency_key(request),
        before=before.messages,
        previous=previous,
        attempt=request.attempt,
        queue=queue_wish(request),
        detached=Raw(b"{}") if asks.background else None,
        keep=Keep(Raw(msgspec.json.encode(about)), previous, asks.told) if asks.store else None,
    )


def _object(run_id: str, created_ms: int, about: _About, *, kept: bool) -> ResponseObject:
    return ResponseObject(
        run_id, created_ms // 1000, about.model, about.echo, parallel=about.parallel, kept=kept
    )


def _resource(run_id: str, kept: KeptAnswer | KeptHead) -> Json:
    about = msgspec.json.decode(kept.about, type=_About)
    return _object(run_id, kept.created_ms, about, kept=True).resource(kept.result)


def _not_found(id_: str) -> NotFound:
    return NotFound(f"Response with id '{id_[:80]}' not found.", code="response_not_found")
