"""The tools for conversations and agents over stand-ins for what the gateway binds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.base import (
    Letter,
    Said,
    SessionLine,
    Sight,
    Tool,
    ToolAgent,
    ToolContext,
    ToolServices,
)
from openclaw_gateway.tools.builtin import (
    agents_list,
    session_status,
    sessions_history,
    sessions_list,
    sessions_send,
)
from openclaw_gateway.tools.exec.approvals_file import ApprovalsFile
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.tools.session_reach import sight
from openclaw_gateway.wire.run import Audience, Origin
from tests.tools.rooms import OPERATOR

NOW_MS = 4_000_000_000_000
CONTEXT = ToolContext("run", "call", "main", OPERATOR, "agent:main:here", lambda text: None)


class Sessions:
    """Some conversations of two agents; `sent` is what was said into them."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, float]] = []
        self.said = tuple(Said("user", "word " * 2000) for _ in range(50))

    async def list_sessions(self, context: ToolContext, sight: Sight) -> tuple[SessionLine, ...]:
        keys = ("agent:main:here", "agent:main:other", "agent:beta:main", "agent:gamma:main")
        lines = (SessionLine(key, key.split(":")[1], NOW_MS, 2, None) for key in keys)
        return tuple(line for line in lines if sight(line))

    async def history(
        self, context: ToolContext, sight: Sight, session_key: str, limit: int, *, include_tools: bool
    ) -> tuple[Said, ...]:
        await self._find(context, sight, session_key)
        return (*self.said[-limit:], *((Said("tool", "result"),) if include_tools else ()))

    async def send(self, context: ToolContext, sight: Sight, message: Letter, timeout_s: float) -> str | None:
        await self._find(context, sight, message.session_key)
        self.sent.append((message.session_key, message.text, timeout_s))
        return "r" * 50_000 if timeout_s else None

    async def status(self, context: ToolContext, sight: Sight, session_key: str | None) -> Mapping[str, Any]:
        if session_key is not None:
            await self._find(context, sight, session_key)
        return {"sessionKey": session_key or context.session_key}

    async def _find(self, context: ToolContext, sight: Sight, session_key: str) -> None:
        if session_key not in {line.key for line in await self.list_sessions(context, sight)}:
            raise ToolError("no such session")


class Agents:
    def list_agents(self) -> tuple[tuple[str, str], ...]:
        return (("main", "Main"), *((f"a{n}", f"A {n}") for n in range(300)))

    def models_of(self, agent_id: str) -> tuple[str, ...]:
        return ("mock/large", "mock/small", "other/small")


def services(sessions: Sessions) -> ToolServices:
    return ToolServices(
        Path("/nonexistent"), {}, ApprovalsFile(Path("/nonexistent")), sessions, Agents(), Performer({})
    )


def agent(**settings: Any) -> ToolAgent:
    return ToolAgent("main", Path("/nonexistent"), settings)


def tool(module: Any, sessions: Sessions, /, **settings: Any) -> Tool:
    (made,) = module.build(services(sessions), agent(**settings))
    assert isinstance(made.summary, str)
    assert made.spec.name == module.__name__.rpartition(".")[2]
    return made  # type: ignore[no-any-return]


async def result(made: Tool, **arguments: Any) -> Any:
    return msgspec.json.decode((await made.run(arguments, CONTEXT)).text)


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ({}, ["agent:main:here", "agent:main:other"]),
        ({"sessions": {"visibility": "self"}}, ["agent:main:here"]),
        ({"sessions": {"visibility": "tree"}}, ["agent:main:here"]),
        (
            {"agentToAgent": {"enabled": True}},
            ["agent:main:here", "agent:main:other", "agent:beta:main", "agent:gamma:main"],
        ),
        (
            {"agentToAgent": {"enabled": True, "allow": ["ma*", "beta"]}},
            ["agent:main:here", "agent:main:other", "agent:beta:main"],
        ),
        (
            {"agentToAgent": {"enabled": True, "allow": ["beta"]}},
            ["agent:main:here", "agent:main:other"],
        ),
        (
            {"agentToAgent": {"enabled": True}, "sessions": {"visibility": "agent"}},
            ["agent:main:here", "agent:main:other"],
        ),
    ],
)
async def test_reach(settings: dict[str, Any], seen: list[str]) -> None:
    sessions = Sessions()
    listed = await result(tool(sessions_list, sessions, **settings))
    assert [one["key"] for one in listed["sessions"]] == seen
    for key in ("agent:main:other", "agent:beta:main", "agent:gamma:main"):
        for module, arguments in (
            (sessions_history, {"sessionKey": key, "limit": 1}),
            (sessions_send, {"sessionKey": key, "message": "hi"}),
            (session_status, {"sessionKey": key}),
        ):
            made = tool(module, sessions, **settings)
            if key in seen:
                await made.run(arguments, CONTEXT)
            else:
                with pytest.raises(ToolError, match="no such session"):
                    await made.run(arguments, CONTEXT)
    assert {key for key, _, _ in sessions.sent} == set(seen) - {"agent:main:here"}


async def test_lists_are_bounded() -> None:
    listed = await result(tool(sessions_list, Sessions()), limit=1, activeMinutes=5)
    assert (len(listed["sessions"]), listed["more"]) == (1, 1)
    assert listed["sessions"][0]["updatedAt"].startswith("2096-")
    everybody = await result(tool(agents_list, Sessions()))
    assert (len(everybody["agents"]), everybody["more"]) == (200, 101)
    assert everybody["agents"][0] == {"id": "main", "name": "Main", "you": True}


async def test_history_keeps_the_newest_that_fit() -> None:
    told = await result(tool(sessions_history, Sessions()), sessionKey="agent:main:here", includeTools=True)
    assert told["messages"][-1] == {"role": "tool", "text": "result"}
    assert len(told["messages"]) + told["leftOut"] == 51
    assert told["leftOut"] > 30
    assert "characters left out" in told["messages"][0]["text"]
    assert sum(len(one["text"]) for one in told["messages"]) <= 80_000


async def test_send_waits_or_not_and_never_to_itself() -> None:
    sessions = Sessions()
    made = tool(sessions_send, sessions)
    answered = await result(made, sessionKey="agent:main:other", message="hi")
    assert answered["status"] == "ok"
    assert len(answered["reply"]) < 33_000
    left = await result(made, sessionKey="agent:main:other", message="hi", timeoutSeconds=0)
    assert left["status"] == "accepted"
    assert sessions.sent == [("agent:main:other", "hi", 30.0), ("agent:main:other", "hi", 0.0)]
    with pytest.raises(ToolError, match="the conversation you are in"):
        await made.run({"sessionKey": "Agent:Main:HERE", "message": "hi"}, CONTEXT)
    with pytest.raises(ToolError, match="longer than"):
        await made.run({"sessionKey": "agent:main:other", "message": "x" * 32_001}, CONTEXT)


async def test_status_of_here_when_nothing_is_named() -> None:
    assert await result(tool(session_status, Sessions())) == {"sessionKey": "agent:main:here"}


ADA_S = SessionLine("agent:main:openai-user:ada", "main", NOW_MS, 2, user="ada")
ADA_S_TOO = SessionLine("agent:main:chat-7", "main", NOW_MS, 2, user="ada")
ADA_S_WITH_BETA = SessionLine("agent:beta:openai-user:ada", "beta", NOW_MS, 2, user="ada")
BOB_S = SessionLine("agent:main:openai-user:bob", "main", NOW_MS, 2, user="bob")
OPERATOR_S = SessionLine("agent:main:main", "main", NOW_MS, 2)
LINES = (ADA_S, ADA_S_TOO, ADA_S_WITH_BETA, BOB_S, OPERATOR_S)


@pytest.mark.promise("CVE-2026-100535")
@pytest.mark.parametrize("visibility", [None, "self", "tree", "user", "agent", "all"])
@pytest.mark.parametrize(
    ("audience", "user", "session_key", "seen"),
    [
        # Who asks decides, whatever the key looks like.
        ("operator", None, "agent:main:main", {None: 4, "self": 1, "user": 4, "agent": 4, "all": 4}),
        ("operator", None, ADA_S.key, {None: 4, "self": 1, "user": 4, "agent": 4, "all": 4}),
        ("user", "ada", ADA_S.key, {None: 1, "self": 1, "user": 2, "agent": 4, "all": 4}),
        ("user", "ada", "agent:main:main", {None: 1, "self": 1, "user": 3, "agent": 4, "all": 4}),
        ("user", "ada", "agent:main:new", {None: 0, "self": 0, "user": 2, "agent": 4, "all": 4}),
        ("user", "eve", BOB_S.key, {None: 1, "self": 1, "user": 1, "agent": 4, "all": 4}),
        ("conversation", None, "agent:main:main", {None: 1, "self": 1, "user": 1, "agent": 4, "all": 4}),
        ("conversation", None, None, {None: 0, "self": 0, "user": 0, "agent": 4, "all": 4}),
    ],
)
def test_what_one_user_says_is_not_for_another(
    visibility: str | None,
    audience: Audience,
    user: str | None,
    session_key: str | None,
    seen: dict[str | None, int],
) -> None:
    """CVE-2026-100535, -100539, -100591, Hermes CVE-2026-18993, CVE-2026-100579: behind one credential there
    may be many people; the run's origin tells them apart, never a key or an argument."""
    settings = {} if visibility is None else {"sessions": {"visibility": visibility}}
    context = ToolContext(
        "run", "call", "main", Origin("owner", "http", audience, user), session_key, lambda text: None
    )
    sees = sight(ToolAgent("main", Path("/nowhere"), settings), context)
    assert sum(map(sees, LINES)) == seen["self" if visibility == "tree" else visibility]


@pytest.mark.promise("CVE-2026-100579")
async def test_what_is_not_taken_of_a_call_is_said() -> None:
    listed = await result(tool(sessions_list, Sessions()), kinds=["main"], messageLimit=3, limit=1)
    assert listed["notTaken"] == ["kinds", "messageLimit"]
    status = await result(tool(session_status, Sessions()), model="other/model")
    assert status == {"sessionKey": "agent:main:here", "notTaken": ["model"]}
    assert "notTaken" not in await result(tool(session_status, Sessions()))
