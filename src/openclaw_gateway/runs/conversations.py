"""The conversations an agent's tools may look at and speak in: those of the same owner.

Implements the capability `SessionsForTools`. A message to another session is an ordinary run there, with
its lane and its policy.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from openclaw_gateway.errors import GatewayError
from openclaw_gateway.runs.run import Run, new_run_id
from openclaw_gateway.sessions.keys import agent_of
from openclaw_gateway.sessions.store import SessionRecord, Store
from openclaw_gateway.tools.base import Said, SessionLine, ToolContext, ToolError
from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolMessage, UserMessage
from openclaw_gateway.wire.run import RunRequest

_PAGE = 1_000
Start = Callable[[RunRequest], Awaitable[Run]]


class Conversations:
    """`start` begins a run through the gateway's own door-less way in."""

    def __init__(self, store: Store, start: Start) -> None:
        self._store = store
        self._start = start

    async def list_sessions(self, context: ToolContext, limit: int) -> tuple[SessionLine, ...]:
        records = await self._store.list_sessions(owner=context.owner, limit=limit)
        return tuple(
            SessionLine(record.key, record.agent, record.updated_ms, record.last_seq, record.label)
            for record in records
        )

    async def history(
        self, context: ToolContext, session_key: str, limit: int, *, include_tools: bool
    ) -> tuple[Said, ...]:
        record = await self._record(context, session_key)
        after = max(0, record.last_seq - min(limit * (3 if include_tools else 6), _PAGE))
        entries = await self._store.transcript(session_key, after=after, limit=_PAGE)
        said = [line for entry in entries if (line := _line(entry.message, include_tools)) is not None]
        return tuple(said[-limit:])

    async def send(
        self, context: ToolContext, session_key: str, message: str, timeout_s: float
    ) -> str | None:
        if session_key == context.session_key:
            raise ToolError("This is the session you are in: answer instead of sending to it.")
        record = await self._record(context, session_key)
        request = RunRequest(
            run_id=new_run_id(),
            agent_id=record.agent,
            owner=context.owner,
            messages=(UserMessage(message),),
            session_key=session_key,
        )
        try:
            run = await self._start(request)
            if timeout_s <= 0:
                return None
            async with asyncio.timeout(timeout_s):
                result = await run.wait()
        except TimeoutError:
            return None
        except GatewayError as error:
            raise ToolError(f"The message was not answered: {error.message}") from None
        if result.error is not None:
            raise ToolError(f"The message was not answered: {result.error.message}")
        return result.text

    async def status(self, context: ToolContext, session_key: str | None) -> Mapping[str, Any]:
        key = session_key or context.session_key
        if key is None:
            note = "this request has no session"
            return {"session": None, "agent": context.agent_id, "model": context.model, "note": note}
        record = await self._record(context, key)
        # Which model answered in another conversation is not recorded.
        own = {"model": context.model} if key == context.session_key else {}
        return {
            "session": record.key,
            "agent": record.agent,
            **own,
            "messages": record.last_seq,
            "updatedAt": record.updated_ms,
            "usage": {
                "input": record.prompt_tokens,
                "output": record.completion_tokens,
                "total": record.total_tokens,
            },
        }

    async def _record(self, context: ToolContext, session_key: str) -> SessionRecord:
        record = await self._store.get_session(session_key)
        if record is None or record.owner != context.owner or agent_of(session_key) is None:
            raise ToolError(
                f"There is no session '{session_key[:200]}'. sessions_list shows those there are."
            )
        return record


def _line(message: Message, include_tools: bool) -> Said | None:
    match message:
        case ToolMessage():
            return Said("tool", message.content) if include_tools else None
        case AssistantMessage():
            return Said("assistant", message.content) if message.content else None
        case UserMessage():
            return Said("user", message.content)
        case _:
            return None
