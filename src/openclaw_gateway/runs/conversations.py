"""The conversations an agent's tools may look at and speak in: those of the same owner that they see.

Implements the capability `SessionsForTools`. A message to another session is an ordinary run there, with
its lane and its policy; it has the audience of the run that sends it, and ends with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from openclaw_gateway.errors import GatewayError, ToolError
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.store import SessionRecord, Store
from openclaw_gateway.tools.base import Letter, Said, SessionLine, Sight, ToolContext
from openclaw_gateway.wire.messages import AssistantMessage, Message, ToolMessage, UserMessage
from openclaw_gateway.wire.run import RunRequest

_PAGE = 1_000
Start = Callable[[RunRequest], Awaitable[Run]]


class Conversations:
    """`start` begins a run through the gateway's own door-less way in."""

    def __init__(self, store: Store, start: Start) -> None:
        self._store = store
        self._start = start

    async def list_sessions(self, context: ToolContext, sight: Sight) -> tuple[SessionLine, ...]:
        """Among the newest thousand, and the conversation of the call itself."""
        # What somebody has taken back is not for agents to look up.
        records = await self._store.list_sessions(context.origin.owner, limit=_PAGE, branches=False)
        lines = [line for line in map(_session_line, records) if sight(line)]
        if context.session_key is not None and all(line.key != context.session_key for line in lines):
            lines.append(_session_line(await self._record(context, sight, context.session_key)))
        return tuple(lines)

    async def history(
        self, context: ToolContext, sight: Sight, session_key: str, limit: int, *, include_tools: bool
    ) -> tuple[Said, ...]:
        record = await self._record(context, sight, session_key)
        after = max(0, record.last_seq - min(limit * (3 if include_tools else 6), _PAGE))
        entries = await self._store.transcript(record.owner, record.key, after=after, limit=_PAGE)
        said = [line for entry in entries if (line := _said(entry.message, include_tools)) is not None]
        return tuple(said[-limit:])

    async def send(self, context: ToolContext, sight: Sight, message: Letter, timeout_s: float) -> str | None:
        record = await self._record(context, sight, message.session_key)
        request = RunRequest(
            context.origin.child(context.run_id, confined=message.confined),
            record.agent,
            (UserMessage(message.text),),
            session_key=record.key,
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

    async def status(self, context: ToolContext, sight: Sight, session_key: str | None) -> Mapping[str, Any]:
        key = session_key or context.session_key
        if key is None:
            note = "this request has no session"
            return {"session": None, "agent": context.agent_id, "model": context.model, "note": note}
        record = await self._record(context, sight, key)
        # Which model answered in another conversation is not recorded.
        own = {"model": context.model} if record.key == context.session_key else {}
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

    async def _record(self, context: ToolContext, sight: Sight, session_key: str) -> SessionRecord:
        record = await self._store.get_session(context.origin.owner, session_key.strip().lower())
        is_own = record is not None and record.key == context.session_key
        if record is None or (record.parent and not is_own) or not sight(_session_line(record)):
            raise ToolError(
                f"There is no session '{session_key[:200]}' that you may look at. sessions_list shows those "
                "there are."
            )
        return record


def _session_line(record: SessionRecord) -> SessionLine:
    return SessionLine(
        record.key, record.agent, record.updated_ms, record.last_seq, record.label, record.user
    )


def _said(message: Message, include_tools: bool) -> Said | None:
    match message:
        case ToolMessage():
            return Said("tool", message.content) if include_tools else None
        case AssistantMessage():
            return Said("assistant", message.content) if message.content else None
        case UserMessage():
            return Said("user", message.content)
        case _:
            return None
