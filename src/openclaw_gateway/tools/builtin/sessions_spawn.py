"""`sessions_spawn`: give a task to a sub-agent and hear what it comes back with."""

from collections.abc import Mapping
from typing import Any, get_args

from openclaw_gateway.config.schema import ThinkingLevel
from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.arguments import one_of, optional_text, text, whole_number
from openclaw_gateway.tools.base import (
    Errand,
    Returned,
    Tool,
    ToolAgent,
    ToolContext,
    ToolResult,
    ToolServices,
)
from openclaw_gateway.tools.clipped import clipped
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import sandboxed
from openclaw_gateway.tools.session_text import shown, unused
from openclaw_gateway.tools.sub_agents import CHILDREN, check_depth, chosen_agent, chosen_model, settings_of

REGISTRATION = Registration("sessions", sandbox=True, subagents=False)

_MAX_TASK_CHARS = 32_000
_MAX_ANSWER_CHARS = 32_000
_MAX_TIMEOUT_S = 86_400
# What the other systems' tool also takes, and this one has no use for.
_IN_VAIN = ("cleanup", "thread", "cwd", "streamTo", "attachments", "attachAs")
# What they would do another way: the only word that is right here.
_ONE_WAY = {"runtime": "subagent", "mode": "run", "context": "isolated"}


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    sub_agents = services.sub_agents
    if sub_agents is None:
        return ()

    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        check_depth(agent, context.origin)
        errand = errand_of(arguments, services, agent, context)
        label = optional_text(arguments, "label") or "sub-agent"
        context.update(f"{label[:80]}: started ({errand.agent_id})")
        returned = await sub_agents.run_errand(context, errand)
        told = {**_told(returned, errand), **unused(arguments, *_IN_VAIN)}
        return ToolResult(shown(told), is_error=returned.timed_out)

    return (
        own_tool(
            "sessions_spawn",
            work,
            summary="Give a task to a sub-agent",
            description=(
                "Give a task to a sub-agent and wait for its answer. It sees nothing of this conversation. "
                "Several calls in one message work side by side."
            ),
            # What else it takes (label, thinking, sandbox) is not told: each word costs every request.
            properties={
                "task": {"type": "string"},
                "agentId": {"type": "string", "description": "Another agent, where allowed"},
                "model": {"type": "string", "description": "Another of that agent's models"},
                "runTimeoutSeconds": {"type": "integer"},
            },
            required=("task",),
            # It waits for nothing but its sub-agent.
            read_only=True,
        ),
    )


def errand_of(
    arguments: Mapping[str, Any], services: ToolServices, agent: ToolAgent, context: ToolContext
) -> Errand:
    """What a call asks for, as far as it may. Raises ToolError."""
    task = text(arguments, "task", "prompt", "message")
    if len(task) > _MAX_TASK_CHARS:
        raise ToolError(f"The task is longer than {_MAX_TASK_CHARS:,} characters: put it into a file.")
    for name, ours in _ONE_WAY.items():
        if (arguments.get(name) or ours) != ours:
            raise ToolError(
                f"`{name}` can only be {ours}: a sub-agent has one task, and a context of its own."
            )
    settings = settings_of(agent)
    known = [one for one, _ in services.agents.list_agents()]
    chosen = chosen_agent(agent, optional_text(arguments, "agentId", "agent_id"), known)
    own_timeout = int(settings.get("runTimeoutSeconds") or 0)
    timeout_s = whole_number(
        arguments,
        "runTimeoutSeconds",
        "run_timeout_seconds",
        "timeoutSeconds",
        default=own_timeout,
        least=0,
        most=_MAX_TIMEOUT_S,
        clamp=True,
    )
    confined = sandboxed(agent, context.origin, context.session_key)
    return Errand(
        task,
        chosen,
        model=chosen_model(optional_text(arguments, "model"), services.agents.models_of(chosen)),
        thinking=one_of(arguments, "thinking", get_args(ThinkingLevel)) or settings.get("thinking"),
        timeout_s=float(timeout_s) or None,
        confined=confined or one_of(arguments, "sandbox", ("inherit", "require")) == "require",
        at_once=settings.get("maxChildrenPerAgent") or CHILDREN,
    )


def _told(returned: Returned, errand: Errand) -> dict[str, Any]:
    return {
        "status": "timeout" if returned.timed_out else "ok",
        "agentId": errand.agent_id,
        "runId": returned.run_id,
        "model": returned.model,
        "seconds": round(returned.ms / 1000, 1),
        "tokens": {"input": returned.usage.prompt_tokens, "output": returned.usage.completion_tokens},
        "result": clipped(returned.text, _MAX_ANSWER_CHARS),
    }
