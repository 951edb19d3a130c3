"""The profiles: what kind of agent has which tools. None is no limit. A table alone.

Where the systems differ the narrower one is taken: `coding` reaches the web only by `alsoAllow`. The servers
of the `mcp` section belong to the agents that work, since nobody configures one to have it refused.
"""

from openclaw_gateway.config.schema import Profile

PROFILES: dict[Profile, tuple[str, ...] | None] = {
    "minimal": ("session_status",),
    "coding": (
        "group:fs",
        "group:runtime",
        "group:sessions",
        "group:memory",
        "group:plan",
        "group:mcp",
        "image",
    ),
    "messaging": (
        "group:messaging",
        "group:mcp",
        "sessions_list",
        "sessions_history",
        "sessions_send",
        "session_status",
    ),
    "full": None,
}

# For an agent whose configuration neither names a profile nor lists what is allowed.
DEFAULT_PROFILE: Profile = "coding"

# In a sandbox: what runs inside it, and what only talks. MCP servers and the web are outside of it.
SANDBOX_ALLOW = (
    "exec",
    "process",
    "group:fs",
    "image",
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "session_status",
)
SANDBOX_DENY = ("browser", "canvas", "nodes", "cron", "gateway")

SUBAGENT_DENY = (
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "gateway",
    "agents_list",
    "whatsapp_login",
    "session_status",
    "cron",
    "memory_search",
    "memory_get",
)
