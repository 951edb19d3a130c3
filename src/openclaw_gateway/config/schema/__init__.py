"""The configuration as frozen structs: attribute names in snake case, file keys in camel case.

No behaviour and no file access. A default here is the documented default; `None` means "not set, and
whoever uses it decides". Everything the other floors may read is exported from this package.
"""

from openclaw_gateway.config.schema.agents import (
    AgentDefaults,
    AgentEntry,
    AgentIdentity,
    AgentsConfig,
    ModelChoice,
    ModelEntry,
    ThinkingLevel,
)
from openclaw_gateway.config.schema.context import Compaction, ContextPruning, PrunedTools
from openclaw_gateway.config.schema.gateway import (
    CHAT_SWITCH,
    HOSTS_KEY,
    MESSAGES_SWITCH,
    ORIGINS_KEY,
    RESPONSES_SWITCH,
    TOLERANT_SWITCH,
    AuthConfig,
    AuthMode,
    Bind,
    ChatCompletionsEndpoint,
    ControlUiConfig,
    CorsConfig,
    GatewayConfig,
    HttpClient,
    HttpConfig,
    HttpEndpoints,
    HttpToolsConfig,
    MessagesEndpoint,
    RateLimitConfig,
    ReloadConfig,
    ResponsesEndpoint,
    TrustedProxyConfig,
)
from openclaw_gateway.config.schema.limits import Limits
from openclaw_gateway.config.schema.mcp import McpConfig, McpServer, McpToolFilter
from openclaw_gateway.config.schema.media import FilesConfig, ImagesConfig
from openclaw_gateway.config.schema.memory_search import MemoryRemote, MemorySearch
from openclaw_gateway.config.schema.models import ApiName, ModelDefinition, ModelsConfig, ProviderConfig
from openclaw_gateway.config.schema.root import Config
from openclaw_gateway.config.schema.sandbox import SandboxConfig
from openclaw_gateway.config.schema.sessions import (
    LoggingConfig,
    MaintenanceConfig,
    ResetConfig,
    SessionConfig,
)
from openclaw_gateway.config.schema.skills import SkillEntry, SkillFolders, SkillsConfig
from openclaw_gateway.config.schema.tools import (
    AgentToolsConfig,
    ExecAsk,
    ExecSecurity,
    GlobalWebSettings,
    Profile,
    ProfiledToolPolicy,
    SearchEngineSettings,
    ToolPolicy,
    ToolsConfig,
    WebSearchSettings,
    WithClientTools,
)

__all__ = [
    "CHAT_SWITCH",
    "HOSTS_KEY",
    "MESSAGES_SWITCH",
    "ORIGINS_KEY",
    "RESPONSES_SWITCH",
    "TOLERANT_SWITCH",
    "AgentDefaults",
    "AgentEntry",
    "AgentIdentity",
    "AgentToolsConfig",
    "AgentsConfig",
    "ApiName",
    "AuthConfig",
    "AuthMode",
    "Bind",
    "ChatCompletionsEndpoint",
    "Compaction",
    "Config",
    "ContextPruning",
    "ControlUiConfig",
    "CorsConfig",
    "ExecAsk",
    "ExecSecurity",
    "FilesConfig",
    "GatewayConfig",
    "GlobalWebSettings",
    "HttpClient",
    "HttpConfig",
    "HttpEndpoints",
    "HttpToolsConfig",
    "ImagesConfig",
    "Limits",
    "LoggingConfig",
    "MaintenanceConfig",
    "McpConfig",
    "McpServer",
    "McpToolFilter",
    "MemoryRemote",
    "MemorySearch",
    "MessagesEndpoint",
    "ModelChoice",
    "ModelDefinition",
    "ModelEntry",
    "ModelsConfig",
    "Profile",
    "ProfiledToolPolicy",
    "ProviderConfig",
    "PrunedTools",
    "RateLimitConfig",
    "ReloadConfig",
    "ResetConfig",
    "ResponsesEndpoint",
    "SandboxConfig",
    "SearchEngineSettings",
    "SessionConfig",
    "SkillEntry",
    "SkillFolders",
    "SkillsConfig",
    "ThinkingLevel",
    "ToolPolicy",
    "ToolsConfig",
    "TrustedProxyConfig",
    "WebSearchSettings",
    "WithClientTools",
]
