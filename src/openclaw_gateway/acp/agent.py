"""The agent's side of the protocol: its methods, each a few calls of the gateway's WebSocket.

A session is the gateway's own, and its id is its key, so that an editor finds it again.
"""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from msgspec import Struct

import openclaw_gateway
from openclaw_gateway.acp.jsonrpc import INTERNAL_ERROR, INVALID_PARAMS, NOT_FOUND, RpcError
from openclaw_gateway.acp.peer import Handler, Peer
from openclaw_gateway.acp.permission import decision, permission
from openclaw_gateway.acp.prompt import message_of
from openclaw_gateway.acp.shapes import (
    Initialize,
    ListSessions,
    NewSession,
    OldSession,
    OneSession,
    Prompt,
    greeting,
    read_params,
)
from openclaw_gateway.acp.updates import Updates, stop_reason, told_again
from openclaw_gateway.client.answers import Described, Made, Session, Sessions, Transcript, told
from openclaw_gateway.client.followed_run import FollowedRun
from openclaw_gateway.client.link import Connect, Link, News
from openclaw_gateway.client.steps import Ended
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved

_HISTORY = 1_000
_MOST_CHARS = 500_000
_PAGE = 100
_CURSOR_DIGITS = 9
_ABORT_S = 5.0
log = structlog.get_logger()


class _Turn(Struct, eq=False):
    """A prompt that is being answered. `stopped`: the editor wants no more of it."""

    session_id: str
    updates: Updates | None = None
    run: FollowedRun | None = None
    asking: Link | None = None
    stopped: bool = False


class Agent:
    """`link` follows runs; `asked_by` makes a connection that is asked about commands, as long as a prompt is
    answered: an editor that only stands open must not count as somebody to ask. `agent_id` None = the default
    one."""

    def __init__(self, peer: Peer, link: Link, asked_by: Connect, *, agent_id: str | None) -> None:
        self._peer = peer
        self._link = link
        self._asked_by = asked_by
        self._agent_id = agent_id
        self._turns: list[_Turn] = []
        self._questions: dict[str, tuple[_Turn, asyncio.Task[None]]] = {}

    @property
    def methods(self) -> dict[str, Handler]:
        return {
            "initialize": self._initialize,
            "authenticate": self._authenticate,
            "session/new": self._new,
            "session/load": self._load,
            "session/resume": self._resume,
            "session/close": self._close,
            "session/list": self._list,
            "session/prompt": self._prompt,
            "session/cancel": self._cancel,
        }

    async def _initialize(self, params: dict[str, Any]) -> object:
        read_params(params, Initialize)
        return greeting(openclaw_gateway.__version__)

    async def _authenticate(self, _: dict[str, Any]) -> object:
        raise RpcError(INVALID_PARAMS, "There is nothing to choose: the gateway's own token is used.")

    async def _new(self, params: dict[str, Any]) -> object:
        _pass_over(read_params(params, NewSession).mcp_servers)
        asked = {"agentId": self._agent_id} if self._agent_id else {}
        made = told(await self._link.request("sessions.create", asked), "sessions.create", Made)
        return {"sessionId": made.key}

    async def _load(self, params: dict[str, Any]) -> object:
        session_id = await self._found(read_params(params, OldSession))
        asked = {"sessionKey": session_id, "limit": _HISTORY, "maxChars": _MOST_CHARS}
        said = told(await self._link.request("chat.history", asked), "chat.history", Transcript)
        for update in told_again(said.messages):
            await self._tell(session_id, update)
        return {}

    async def _resume(self, params: dict[str, Any]) -> object:
        await self._found(read_params(params, OldSession))
        return {}

    async def _close(self, params: dict[str, Any]) -> object:
        await self._stop(read_params(params, OneSession).session_id)
        return {}

    async def _list(self, params: dict[str, Any]) -> object:
        """A session here has no folder: all are listed, whichever an editor asks for."""
        wanted = read_params(params, ListSessions)
        cursor = wanted.cursor or "0"
        if not cursor.isdecimal() or len(cursor) > _CURSOR_DIGITS:
            raise RpcError(INVALID_PARAMS, "The cursor is none of ours.")
        asked: dict[str, object] = {"limit": _PAGE, "offset": int(cursor)}
        if self._agent_id:
            asked["agentId"] = self._agent_id
        listed = told(await self._link.request("sessions.list", asked), "sessions.list", Sessions)
        cwd = wanted.cwd or os.getcwd()  # noqa: PTH109  a text is wanted
        answer: dict[str, Any] = {"sessions": [_listed(row, cwd) for row in listed.sessions]}
        if listed.next_offset:
            answer["nextCursor"] = str(listed.next_offset)
        return answer

    async def _prompt(self, params: dict[str, Any]) -> object:
        wanted = read_params(params, Prompt)
        message = message_of(wanted.prompt)
        turn = _Turn(wanted.session_id)
        self._turns.append(turn)
        more = {"attachments": message.attachments} if message.attachments else {}
        try:
            async with Link(self._asked_by) as asking:
                asking.hear(self._hear)
                await asking.open()
                turn.asking = asking
                turn.run = run = await self._sent(wanted.session_id, message.text, more)
                turn.updates = Updates(run.run_id)
                try:
                    ended = await self._told(turn, run)
                except asyncio.CancelledError:
                    await self._abort(run)
                    raise
        finally:
            self._turns.remove(turn)
            for asker, task in list(self._questions.values()):
                if asker is turn:
                    task.cancel()
            if turn.run is not None:
                self._link.leave(turn.run)
        if turn.stopped or ended.status == "aborted":
            return {"stopReason": "cancelled"}
        if ended.status == "failed":
            raise RpcError(INTERNAL_ERROR, ended.message or "The run failed.", {"code": ended.code})
        return {"stopReason": stop_reason(ended)}

    async def _sent(self, session_id: str, text: str, more: dict[str, Any]) -> FollowedRun:
        """Who leaves while the gateway has not answered yet leaves no run behind."""
        sending = asyncio.ensure_future(self._link.send(session_id, text, **more))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            await asyncio.wait((sending,), timeout=_ABORT_S)
            if not sending.done():
                sending.cancel()
            elif sending.exception() is None:
                await self._abort(sending.result())
            await asyncio.gather(sending, return_exceptions=True)
            raise

    async def _told(self, turn: _Turn, run: FollowedRun) -> Ended:
        """Raises GatewayError when the run cannot be followed to its end."""
        if turn.stopped:
            await self._abort(run)
        ended = Ended("failed", message="The run has ended without a word.")
        async for step in run:
            if isinstance(step, Ended):
                ended = step
            for update in turn.updates.of(step) if turn.updates else ():
                await self._tell(turn.session_id, update)
        return ended

    async def _cancel(self, params: dict[str, Any]) -> None:
        await self._stop(read_params(params, OneSession).session_id)

    async def _stop(self, session_id: str) -> None:
        for turn in self._turns:
            if turn.session_id == session_id and not turn.stopped:
                turn.stopped = True
                if turn.run is not None:
                    await self._abort(turn.run)

    async def _abort(self, run: FollowedRun) -> None:
        with contextlib.suppress(GatewayError):
            await self._link.request("chat.abort", {"runId": run.run_id}, timeout_s=_ABORT_S)

    async def _found(self, wanted: OldSession) -> str:
        """Raises RpcError."""
        _pass_over(wanted.mcp_servers)
        answer = await self._link.request("sessions.describe", {"key": wanted.session_id})
        session = told(answer, "sessions.describe", Described).session
        if session is None:
            raise RpcError(NOT_FOUND, "There is no such session: it may have been deleted.")
        return session.key

    def _hear(self, news: News) -> None:
        match news:
            case ApprovalRequested() if news.id not in self._questions:
                turn = self._turn_of(news)
                if turn is not None:
                    task = asyncio.create_task(self._ask(turn, news))
                    self._questions[news.id] = (turn, task)
                    task.add_done_callback(lambda _: self._questions.pop(news.id, None))
            case ApprovalResolved():
                # Somebody else has answered, or it is over.
                question = self._questions.get(news.id)
                if question is not None:
                    question[1].cancel()
            case _:
                pass

    def _turn_of(self, asked: ApprovalRequested) -> _Turn | None:
        """Whose question it is: of the session that is at work, or of a run below it, which has none."""
        request = asked.request
        if request.run_id is None:
            # A client asks for itself, in no turn.
            return None
        for turn in self._turns:
            if turn.session_id == request.session_key:
                return turn
        below = request.session_key is None and request.door == "websocket"
        return self._turns[0] if below and len(self._turns) == 1 else None

    async def _ask(self, turn: _Turn, asked: ApprovalRequested) -> None:
        updates, asking = turn.updates, asked.request.tool_call_id
        call_id = updates.call_id(asking) if updates and asking else None
        try:
            answer = await self._peer.ask(
                "session/request_permission", permission(turn.session_id, asked, call_id)
            )
        except RpcError:
            answer = None
        if turn.asking is not None:
            said = {"id": asked.id, "decision": decision(answer, asked)}
            with contextlib.suppress(GatewayError):
                await turn.asking.request("exec.approval.resolve", said)

    async def _tell(self, session_id: str, update: Mapping[str, Any]) -> None:
        await self._peer.tell("session/update", {"sessionId": session_id, "update": update})


def _pass_over(servers: list[dict[str, Any]]) -> None:
    if servers:
        names = ", ".join(str(server.get("name", "?")) for server in servers)
        log.warning("acp.mcp_servers_passed_over", servers=names, instead="mcp.servers of the gateway")


def _listed(row: Session, cwd: str) -> dict[str, Any]:
    listed = {"sessionId": row.key, "cwd": cwd, "title": row.display_name}
    with contextlib.suppress(ValueError, OverflowError, OSError):  # a time that is none
        listed["updatedAt"] = datetime.fromtimestamp(row.updated_at / 1000, UTC).isoformat()
    return listed
