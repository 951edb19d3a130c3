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
)
from openclaw_gateway.config.schema.gateway import (
    AuthConfig,
    AuthMode,
    Bind,
    ChatCompletionsEndpoint,
    ControlUiConfig,
    CorsConfig,
    GatewayConfig,
    HttpConfig,
    HttpEndpoints,
    RateLimitConfig,
)
from openclaw_gateway.config.schema.limits import Limits
from openclaw_gateway.config.schema.models import ApiName, ModelDefinition, ModelsConfig, ProviderConfig
from openclaw_gateway.config.schema.root import Config
from openclaw_gateway.config.schema.sessions import LoggingConfig, ResetConfig, SessionConfig

__all__ = [
    "AgentDefaults",
    "AgentEntry",
    "AgentIdentity",
    "AgentsConfig",
    "ApiName",
    "AuthConfig",
    "AuthMode",
    "Bind",
    "ChatCompletionsEndpoint",
    "Config",
    "ControlUiConfig",
    "CorsConfig",
    "GatewayConfig",
    "HttpConfig",
    "HttpEndpoints",
    "Limits",
    "LoggingConfig",
    "ModelChoice",
    "ModelDefinition",
    "ModelEntry",
    "ModelsConfig",
    "ProviderConfig",
    "RateLimitConfig",
    "ResetConfig",
    "SessionConfig",
]
