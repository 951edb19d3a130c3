"""Where a chat is: which agent, which conversation, which model; what the gateway knows of each."""

from typing import Any

from msgspec import Struct

from openclaw_gateway.cli.conversation import MAIN_SESSION
from openclaw_gateway.client.link import Link

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
    told = await link.request("chat.history", asked | ({"agentId": agent} if agent else {}))
    key = str(told["sessionKey"])
    defaults = told.get("defaults") or {}
    model = "/".join(filter(None, (defaults.get("modelProvider"), defaults.get("model"))))
    running = (told.get("inFlightRun") or {}).get("runId")
    return Found(key, key.split(":")[1], model, running, int(told.get("totalMessages") or 0))


async def made(link: Link, agent: str) -> str:
    """The key of another conversation with the agent."""
    return str((await link.request("sessions.create", {"agentId": agent}))["key"])


async def agents(link: Link) -> list[tuple[str, str, str]]:
    """(id, name, model) of each."""
    told = await link.request("agents.list")
    return [
        (str(agent["id"]), str(agent.get("name") or agent["id"]), _primary(agent.get("model")))
        for agent in told["agents"]
    ]


async def models(link: Link) -> list[str]:
    told = await link.request("models.list")
    return [f"{model['provider']}/{model['id']}" for model in told["models"]]


async def sessions(link: Link, agent: str) -> list[dict[str, Any]]:
    """The newest conversations with the agent, the newest first."""
    told = await link.request("sessions.list", {"limit": _LISTED, "agentId": agent})
    rows: list[dict[str, Any]] = told["sessions"]
    return rows


async def tokens(link: Link, session: str) -> tuple[int, int]:
    """(in, out) of a conversation."""
    row = (await link.request("sessions.describe", {"key": session}))["session"] or {}
    return int(row.get("inputTokens") or 0), int(row.get("outputTokens") or 0)


def _primary(model: Any) -> str:
    return str(model.get("primary") or "") if isinstance(model, dict) else str(model or "")
