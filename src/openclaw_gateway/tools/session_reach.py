"""Which conversations an agent may look at and speak to, as far as the configuration says. Pure.

Its own, unless `tools.agentToAgent` opens those of other agents; `tools.sessions.visibility` narrows that.
Whose conversations these are, is for whoever keeps them to check.
"""

from openclaw_gateway.tools.base import ToolAgent, ToolContext, ToolError
from openclaw_gateway.tools.matching import expanded, matches


def may_reach(agent: ToolAgent, context: ToolContext, session_key: str) -> bool:
    visibility = (agent.settings.get("sessions") or {}).get("visibility") or _usual(context)
    target = _agent_of(session_key, agent.id)
    if visibility in {"self", "tree"}:
        return session_key.lower() == (context.session_key or "").lower()
    if target == agent.id.lower():
        return True
    return visibility == "all" and _between(agent, target)


def check_reach(agent: ToolAgent, context: ToolContext, session_key: str) -> None:
    """Raises ToolError."""
    if not may_reach(agent, context, session_key):
        raise ToolError(
            f"The session {session_key[:256]} is out of reach: this agent may not look at it. "
            "sessions_list shows those it may."
        )


def _usual(context: ToolContext) -> str:
    """Behind one credential there may be many people, told apart by the `user` field alone: what one of
    them says is not for another. The operator's own sessions see all."""
    key = context.session_key
    return "self" if key is None or ":openai-user:" in key else "all"


def _between(agent: ToolAgent, target: str) -> bool:
    """Both ends must be listed, when there is a list."""
    rule = agent.settings.get("agentToAgent") or {}
    if rule.get("enabled") is not True:
        return False
    listed = expanded(rule.get("allow") or ())
    return not listed or (matches(agent.id.lower(), listed) and matches(target, listed))


def _agent_of(session_key: str, own: str) -> str:
    """A key without an agent in it is one of the agent's own."""
    prefix, _, rest = session_key.lower().partition(":")
    return rest.partition(":")[0] if prefix == "agent" and rest else own.lower()
