"""/v1/chat/completions/{id}: chat completions that were to be kept, to be read, changed, and dropped.

Their list stands at the path where they are made: `stored_list`.
"""

from typing import ClassVar

import msgspec
from msgspec import Raw

from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.openai.chunks import ChatCompletion
from openclaw_gateway.doors.openai.metadata import take_metadata
from openclaw_gateway.doors.openai.paging import PAGED, listed, page_of, paging_of, query_of, unknown_after
from openclaw_gateway.doors.openai.shapes import DeletedCompletion, StoredMessages
from openclaw_gateway.doors.openai.stored import (
    about_of,
    completion_of,
    labels_in,
    labels_of,
    messages_of,
    updated,
)
from openclaw_gateway.doors.operation import Operation, Sent
from openclaw_gateway.doors.requests import Request, names_behind
from openclaw_gateway.errors import NotFound
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.kept import KeptAnswer

_ONE = "/v1/chat/completions/{completion_id}"


class Endpoint(AgentEndpoint):
    paths: ClassVar = ("/v1/chat/completions/", "/chat/completions/")
    methods: ClassVar[tuple[str, ...]] = ("GET", "POST", "DELETE")
    operations: ClassVar = (
        Operation("GET", _ONE, "A chat completion that is kept.", {200: ChatCompletion}),
        Operation(
            "POST",
            _ONE,
            "Other metadata for it.",
            {200: ChatCompletion},
            Sent(take_metadata, {"metadata": {"topic": "weather"}}),
        ),
        Operation("DELETE", _ONE, "Forget it.", {200: DeletedCompletion}),
        Operation("GET", f"{_ONE}/messages", "What its request said.", {200: StoredMessages}, query=PAGED),
    )

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        id_, *rest = names_behind(request, "/completions/")
        match request.method, rest:
            case "GET", []:
                return json_answer(completion_of(id_, await self._kept(principal, id_)))
            case "GET", ["messages"]:
                paging = paging_of(query_of(request.raw_path), order="asc")
                messages = messages_of(id_, await self._kept(principal, id_))
                return json_answer(msgspec.json.encode(page_of(messages, paging)))
            case "POST", []:
                return await self._update(request, principal, id_)
            case "DELETE", []:
                if not await self._gateway.answers.forget(principal, id_, "chat"):
                    raise _not_found(id_)
                deleted = {"id": id_, "object": "chat.completion.deleted", "deleted": True}
                return json_answer(msgspec.json.encode(deleted))
            case _:
                raise NotFound(
                    "Of a chat completion that is kept there are GET, POST, DELETE and GET …/messages here."
                )

    async def _update(self, request: Request, principal: Principal, id_: str) -> HttpAnswer:
        metadata = await self._asked(request, updated)
        kept = await self._kept(principal, id_)
        about = msgspec.structs.replace(about_of(kept), metadata=metadata)
        said = Raw(msgspec.json.encode(about))
        if not await self._gateway.answers.change(principal, id_, "chat", said, labels_of(about)):
            raise _not_found(id_)
        return json_answer(completion_of(id_, msgspec.structs.replace(kept, about=said)))

    async def _kept(self, principal: Principal, id_: str) -> KeptAnswer:
        kept = await self._gateway.answers.kept(principal, id_, "chat")
        if kept is None:
            raise _not_found(id_)
        return kept


async def stored_list(gateway: Gateway, request: Request, principal: Principal) -> HttpAnswer:
    """The caller's own, oldest first. Raises InvalidRequest, NotFound, StoreError."""
    query = query_of(request.raw_path)
    paging = paging_of(query, order="asc")
    page = await gateway.answers.page(
        principal,
        "chat",
        labels_in(query),
        after=paging.after,
        limit=paging.limit,
        newest_first=paging.newest_first,
    )
    if page is None:
        raise unknown_after(paging.after or "")
    data = [Raw(completion_of(run_id, kept)) for run_id, kept in page.heads.items()]
    return json_answer(msgspec.json.encode(listed(data, tuple(page.heads), has_more=page.has_more)))


def _not_found(id_: str) -> NotFound:
    return NotFound(
        f"Chat completion with id '{id_[:80]}' not found: it was not to be kept (`store: true`), or is not "
        "kept any more.",
        code="chat_completion_not_found",
    )
