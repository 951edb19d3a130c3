"""`process`: the commands of this conversation that run in the background."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.arguments import optional_text, text, whole_number, yes_no
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.builtin.exec import MAX_CHARS, above, ending
from openclaw_gateway.tools.exec.commands.command import Command, CommandRefused
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration

REGISTRATION = Registration("runtime", sandbox=True)

# How long a write waits for the program to read what was written before.
_READS_S = 10.0
ACTIONS = ("list", "poll", "log", "write", "paste", "submit", "kill", "clear", "remove")
_MAX_LINES = 2000
_MAX_WAIT_MS = 30_000


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    if services.commands is None:
        return ()
    commands = services.commands

    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        action = text(arguments, "action")
        if action == "list":
            return ToolResult(_listed(commands.of(agent.id, context.conversation)))
        if action == "send-keys":
            raise ToolError("Commands have no terminal here, so no keys can be sent; use write or submit.")
        if action not in ACTIONS:
            raise ToolError(f"`action` must be one of {', '.join(ACTIONS)}.")
        try:
            command = commands.find(
                agent.id, context.conversation, text(arguments, "sessionId", "session_id", "id")
            )
        except CommandRefused as refused:
            raise ToolError(str(refused)) from None
        return ToolResult(await _act(commands, command, action, arguments))

    return (
        own_tool(
            "process",
            work,
            summary="Watch and end background commands",
            description="Commands in the background: list; poll (new output); log (lines); write (to its "
            "input; submit ends the line); kill; clear (forget a finished one); remove (kill and forget).",
            properties={
                "action": {"type": "string", "enum": list(ACTIONS)},
                "sessionId": {"type": "string"},
                "data": {"type": "string", "description": "For write and submit"},
                "eof": {"type": "boolean", "description": "For write: close the input afterwards"},
                "timeout": {"type": "integer", "description": "For poll: milliseconds to wait for news"},
                "offset": {"type": "integer", "description": "For log: first line; negative from the end"},
                "limit": {"type": "integer", "description": "For log: how many lines, default 200"},
            },
            required=("action",),
        ),
    )


async def _act(commands: CommandSessions, command: Command, action: str, arguments: Mapping[str, Any]) -> str:
    match action:
        case "poll":
            wait = whole_number(
                arguments, "timeout", "timeoutMs", default=0, least=0, most=_MAX_WAIT_MS, clamp=True
            )
            return await _polled(command, wait / 1000)
        case "log":
            return _log(command, arguments)
        case "write" | "paste" | "submit":
            return await _written(command, arguments, end="\n" if action == "submit" else "")
        case "kill":
            await command.kill()
            return f"[{ending(command)}]"
        case "clear":
            if not command.ended.is_set():
                raise ToolError("It is still running; kill or remove it.")
            commands.forget(command)
            return "Forgotten."
        case _:
            await command.kill()
            commands.forget(command)
            return "Ended and forgotten."


async def _polled(command: Command, wait_s: float) -> str:
    if command.output.total == command.polled and not command.ended.is_set():
        command.news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await command.news.wait()
    new = command.output.since(command.polled, MAX_CHARS)
    command.polled = command.output.total
    return f"{new or '(no new output)'}\n[{ending(command)}]"


def _log(command: Command, arguments: Mapping[str, Any]) -> str:
    limit = whole_number(arguments, "limit", default=200, least=1, most=_MAX_LINES, clamp=True)
    offset = whole_number(arguments, "offset", default=-limit, least=-(10**9), most=10**9)
    lines, total = command.output.lines(offset, limit)
    shown = "\n".join(lines)
    if len(shown) > MAX_CHARS:
        shown = f"{shown[: MAX_CHARS // 2]}\n[…]\n{shown[-MAX_CHARS // 2 :]}"
    return above(shown, f"[{len(lines)} of {total} lines; {ending(command)}]")


async def _written(command: Command, arguments: Mapping[str, Any], end: str) -> str:
    data = (optional_text(arguments, "data", "text", "input") or "") + end
    try:
        async with asyncio.timeout(_READS_S):
            await command.write(data, eof=yes_no(arguments, "eof"))
    except TimeoutError:  # an OSError too
        raise ToolError(
            "Nothing was written: it has not read what was written before. Poll it, or kill it."
        ) from None
    except OSError:
        raise ToolError("Its input is closed; only a command started with background=true has one.") from None
    return f"Wrote {len(data)} characters."


def _listed(commands: tuple[Command, ...]) -> str:
    rows = [f"{one.id}  {ending(one)}  {one.order.shown[:120]!r}" for one in commands]
    return "\n".join(rows) or "[no background commands]"
