"""The one place that makes a RunRequest, for every door. Pure.

A door brings the principal, where the request goes, and what it says; who asks is settled here.
"""

import hashlib
from uuid import uuid4

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.routing import Route
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import (
    Attempt,
    Audience,
    ClientTools,
    Door,
    Errand,
    Idempotency,
    Invocation,
    Keep,
    Origin,
    Queue,
    RunRequest,
    Sampling,
)


class Question(Struct, frozen=True):
    """What a client says, in the gateway's words. `timeout_s` None leaves the limit to the agent.

    `idempotency_key` is its own name for the request, the same by every door. `previous` names the kept
    answer with which `before` ends.
    """

    messages: tuple[Message, ...]
    instructions: str = ""
    sampling: Sampling = Sampling()
    client_tools: ClientTools = ClientTools()
    idempotency_key: str | None = None
    timeout_s: float | None = None
    task: str | None = None
    before: tuple[Message, ...] = ()
    previous: str | None = None
    keep: Keep | None = None
    attempt: Attempt | None = None
    detached: Raw | None = None
    invocation: Invocation | None = None
    queue: Queue = "wait"
    errand: Errand | None = None


def run_request(principal: Principal, door: Door, route: Route, question: Question) -> RunRequest:
    return RunRequest(
        origin_of(principal, door, route, invoking=question.invocation is not None),
        route.agent_id,
        question.messages,
        None if question.task or question.invocation else route.session_key,
        question.instructions,
        question.sampling,
        question.client_tools,
        _idempotency(route, question),
        question.timeout_s,
        question.task,
        question.before,
        question.keep,
        "" if question.task else route.backend,
        is_whole=route.is_whole,
        is_windowed=route.is_windowed,
        attempt=question.attempt if question.idempotency_key is None else None,
        detached=question.detached,
        invocation=question.invocation,
        queue=question.queue,
        errand=question.errand,
    )


def origin_of(principal: Principal, door: Door, route: Route, *, invoking: bool = False) -> Origin:
    """Terminal and control protocol are the operator; over HTTP one credential stands for many people. Who is
    `invoking` a tool himself sees by every door what he sees over HTTP."""
    audience: Audience = "operator"
    if door == "http" or invoking:
        audience = "conversation" if route.user is None else "user"
    return Origin(principal.owner, door, audience, route.user)


def _idempotency(route: Route, question: Question) -> Idempotency | None:
    """Everything that the answer depends on is in the digest, and whether it is kept: an answer that was not
    is no answer to who wants to come back to it. Nothing is of how it is delivered."""
    key = question.idempotency_key
    if key is None:
        # A name that nobody else has: so it is on disk, and its answer is kept.
        return None if question.detached is None else Idempotency(f"detached:{uuid4()}", b"detached")
    special: tuple[object, ...] = (question.keep is not None, question.previous, question.task)
    if route.backend:
        special = (*special, route.backend)
    if question.invocation is not None:
        special = (*special, question.invocation)
    asked = (
        route.agent_id,
        route.session_key,
        route.user,
        question.messages,
        question.instructions,
        question.sampling,
        question.client_tools,
        special if any(special) else None,
    )
    return Idempotency(key, hashlib.sha256(msgspec.json.encode(asked)).digest())
