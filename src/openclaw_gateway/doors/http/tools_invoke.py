"""POST /tools/invoke: one call of an agent's tool, without a model, in OpenClaw's shape."""

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.doors.agent_endpoint import AgentEndpoint
from openclaw_gateway.doors.answers import HttpAnswer, json_answer
from openclaw_gateway.doors.asking_agents import HEADERS, asked, tell, without_effect
from openclaw_gateway.doors.delivery import Delivery
from openclaw_gateway.doors.openai.body import Body, parse
from openclaw_gateway.doors.openai.chat import nameable
from openclaw_gateway.doors.openai.chunks import ErrorObject
from openclaw_gateway.doors.operation import Operation, Sent
from openclaw_gateway.doors.requests import Request, idempotency_key
from openclaw_gateway.gateway.invoking import content, invocation, not_there
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.routing import Route
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.run import RunResult

_STRING = msgspec.json.Decoder(str)
_BOOLEAN = msgspec.json.Decoder(bool)
_OBJECT = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode


class _Asked(Struct, frozen=True):
    """`tool` is None where the body names none; `ignored` names the fields that had no effect."""

    tool: str | None
    args: dict[str, Any]
    action: str | None = None
    session_key: str | None = None
    agent_id: str | None = None
    dry_run: bool = False
    ignored: tuple[str, ...] = ()


class InvokedTool(Struct, frozen=True):
    ok: Literal[True]
    result: dict[str, Any]


class ToolFailure(Struct, frozen=True):
    type: str
    message: str


class FailedTool(Struct, frozen=True):
    ok: Literal[False]
    error: ToolFailure


def _read(body: Body) -> _Asked:
    """Raises InvalidRequest naming the field."""
    dry_run = body.take("dryRun", _BOOLEAN) is True
    tool, name = body.take("tool", _STRING), body.take("name", _STRING)
    return _Asked(
        ((tool or name) or "").strip() or None,
        body.take("args", _OBJECT) or {},
        body.take("action", _STRING),
        body.take("sessionKey", _STRING),
        body.take("agentId", _STRING),
        dry_run,
        nameable(body.left),
    )


class Endpoint(AgentEndpoint):
    paths: ClassVar = ("/tools/invoke",)
    operations: ClassVar = (
        Operation(
            "POST",
            "/tools/invoke",
            "One call of an agent's tool, without a model.",
            {200: InvokedTool, 400: (FailedTool, ErrorObject), 404: (FailedTool, ErrorObject)},
            Sent(_read, {"tool": "ls"}),
            headers=HEADERS,
            error=(FailedTool, ErrorObject),
        ),
    )

    @property
    def switch(self) -> None:
        return None

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        started = time.monotonic()
        asks = await self._asked(request, _decoded)
        if asks.tool is None:
            return _refused(400, "invalid_request", "tools.invoke requires body.tool")
        ask = asked(request, None, None)
        ask = replace(
            ask, agent=ask.agent or asks.agent_id, session_key=ask.session_key or asks.session_key or "main"
        )
        route = self._gateway.route(ask)
        ignored = (*asks.ignored, *without_effect(request, "model", "queue"))
        # Its session only says what is allowed: nothing is remembered there, and no model is asked.
        tell(request, None, Route(route.agent_id, None), ignored)
        tool = self._gateway.tool(principal, "http", route, asks.tool)
        if tool is None:
            return _refused(404, "not_found", not_there(asks.tool))
        if asks.dry_run:
            return json_answer(_encode({"ok": True, "result": {"content": [], "details": {"dryRun": True}}}))
        key = idempotency_key(request)
        wanted = invocation(
            principal, "http", route, tool, asks.args, action=asks.action, idempotency_key=key
        )
        run = await self._gateway.start(principal, wanted)
        voice = _InvokedVoice()
        with Delivery(request, run, self._gateway.limits, started=started) as delivery:
            answer = await delivery.answer(voice, stream=False)
        return replace(answer, status=400) if answer is not None and voice.is_error else answer


class _InvokedVoice:
    """Never streams."""

    def __init__(self) -> None:
        self.is_error = False

    def head(self) -> bytes:
        return b""

    def deltas(self, events: Sequence[Event]) -> bytes:
        return b""

    def end(self, result: RunResult) -> bytes:
        return self.whole(result)

    def failure(self, error: ErrorInfo) -> bytes:
        return self.refusal(error)

    def whole(self, result: RunResult) -> bytes:
        self.is_error = result.is_error
        if result.is_error:
            return _error("tool_error", result.text)
        return _encode({"ok": True, "result": content(result.text)})

    def refusal(self, error: ErrorInfo) -> bytes:
        return _error(error.type, error.message)


def _decoded(data: bytes, max_depth: int) -> _Asked:
    return _read(parse(data, max_depth))


def _error(kind: str, message: str) -> bytes:
    return _encode({"ok": False, "error": {"type": kind, "message": message}})


def _refused(status: int, kind: str, message: str) -> HttpAnswer:
    return json_answer(_error(kind, message), status=status)
