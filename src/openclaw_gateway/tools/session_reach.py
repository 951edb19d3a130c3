"""Which conversations a run may look at and speak to, as far as origin and configuration say. Pure.

Over HTTP the one conversation it answers, unless `tools.sessions.visibility` says more; for the operator
those of its agent, and of other agents as far as `tools.agentToAgent` opens them. Whose conversations these
are, is for whoever keeps them to check.
"""

from openclaw_gateway.tools.base import SessionLine, Sight, ToolAgent, ToolContext
from openclaw_gateway.tools.name_pattern import matches


def sight(agent: ToolAgent, context: ToolContext) -> Sight:
    """Whether a call of this agent's tools sees a conversation."""
    origin = context.origin
    visibility = (agent.settings.get("sessions") or {}).get("visibility")
    if visibility is None:
        # Behind one credential there may be many people: what one of them says is not for another.
        visibility = "all" if origin.audience == "operator" else "self"
    elif visibility == "user":
        visibility = {"operator": "all", "user": "user", "conversation": "self"}[origin.audience]

    def sees(line: SessionLine) -> bool:
        if line.key == context.session_key:
            return True
        match visibility:
            case "user":
                return line.agent_id == agent.id and line.user is not None and line.user == origin.user
            case "agent":
                return line.agent_id == agent.id
            case "all":
                return line.agent_id == agent.id or _between(agent, line.agent_id)
            case _:
                return False

    return sees


def _between(agent: ToolAgent, target: str) -> bool:
    """Both ends must be listed, when there is a list."""
    rule = agent.settings.get("agentToAgent") or {}
    if rule.get("enabled") is not True:
        return False
    listed = tuple(one.strip().lower() for one in rule.get("allow") or ())
    return not listed or (matches(agent.id.lower(), listed) and matches(target, listed))
