"""`todo`: the plan that a model keeps for one conversation, shown as it changes.

It lives as long as the gateway's settings do: a plan is for the work at hand, what shall stay is a note.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.base import Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration

REGISTRATION = Registration("plan")

MOST_STEPS = 50
_MOST_CHARS = 300
_MOST_PLANS = 256
_SIGNS = {"pending": "[ ]", "in_progress": "[>]", "completed": "[x]"}
_ALSO = {
    **dict.fromkeys(("todo", "open"), "pending"),
    **dict.fromkeys(("doing", "active"), "in_progress"),
    "done": "completed",
}


class _Step(Struct, frozen=True):
    text: str
    status: str


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    plans: OrderedDict[str, tuple[_Step, ...]] = OrderedDict()

    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        names = (one for one in ("todos", "steps", "plan") if arguments.get(one) is not None)
        given = next((arguments[one] for one in names), None)
        if given is not None:
            plans[context.conversation] = _plan(given)
            plans.move_to_end(context.conversation)
            while len(plans) > _MOST_PLANS:
                plans.popitem(last=False)
        shown = _shown(plans.get(context.conversation, ()))
        if given is not None:
            context.update(shown)
        return ToolResult(shown)

    return (
        own_tool(
            "todo",
            work,
            summary="Keep a plan of the work at hand",
            description="Write down the steps of a larger task and how far each is; give the whole plan each "
            "time, without it the plan is shown. At most one step is in_progress.",
            properties={
                "todos": {
                    "type": "array",
                    "description": f"The whole plan, at most {MOST_STEPS} steps",
                    "items": {
                        "type": "object",
                        "properties": {
                            "content": {"type": "string"},
                            "status": {"type": "string", "enum": list(_SIGNS)},
                        },
                        "required": ["content", "status"],
                    },
                },
            },
        ),
    )


def _plan(given: object) -> tuple[_Step, ...]:
    """Raises ToolError."""
    if not isinstance(given, list):
        raise ToolError("`todos` must be a list of objects with content and status.")
    if len(given) > MOST_STEPS:
        raise ToolError(f"`todos` holds {len(given)} steps, at most {MOST_STEPS} are kept; join some.")
    return tuple(_step(number, one) for number, one in enumerate(given, 1))


def _step(number: int, given: object) -> _Step:
    if isinstance(given, str):
        given = {"content": given}
    if not isinstance(given, Mapping):
        raise ToolError(f"`todos`: step {number} must be an object with content and status.")
    text = next((given[one] for one in ("content", "step", "text", "title") if given.get(one)), None)
    if not isinstance(text, str) or not text.strip():
        raise ToolError(f"`todos`: step {number} has no content.")
    written = str(given.get("status") or "pending").strip().lower().replace("-", "_").replace(" ", "_")
    status = _ALSO.get(written, written)
    if status not in _SIGNS:
        raise ToolError(f"`todos`: the status of step {number} must be one of {', '.join(_SIGNS)}.")
    return _Step(" ".join(text.split())[:_MOST_CHARS], status)


def _shown(plan: tuple[_Step, ...]) -> str:
    if not plan:
        return "[the plan is empty]"
    done = sum(one.status == "completed" for one in plan)
    lines = [f"{number}. {_SIGNS[one.status]} {one.text}" for number, one in enumerate(plan, 1)]
    return "\n".join((*lines, f"[{done} of {len(plan)} done]"))
