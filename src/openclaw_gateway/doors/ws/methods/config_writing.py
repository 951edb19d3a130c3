"""`config.set`, `config.apply`, `config.patch`: the configuration changed by who may.

`config.preview`, which is ours, says what `config.set` would do with the same params, or refuses it alike.

Params as published; the answers are those of OpenClaw's handlers, and `reload`, which is ours: what has come
of it. `raw` of `set` and `apply` is the whole configuration as `config.get` shows it; what it changes is
edited in the file, which keeps its comments. `sessionKey`, `deliveryContext`, `note` and `restartDelayMs`
belong to the restart that OpenClaw does, and mean nothing here.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.config.merge_patch import Loss, TwiceNamed, merge_patch
from openclaw_gateway.config.submitted import NotUsable, submitted
from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.operator.config import Outcome, Rewritten
from openclaw_gateway.gateway.principal import ADMIN

_Raw = Annotated[str, Meta(min_length=1)]


class SetParams(Struct, frozen=True, rename="camel"):
    raw: _Raw
    base_hash: Annotated[str, Meta(min_length=1)] | None = None


class PatchParams(SetParams, frozen=True, rename="camel"):
    replace_paths: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(max_length=256)] | None = (
        None
    )


async def _set(call: MethodCall, params: SetParams) -> object:
    return await _replaced("config.set", call, params, at_once=False)


async def _apply(call: MethodCall, params: SetParams) -> object:
    return await _replaced("config.apply", call, params, at_once=True)


async def _replaced(method: str, call: MethodCall, params: SetParams, *, at_once: bool) -> object:
    own = call.gateway.operator.config
    own.check_may(call.principal)
    sent = _document(method, params)
    outcome = await own.change(call.principal, lambda _: sent, base=params.base_hash, at_once=at_once)
    return _told(outcome)


async def _patch(call: MethodCall, params: PatchParams) -> object:
    own = call.gateway.operator.config
    own.check_may(call.principal)
    sent, replaced = _document("config.patch", params), frozenset(params.replace_paths or ())

    def patched(shown: dict[str, Any]) -> dict[str, Any]:
        try:
            return merge_patch(shown, sent, replaced)
        except (Loss, TwiceNamed) as error:
            raise invalid("config.patch", f"raw: {error}", "raw") from None

    outcome = await own.change(call.principal, patched, base=params.base_hash)
    return {**_told(outcome), "changedPaths": outcome.written.changed}


async def _preview(call: MethodCall, params: SetParams) -> object:
    own = call.gateway.operator.config
    own.check_may(call.principal)
    sent = _document("config.preview", params)
    foreseen = await own.foresee(call.principal, lambda _: sent, base=params.base_hash)
    written = foreseen.written
    return {
        "changes": [{"path": path, "effect": _effect(path, written)} for path in written.changed],
        "withoutEffect": written.idle,
        "notes": written.notes,
        "endsConnections": written.new_secret,
        "reload": {
            "state": "applied" if foreseen.follows else "off",
            "restartNeededFor": written.restart,
        },
    }


def _effect(path: str, written: Rewritten) -> str:
    if any(_is_within(path, key) for key in written.restart):
        return "restart"
    return "none" if any(_is_within(path, key) for key in written.idle) else "at_once"


def _is_within(path: str, key: str) -> bool:
    return path == key or path.startswith((f"{key}.", f"{key}["))


def _document(method: str, params: SetParams) -> dict[str, Any]:
    """Raises InvalidRequest."""
    try:
        return submitted(params.raw)
    except NotUsable as error:
        raise invalid(method, f"raw {error}", "raw") from None


def _told(outcome: Outcome) -> dict[str, Any]:
    written = outcome.written
    told: dict[str, Any] = {
        "ok": True,
        "path": written.file.name,
        "hash": written.shown.digest,
        "config": written.shown.document,
        "reload": {"state": outcome.state, "restartNeededFor": outcome.restart},
    }
    if not written.changed:
        told["noop"] = True
    if written.notes:
        told["notes"] = written.notes
    return told


METHODS = (
    Method("config.set", ADMIN, SetParams, _set),
    Method("config.apply", ADMIN, SetParams, _apply),
    Method("config.patch", ADMIN, PatchParams, _patch),
    Method("config.preview", ADMIN, SetParams, _preview),
)
