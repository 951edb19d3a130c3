"""`exec`: run a command in the workspace, if it may be run; one that takes long goes on in the background.

Ties together what decides (permission.py, or a person: asking.py), where it runs (scope.py, sandbox.py) and
what runs (commands/).
"""

import asyncio
import shutil
from collections.abc import Mapping
from typing import Any

import msgspec

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.steering import NOTES
from openclaw_gateway.tools.arguments import not_taken, one_of, optional_text, text, whole_number, yes_no
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.exec.allowlist import ASK, NO_RULES, SECURITY
from openclaw_gateway.tools.exec.asking import permitted
from openclaw_gateway.tools.exec.commands.command import Command, CommandRefused, Order
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.exec.permission import Permit, Wish
from openclaw_gateway.tools.exec.sandbox import bubblewrap, laid_over, sandboxed_command
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import Scope, scope_of
from openclaw_gateway.work.limits import ProcessLimits

REGISTRATION = Registration("runtime", sandbox=True)

MAX_CHARS = 30_000
DEFAULT_YIELD_MS, MIN_YIELD_MS, MAX_YIELD_MS = 10_000, 10, 120_000
DEFAULT_TIMEOUT_S = 1800
_UPDATE_S = 0.5
# What a shell makes of a signal.
_SIGNALLED = range(129, 193)
_UPDATE_CHARS = 4_000


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    if services.commands is None:
        return ()
    runner = _Runner(services, agent, services.commands)
    return (
        own_tool(
            "exec",
            runner.work,
            summary="Run a shell command",
            description="Run a command in the workspace. Where only listed commands are allowed, it must be "
            "plain: no variables, $( ), & or files behind > and <; join with && || ; |. Still running after "
            "yieldMs, it goes on in the background and `process` watches it by its sessionId.",
            properties={
                "command": {"type": "string"},
                "workdir": {"type": "string", "description": "Relative to the workspace"},
                "env": {"type": "object", "additionalProperties": {"type": "string"}},
                "yieldMs": {
                    "type": "integer",
                    "description": "Milliseconds to wait, default 10000",
                },
                "background": {"type": "boolean", "description": "Do not wait; keeps its input open"},
                "timeout": {"type": "integer", "description": "Seconds until it is killed, default 1800"},
            },
            required=("command",),
        ),
    )


class _Runner:
    def __init__(self, services: ToolServices, agent: ToolAgent, commands: CommandSessions) -> None:
        self._services = services
        self._agent = agent
        self._commands = commands
        self._settings: Mapping[str, Any] = agent.settings.get("exec") or {}
        self._limits = _limits(self._settings.get("limits") or {})

    async def work(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        result = await self._run(arguments, context)
        unused = ", ".join(not_taken(arguments, "pty", "host", "node", "elevated"))
        return ToolResult(f"{result.text}\n[not taken: {unused}]", result.is_error) if unused else result

    async def _run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        background = yes_no(arguments, "background")
        patience = whole_number(
            arguments,
            "yieldMs",
            "yield_ms",
            default=int(self._settings.get("backgroundMs") or DEFAULT_YIELD_MS),
            least=MIN_YIELD_MS,
            most=MAX_YIELD_MS,
            clamp=True,
        )
        order = await self._order(arguments, context, background=background)
        try:
            command = await self._commands.start(order)
        except CommandRefused as refused:
            raise ToolError(str(refused)) from None
        except OSError as error:
            raise ToolError(f"The command could not be started: {error.strerror}.") from None
        if background:
            self._commands.keep(command)
            return _still_running(command)
        try:
            await _wait(command, patience / 1000, context)
        except asyncio.CancelledError:
            # A program outlives no run that waits for it.
            await asyncio.shield(command.kill())
            raise
        if not command.ended.is_set():
            self._commands.keep(command)
            return _still_running(command)
        return _finished(command)

    async def _order(self, arguments: Mapping[str, Any], context: ToolContext, *, background: bool) -> Order:
        written = text(arguments, "command", "cmd")
        limit = self._settings.get("timeoutSeconds") or self._settings.get("timeoutSec") or DEFAULT_TIMEOUT_S
        seconds = whole_number(
            arguments, "timeout", "timeoutSeconds", default=int(limit), least=1, most=int(limit), clamp=True
        )
        scope = scope_of(self._services, self._agent, context)
        wish = Wish(
            written,
            self._agent.id,
            scope.directory,
            optional_text(arguments, "workdir", "cwd"),
            arguments.get("env"),
            self._settings,
            msgspec.structs.replace(
                NO_RULES,
                security=one_of(arguments, "security", SECURITY) or NO_RULES.security,
                ask=one_of(arguments, "ask", ASK) or NO_RULES.ask,
            ),
            self._services.skill_environment(self._agent.id),
            scope.workspace.start / NOTES if scope.workspace.guarded and not scope.sandboxed else None,
        )
        if scope.sandboxed and scope.access == "none":
            await self._services.jobs.on_thread(
                lambda: scope.directory.mkdir(parents=True, exist_ok=True, mode=0o700), context.conversation
            )
        allowed = await permitted(wish, self._services, context, sandboxed=scope.sandboxed)
        over: tuple[str, ...] = ()
        if scope.sandboxed:
            over = await self._services.jobs.on_thread(
                lambda: laid_over(scope.workspace, writes_git=allowed.writes_git), context.conversation
            )
        return Order(
            argv=self._argv(allowed, scope, over),
            # Outside the sandbox: inside, the command's own directory is chosen by --chdir.
            cwd=allowed.cwd,
            environ=allowed.environ,
            shown=written,
            agent_id=self._agent.id,
            conversation=context.conversation,
            timeout_s=seconds,
            stdin=background,
            limits=self._limits,
        )

    def _argv(self, allowed: Permit, scope: Scope, over: tuple[str, ...]) -> tuple[str, ...]:
        bash = shutil.which("bash", path=allowed.environ.get("PATH"))
        # A bash whose input is a socket (as the daemon's loop makes it) would read the operator's ~/.bashrc.
        shell = (bash, "--norc", "--noprofile") if bash else ("/bin/sh",)
        argv = (*shell, "-c", allowed.command)
        if not scope.sandboxed:
            return argv
        program = bubblewrap(self._services.environ, self._agent.workspace)
        if program is None:
            raise ToolError("Not run: the sandbox (bubblewrap) is not installed on this machine.")
        return sandboxed_command(
            program,
            argv,
            directory=scope.directory.resolve(),
            cwd=allowed.cwd,
            access=scope.access,
            network=scope.network,
            environ=allowed.environ,
            reads=allowed.reads,
            over=over,
        )


def _limits(written: Mapping[str, int]) -> ProcessLimits:
    usual = ProcessLimits()
    return ProcessLimits(
        memory_bytes=written["memoryMb"] << 20 if "memoryMb" in written else usual.memory_bytes,
        cpu_s=written.get("cpuSeconds", usual.cpu_s),
        processes=written.get("processes", usual.processes),
        file_bytes=written["fileMb"] << 20 if "fileMb" in written else usual.file_bytes,
    )


async def _wait(command: Command, seconds: float, context: ToolContext) -> None:
    """Until it ends or patience does, showing what it writes meanwhile."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    told = 0
    while (left := until - loop.time()) > 0:
        try:
            async with asyncio.timeout(min(left, _UPDATE_S)):
                await command.ended.wait()
        except TimeoutError:
            pass
        else:
            return
        new = command.output.since(told, _UPDATE_CHARS)
        told = command.output.total
        if new:
            context.update(new)


def _still_running(command: Command) -> ToolResult:
    command.polled = command.output.total
    shown = command.output.text(MAX_CHARS).rstrip("\n")
    return ToolResult(
        above(shown, f"[status: running; sessionId: {command.id}; use process: poll, log or kill]")
    )


def _finished(command: Command) -> ToolResult:
    shown = command.output.text(MAX_CHARS).rstrip("\n")
    return ToolResult(above(shown, f"[{ending(command)}]"), is_error=command.timed_out)


def above(shown: str, note: str) -> str:
    """As it was written: the blank that `git status -s` begins with says something."""
    return f"{shown}\n{note}" if shown else note


def ending(command: Command) -> str:
    """How it ended, or that it has not."""
    code = command.exit_code
    if code is None:
        return "status: running"
    if command.timed_out:
        return f"timed out after {command.order.timeout_s:g} s and was killed"
    if command.killed:
        return "killed"
    return f"ended by signal {code - 128}" if code in _SIGNALLED else f"exit code {code}"
