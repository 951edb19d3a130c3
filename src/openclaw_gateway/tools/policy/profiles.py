"""The profiles: what kind of agent has which tools. None is no limit. A table alone.

Where the systems differ the narrower one is taken: `coding` reaches the web only by `alsoAllow`. The servers
of the `mcp` section belong to the agents that work, since nobody configures one to have it refused.
"""

from openclaw_gateway.config.schema import Profile
from openclaw_gateway.tools.builtin import registrations
from openclaw_gateway.tools.name_pattern import matches
from openclaw_gateway.tools.policy.matching import expanded, normal_name

_REGISTERED = registrations()


def _listed_by(profile: Profile) -> tuple[str, ...]:
    return tuple(name for name, one in _REGISTERED.items() if profile in one.profiles)


PROFILES: dict[Profile, tuple[str, ...] | None] = {
    "minimal": _listed_by("minimal"),
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
        *_listed_by("messaging"),
    ),
    "full": None,
}


def profiles_with(name: str) -> tuple[Profile, ...]:
    """Those that have the tool of this name without anything more being said."""
    normal = normal_name(name)
    return tuple(
        profile
        for profile, members in PROFILES.items()
        if members is None or matches(normal, expanded(members))
    )


# For an agent whose configuration neither names a profile nor lists what is allowed.
DEFAULT_PROFILE: Profile = "coding"

# In a sandbox: what runs inside it, and what only talks. MCP servers and the web are outside of it.
SANDBOX_ALLOW = (*(name for name, one in _REGISTERED.items() if one.sandbox), "image")
SANDBOX_DENY = ("browser", "canvas", "nodes", "cron", "gateway")

# What gives a task to a sub-agent.
SPAWNING = "sessions_spawn"

SUBAGENT_DENY = (
    *(name for name, one in _REGISTERED.items() if not one.subagents),
    "gateway",
    "whatsapp_login",
    "cron",
)
