"""How many tokens a run would begin with: what `rounds` would send of a request first. No model is asked.

An estimate, as everywhere in `context`, and of the request alone: what a session remembers is not read.
"""

from openclaw_gateway.runs.context.size import conversation_tokens, fixed_tokens
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.rounds import check_senses
from openclaw_gateway.sessions.client_view import check_tool_results, without_orphans
from openclaw_gateway.wire.messages import AssistantMessage
from openclaw_gateway.wire.run import RunRequest


async def first_tokens(plan: Plan, request: RunRequest) -> int:
    """Raises InvalidRequest for what a run would refuse."""
    client, messages = request.client_tools, request.messages
    if request.session_key is None:
        messages = without_orphans((), messages)
        check_tool_results(messages)
    check_senses(plan.target, messages)
    toolbox = plan.equipment.toolbox(request.origin, request.session_key).beside(client)
    continues = any(isinstance(message, AssistantMessage) for message in messages)
    system = await plan.equipment.system(toolbox, request.instructions, continuation=continues)
    offered = client.tools if client.names else ()
    return toolbox.tokens + fixed_tokens(system, offered) + conversation_tokens(messages)
