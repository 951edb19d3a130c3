"""Executes the calls of one model message: side by side when all only read, a few at a time, else one after
the other.

A tool that fails gives a result that says so; only an abort or the run's deadline ends it early, and then
whatever it started is stopped with it. Knows no model.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog

from openclaw_gateway.errors import StoreError, ToolError
from openclaw_gateway.runs.plans.toolbox import Toolbox
from openclaw_gateway.runs.run import Run
from openclaw_gateway.tools.base import ToolContext, ToolResult
from openclaw_gateway.tools.clipped import clipped
from openclaw_gateway.wire.decode import DecodeError, decode
from openclaw_gateway.wire.events import ToolEnded, ToolStarted, ToolUpdated
from openclaw_gateway.wire.messages import ToolCall, ToolMessage
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

_ARGUMENTS = msgspec.json.Decoder(dict[str, Any])
MAX_AT_ONCE = 8
MAX_CALLS = 128
_SHOWN_CHARS = 20_000
# About 25,000 tokens: what one result may take of a window, whatever its tool allows itself.
_MOST_CHARS = 100_000


async def execute(
    run: Run,
    calls: Sequence[ToolCall],
    toolbox: Toolbox,
    ended: Callable[[ToolMessage], None],
    *,
    model: str,
) -> list[ToolMessage]:
    """The results, in the order of the calls of `model`; `ended` gets each as soon as it is there."""
    if len(calls) > MAX_CALLS:
        done = await execute(run, calls[:MAX_CALLS], toolbox, ended, model=model)
        return done + [_not_run(call, ended) for call in calls[MAX_CALLS:]]
    tools = [toolbox.get(call.name) for call in calls]
    if len(calls) > 1 and all(tool is not None and tool.read_only for tool in tools):
        room = asyncio.Semaphore(MAX_AT_ONCE)

        async def one(call: ToolCall) -> ToolMessage:
            async with room:
                return await _one(run, call, toolbox, ended, model)

        return list(await asyncio.gather(*map(one, calls)))
    return [await _one(run, call, toolbox, ended, model) for call in calls]


async def _one(
    run: Run, call: ToolCall, toolbox: Toolbox, ended: Callable[[ToolMessage], None], model: str
) -> ToolMessage:
    run.emit((ToolStarted(call.id, call.name, call.arguments),))
    started = time.monotonic()
    result = await _result(run, call, toolbox, model)
    took_ms = int((time.monotonic() - started) * 1000)
    text = clipped(_clean(result.text), _MOST_CHARS)
    run.emit((ToolEnded(call.id, call.name, text[:_SHOWN_CHARS], result.is_error, took_ms),))
    message = ToolMessage(call.id, text, call.name, is_error=result.is_error, own=True, images=result.images)
    ended(message)
    return message


def _not_run(call: ToolCall, ended: Callable[[ToolMessage], None]) -> ToolMessage:
    text = f"Not run: one message may hold {MAX_CALLS} calls. Call it again in the next."
    message = ToolMessage(call.id, text, call.name, is_error=True, own=True)
    ended(message)
    return message


async def _result(run: Run, call: ToolCall, toolbox: Toolbox, model: str) -> ToolResult:
    tool = toolbox.get(call.name)
    if tool is None:
        return ToolResult(f"There is no tool '{call.name}' here. Go on without it.", is_error=True)
    try:
        arguments = decode(_ARGUMENTS, call.arguments.encode() or b"{}")
    except (DecodeError, UnicodeEncodeError) as error:
        return ToolResult(f"The arguments are not a JSON object: {error}. Call it again.", is_error=True)
    try:
        if not tool.read_only:
            await run.acts()
        return await tool.run(arguments, _context(run, call, model))
    except ToolError as error:
        return ToolResult(str(error), is_error=True)
    except StoreError as error:
        return ToolResult(f"Not run: {error.message}", is_error=True)
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and is_being_cancelled():
            raise
        log.exception("tool.crashed", run=run.id, tool=call.name)
        return ToolResult("The tool failed inside the gateway. Go on without it.", is_error=True)


def _context(run: Run, call: ToolCall, model: str) -> ToolContext:
    request = run.request
    session = request.session_key if request.invocation is None else request.invocation.session_key
    return ToolContext(
        run.id,
        call.id,
        request.agent_id,
        request.origin,
        session,
        lambda text: run.emit((ToolUpdated(call.id, call.name, _clean(text[:_SHOWN_CHARS])),)),
        model,
    )


def _clean(text: str) -> str:
    """Without what is no text: half a surrogate pair cannot be sent, and providers refuse a NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
