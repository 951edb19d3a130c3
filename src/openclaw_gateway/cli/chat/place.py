"""Where a chat is: which agent, which conversation, which model; what the gateway knows of each."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from openclaw_gateway.cli.conversation import MAIN_SESSION
from openclaw_gateway.client.answers import (
    AgentModel,
    Agents,
    Defaults,
    Described,
    Here,
    Made,
    Models,
    Session,
    Sessions,
    told,
)
from openclaw_gateway.client.link import Link

T = TypeVar("T")
_LISTED = 20


class Found(Struct, frozen=True):
    """A conversation: its whole key, the run at work in it, how many messages it has."""

    key: str
    agent: str
    model: str
    running: str | None
    messages: int


class Place(Struct):
    """`model` None: the agent's own."""

    agent: str = ""
    session: str = ""
    model: str | None = None


async def found(link: Link, session: str | None, agent: str | None) -> Found:
    """Raises RemoteError and what the link raises."""
    asked = {"sessionKey": session or MAIN_SESSION, "limit": 1}
    here = await _told(link, "chat.history", asked | ({"agentId": agent} if agent else {}), Here)
    defaults = here.defaults or Defaults()
    model = "/".join(filter(None, (defaults.model_provider, defaults.model)))
    running = here.in_flight_run.run_id if here.in_flight_run is not None else None
    # agent:<agent>:<rest>
    whose = here.session_key.split(":")[1:2]
    return Found(here.session_key, whose[0] if whose else "", model, running, here.total_messages or 0)


async def made(link: Link, agent: str) -> str:
    """The key of another conversation with the agent."""
    return (await _told(link, "sessions.create", {"agentId": agent}, Made)).key


async def agents(link: Link) -> list[tuple[str, str, str]]:
    """(id, name, model) of each."""
    listed = await _told(link, "agents.list", {}, Agents)
    return [(agent.id, agent.name or agent.id, _primary(agent.model)) for agent in listed.agents]


async def models(link: Link) -> list[str]:
    listed = await _told(link, "models.list", {}, Models)
    return [f"{model.provider}/{model.id}" for model in listed.models]


async def sessions(link: Link, agent: str) -> Sequence[Session]:
    """The newest conversations with the agent, the newest first."""
    return (await _told(link, "sessions.list", {"limit": _LISTED, "agentId": agent}, Sessions)).sessions


async def tokens(link: Link, session: str) -> tuple[int, int]:
    """(in, out) of a conversation."""
    row = (await _told(link, "sessions.describe", {"key": session}, Described)).session
    return (0, 0) if row is None else (row.input_tokens, row.output_tokens)


async def _told(link: Link, method: str, params: Mapping[str, Any], shape: type[T]) -> T:
    return told(await link.request(method, params), method, shape)


def _primary(model: AgentModel | str | None) -> str:
    return (model.primary if isinstance(model, AgentModel) else model) or ""
