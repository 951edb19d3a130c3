"""The `agents` section: what all agents share, and who they are.

The file has two shapes for the agents (`list`, and `entries` keyed by id). `AgentsWritten` is the file's
view and knows both; `AgentsConfig` is what the rest of the program sees and knows neither.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from openclaw_gateway.config.schema.context import Compaction, ContextPruning
from openclaw_gateway.config.schema.memory_search import MemorySearch
from openclaw_gateway.config.schema.sandbox import SandboxConfig
from openclaw_gateway.config.schema.tools import AgentToolsConfig
from openclaw_gateway.config.schema.values import Count, Filled, PathText, SecondsOrUnlimited, Zone

ThinkingLevel = Literal["off", "minimal", "low", "medium", "high", "xhigh", "adaptive", "max", "ultra"]
ContextInjection = Literal["always", "continuation-skip", "never"]


class ModelChoice(Struct, frozen=True, rename="camel"):
    """A model reference and those to try after it. In the file also just the reference as text.

    `primary` None means the one of the defaults, or the one that is used where no model is chosen.
    """

    primary: Filled | None = None
    fallbacks: tuple[Filled, ...] = ()


_Choice = Annotated[ModelChoice, Meta(extra={"form": "model"})]


class ModelEntry(Struct, frozen=True, rename="camel"):
    alias: Filled | None = None
    params: dict[str, Any] = {}


class ModelPolicy(Struct, frozen=True, rename="camel"):
    """Which models a request may choose, in the place of the keys of `models`; `*` stands for anything.
    None = it is not said here."""

    allow: tuple[Filled, ...] | None = None


class AgentIdentity(Struct, frozen=True, rename="camel"):
    name: str | None = None
    theme: str | None = None
    emoji: str | None = None
    avatar: str | None = None


class SubagentChoice(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Who may be given an agent's tasks; `allow_agents` None is the agent itself, "*" is all."""

    allow_agents: tuple[Filled, ...] | None = None
    require_agent_id: bool | None = None
    thinking: ThinkingLevel | None = None


class SubagentDefaults(SubagentChoice, frozen=True, rename="camel", omit_defaults=True):
    """`run_timeout_seconds` 0 leaves the limit to the sub-agent's agent."""

    max_spawn_depth: Count | None = None
    max_children_per_agent: Count | None = None
    run_timeout_seconds: SecondsOrUnlimited | None = None


class SystemAgent(Struct, frozen=True, rename="camel"):
    agent_id: Filled | None = None


class AuthInheritance(Struct, frozen=True, rename="camel"):
    """Whose stored keys stand behind all others; main's, where it is not said."""

    agent_id: Filled | None = None


class AgentDefaults(Struct, frozen=True, rename="camel"):
    """`timeout_seconds` 0 means unlimited, None that the file does not say."""

    model: _Choice | None = None
    models: dict[str, ModelEntry] = {}
    model_policy: ModelPolicy = ModelPolicy()
    params: dict[str, Any] = {}
    workspace: PathText | None = None
    skip_bootstrap: bool = False
    bootstrap_max_chars: Count | None = None
    bootstrap_total_max_chars: Count | None = None
    context_injection: ContextInjection | None = None
    user_timezone: Zone | None = None
    context_tokens: Count | None = None
    context_pruning: ContextPruning = ContextPruning()
    compaction: Compaction = Compaction()
    # The model for what is asked beside conversations; without it the agent's own.
    utility_model: _Choice | None = None
    memory_search: MemorySearch = MemorySearch()
    thinking_default: ThinkingLevel | None = None
    timeout_seconds: SecondsOrUnlimited | None = None
    max_concurrent: Count | None = None
    sandbox: SandboxConfig = SandboxConfig()
    # None means all that are found.
    skills: tuple[Filled, ...] | None = None
    system_agent: SystemAgent = SystemAgent()
    auth_inheritance: AuthInheritance = AuthInheritance()
    subagents: SubagentDefaults = SubagentDefaults()


class _AgentFields(Struct, frozen=True, rename="camel", kw_only=True):
    default: bool = False
    name: str | None = None
    workspace: PathText | None = None
    # Where the older system keeps the agent's keys.
    agent_dir: PathText | None = None
    model: _Choice | None = None
    utility_model: _Choice | None = None
    models: dict[str, ModelEntry] = {}
    model_policy: ModelPolicy = ModelPolicy()
    params: dict[str, Any] = {}
    identity: AgentIdentity = AgentIdentity()
    timeout_seconds: SecondsOrUnlimited | None = None
    thinking_default: ThinkingLevel | None = None
    context_injection: ContextInjection | None = None
    skip_bootstrap: bool | None = None
    bootstrap_max_chars: Count | None = None
    bootstrap_total_max_chars: Count | None = None
    context_tokens: Count | None = None
    memory_search: MemorySearch = MemorySearch()
    tools: AgentToolsConfig = AgentToolsConfig()
    sandbox: SandboxConfig = SandboxConfig()
    # None means the default.
    skills: tuple[Filled, ...] | None = None
    subagents: SubagentChoice = SubagentChoice()


class AgentEntry(_AgentFields, frozen=True, rename="camel"):
    """One agent. `id` is in its normal form (see `agent_id.py`) once the file is loaded."""

    id: str


class KeyedAgentEntry(_AgentFields, frozen=True, rename="camel"):
    """An agent as written under `agents.entries`, where the key is the id."""


class AgentsWritten(Struct, frozen=True, rename="camel"):
    ownership: str | None = None
    defaults: AgentDefaults = AgentDefaults()
    list: tuple[AgentEntry, ...] = ()
    entries: dict[str, KeyedAgentEntry] = {}


class AgentsConfig(Struct, frozen=True, rename="camel"):
    """`entries` in the file's order, `list` before `entries`; `system_agent_id` also in its normal form."""

    defaults: AgentDefaults = AgentDefaults()
    entries: tuple[AgentEntry, ...] = ()
    system_agent_id: str | None = None
