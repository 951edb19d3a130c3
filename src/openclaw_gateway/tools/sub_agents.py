"""Who may be given a task as a sub-agent, by which model, and how deep that goes. Pure.

Decides from an agent's `subagents` settings, the run's origin and what the gateway has; starts nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.base import ToolAgent
from openclaw_gateway.wire.run import Origin

# Where the configuration does not say (`maxSpawnDepth`, `maxChildrenPerAgent`).
SPAWN_DEPTH = 1
CHILDREN = 5
_NAMED = 20


def settings_of(agent: ToolAgent) -> Mapping[str, Any]:
    """The agent's `subagents`, as far as they are set."""
    return agent.settings.get("subagents") or {}


def may_spawn(agent: ToolAgent, origin: Origin) -> bool:
    """Whether its depth lets a run have sub-agents."""
    return origin.spawned < (settings_of(agent).get("maxSpawnDepth") or SPAWN_DEPTH)


def check_depth(agent: ToolAgent, origin: Origin) -> None:
    """Raises ToolError. Where no depth is written, who gives sub-agents the tool by name has decided: the
    depth of all runs bounds them then."""
    most = settings_of(agent).get("maxSpawnDepth")
    if most is not None and origin.spawned >= most:
        raise ToolError(
            f"Sub-agents may go {most} deep (agents.defaults.subagents.maxSpawnDepth): do this yourself."
        )


def chosen_agent(agent: ToolAgent, asked: str | None, known: Sequence[str]) -> str:
    """The id of the agent that gets the task: by default the one that gives it. Raises ToolError."""
    settings = settings_of(agent)
    allow = settings.get("allowAgents")
    listed = {one.strip().lower() for one in allow or ()}
    open_to = [one for one in known if one == agent.id or one in listed or "*" in listed]
    choice = (asked or "").strip().lower()
    if not choice:
        if settings.get("requireAgentId"):
            raise ToolError(f"Say by `agentId` who shall do it. {_there_are(open_to)}")
        return agent.id
    if choice in open_to:
        return choice
    # One sentence, whether there is such an agent or not.
    raise ToolError(f"'{choice[:80]}' is no agent that you may give a task to. {_there_are(open_to)}")


def chosen_model(asked: str | None, models: Sequence[str]) -> str:
    """The one of the agent's models that is meant, by its reference or the part after the provider; "" when
    none is asked for. Raises ToolError."""
    choice = (asked or "").strip().lower()
    if not choice:
        return ""
    found = [ref for ref in models if choice in (ref.lower(), ref.partition("/")[2].lower())]
    if len(found) == 1:
        return found[0]
    raise ToolError(f"'{choice[:80]}' is no model of that agent. It has: {', '.join(models) or 'none'}.")


def _there_are(agents: Sequence[str]) -> str:
    more = f" and {len(agents) - _NAMED} more" if len(agents) > _NAMED else ""
    named = ", ".join(agents[:_NAMED]) or "none"
    return f"Those that you may: {named}{more} (subagents.allowAgents)."
