"""The names of tools: those built in, those only the other systems have, the groups, and the older names.

Tables alone. Which tools are built in, and of which group, stands in their files. A name of the other systems
is known, so that their configuration files mean no mistake here; it just never matches a tool. A member of a
group may be a pattern.
"""

from openclaw_gateway.tools.builtin import registrations
from openclaw_gateway.tools.registration import Group

_ELSEWHERE = """
    agents_wait automations browser canvas code_execution computer conversations_list conversations_send
    conversations_turn create_goal cron dismiss_task gateway get_goal heartbeat_respond image image_generate
    message music_generate nodes openclaw pdf sessions sessions_search sessions_yield
    skill_workshop subagents suggest_task terminal tool_call tool_describe tool_search transcripts tts
    update_goal update_plan video_generate view_image whatsapp_login x_search
"""

_REGISTERED = registrations()
BUILT_IN = frozenset(_REGISTERED)
ELSEWHERE = frozenset(_ELSEWHERE.split())

# What a server of the `mcp` section brings is called mcp__<server>__<tool>.
MCP_PREFIX = "mcp__"
_MCP = (f"{MCP_PREFIX}*",)

# What the other systems have in a group beside ours.
_ALSO = {
    "runtime": ("code_execution",),
    "sessions": (
        "sessions",
        "sessions_search",
        "sessions_yield",
        "subagents",
        "conversations_*",
        "suggest_task",
        "dismiss_task",
    ),
    "web": ("x_search",),
}


def _group(name: Group) -> tuple[str, ...]:
    ours = (tool for tool, registration in _REGISTERED.items() if registration.group == name)
    return tuple(dict.fromkeys((*ours, *_ALSO.get(name, ()))))


_SESSIONS, _WEB, _AGENTS = _group("sessions"), _group("web"), _group("agents")
_MEMORY, _PLAN = _group("memory"), _group("plan")
_UI = ("browser", "canvas")
_AUTOMATION = ("cron", "gateway", "automations")
_MESSAGING = ("message",)
_NODES = ("nodes", "computer")
_MEDIA = ("image", "image_generate", "music_generate", "video_generate", "pdf", "tts", "view_image")
_OWN = (*_SESSIONS, *_MEMORY, *_PLAN, *_WEB, *_UI, *_AUTOMATION, *_MESSAGING, *_NODES, *_AGENTS, "image")

GROUPS: dict[str, tuple[str, ...]] = {
    "group:fs": _group("fs"),
    "group:runtime": _group("runtime"),
    "group:sessions": _SESSIONS,
    "group:memory": _MEMORY,
    "group:plan": _PLAN,
    "group:web": _WEB,
    "group:ui": _UI,
    "group:automation": _AUTOMATION,
    "group:messaging": _MESSAGING,
    "group:nodes": _NODES,
    "group:media": _MEDIA,
    "group:agents": _AGENTS,
    "group:openclaw": _OWN,
    "group:clawdbot": _OWN,
    "group:mcp": _MCP,
    "group:plugins": _MCP,
    "bundle-mcp": _MCP,
}

ALIASES = {"bash": "exec", "apply-patch": "apply_patch"}
