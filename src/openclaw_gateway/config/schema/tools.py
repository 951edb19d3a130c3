"""The `tools` section, global and of one agent: who may use which tool, and how the tools are set.

Everything is None (or empty) unless the file says it, and left out when the struct is written as a mapping:
that is how an agent's settings are laid over the global ones, key by key, in the file's own spelling.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.schema.values import Count, Filled, HttpUrl, NotNegative, Seconds, Secret

Profile = Literal["minimal", "coding", "messaging", "full"]
ExecSecurity = Literal["deny", "allowlist", "full"]
ExecAsk = Literal["off", "on-miss", "always"]
# The newer systems' one word for `security` and `ask` together.
ExecMode = Literal["deny", "allowlist", "ask", "auto", "full"]
# "user" is ours: the conversations of the person whom the request names.
Visibility = Literal["self", "tree", "user", "agent", "all"]
WithClientTools = Literal["beside", "instead"]


class ToolPolicy(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Patterns of tool names. An empty `allow` allows everything that is not denied."""

    allow: tuple[Filled, ...] = ()
    also_allow: tuple[Filled, ...] = ()
    deny: tuple[Filled, ...] = ()


class ProfiledToolPolicy(ToolPolicy, frozen=True, rename="camel", omit_defaults=True):
    profile: Profile | None = None


class ApplyPatchSettings(Struct, frozen=True, rename="camel", omit_defaults=True):
    enabled: bool | None = None


_Amount = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class ExecLimits(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What one command, and each program it starts, may take; 0 is no limit. Megabytes and seconds."""

    memory_mb: _Amount | None = None
    cpu_seconds: _Amount | None = None
    processes: _Amount | None = None
    file_mb: _Amount | None = None


class ExecEnvironment(Struct, frozen=True, rename="camel", omit_defaults=True):
    """`git`: whether one that is allowed has the owner's name, settings and credentials."""

    git: Literal["owner", "isolated"] | None = None


class ExecSettings(Struct, frozen=True, rename="camel", omit_defaults=True):
    """`timeout_sec` is the older spelling of `timeout_seconds`."""

    mode: ExecMode | None = None
    security: ExecSecurity | None = None
    ask: ExecAsk | None = None
    background_ms: Count | None = None
    timeout_sec: Seconds | None = None
    timeout_seconds: Seconds | None = None
    apply_patch: ApplyPatchSettings | None = None
    limits: ExecLimits | None = None
    env: ExecEnvironment | None = None
    pass_env: tuple[Filled, ...] = ()


class FileSettings(Struct, frozen=True, rename="camel", omit_defaults=True):
    workspace_only: bool | None = None
    # Ours: who may write what steers an agent (prompt files, skills), and whether notes are kept per user.
    steering: Literal["operator", "all"] | None = None


class WebFetchSettings(Struct, frozen=True, rename="camel", omit_defaults=True):
    enabled: bool | None = None
    max_chars: Count | None = None
    max_chars_cap: Count | None = None
    max_response_bytes: Count | None = None
    max_redirects: NotNegative | None = None
    timeout_seconds: Seconds | None = None
    cache_ttl_minutes: float | None = None
    user_agent: Filled | None = None


class SearchEngineSettings(Guarded, frozen=True, rename="camel", omit_defaults=True):
    """`base_url` is a SearXNG's, or who stands before the vendor."""

    hidden: ClassVar[frozenset[str]] = frozenset({"api_key"})

    api_key: Secret | None = None
    base_url: HttpUrl | None = None


class WebSearchSettings(Guarded, frozen=True, rename="camel", omit_defaults=True):
    """`api_key` is that of the `provider`, and Brave's where none is named."""

    hidden: ClassVar[frozenset[str]] = frozenset({"api_key"})

    enabled: bool | None = None
    provider: Filled | None = None
    api_key: Secret | None = None
    max_results: Count | None = None
    timeout_seconds: Seconds | None = None
    cache_ttl_minutes: float | None = None
    brave: SearchEngineSettings | None = None
    tavily: SearchEngineSettings | None = None
    searxng: SearchEngineSettings | None = None


class WebSettings(Struct, frozen=True, rename="camel", omit_defaults=True):
    fetch: WebFetchSettings | None = None


class GlobalWebSettings(WebSettings, frozen=True, rename="camel", omit_defaults=True):
    """With what all agents share."""

    search: WebSearchSettings | None = None


class ToolsOfPlace(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is allowed in one kind of place: a sandbox, a sub-agent."""

    tools: ToolPolicy | None = None


class AgentToAgent(Struct, frozen=True, rename="camel", omit_defaults=True):
    enabled: bool | None = None
    allow: tuple[Filled, ...] = ()


class SessionToolSettings(Struct, frozen=True, rename="camel", omit_defaults=True):
    visibility: Visibility | None = None


class _Shared(ProfiledToolPolicy, frozen=True, rename="camel", omit_defaults=True):
    """`with_client_tools`: whether the agent's tools for files and commands stand `beside` the tools that a
    request brings, or those are there `instead`; unset, the latter where they are such tools themselves."""

    by_provider: dict[str, ProfiledToolPolicy] = {}
    exec: ExecSettings | None = None
    fs: FileSettings | None = None
    web: WebSettings | None = None
    sandbox: ToolsOfPlace | None = None
    subagents: ToolsOfPlace | None = None
    sessions: SessionToolSettings | None = None
    with_client_tools: WithClientTools | None = None


class AgentToolsConfig(_Shared, frozen=True, rename="camel", omit_defaults=True):
    """The `tools` of one agent."""


class ToolsConfig(_Shared, frozen=True, rename="camel", omit_defaults=True):
    """The global `tools`."""

    web: GlobalWebSettings | None = None
    max_tool_rounds: Count | None = None
    agent_to_agent: AgentToAgent | None = None
