"""What is to be read of sessions, page by page, as in the Agents API: which there are, turns, and items.

Raises InvalidRequest for what the query says wrong, NotFound, and StoreError. Source: the types of the
`openai` package, 3.52 (types/beta/agents/session_list_params and those beside it).
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial

import msgspec
from msgspec.structs import replace

from openclaw_gateway.config.agent_id import asked_agent_id
from openclaw_gateway.doors.agents.items import items_of
from openclaw_gateway.doors.agents.resources import (
    Json,
    item_run,
    labels_in,
    session_of,
    turn_of,
    turn_run,
)
from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.openai.paging import behind, listed, page_of, paging_of, query_of, unknown_after
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.errors import InvalidRequest, NotFound
from openclaw_gateway.gateway.held.sessions import HeldSession, HeldSessions
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.sessions.store import Entry


class SessionPages:
    def __init__(self, sessions: HeldSessions) -> None:
        self._sessions = sessions

    async def answer(self, request: Request, principal: Principal, path: list[str]) -> HttpAnswer | None:
        """None where there is nothing to be read at a path."""
        if not path:
            return await self.sessions(request, principal)
        key, *what = path
        if what and what[0] not in ("items", "turns"):
            return None
        held = await self.found(principal, key)
        return await self._of_session(request, principal, held, what) if what else json_of(session_of(held))

    async def _of_session(
        self, request: Request, principal: Principal, held: HeldSession, what: list[str]
    ) -> HttpAnswer | None:
        key = held.record.key
        match what:
            case ["items"]:
                return await self.items(request, principal, key)
            case ["turns"]:
                return await self.turns(request, principal, key)
            case ["turns", id_]:
                record = await self._sessions.turn(principal, key, turn_run(id_) or "")
                if record is None:
                    raise _no_turn(id_)
                return json_of(turn_of(record))
            case ["turns", id_, "items"]:
                return await self.items(request, principal, key, id_)
            case _:
                return None

    async def found(self, principal: Principal, key: str) -> HeldSession:
        held = await self._sessions.find(principal, key)
        if held is None:
            raise no_session(key)
        return held

    async def sessions(self, request: Request, principal: Principal) -> HttpAnswer:
        query = query_of(request.raw_path)
        paging = paging_of(query, order="desc")
        sessions = self._sessions
        agent = _agent_in(query)
        labels = labels_in(query, agent)
        if labels:
            look = partial(sessions.labelled, principal, labels)
        else:
            look = partial(sessions.page, principal, agent=agent)
        found = await look(after=paging.after, limit=paging.limit + 1, newest_first=paging.newest_first)
        if found is None:
            raise unknown_after(paging.after or "")
        return _page([session_of(held) for held in found], paging.limit)

    async def turns(self, request: Request, principal: Principal, key: str) -> HttpAnswer:
        paging = paging_of(query_of(request.raw_path), order="desc")
        found = await self._sessions.turns(
            principal,
            key,
            after=None if paging.after is None else turn_run(paging.after) or "",
            limit=paging.limit + 1,
            newest_first=paging.newest_first,
        )
        if found is None:
            raise unknown_after(paging.after or "")
        return _page([turn_of(record) for record in found], paging.limit)

    async def items(
        self, request: Request, principal: Principal, key: str, turn: str | None = None
    ) -> HttpAnswer:
        """Of one turn, or of all."""
        paging = paging_of(query_of(request.raw_path), order="desc")
        if turn is not None:
            run_id = turn_run(turn) or ""
            entries = await self._sessions.said_in(principal, key, run_id)
            if not entries and await self._sessions.turn(principal, key, run_id) is None:
                raise _no_turn(turn)
            return json_of(page_of(items_of(await self._whole(principal, entries)), paging))
        found: list[Json] = []
        is_behind = paging.after is None
        async with aclosing(
            self._sessions.said(
                principal, key, first=item_run(paging.after), newest_first=paging.newest_first
            )
        ) as turns:
            async for entries in turns:
                items = items_of(entries)
                shown: Sequence[Json] = items[::-1] if paging.newest_first else items
                if not is_behind:
                    shown = behind(shown, paging.after)
                    is_behind = True
                if any(item["type"] == "message" and item["role"] == "user" for item in shown):
                    whole = {item["id"]: item for item in items_of(await self._whole(principal, entries))}
                    shown = [whole[item["id"]] for item in shown]
                found += shown
                if len(found) > paging.limit:
                    break
        if not is_behind:
            raise unknown_after(paging.after or "")
        return _page(found, paging.limit)

    async def _whole(self, principal: Principal, entries: Sequence[Entry]) -> list[Entry]:
        """With the data of their images."""
        with_images = self._sessions.with_images
        return [replace(entry, message=await with_images(principal, entry.message)) for entry in entries]


def _agent_in(query: Mapping[str, str]) -> str | None:
    """As the control protocol reads it. None = all; one that is no longer configured may have sessions."""
    named = query.get("agent_id")
    agent = asked_agent_id(named) if named else None
    if named and agent is None:
        raise InvalidRequest("`agent_id` is no id of an agent.", param="agent_id")
    return agent


def json_of(said: Json) -> HttpAnswer:
    return json_answer(msgspec.json.encode(said))


def no_session(key: str) -> NotFound:
    return NotFound(
        f"There is no session '{key[:80]}'. A session's id is its key: GET /v1/agents/sessions lists yours.",
        code="agent_session_not_found",
    )


def _no_turn(id_: str) -> NotFound:
    return NotFound(
        f"There is no turn '{id_[:80]}' in this session, or it is not kept any more: GET …/turns lists them.",
        code="turn_not_found",
    )


def _page(found: list[Json], limit: int) -> HttpAnswer:
    """`found` are one more than fit, if there are so many."""
    data = found[:limit]
    return json_of(listed(data, [each["id"] for each in data], has_more=len(found) > limit))
