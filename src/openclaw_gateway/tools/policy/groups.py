"""The names of tools: those built in, those only the other systems have, the groups, and the older names.

Tables alone. A name of the other systems is known, so that their configuration files mean no mistake here;
it just never matches a tool. A member of a group may be a pattern.
"""

_BUILT_IN = """
    read write edit apply_patch manage ls grep find exec process web_fetch session_status sessions_list
    sessions_history sessions_send agents_list memory_search memory_get todo
"""

_ELSEWHERE = """
    agents_wait automations browser canvas code_execution computer conversations_list conversations_send
    conversations_turn create_goal cron dismiss_task gateway get_goal heartbeat_respond image image_generate
    message music_generate nodes openclaw pdf sessions sessions_search sessions_spawn sessions_yield
    skill_workshop subagents suggest_task terminal tool_call tool_describe tool_search transcripts tts
    update_goal update_plan video_generate view_image web_search whatsapp_login x_search
"""

BUILT_IN = frozenset(_BUILT_IN.split())
ELSEWHERE = frozenset(_ELSEWHERE.split())

# What a server of the `mcp` section brings is called mcp__<server>__<tool>.
MCP_PREFIX = "mcp__"
_MCP = (f"{MCP_PREFIX}*",)

_FILES = ("read", "write", "edit", "apply_patch", "manage", "ls", "grep", "find")
_RUNTIME = ("exec", "process", "code_execution")
_SESSIONS = (
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "session_status",
    "sessions",
    "sessions_search",
    "sessions_yield",
    "subagents",
    "conversations_*",
    "suggest_task",
    "dismiss_task",
)
_PLAN = ("todo",)
_MEMORY = ("memory_search", "memory_get")
_WEB = ("web_search", "web_fetch", "x_search")
_UI = ("browser", "canvas")
_AUTOMATION = ("cron", "gateway", "automations")
_MESSAGING = ("message",)
_NODES = ("nodes", "computer")
_MEDIA = ("image", "image_generate", "music_generate", "video_generate", "pdf", "tts", "view_image")
_AGENTS = ("agents_list",)
_OWN = (*_SESSIONS, *_MEMORY, *_PLAN, *_WEB, *_UI, *_AUTOMATION, *_MESSAGING, *_NODES, *_AGENTS, "image")

GROUPS: dict[str, tuple[str, ...]] = {
    "group:fs": _FILES,
    "group:runtime": _RUNTIME,
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
