"""`agents.create`, `agents.update`, `agents.delete`: who may changes who there is. Shapes as published.

Folders are told by their last part. `deleteFiles` is not taken for granted here: without it the files stay.
"""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from openclaw_gateway.config.shown import short_path
from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.operator.agents import fields_of
from openclaw_gateway.gateway.principal import ADMIN

_Word = Annotated[str, Meta(min_length=1, max_length=256)]
_Path = Annotated[str, Meta(min_length=1, max_length=4_096)]
_Maybe = Annotated[str, Meta(max_length=4_096)]


class CreateParams(Struct, frozen=True, rename="camel"):
    name: _Word
    workspace: _Path | None = None
    model: _Word | None = None
    emoji: _Maybe | None = None
    avatar: _Maybe | None = None


class UpdateParams(Struct, frozen=True, rename="camel"):
    """`model` null takes the agent's own away."""

    agent_id: _Word
    name: _Word | None = None
    workspace: _Path | None = None
    model: _Word | UnsetType | None = UNSET
    emoji: _Maybe | None = None
    avatar: _Maybe | None = None


class DeleteParams(Struct, frozen=True, rename="camel"):
    agent_id: _Word
    delete_files: bool | None = None


async def _create(call: MethodCall, params: CreateParams) -> object:
    name = _printable("agents.create", params)
    fields = fields_of(workspace=params.workspace, emoji=params.emoji, avatar=params.avatar)
    if params.model:
        fields[("model",)] = params.model.strip()
    agent_id, home = await call.gateway.operator.agents.create(call.principal, name or "", fields)
    told = {"ok": True, "agentId": agent_id, "name": name, "workspace": short_path(str(home.workspace))}
    return told | ({"model": params.model.strip()} if params.model else {})


async def _update(call: MethodCall, params: UpdateParams) -> object:
    name = _printable("agents.update", params)
    fields = fields_of(name=name, workspace=params.workspace, emoji=params.emoji, avatar=params.avatar)
    if not isinstance(params.model, UnsetType):
        fields[("model",)] = params.model and params.model.strip()
    agent_id = await call.gateway.operator.agents.update(call.principal, params.agent_id, fields)
    return {"ok": True, "agentId": agent_id}


async def _delete(call: MethodCall, params: DeleteParams) -> object:
    removed = await call.gateway.operator.agents.delete(
        call.principal, params.agent_id, files=bool(params.delete_files)
    )
    told: dict[str, Any] = {"ok": True, "agentId": removed.agent_id, "removedBindings": removed.bindings}
    if removed.moved is not None:
        path = short_path(str(removed.home.workspace))
        how, reason = removed.moved.how, removed.moved.reason
        told["removed"] = [{"path": path, "method": how}] if how else []
        told["failed"] = [] if how else [{"path": path, "reason": reason}]
    return told


def _printable(method: str, params: CreateParams | UpdateParams) -> str | None:
    """The name. Raises InvalidRequest."""
    for param in ("name", "workspace", "model", "emoji", "avatar"):
        value = getattr(params, param)
        if not isinstance(value, str):
            continue
        # Emoji are joined by characters that are not printable by themselves.
        if not value.replace("\u200d", "").isprintable():
            raise invalid(method, f"{param} must be printable text", param)
        if not value.strip() and param not in ("emoji", "avatar"):
            raise invalid(method, f"{param} must not be blank", param)
    return params.name and params.name.strip()


METHODS = (
    Method("agents.create", ADMIN, CreateParams, _create),
    Method("agents.update", ADMIN, UpdateParams, _update),
    Method("agents.delete", ADMIN, DeleteParams, _delete),
)
