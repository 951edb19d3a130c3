"""`agents.files.list`, `.get`, `.set`: the files that make an agent what it is. Shapes as published.

Paths are told by their last part.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.prompt_files import PromptFile
from openclaw_gateway.config.shown import short_path
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.principal import ADMIN, READ

_Word = Annotated[str, Meta(min_length=1, max_length=256)]


class ListParams(Struct, frozen=True, rename="camel"):
    agent_id: _Word


class GetParams(ListParams, frozen=True, rename="camel"):
    name: _Word


class SetParams(GetParams, frozen=True, rename="camel"):
    content: str


async def _list(call: MethodCall, params: ListParams) -> object:
    home, files = await call.gateway.operator.agent_files.list(call.principal, params.agent_id)
    return {**_whose(home), "files": [_entry(home, file) for file in files]}


async def _get(call: MethodCall, params: GetParams) -> object:
    home, file = await call.gateway.operator.agent_files.read(call.principal, params.agent_id, params.name)
    return {**_whose(home), "file": _entry(home, file)}


async def _set(call: MethodCall, params: SetParams) -> object:
    home, file = await call.gateway.operator.agent_files.write(
        call.principal, params.agent_id, params.name, params.content
    )
    return {"ok": True, **_whose(home), "file": _entry(home, file)}


def _whose(home: Home) -> dict[str, Any]:
    return {"agentId": home.agent_id, "workspace": short_path(str(home.workspace))}


def _entry(home: Home, file: PromptFile) -> dict[str, Any]:
    entry = {
        "name": file.name,
        "path": short_path(str(home.workspace / file.name)),
        "missing": file.size is None,
    }
    if file.size is None:
        return entry | ({"expectedAbsent": True} if file.is_expected_absent else {})
    entry |= {"size": file.size, "updatedAtMs": file.modified_ms}
    return entry if file.text is None else entry | {"content": file.text}


METHODS = (
    Method("agents.files.list", READ, ListParams, _list),
    Method("agents.files.get", READ, GetParams, _get),
    Method("agents.files.set", ADMIN, SetParams, _set),
)
