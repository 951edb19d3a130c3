"""The one place that makes a RunRequest, for every door. Pure.

A door brings the principal, where the request goes, and what it says; who asks is settled here.
"""

from msgspec import Struct

from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.routing import Route
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import Audience, ClientTools, Door, Origin, RunRequest, Sampling


class Question(Struct, frozen=True):
    """What a client says, in the gateway's words. `timeout_s` None leaves the limit to the agent."""

    messages: tuple[Message, ...]
    instructions: str = ""
    sampling: Sampling = Sampling()
    client_tools: ClientTools = ClientTools()
    idempotency_key: str | None = None
    timeout_s: float | None = None


def run_request(principal: Principal, door: Door, route: Route, question: Question) -> RunRequest:
    """Terminal and control protocol are the operator; over HTTP one credential stands for many people."""
    audience: Audience = "operator"
    if door == "http":
        audience = "conversation" if route.user is None else "user"
    return RunRequest(
        Origin(principal.owner, door, audience, route.user),
        route.agent_id,
        question.messages,
        route.session_key,
        question.instructions,
        question.sampling,
        question.client_tools,
        question.idempotency_key,
        question.timeout_s,
    )
