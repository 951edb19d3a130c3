"""GET /v1/chat/completions/{id}/events: the stream of a run that goes on without its client, from where the
client was cut off, for any number of readers of the same owner."""

import time
from typing import ClassVar
from urllib.parse import parse_qs, unquote

from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.asking_agents import model_shown
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.openai.followed import Followed, NumberedVoice, followed
from openclaw_gateway.doors.requests import Request, header_text
from openclaw_gateway.errors import EventsGone, InvalidRequest, NotFound
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.runs.replayed import ReplayedRun

_MOST_DIGITS = 12


class Endpoint(AgentEndpoint):
    paths: ClassVar = ("/v1/chat/completions/*/events", "/chat/completions/*/events")
    methods: ClassVar[tuple[str, ...]] = ("GET",)

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        started = time.monotonic()
        id_ = unquote(request.route_path.split("/")[-2])
        had = frames_had(request, "after")
        run = await self._gateway.followed(principal, id_)
        if run is None:
            raise NotFound(
                f"There is no chat completion '{id_[:80]}' that goes on without its client "
                "(x-openclaw-detach: true), or its answer is not kept any more.",
                code="completion_not_found",
            )
        if had and isinstance(run, ReplayedRun):
            raise gone()
        written = run.request.detached
        # Of what comes from the store, the request is not kept.
        about = Followed(model_shown(None)) if written is None else followed(written)
        with Delivery(request, run, self._gateway.limits, started=started, detached=True) as delivery:
            voice = NumberedVoice(about.voice(run.id, run.created_ms // 1000), had)
            return await delivery.answer(voice, stream=True)


def gone() -> EventsGone:
    return EventsGone(
        "The events of this answer are not kept any more, only the answer: ask for all of it, from the "
        "beginning."
    )


def frames_had(request: Request, name: str) -> int:
    """After which frame to go on: which the client heard last, else which it names. Raises InvalidRequest."""
    value = header_text(request, "Last-Event-ID")
    if value is None:
        value = parse_qs(request.raw_path.partition("?")[2]).get(name, ["0"])[-1]
    if not (value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS):
        raise InvalidRequest(
            f"`{name}` (or Last-Event-ID) is the number of the last event that you have, from 0.",
            param=name,
        )
    return int(value)
