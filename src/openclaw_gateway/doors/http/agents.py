"""/v1/agents/sessions: OpenAI's Agents API over the sessions that every door has, with their turns and items,
and the events of what goes on in them.
"""

from hashlib import blake2b
from typing import ClassVar
from uuid import uuid4

from msgspec import Raw
from msgspec.structs import replace

from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.agents.request import (
    NewSession,
    decode_change,
    decode_events,
    decode_session,
    read_change,
    read_events,
    read_session,
)
from openclaw_gateway.doors.agents.resources import (
    About,
    Json,
    about_of,
    labels_of,
    session_of,
)
from openclaw_gateway.doors.agents.shapes import (
    AgentEvent,
    AgentSession,
    AgentTurn,
    DeletedSession,
    ListedItems,
    ListedSessions,
    ListedTurns,
)
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
from openclaw_gateway.doors.openai.absent import absent
from openclaw_gateway.doors.openai.paging import PAGED
from openclaw_gateway.doors.operation import Operation, Sent
from openclaw_gateway.doors.requests import Request, idempotency_key, names_behind
from openclaw_gateway.doors.session_pages import SessionPages, json_of, no_session
from openclaw_gateway.doors.session_stream import SessionStream
from openclaw_gateway.errors import (
    InvalidRequest,
    NotFound,
    Overloaded,
    SessionBusy,
    StoreError,
)
from openclaw_gateway.gateway.brought.sent import terms_of
from openclaw_gateway.gateway.held.sessions import HeldSession
from openclaw_gateway.gateway.principal import ADMIN, Principal
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.routing import Ask, Route, agent_of_model
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.run import UNDELIVERED, Run, now_ms
from openclaw_gateway.wire.messages import UserMessage

_ALL = "/v1/agents/sessions"
_ONE = f"{_ALL}/{{session_id}}"
_LISTED = {**PAGED, "agent_id": "Only of this agent.", "metadata[key]": "Only with this pair."}
_DETACHED = Raw(b"{}")


class Endpoint(AgentEndpoint):
    paths: ClassVar = ("/v1/agents/", "/agents/")
    methods: ClassVar[tuple[str, ...]] = ("POST", "GET", "DELETE")
    operations: ClassVar = (
        Operation(
            "POST",
            _ALL,
            "Make a session by its first message; with `stream` its events follow.",
            {200: AgentSession},
            Sent(read_session, {"environment": {"type": "none"}, "input": "hi"}),
            AgentEvent,
            {**HEADERS, **CHOSEN, **QUEUED},
        ),
        Operation(
            "GET", _ALL, "The caller's sessions, by whichever door.", {200: ListedSessions}, query=_LISTED
        ),
        Operation("GET", _ONE, "A session as it is now.", {200: AgentSession}),
        Operation(
            "POST", _ONE, "Other metadata for it.", {200: AgentSession}, Sent(read_change, {"metadata": {}})
        ),
        Operation("DELETE", _ONE, "End what it is at, and forget it.", {200: DeletedSession}, scope=ADMIN),
        Operation(
            "POST",
            f"{_ONE}/events",
            "Send it a message, or end what it is at.",
            {202: None},
            Sent(read_events, {"events": [{"type": "agent.session.input.cancel"}]}),
            headers={**QUEUED, "Idempotency-Key": HEADERS["Idempotency-Key"]},
        ),
        Operation(
            "GET", f"{_ONE}/events", "What goes on in it, as it goes on.", {200: None}, events=AgentEvent
        ),
        Operation("GET", f"{_ONE}/items", "What was said in it.", {200: ListedItems}, query=PAGED),
        Operation("GET", f"{_ONE}/turns", "Its turns.", {200: ListedTurns}, query=PAGED),
        Operation("GET", f"{_ONE}/turns/{{turn_id}}", "One of its turns.", {200: AgentTurn}),
        Operation(
            "GET", f"{_ONE}/turns/{{turn_id}}/items", "What was said in it.", {200: ListedItems}, query=PAGED
        ),
    )

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self._pages = SessionPages(gateway.held)

    @property
    def switch(self) -> str | None:
        return self._gateway.agents_switch

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        match [request.method, *names_behind(request, "/agents/")]:
            case ["POST", "sessions"]:
                return await self._create(request, principal)
            case ["POST", "sessions", key]:
                return await self._change(request, principal, key)
            case ["DELETE", "sessions", key]:
                return await self._delete(principal, key)
            case ["POST", "sessions", key, "events"]:
                return await self._take(request, principal, key)
            case ["GET", "sessions", key, "events"]:
                await self._pages.found(principal, key)
                with self._stream(request, principal, key) as stream:
                    await stream.tell()
                return None
            case ["GET", "sessions", *rest]:
                if (answer := await self._pages.answer(request, principal, rest)) is not None:
                    return answer
            case _:
                pass
        raise NotFound(absent("/v1/agents", ()))

    async def _create(self, request: Request, principal: Principal) -> HttpAnswer | None:
        asks = await self._asked(request, decode_session)
        route = self._gateway.route(await self._ask(request, principal, asks))
        key = route.session_key or ""
        message = await self._message(request, principal, route, asks.message)
        about = About(
            model_shown(asks.agent.model),
            asks.agent.instructions,
            asks.agent.effort,
            asks.agent.schema,
            route.backend,
            asks.metadata,
        )
        if not (request.attempt is not None and request.attempt.again) and not idempotency_key(request):
            await self._check_new(principal, key, about)
        with self._stream(request, principal, key) as stream:
            run = await self._start(request, principal, route, about, message)
            await self._remember(principal, key, run, about)
            tell(
                request, asks.agent.model, route, (*asks.ignored, *run.unsupported, *without_effect(request))
            )
            if not asks.stream:
                return json_of(session_of(await self._pages.found(principal, key)))
            stream.hear(run)
            await stream.tell(run)
            return None

    async def _check_new(self, principal: Principal, key: str, about: About) -> None:
        """Raises InvalidRequest for a session that is there and is otherwise."""
        held = await self._gateway.held.find(principal, key)
        if held is not None and held.about is not None and replace(about_of(held), kept_ms=0) != about:
            raise InvalidRequest(
                f"There is a session '{key[:80]}' already, and what was said of its agent or its metadata is "
                "not what this request says. Send your message to its events, or leave "
                "x-openclaw-session-key out for a new session.",
                code="agent_session_exists",
            )

    async def _ask(self, request: Request, principal: Principal, asks: NewSession) -> Ask:
        ask = asked(request, asks.agent.model, None)
        model = asks.agent.model
        if asks.agent_id is not None and not (ask.agent or "").strip():
            ask = replace(ask, agent=asks.agent_id)
        if asks.agent_id is not None and model and agent_of_model(model, self._gateway.roster) is None:
            # Of an agent that is named otherwise, this is the model that it shall have.
            ask = replace(ask, model=None, backend=ask.backend or model)
        if (ask.session_key or "").strip():
            return ask
        return replace(ask, session_key=f"agents:{await self._name(request, principal)}")

    async def _name(self, request: Request, principal: Principal) -> str:
        """Of a new session: the same for whoever asks for the same one again."""
        key = idempotency_key(request)
        if key is not None:
            return blake2b(key.encode(), digest_size=16).hexdigest()
        attempt = request.attempt
        if attempt is None:
            return uuid4().hex
        return await self._gateway.attempt_names.name(principal.owner, attempt)

    async def _message(
        self, request: Request, principal: Principal, route: Route, message: UserMessage
    ) -> UserMessage:
        """With what it brings besides text."""
        if not (message.images or message.files):
            return message
        terms = terms_of(self._gateway.config.gateway.http.endpoints.agents, self._gateway.limits)
        (taken,) = await self._taken_in(request, principal, route, (message,), terms)
        return taken if isinstance(taken, UserMessage) else message

    async def _start(
        self, request: Request, principal: Principal, route: Route, about: About, message: UserMessage
    ) -> Run:
        question = Question(
            (message,),
            about.instructions,
            about.sampling,
            idempotency_key=idempotency_key(request),
            attempt=request.attempt,
            queue=queue_wish(request),
            detached=_DETACHED,
        )
        return await self._gateway.start(principal, run_request(principal, "http", route, question))

    async def _remember(self, principal: Principal, key: str, run: Run, about: About) -> None:
        """Unless it is remembered already. Raises StoreError, after which the run ends."""
        try:
            held = await self._pages.found(principal, key)
            if held.about is None:
                await self._changed(principal, held, about)
        except StoreError:
            run.abort(UNDELIVERED)
            raise

    async def _take(self, request: Request, principal: Principal, key: str) -> HttpAnswer:
        """What is sent to a session is taken: nobody waits for what comes of it."""
        sent = await self._asked(request, decode_events)
        held = await self._pages.found(principal, key)
        about = about_of(held)
        tell(request, None, Route(held.record.agent, key), sent.ignored)
        if sent.message is not None:
            route = self._gateway.route(Ask(session_key=key, backend=about.backend or None))
            message = await self._message(request, principal, route, sent.message)
            try:
                run = await self._start(request, principal, route, about, message)
            except (SessionBusy, Overloaded) as busy:
                # There is no room for the message behind what it cancels.
                if not sent.cancels or busy.code == "idempotency_key_in_use":
                    raise
                await self._gateway.held.end(principal, key)
                run = await self._start(request, principal, route, about, message)
            if sent.cancels and not sent.cancels_after:
                # Of what is sent again the message is there already, and is not what it cancels.
                await self._gateway.abort_before(principal, run)
            if held.about is not None and about.is_old:
                await self._changed(principal, held, about)
        if sent.cancels_after or sent.message is None:
            await self._gateway.abort_session(principal, key)
        return HttpAnswer(b"", 202, {})

    async def _change(self, request: Request, principal: Principal, key: str) -> HttpAnswer:
        change = await self._asked(request, decode_change)
        held = await self._pages.found(principal, key)
        tell(request, None, Route(held.record.agent, key), change.ignored)
        if change.metadata is not None:
            await self._changed(principal, held, replace(about_of(held), metadata=change.metadata))
        return json_of(session_of(await self._pages.found(principal, key)))

    async def _changed(self, principal: Principal, held: HeldSession, about: About) -> None:
        said = replace(about, kept_ms=now_ms()).written()
        labels = labels_of(held.record.agent, about.metadata)
        await self._gateway.held.remember(principal, held.record, said, labels)

    async def _delete(self, principal: Principal, key: str) -> HttpAnswer:
        if not await self._gateway.held.delete(principal, key):
            raise no_session(key)
        return json_of({"id": key, "object": "agent.session.deleted", "deleted": True})

    def _stream(self, request: Request, principal: Principal, key: str) -> SessionStream:
        async def shown() -> Json:
            return session_of(await self._pages.found(principal, key))

        return SessionStream(request, self._gateway, principal, key, shown)
