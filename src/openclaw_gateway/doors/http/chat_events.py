"""GET /v1/chat/completions/{id}/events: the stream of a run that goes on without its client, from where the
client was cut off, for any number of readers of the same owner."""

import time
from typing import ClassVar
from urllib.parse import unquote

from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.asking_agents import model_shown
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.openai.chunks import ErrorObject
from openclaw_gateway.doors.openai.followed import Followed, NumberedVoice, followed, gone
from openclaw_gateway.doors.openai.shapes import ChatCompletionChunk
from openclaw_gateway.doors.operation import Operation
from openclaw_gateway.doors.requests import Request, place_had
from openclaw_gateway.errors import NotFound
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.runs.replayed import ReplayedRun


class Endpoint(AgentEndpoint):
    paths: ClassVar = ("/v1/chat/completions/*/events", "/chat/completions/*/events")
    methods: ClassVar[tuple[str, ...]] = ("GET",)
    operations: ClassVar = (
        Operation(
            "GET",
            "/v1/chat/completions/{completion_id}/events",
            "The chunks of a run that outlives its client, from where it was cut off.",
            {200: None},
            events=(ChatCompletionChunk, ErrorObject),
            headers={"Last-Event-ID": "The number of the last event that the client has."},
            query={"after": "The same."},
        ),
    )

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        started = time.monotonic()
        id_ = unquote(request.route_path.split("/")[-2])
        had = place_had(request, "after") or 0
        run = await self._gateway.answers.followed(principal, id_, has_part=had > 0)
        about: Followed | None = None
        if run is not None and run.request.detached is not None:
            about = followed(run.request.detached)
        elif run is not None and run.result is not None and run.result.error is not None:
            # Of a failure nothing is kept but the failure.
            about = Followed(model_shown(None))
        if run is None or about is None:
            raise NotFound(
                f"There is no chat completion '{id_[:80]}' that goes on without its client "
                "(x-openclaw-detach: true), or its answer is not kept any more.",
                code="completion_not_found",
            )
        if had and isinstance(run, ReplayedRun) and not run.tells_all:
            raise gone()
        tools = about.progress != "off"
        limits = self._gateway.limits
        unsure = self._gateway.answers.unsure(run) if had else None
        with Delivery(
            request, run, limits, started=started, detached=True, tools=tools, begun=had > 0, unsure=unsure
        ) as delivery:
            voice = NumberedVoice(about.voice(run.id, run.created_ms // 1000), had)
            return await delivery.answer(voice, stream=True)
